//! What opens over a view.

mod alerts;
mod ask;
mod detail;
mod help;
mod palette;
mod replay;

pub(crate) use alerts::draw as alerts;
pub(crate) use ask::{confirm, quit};
pub(crate) use detail::draw as detail;
pub(crate) use help::draw as help;
pub(crate) use palette::draw as palette;
pub(crate) use replay::draw as replay;

//! All that is drawn: the header, the worst thing, a view, the keys, and what is open over them.

mod draw;
mod footer;
mod header;
mod small;

pub(crate) use draw::draw;
pub(crate) use small::is_too_small;

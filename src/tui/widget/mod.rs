//! What views are made of.

mod canvas;
mod chart;
mod logs;
mod pane;
mod table;

pub(crate) use canvas::Canvas;
pub(crate) use chart::chart;
pub(crate) use logs::{log_lines, log_targets};
pub(crate) use pane::{Frame, pane, popup};
pub(crate) use table::{Cell, Column, table};

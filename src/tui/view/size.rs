//! How much room there is.

use ratatui::layout::Rect;

use crate::tui::widget::Frame;

/// How much room there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Size {
    Small,
    Medium,
    Large,
}

impl Size {
    /// Of the whole screen.
    pub(crate) const fn of(area: Rect) -> Self {
        if area.width < 100 || area.height < 30 {
            Self::Small
        } else if area.width < 160 || area.height < 50 {
            Self::Medium
        } else {
            Self::Large
        }
    }

    /// Boxes where there is room for them.
    pub(crate) const fn frame(self) -> Frame {
        match self {
            Self::Small => Frame::Rule,
            Self::Medium | Self::Large => Frame::Box,
        }
    }
}

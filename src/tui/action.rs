//! The actions, and what is to be known of those that every view offers.

use super::view_id::ViewId;

/// What a person can ask of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Action {
    View(ViewId),
    NextPane,
    PreviousPane,
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    Top,
    Bottom,
    Open,
    Back,
    Zoom,
    Freeze,
    Pause,
    Undo,
    Restart,
    Replay,
    Skip,
    Stop,
    Alerts,
    Palette,
    Help,
    Find,
    FindNext,
    FindPrevious,
    LogMore,
    LogLess,
    LogFocus,
    LogTargets,
    LogSave,
    Copy,
    Repaint,
    Suspend,
    Quit,
}

/// All that is to be known of an action.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About {
    pub(crate) action: Action,
    /// By which the key map names it.
    pub(crate) name: &'static str,
    /// What it does.
    pub(crate) text: &'static str,
    /// What the footer says of it, where it does; the first ones stay when there is little room.
    pub(crate) hint: Option<(u8, &'static str)>,
}

pub(crate) const fn about(action: Action, name: &'static str, text: &'static str) -> About {
    About { action, name, text, hint: None }
}

impl About {
    pub(crate) const fn hint(mut self, rank: u8, text: &'static str) -> Self {
        self.hint = Some((rank, text));
        self
    }
}

/// What steers the pipeline.
pub(crate) const PIPELINE: [About; 6] = [
    about(Action::Pause, "pause", "pause the stage, or let it go on; at once, and u takes it back").hint(1, "pause"),
    about(Action::Undo, "undo", "take the last pause or resume back, for some seconds"),
    about(Action::Restart, "restart", "restart the stage: finish, drop connections, begin from what is committed")
        .hint(2, "restart"),
    about(Action::Replay, "replay", "replay: do a part of the past again, beside the live work").hint(3, "replay"),
    about(Action::Stop, "stop", "stop the stage until it is resumed; on a replay: cancel it").hint(4, "stop"),
    about(
        Action::Skip,
        "skip",
        "skip to dead letters: what a failed stage cannot take goes there with bytes and reason, and it goes on",
    ),
];

pub(crate) const MOVING: [About; 12] = [
    about(Action::NextPane, "next-pane", "the next pane").hint(7, "pane"),
    about(Action::PreviousPane, "previous-pane", "the pane before"),
    about(Action::Up, "up", "up"),
    about(Action::Down, "down", "down"),
    about(Action::Left, "left", "left; in Logs: show less of the target"),
    about(Action::Right, "right", "right; in Logs: show more of the target"),
    about(Action::PageUp, "page-up", "a page up"),
    about(Action::PageDown, "page-down", "a page down"),
    about(Action::Top, "top", "the first line"),
    about(Action::Bottom, "bottom", "the last line; in Logs: follow"),
    about(Action::Open, "open", "open: all that is known of the selected line").hint(6, "open"),
    about(Action::Back, "back", "back: close what is open, clear what was looked for"),
];

pub(crate) const SCREEN: [About; 9] = [
    about(Action::Copy, "copy", "copy the selected line to the clipboard (OSC 52, also over SSH)"),
    about(Action::Zoom, "zoom", "the pane over the whole screen, and back"),
    about(Action::Freeze, "freeze", "hold the picture; the pipeline goes on").hint(8, "freeze"),
    about(Action::Alerts, "alerts", "all alerts"),
    about(Action::Palette, "palette", "every action by its name"),
    about(Action::Help, "help", "this help").hint(0, "help"),
    about(Action::Repaint, "repaint", "paint everything anew"),
    about(Action::Suspend, "suspend", "suspend, as any program; the pipeline stands still until fg"),
    about(Action::Quit, "quit", "quit: stop the pipeline, or leave it running without a screen").hint(0, "quit"),
];

impl Action {
    /// Whether it steers the pipeline, or begins to. Such a key counts only where it came alone: what a terminal sends by
    /// itself never steers anything.
    pub(crate) fn steers(self) -> bool {
        self == Self::Quit || PIPELINE.iter().any(|about| about.action == self)
    }
}

//! The actions: the one table that keys, footer, help, palette and README are made of.

/// What a person can ask of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Action {
    Overview,
    Streams,
    Tables,
    Logs,
    Tape,
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

/// Where an action has a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Everywhere,
    Logs,
}

/// A heading of the help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Chapter {
    Views,
    Moving,
    Pipeline,
    Logs,
    Screen,
}

impl Chapter {
    pub(crate) const ALL: [Self; 5] = [Self::Pipeline, Self::Views, Self::Moving, Self::Logs, Self::Screen];

    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Views => "Views",
            Self::Moving => "Moving",
            Self::Pipeline => "Pipeline (upper-case letters change it)",
            Self::Logs => "Logs",
            Self::Screen => "Screen",
        }
    }
}

/// All that is to be known of an action.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About {
    pub(crate) action: Action,
    /// By which the key map names it.
    pub(crate) name: &'static str,
    pub(crate) chapter: Chapter,
    pub(crate) place: Place,
    /// What it does.
    pub(crate) text: &'static str,
    /// What the footer says of it, where it does; the first ones stay when there is little room.
    pub(crate) hint: Option<(u8, &'static str)>,
}

const fn about(action: Action, name: &'static str, chapter: Chapter, text: &'static str) -> About {
    About { action, name, chapter, place: Place::Everywhere, text, hint: None }
}

impl About {
    const fn hint(mut self, rank: u8, text: &'static str) -> Self {
        self.hint = Some((rank, text));
        self
    }

    const fn in_logs(mut self) -> Self {
        self.place = Place::Logs;
        self
    }
}

/// The table.
pub(crate) const ACTIONS: [About; 40] = {
    use Action as A;
    use Chapter as C;
    [
        about(A::Pause, "pause", C::Pipeline, "pause the stage, or let it go on; at once, and u takes it back")
            .hint(1, "pause"),
        about(A::Undo, "undo", C::Pipeline, "take the last pause or resume back, for some seconds"),
        about(
            A::Restart,
            "restart",
            C::Pipeline,
            "restart the stage: finish, drop connections, begin from what is committed",
        )
        .hint(2, "restart"),
        about(A::Replay, "replay", C::Pipeline, "replay: do a part of the past again, beside the live work")
            .hint(3, "replay"),
        about(A::Stop, "stop", C::Pipeline, "stop the stage until it is resumed; on a replay: cancel it")
            .hint(4, "stop"),
        about(
            A::Skip,
            "skip",
            C::Pipeline,
            "skip to dead letters: what a failed stage cannot take goes there with bytes and reason, and it goes on",
        ),
        about(A::Overview, "overview", C::Views, "Overview: is it well, and what is not"),
        about(A::Streams, "streams", C::Views, "Streams: who is behind, and by how much"),
        about(A::Tables, "tables", C::Views, "Tables: is the data there, and how old is it"),
        about(A::Logs, "logs", C::Views, "Logs: what happened"),
        about(A::Tape, "tape", C::Views, "Tape: the newest trades"),
        about(A::NextPane, "next-pane", C::Moving, "the next pane").hint(7, "pane"),
        about(A::PreviousPane, "previous-pane", C::Moving, "the pane before"),
        about(A::Up, "up", C::Moving, "up"),
        about(A::Down, "down", C::Moving, "down"),
        about(A::Left, "left", C::Moving, "left; in Logs: show less of the target"),
        about(A::Right, "right", C::Moving, "right; in Logs: show more of the target"),
        about(A::PageUp, "page-up", C::Moving, "a page up"),
        about(A::PageDown, "page-down", C::Moving, "a page down"),
        about(A::Top, "top", C::Moving, "the first line"),
        about(A::Bottom, "bottom", C::Moving, "the last line; in Logs: follow"),
        about(A::Open, "open", C::Moving, "open: all that is known of the selected line").hint(6, "open"),
        about(A::Back, "back", C::Moving, "back: close what is open, clear what was looked for"),
        about(A::Find, "find", C::Logs, "find a text in the log").in_logs().hint(1, "find"),
        about(A::FindNext, "find-next", C::Logs, "the next line that has it").in_logs().hint(2, "next"),
        about(A::FindPrevious, "find-previous", C::Logs, "the line before that has it").in_logs(),
        about(A::LogMore, "log-more", C::Logs, "record more of the selected target").in_logs(),
        about(A::LogLess, "log-less", C::Logs, "record less of the selected target").in_logs().hint(4, "level"),
        about(A::LogFocus, "log-focus", C::Logs, "show the selected target only").in_logs().hint(3, "focus"),
        about(A::LogTargets, "log-targets", C::Logs, "hide or show the targets").in_logs(),
        about(A::LogSave, "log-save", C::Logs, "save the lines in memory to a file").in_logs().hint(5, "save"),
        about(A::Copy, "copy", C::Screen, "copy the selected line to the clipboard (OSC 52, also over SSH)"),
        about(A::Zoom, "zoom", C::Screen, "the pane over the whole screen, and back"),
        about(A::Freeze, "freeze", C::Screen, "hold the picture; the pipeline goes on").hint(8, "freeze"),
        about(A::Alerts, "alerts", C::Screen, "all alerts"),
        about(A::Palette, "palette", C::Screen, "every action by its name"),
        about(A::Help, "help", C::Screen, "this help").hint(0, "help"),
        about(A::Repaint, "repaint", C::Screen, "paint everything anew"),
        about(A::Suspend, "suspend", C::Screen, "suspend, as any program; the pipeline stands still until fg"),
        about(A::Quit, "quit", C::Screen, "quit: stop the pipeline, or leave it running without a screen")
            .hint(0, "quit"),
    ]
};

impl Action {
    /// Whether it steers the pipeline, or begins to. Such a key counts only where it came alone: what a terminal sends by
    /// itself never steers anything.
    pub(crate) fn steers(self) -> bool {
        self == Self::Quit || self.about().chapter == Chapter::Pipeline
    }

    /// All that is to be known of it.
    pub(crate) fn about(self) -> &'static About {
        // The table holds every action: a test sees to that.
        ACTIONS.iter().find(|about| about.action == self).unwrap_or(&ACTIONS[0])
    }

    /// By its name in the key map.
    pub(crate) fn named(name: &str) -> Option<Self> {
        ACTIONS.iter().find(|about| about.name == name).map(|about| about.action)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_action_is_in_the_table_once() {
        let actions: BTreeSet<_> = ACTIONS.iter().map(|about| about.action).collect();
        let names: BTreeSet<_> = ACTIONS.iter().map(|about| about.name).collect();
        assert_eq!((actions.len(), names.len()), (ACTIONS.len(), ACTIONS.len()));
        // The last one that was declared: what is not in the table would be missing before it.
        assert_eq!(Action::Quit as usize + 1, ACTIONS.len());
        for about in ACTIONS {
            assert_eq!(about.action.about().name, about.name);
            assert_eq!(Action::named(about.name), Some(about.action));
        }
    }
}

//! What the screen knows: a snapshot, where a person is, and what is open. Changed by [`super::update`] only.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use tui_logger::TuiWidgetState;

use super::dialog::{Confirm, QuitDialog, ReplayForm};
use super::glyphs::Charset;
use super::keymap::Keymap;
use super::theme::Theme;
use crate::logs::{LogRecord, LogRing};
use crate::monitor::{JobView, Severity, Snapshot, StageView};
use crate::stage::{Command, Desired, StageName};
use crate::warehouse::JobState;

/// Milliseconds since the screen began.
pub(crate) type Millis = u64;

/// A view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum View {
    Overview,
    Streams,
    Tables,
    Logs,
    Tape,
}

impl View {
    /// The panes that may have the keys.
    pub(crate) const fn panes(self) -> &'static [Pane] {
        match self {
            Self::Overview => &[Pane::Stages, Pane::Streams, Pane::Tables],
            Self::Streams => &[Pane::Streams],
            Self::Tables => &[Pane::Tables],
            Self::Logs => &[Pane::Logs],
            Self::Tape => &[Pane::Tape],
        }
    }
}

/// A pane that may have the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pane {
    Stages,
    Streams,
    Tables,
    Logs,
    Tape,
}

/// What is open over the view.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Mode {
    Normal,
    Help {
        scroll: u16,
    },
    Alerts,
    /// All that is known of a stage or a replay.
    Detail,
    Confirm(Confirm),
    Replay(ReplayForm),
    Quit(QuitDialog),
    /// A text is being typed.
    Find(String),
    Palette {
        text: String,
        selected: usize,
    },
}

/// A stage or a replay: what verbs are about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target<'a> {
    Stage(&'a StageView),
    Job(&'a JobView),
}

/// Something that is said for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Toast {
    pub(crate) text: String,
    pub(crate) severity: Severity,
    pub(crate) until: Millis,
}

/// What was looked for in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) text: String,
    /// Which of the lines, counted from the newest.
    pub(crate) at: usize,
}

/// Lines of the log, with their numbers.
pub(crate) type Lines = Rc<Vec<(u64, Arc<LogRecord>)>>;

/// A search of the log: for what, when there were so many lines, and what was found.
#[derive(Default)]
struct Search {
    text: String,
    at: u64,
    lines: Lines,
}

/// Lines that a search finds, at most.
const MOST_FOUND: usize = 2_000;

/// How the screen is set up.
#[derive(Clone, Debug)]
pub struct Look {
    /// Its colours.
    pub theme: Theme,
    /// Its characters.
    pub charset: Charset,
    /// Its keys.
    pub keymap: Keymap,
}

/// All of it.
pub(crate) struct State {
    pub(crate) look: Look,
    pub(crate) now: Millis,
    /// Columns of the terminal.
    pub(crate) width: u16,
    /// And lines.
    pub(crate) height: u16,
    pub(crate) snapshot: Arc<Snapshot>,
    /// When that came.
    pub(crate) received: Millis,
    pub(crate) frozen: Option<(Arc<Snapshot>, Millis)>,
    pub(crate) view: View,
    pub(crate) focus: BTreeMap<View, usize>,
    pub(crate) selected: BTreeMap<Pane, usize>,
    pub(crate) zoom: bool,
    pub(crate) mode: Mode,
    pub(crate) toast: Option<Toast>,
    /// What takes the last pause or resume back, and until when.
    pub(crate) undo: Option<(Command, Millis)>,
    /// Commands that are not answered yet.
    pub(crate) asked: usize,
    /// What was asked of stages just now, and until when that counts more than what is seen of them.
    pub(crate) wanted: BTreeMap<StageName, (Desired, Millis)>,
    pub(crate) ring: Arc<LogRing>,
    pub(crate) log: TuiWidgetState,
    pub(crate) found: Option<Found>,
    /// The last search, so that a frame does not search again.
    search: RefCell<Search>,
    /// Whether the targets of the log are shown; as the room is, before somebody has said.
    pub(crate) targets: Option<bool>,
    /// Whether there is somewhere to go on without a screen.
    pub(crate) can_detach: bool,
}

impl State {
    pub(crate) fn new(look: Look, snapshot: Arc<Snapshot>, ring: Arc<LogRing>, can_detach: bool) -> Self {
        Self {
            look,
            now: 0,
            width: 80,
            height: 24,
            snapshot,
            received: 0,
            frozen: None,
            view: View::Overview,
            focus: BTreeMap::new(),
            selected: BTreeMap::new(),
            zoom: false,
            mode: Mode::Normal,
            toast: None,
            undo: None,
            asked: 0,
            wanted: BTreeMap::new(),
            ring,
            log: TuiWidgetState::new(),
            found: None,
            search: RefCell::default(),
            targets: None,
            can_detach,
        }
    }

    /// The snapshot that is shown.
    pub(crate) fn shown(&self) -> &Snapshot {
        self.frozen.as_ref().map_or(&self.snapshot, |(frozen, _)| frozen)
    }

    /// The pane that has the keys.
    pub(crate) fn focused(&self) -> Pane {
        let panes = self.view.panes();
        panes[self.focus.get(&self.view).copied().unwrap_or(0).min(panes.len() - 1)]
    }

    /// How many lines a pane has to select from.
    pub(crate) fn lines(&self, pane: Pane) -> usize {
        let shown = self.shown();
        match pane {
            Pane::Stages => shown.stages.len() + shown.jobs.len(),
            Pane::Streams => shown.streams.len(),
            Pane::Tables => shown.tables.len(),
            Pane::Tape => shown.tape.value.as_ref().map_or(0, Vec::len),
            Pane::Logs => 0,
        }
    }

    /// The selected line of a pane.
    pub(crate) fn selected(&self, pane: Pane) -> usize {
        self.selected.get(&pane).copied().unwrap_or(0).min(self.lines(pane).saturating_sub(1))
    }

    /// What a verb is about.
    pub(crate) fn target(&self) -> Option<Target<'_>> {
        let shown = self.shown();
        let at = self.selected(Pane::Stages);
        match shown.stages.get(at) {
            Some(stage) => Some(Target::Stage(stage)),
            None => shown.jobs.get(at - shown.stages.len()).map(Target::Job),
        }
    }

    /// The stage that a verb is about, if it is about one, as it is now and not as a frozen picture has it.
    pub(crate) fn stage(&self) -> Option<&StageView> {
        match self.target()? {
            Target::Stage(shown) => self.snapshot.stages.iter().find(|stage| stage.name == shown.name),
            Target::Job(_) => None,
        }
    }

    /// The lines of the log that have a text, the oldest first. Searched again only where there is something new.
    pub(crate) fn find(&self, text: &str) -> Lines {
        let mut search = self.search.borrow_mut();
        let at = self.ring.sequence();
        if search.at != at || search.text != text {
            let lines = Rc::new(self.ring.find(text, MOST_FOUND));
            *search = Search { text: text.to_owned(), at, lines };
        }
        Rc::clone(&search.lines)
    }

    /// Whether the targets of the log are shown, in so many columns.
    pub(crate) fn shows_targets(&self, columns: u16) -> bool {
        self.targets.unwrap_or(columns >= 100)
    }

    /// How long there has been no snapshot, where that is longer than it should be.
    pub(crate) fn silence(&self) -> Option<Millis> {
        let silence = self.now.saturating_sub(self.received);
        (silence > 3_500).then_some(silence)
    }
}

/// Whether a replay goes on.
pub(crate) fn goes_on(job: &JobView) -> bool {
    job.state == JobState::Running
}

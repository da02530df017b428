//! What the screen knows: a snapshot, where a person is, and what is open. Changed by [`super::update`] only.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, sync::Arc};

use tui_logger::TuiWidgetState;

use super::dialog::{Confirm, QuitDialog, ReplayForm};
use super::{exits::Exits, look::UiOptions, target::Target, view_id::ViewId};
use crate::control::{Command, DesiredState};
use crate::flow::StageId;
use crate::logs::{LogRecord, LogRing};
use crate::monitor::{Severity, Snapshot, StageView};

/// Milliseconds since the screen began.
pub(crate) type Millis = u64;

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

/// All of it.
pub(crate) struct State {
    pub(crate) look: UiOptions,
    pub(crate) now: Millis,
    /// Columns of the terminal.
    pub(crate) width: u16,
    /// And lines.
    pub(crate) height: u16,
    pub(crate) snapshot: Arc<Snapshot>,
    /// When that came.
    pub(crate) received: Millis,
    pub(crate) frozen: Option<(Arc<Snapshot>, Millis)>,
    pub(crate) view: ViewId,
    /// Which pane of a view has the keys.
    pub(crate) focus: BTreeMap<ViewId, usize>,
    /// Which line of a pane is selected.
    pub(crate) selected: BTreeMap<&'static str, usize>,
    pub(crate) zoom: bool,
    pub(crate) mode: Mode,
    pub(crate) toast: Option<Toast>,
    /// What takes the last pause or resume back, and until when.
    pub(crate) undo: Option<(Command, Millis)>,
    /// Commands that are not answered yet.
    pub(crate) asked: usize,
    /// What was asked of stages just now, and until when that counts more than what is seen of them.
    pub(crate) wanted: BTreeMap<StageId, (DesiredState, Millis)>,
    pub(crate) ring: Arc<LogRing>,
    pub(crate) log: TuiWidgetState,
    pub(crate) found: Option<Found>,
    /// The last search, so that a frame does not search again.
    search: RefCell<Search>,
    /// Whether the targets of the log are shown; as the room is, before somebody has said.
    pub(crate) targets: Option<bool>,
    /// By which ways it can be left.
    pub(crate) exits: Exits,
}

impl State {
    pub(crate) fn new(look: UiOptions, snapshot: Arc<Snapshot>, ring: Arc<LogRing>, exits: Exits) -> Self {
        Self {
            look,
            now: 0,
            width: 80,
            height: 24,
            snapshot,
            received: 0,
            frozen: None,
            view: ViewId::OVERVIEW,
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
            exits,
        }
    }

    /// The snapshot that is shown.
    pub(crate) fn shown(&self) -> &Snapshot {
        self.frozen.as_ref().map_or(&self.snapshot, |(frozen, _)| frozen)
    }

    /// Shows another view.
    pub(crate) fn show(&mut self, view: ViewId) {
        (self.view, self.zoom) = (view, false);
    }

    /// The selected line of a pane that has so many.
    pub(crate) fn selected(&self, pane: &'static str, lines: usize) -> usize {
        self.selected.get(pane).copied().unwrap_or(0).min(lines.saturating_sub(1))
    }

    /// What a verb is about.
    pub(crate) fn target(&self) -> Option<Target<'_>> {
        let shown = self.shown();
        Target::at(shown, self.selected(Target::PANE, Target::count(shown)))
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

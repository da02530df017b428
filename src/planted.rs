//! Deliberate defects, which show that the tests can fail.
//!
//! Only with the feature `planted-bugs`, and then one at a time, named by `POLYTAPE_PLANTED_BUG`. Each is made from outside,
//! by something that stands around a broker, a warehouse or the screen; these never ask for one.

/// A defect of the kind that loses or doubles rows without anybody noticing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// The source cursor is committed before the entries that it stands for.
    CursorBeforeEntries,
    /// A writer acknowledges its entries before the warehouse has confirmed the rows.
    AcknowledgeBeforeConfirm,
    /// The key of a trade leaves out the log index.
    KeyWithoutLogIndex,
    /// Of two versions of a trade the one that arrives later wins, not the more complete one.
    VersionByClock,
    /// The watermark's barrier is read downstream first: the newest outputs, and a moment later the cursor.
    BarrierDownstreamFirst,
    /// A removal from the list of unresolved tokens takes along entries of the same token that nobody has read.
    RemovedByToken,
    /// A token is put on that list before its rows are written.
    EntryBeforeRow,
    /// A damaged entry is acknowledged before the replay of what it stood for is recorded.
    AcknowledgeBeforeReplay,
    /// A stage never comes back from a step, and waits for nothing.
    StageIsStuck,
    /// A stage panics, once.
    StagePanics,
    /// The screen panics when its window is resized.
    ScreenPanics,
}

impl Bug {
    /// Its name in the environment.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CursorBeforeEntries => "cursor-before-entries",
            Self::AcknowledgeBeforeConfirm => "acknowledge-before-confirm",
            Self::KeyWithoutLogIndex => "key-without-log-index",
            Self::VersionByClock => "version-by-clock",
            Self::BarrierDownstreamFirst => "barrier-downstream-first",
            Self::RemovedByToken => "removed-by-token",
            Self::EntryBeforeRow => "entry-before-row",
            Self::AcknowledgeBeforeReplay => "acknowledge-before-replay",
            Self::StageIsStuck => "stage-is-stuck",
            Self::StagePanics => "stage-panics",
            Self::ScreenPanics => "screen-panics",
        }
    }
}

/// Whether the defect is to be committed.
#[cfg(feature = "planted-bugs")]
pub(crate) fn planted(bug: Bug) -> bool {
    use std::sync::LazyLock;
    static PLANTED: LazyLock<Option<String>> = LazyLock::new(|| std::env::var("POLYTAPE_PLANTED_BUG").ok());
    PLANTED.as_deref() == Some(bug.name())
}

/// A step on the way of a batch: the process dies at the one that `POLYTAPE_DIES_AT` counts to, as by a kill.
#[cfg(feature = "planted-bugs")]
pub(crate) fn step() {
    use std::sync::{LazyLock, atomic::AtomicU64, atomic::Ordering};
    static DIES_AT: LazyLock<Option<u64>> =
        LazyLock::new(|| std::env::var("POLYTAPE_DIES_AT").ok().and_then(|text| text.parse().ok()));
    static STEPS: AtomicU64 = AtomicU64::new(0);
    if let Some(at) = *DIES_AT
        && STEPS.fetch_add(1, Ordering::SeqCst) + 1 == at
    {
        std::process::abort();
    }
}

/// The same as [`planted`], but only the first time in a process.
#[cfg(feature = "planted-bugs")]
pub(crate) fn planted_once(bug: Bug) -> bool {
    use std::sync::atomic::{AtomicBool, Ordering};
    static DONE: AtomicBool = AtomicBool::new(false);
    planted(bug) && !DONE.swap(true, Ordering::Relaxed)
}

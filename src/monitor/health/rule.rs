//! What a rule is: what it looks at, and what it finds.

use crate::monitor::snapshot::{OutageView, Severity, Snapshot};
use crate::{control::Command, flow::StageId, monitor::history::History, streams::WaitCause};

/// A rule.
pub(super) struct Rule {
    /// Its name, which never changes its meaning.
    pub(super) id: &'static str,
    /// What it finds.
    pub(super) check: fn(&Facts<'_>) -> Vec<Finding>,
}

/// What a rule looks at.
pub(super) struct Facts<'a> {
    pub(super) now: &'a Snapshot,
    pub(super) history: &'a History,
}

impl Facts<'_> {
    /// What does not answer, where a stage waits for that, or for a stage that does.
    pub(super) fn root_cause(&self, stage: StageId) -> Option<&OutageView> {
        let waits = self.now.waits();
        self.now.outages.iter().find(|outage| outage.waiting(&waits).contains(&stage))
    }

    /// Whether something is not seen since nobody has begun, or who is asked for it does not answer.
    pub(super) fn is_covered(&self, cause: &WaitCause) -> bool {
        let is_of = |name: &str| self.now.outages.iter().any(|outage| outage.name == name);
        *cause == WaitCause::NotBegun || cause.dependency().is_some_and(|asked| is_of(&asked.name))
    }
}

/// What a rule finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) severity: Severity,
    pub(super) subject: String,
    pub(super) text: String,
    /// The stage that is slow by this.
    pub(super) slows: Option<StageId>,
    /// What would help.
    pub(super) helps: Vec<Command>,
}

impl Finding {
    pub(super) fn new(severity: Severity, subject: impl Into<String>, text: impl Into<String>) -> Self {
        Self { severity, subject: subject.into(), text: text.into(), slows: None, helps: Vec::new() }
    }

    /// Names a command that would help. Whoever shows it says by which key or word it is given.
    pub(super) fn helps(mut self, command: Command) -> Self {
        self.helps.push(command);
        self
    }

    pub(super) fn slows(mut self, stage: StageId) -> Self {
        self.slows = Some(stage);
        self
    }
}

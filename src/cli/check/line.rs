//! What was found of one thing.

use std::fmt;

use crate::secrets;

/// What is to be thought of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// As it should be.
    Ok,
    /// It works, but somebody should know.
    Warn,
    /// It does not work.
    Failed,
}

/// `ok    gamma     gamma-api.polymarket.com: …`
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) verdict: Verdict,
    what: &'static str,
    found: String,
}

impl Line {
    pub(super) fn ok(what: &'static str, found: impl Into<String>) -> Self {
        Self { verdict: Verdict::Ok, what, found: found.into() }
    }

    pub(super) fn failed(what: &'static str, found: impl fmt::Display) -> Self {
        Self { verdict: Verdict::Failed, what, found: found.to_string() }
    }

    /// What a look found, or what ended it.
    pub(super) fn of(look: Result<Self, Self>) -> Self {
        look.unwrap_or_else(|failed| failed)
    }

    /// The same with more.
    #[must_use]
    pub(super) fn and(self, more: impl fmt::Display) -> Self {
        Self { found: format!("{}; {more}", self.found), ..self }
    }

    /// The same with something that does not work.
    #[must_use]
    pub(super) fn fail(self, more: impl fmt::Display) -> Self {
        Self { verdict: Verdict::Failed, ..self.and(more) }
    }

    /// The same with something that somebody should know.
    #[must_use]
    pub(super) fn warn(self, more: impl fmt::Display) -> Self {
        let verdict = if self.verdict == Verdict::Ok { Verdict::Warn } else { self.verdict };
        Self { verdict, ..self.and(more) }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.verdict {
            Verdict::Ok => "ok",
            Verdict::Warn => "warn",
            Verdict::Failed => "FAIL",
        };
        write!(f, "{verdict:<5} {:<9} {}", self.what, secrets::line(&self.found))
    }
}

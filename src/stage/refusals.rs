//! When bad entries are no more their own fault: a stage whose every entry is bad stops, rather than empty its stream into the
//! dead letters.
//!
//! Somebody who has looked at it may say that they are bad all the same (`skip`): then those up to the newest entry of that
//! moment become dead letters, whatever their number, and behind it counting begins anew.

use crate::{broker::EntryId, streams::StageError};

/// So many refused rows or damaged entries, none accepted between them, are not their own fault.
const MOST: usize = 16;

/// How many in a row were no good, and whether that matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Refusals {
    in_a_row: usize,
    skips: Skips,
}

/// Which bad entries are skipped, whatever their number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Skips {
    #[default]
    None,
    /// Those that are there, of which the newest is not known yet.
    Asked,
    UpTo(EntryId),
}

impl Refusals {
    /// What the stream holds now shall become dead letters as far as it is bad.
    pub(crate) const fn skip(&mut self) {
        self.skips = Skips::Asked;
    }

    /// Whether it has still to be told which entry is the newest.
    pub(crate) fn asks_for_newest(self) -> bool {
        self.skips == Skips::Asked
    }

    /// The newest entry of the stream.
    pub(crate) const fn skip_up_to(&mut self, newest: EntryId) {
        self.skips = Skips::UpTo(newest);
    }

    /// Whether bad ones are skipped now.
    pub(crate) fn are_skipped(self) -> bool {
        self.skips != Skips::None
    }

    /// One was good.
    pub(crate) const fn good(&mut self) {
        self.in_a_row = 0;
    }

    /// So many more were bad; an error where that is no more the fault of each of them.
    pub(crate) fn bad(&mut self, more: usize, reason: impl FnOnce() -> String) -> Result<(), StageError> {
        if self.are_skipped() {
            return Ok(());
        }
        self.in_a_row += more;
        if more > 0 && self.in_a_row >= MOST {
            return Err(StageError::AllRefused { count: self.in_a_row, reason: reason() });
        }
        Ok(())
    }

    /// How it stands behind so many that were good and so many that were not; an error as of [`bad`](Self::bad).
    pub(crate) fn counted(mut self, good: usize, bad: usize) -> Result<Self, StageError> {
        match good {
            0 => self.bad(bad, || "damaged entries".into())?,
            _ => self.good(),
        }
        Ok(self)
    }

    /// How it goes on when everything up to an entry is settled.
    #[must_use]
    pub(crate) fn settled(self, last: Option<EntryId>) -> Self {
        match self.skips {
            Skips::UpTo(newest) if last >= Some(newest) => Self::default(),
            _ => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_in_a_row_end_it_unless_they_are_skipped() {
        let id = |ms| EntryId { ms, seq: 0 };
        let mut refusals = Refusals::default();
        refusals.bad(MOST - 1, String::new).unwrap();
        refusals.good();
        refusals.bad(MOST - 1, String::new).unwrap();
        let error = refusals.bad(1, || "r".into()).unwrap_err();
        assert!(matches!(error, StageError::AllRefused { count: MOST, .. }), "{error}");
        let mut refusals = Refusals::default();
        refusals.skip();
        assert!(refusals.asks_for_newest());
        refusals.skip_up_to(id(2_000));
        refusals.bad(1_000, String::new).unwrap();
        let mut refusals = refusals.settled(Some(id(1_999)));
        refusals.bad(1_000, String::new).unwrap();
        let mut behind = refusals.settled(Some(id(2_000)));
        behind.bad(MOST - 1, String::new).unwrap();
        assert!(behind.bad(1, String::new).is_err(), "what comes behind is another matter");
    }
}

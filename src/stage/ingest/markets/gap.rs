//! A market on which the source fails wherever it would be part of a page.
//!
//! ```text
//! beginning ──▶ pages ──▶ smaller pages ──▶ ✕ ◀── smaller pages ◀── pages ◀── other end
//! ```
//!
//! A page that fails is asked for in smaller pages, down to the one market. Where that is reached, the listing is read from its
//! other end. Only what can be read from neither side is left out, and that is said. That it is not the source as a whole which
//! fails is known when the other end could be read.

use tokio::time::Instant;

use super::ingest::{IngestMarkets, Leaf};
use super::scan::{PageOutcome, Purpose, Scan};
use crate::source::{Listing, Order, SourceError};
use crate::streams::{ListingGap, StageError};
use crate::{flow::StageId, stage::step::Step};

/// A source that answers from neither end is away: other listings go first.
const AWAY: u32 = 8;

impl IngestMarkets {
    /// The source failed on a page, or on all it is asked.
    pub(crate) fn narrow(&mut self, error: SourceError) -> Result<Step, StageError> {
        let Some(scan) = &mut self.scan else { return Err(error.into()) };
        // Where it is known that there is a gap nothing has to be waited for.
        let is_known = self.progress.borrow().markets.gaps[usize::from(scan.listing.closed)].is_some();
        if !scan.narrowing.failed() {
            match &mut scan.from_end {
                None => self.scan = Some(scan.turned(error.to_string())),
                Some(from_end) if from_end.has_read => {
                    from_end.at_gap = true;
                    // As behind a last page.
                    self.page = Some(Leaf { markets: Vec::new(), cursor: self.cursor_behind(None, PageOutcome::Done) });
                    self.outcome = Some(PageOutcome::Done);
                    return Ok(Step::Moved(0));
                }
                Some(_) => {
                    self.retry_budget.failures = self.retry_budget.failures.max(AWAY);
                    self.postpone();
                    // The one through the past begins anew.
                    self.scan = None;
                    return Err(error.into());
                }
            }
        }
        if is_known { Ok(Step::Moved(0)) } else { Err(error.into()) }
    }

    /// A scan has come to its end. What to read besides, where something in its listing cannot be read.
    pub(crate) fn around_gap(&mut self, scan: &Scan) -> Option<Scan> {
        let is_long = matches!(scan.purpose, Purpose::Open | Purpose::History);
        let Some(from_end) = &scan.from_end else {
            // All of it could be read.
            if is_long || (scan.purpose == Purpose::Closed && !self.options.history) {
                self.note_gap(scan.listing.closed, None, "");
            }
            return None;
        };
        let number = |id: &Option<String>| id.as_ref().and_then(|id| id.parse().ok());
        let before = number(&scan.last).filter(|_| is_long);
        let gap = ListingGap { behind: number(&from_end.meets), before };
        if is_long {
            self.note_gap(scan.listing.closed, from_end.at_gap.then_some(gap), &from_end.cause);
            return None;
        }
        if self.progress.borrow().markets.gaps[usize::from(scan.listing.closed)].is_none() {
            self.note_gap(scan.listing.closed, Some(gap), &from_end.cause);
        }
        self.scheduler.gap(Instant::now());
        let (listing, until) = self.closed_by_creation(scan)?;
        let mut next = Scan::new(Purpose::Closed, listing, until);
        next.begun = scan.begun;
        Some(next)
    }

    /// Where else those closed markets are looked for that a gap hides among those that were changed last.
    pub(crate) fn closed_by_creation(&self, scan: &Scan) -> Option<(Listing, Option<u64>)> {
        let is_hidden =
            scan.purpose == Purpose::Closed && scan.from_end.is_some() && scan.listing.order == Order::Updated;
        self.scheduler.closed_by_creation(self.cursor.closed_since).filter(|_| is_hidden)
    }

    /// What of a listing cannot be read is shown, and said once.
    fn note_gap(&self, closed: bool, gap: Option<ListingGap>, cause: &str) {
        let before = self.progress.borrow().markets.gaps[usize::from(closed)];
        self.progress.send_modify(|progress| progress.markets.gaps[usize::from(closed)] = gap);
        let (name, kind) = (self.source.name(), if closed { "closed" } else { "open" });
        match (before, gap) {
            (None, Some(gap)) => tracing::warn!(
                stage = StageId::IngestMarkets.as_str(),
                "{name} fails on a market of its listing of {kind} ones, {gap}: it is left out, the others are read from both \
                 ends: {cause}"
            ),
            (Some(_), None) => {
                tracing::info!(stage = StageId::IngestMarkets.as_str(), "{name} lists all {kind} markets again")
            }
            _ => {}
        }
    }
}

//! Proves the list: each partition of the trades is compared with it daily. Where there was no list yet it is filled first.
//!
//! One part in a step, and a pause behind it: live work goes on beside it. What is found missing is looked at once more after a
//! while, since an entry may be on its way; what is missing then is put on the list, counted, and said.

use std::time::Duration;

use tokio::time::Instant;

use crate::backoff::Backoff;
use crate::warehouse::{ListScan, Scanned, TokenIndex, WarehouseError};

/// How often it is asked what is due.
const LOOK: Duration = Duration::from_secs(60);

/// Between two parts.
const PAUSE: Duration = Duration::from_secs(1);

/// How long an entry may be on its way, where it was found missing.
const SECOND_LOOK: Duration = Duration::from_secs(5);

/// What is being compared.
pub(crate) struct Scanner {
    next: Instant,
    under_way: Option<UnderWay>,
    is_filled: bool,
    backoff: Backoff,
    /// Tokens that were found missing in this run.
    missed: u64,
}

/// A partition.
struct UnderWay {
    partition: String,
    /// What of it is left, the next part last.
    rest: Vec<ListScan>,
    found: u64,
    /// Whether its next part is looked at once more.
    again: bool,
}

impl Scanner {
    pub(crate) fn new() -> Self {
        Self { next: Instant::now(), under_way: None, is_filled: false, backoff: Backoff::default(), missed: 0 }
    }

    /// Whether all that was there before the list is on it.
    pub(crate) const fn is_filled(&self) -> bool {
        self.is_filled
    }

    /// How many tokens were found missing in this run.
    pub(crate) const fn missed(&self) -> u64 {
        self.missed
    }

    /// Does the next part, where it is time. What fails is done again later: nothing else waits for it.
    pub(crate) async fn step(&mut self, warehouse: &dyn TokenIndex) {
        if Instant::now() < self.next {
            return;
        }
        match self.next_part(warehouse).await {
            Ok(()) => self.backoff.reset(),
            Err(error) => {
                let wait = self.backoff.next();
                tracing::warn!("the list of unresolved tokens cannot be compared with the trades: {error}");
                self.next = Instant::now() + wait;
            }
        }
    }

    async fn next_part(&mut self, warehouse: &dyn TokenIndex) -> Result<(), WarehouseError> {
        let now = Instant::now();
        let Some(under_way) = &mut self.under_way else { return self.look(warehouse).await };
        let Some(part) = under_way.rest.last() else {
            let partition = under_way.partition.clone();
            warehouse.note_scan(Some(&partition), under_way.found).await?;
            self.under_way = None;
            return Ok(());
        };
        match warehouse.scan_list(part).await? {
            Scanned::TooLarge => {
                let halves = under_way.rest.pop().and_then(ListScan::parts);
                under_way.rest.extend(halves.into_iter().flatten().rev());
                return Ok(());
            }
            Scanned::Found { count, entries } if !part.is_fill && count > 0 => {
                if !under_way.again {
                    under_way.again = true;
                    self.next = now + SECOND_LOOK;
                    return Ok(());
                }
                warehouse.list_unresolved(&entries).await?;
                let found = entries.len() as u64;
                let (partition, left) = (&under_way.partition, count.saturating_sub(found));
                tracing::warn!(
                    partition,
                    "{found} tokens with incomplete trades were not on the list of unresolved tokens; they are now"
                );
                self.missed += found;
                under_way.found += found;
                if left == 0 {
                    under_way.rest.pop();
                    under_way.again = false;
                }
            }
            Scanned::Found { count, .. } => {
                under_way.found += count;
                under_way.rest.pop();
                under_way.again = false;
            }
        }
        // A fill is waited for.
        self.next = if self.is_filled { now + PAUSE } else { now };
        Ok(())
    }

    /// Asks what is due.
    async fn look(&mut self, warehouse: &dyn TokenIndex) -> Result<(), WarehouseError> {
        let state = warehouse.list_state().await?;
        self.is_filled = state.is_filled;
        match state.due.into_iter().next() {
            Some(partition) => {
                let whole = ListScan::of(partition.clone(), !state.is_filled);
                self.under_way = Some(UnderWay { partition, rest: vec![whole], found: 0, again: false });
            }
            None if !state.is_filled => {
                warehouse.note_scan(None, 0).await?;
                self.is_filled = true;
                tracing::info!("the list of unresolved tokens is filled");
            }
            None => self.next = Instant::now() + LOOK,
        }
        Ok(())
    }
}

//! How long it takes until rows are confirmed.
//!
//! An insert is under way from the first attempt to the answer that its rows are there, over any number of failures. One whose rows
//! are let go of, since their stage began again, ends without a word.

use crate::flow::TableId;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// How many are remembered of each table, and for how long.
const MOST: usize = 100;
const REMEMBERED: Duration = Duration::from_secs(60);

/// The inserts into each table. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Inserts(Arc<Mutex<BTreeMap<TableId, Recent>>>);

/// Those into one table.
#[derive(Default)]
struct Recent {
    /// When it was confirmed, and how long that took.
    confirmed: VecDeque<(Instant, Duration)>,
    /// Since when, by number.
    under_way: BTreeMap<u64, Instant>,
    last: u64,
    rows: Option<u64>,
    took: [u64; InsertTimes::BOUNDS.len() + 1],
    took_in_all: Duration,
}

/// How long the inserts of the last minute took into a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InsertTimes {
    /// The middle one; `None` if there was none.
    pub median: Option<Duration>,
    /// The longest.
    pub longest: Option<Duration>,
    /// How long the oldest one takes that is under way; `None` if none is.
    pub running: Option<Duration>,
    /// Rows of all that were confirmed since the start; `None` before the first.
    pub rows: Option<u64>,
    /// How many took at most as long as each of the bounds says, but longer than the one before, since the start; and behind
    /// them how many took longer than the last.
    pub took: [u64; Self::BOUNDS.len() + 1],
    /// What all of them took together.
    pub took_in_all: Duration,
}

impl InsertTimes {
    /// Milliseconds by which inserts are counted.
    pub const BOUNDS: [u64; 9] = [10, 50, 100, 250, 500, 1_000, 2_500, 10_000, 60_000];
}

impl Inserts {
    /// One begins.
    pub(crate) fn begin(&self, table: TableId) -> Insert {
        let mut tables = self.0.lock();
        let recent = tables.entry(table).or_default();
        recent.last += 1;
        recent.under_way.insert(recent.last, Instant::now());
        Insert { inserts: self.clone(), table, number: recent.last }
    }

    /// How it goes with a table.
    pub(crate) fn times(&self, table: TableId) -> InsertTimes {
        self.0.lock().get(&table).map(|recent| recent.times(Instant::now())).unwrap_or_default()
    }
}

impl Recent {
    fn times(&self, now: Instant) -> InsertTimes {
        let recent = self.confirmed.iter().filter(|(at, _)| now.saturating_duration_since(*at) <= REMEMBERED);
        let mut took: Vec<Duration> = recent.map(|(_, took)| *took).collect();
        took.sort_unstable();
        let running = self.under_way.values().min().map(|since| now.saturating_duration_since(*since));
        let (median, longest) = (took.get(took.len() / 2).copied(), took.last().copied());
        InsertTimes { median, longest, running, rows: self.rows, took: self.took, took_in_all: self.took_in_all }
    }

    fn confirm(&mut self, now: Instant, took: Duration) {
        let place = InsertTimes::BOUNDS.iter().position(|bound| took <= Duration::from_millis(*bound));
        self.took[place.unwrap_or(InsertTimes::BOUNDS.len())] += 1;
        self.took_in_all += took;
        if self.confirmed.len() == MOST {
            self.confirmed.pop_front();
        }
        self.confirmed.push_back((now, took));
    }
}

/// One that is under way.
pub(crate) struct Insert {
    inserts: Inserts,
    table: TableId,
    number: u64,
}

impl Insert {
    /// Its rows are there: so many.
    pub(crate) fn confirmed(self, rows: u64) {
        let mut tables = self.inserts.0.lock();
        let Some(recent) = tables.get_mut(&self.table) else { return };
        *recent.rows.get_or_insert(0) += rows;
        let now = Instant::now();
        let took = recent.under_way.get(&self.number).map(|since| now.saturating_duration_since(*since));
        recent.confirm(now, took.unwrap_or_default());
    }
}

impl Drop for Insert {
    fn drop(&mut self) {
        if let Some(recent) = self.inserts.0.lock().get_mut(&self.table) {
            recent.under_way.remove(&self.number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn the_median_and_the_longest_are_of_the_last_minute_and_bounded() {
        let (begin, mut recent) = (Instant::now(), Recent::default());
        assert_eq!(recent.times(begin), InsertTimes::default(), "none is not one that took no time");
        for (second, took) in [(0, 9_000), (30, 10), (40, 30), (50, 20)] {
            recent.confirm(begin + Duration::from_secs(second), millis(took));
        }
        let times = recent.times(begin + Duration::from_secs(55));
        assert_eq!((times.median, times.longest), (Some(millis(30)), Some(millis(9_000))));
        let times = recent.times(begin + Duration::from_secs(70));
        assert_eq!((times.median, times.longest, times.running), (Some(millis(20)), Some(millis(30)), None));
        assert_eq!(recent.times(begin + Duration::from_secs(200)).median, None);
        (0..1_000).for_each(|_| recent.confirm(begin, millis(1)));
        assert_eq!(recent.confirmed.len(), MOST);
        assert_eq!(recent.times(begin).took, [1_001, 2, 0, 0, 0, 0, 0, 1, 0, 0], "each once, however long ago");
        assert_eq!(recent.times(begin).took_in_all, millis(10_060));
    }

    #[test]
    fn one_is_under_way_until_it_is_confirmed_or_let_go_of() {
        let inserts = Inserts::default();
        let (first, second) = (inserts.begin(TableId::Trades), inserts.begin(TableId::Trades));
        std::thread::sleep(millis(5));
        let times = inserts.times(TableId::Trades);
        assert!(times.median.is_none() && times.running.is_some_and(|running| running >= millis(5)), "{times:?}");
        assert_eq!(times.rows, None, "nothing is confirmed yet, which is not a confirmed nothing");
        first.confirmed(7);
        let times = inserts.times(TableId::Trades);
        assert_eq!(times.rows, Some(7));
        assert!(times.median.is_some_and(|took| took >= millis(5)) && times.running.is_some(), "{times:?}");
        drop(second);
        assert_eq!(inserts.times(TableId::Trades).running, None);
        assert_eq!(inserts.times(TableId::Markets), InsertTimes::default());
    }
}

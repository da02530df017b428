//! The newest records, in memory.

use std::sync::atomic::{AtomicU64, Ordering};
use std::{collections::VecDeque, sync::Arc};

use parking_lot::Mutex;

use super::record::LogRecord;

/// Records that are kept. With [`super::MAX_TEXT`] this bounds the memory; a usual record has some 300 bytes.
const CAPACITY: usize = 10_000;

/// The newest records, numbered from 1 in the order in which they came.
pub struct LogRing {
    capacity: usize,
    records: Mutex<VecDeque<Arc<LogRecord>>>,
    /// Changes only while `records` is locked.
    seen: AtomicU64,
}

/// What became of the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogCounts {
    /// All that came.
    pub seen: u64,
    /// Those that are there.
    pub kept: u64,
    /// Those that made room.
    pub evicted: u64,
}

impl Default for LogRing {
    /// An empty one for 10,000 records.
    fn default() -> Self {
        Self::with_capacity(CAPACITY)
    }
}

impl LogRing {
    fn with_capacity(capacity: usize) -> Self {
        Self { capacity, records: Mutex::new(VecDeque::new()), seen: AtomicU64::new(0) }
    }

    /// Adds a record, bounded, and returns it as it is kept.
    pub fn push(&self, mut record: LogRecord) -> Arc<LogRecord> {
        record.bound();
        let record = Arc::new(record);
        let mut records = self.records.lock();
        let evicted = if records.len() < self.capacity { None } else { records.pop_front() };
        records.push_back(Arc::clone(&record));
        self.seen.fetch_add(1, Ordering::Release);
        drop(records);
        drop(evicted);
        record
    }

    /// The number of the newest record, which is how many there have been. Costs nothing: a screen that compares it
    /// knows whether anything is new.
    pub fn sequence(&self) -> u64 {
        self.seen.load(Ordering::Acquire)
    }

    /// What became of the records.
    pub fn counts(&self) -> LogCounts {
        let records = self.records.lock();
        let (seen, kept) = (self.sequence(), records.len() as u64);
        LogCounts { seen, kept, evicted: seen - kept }
    }

    /// The newest records, oldest first.
    pub fn newest(&self, max: usize) -> Vec<(u64, Arc<LogRecord>)> {
        let records = self.records.lock();
        let evicted = self.sequence() - records.len() as u64;
        let numbered = (evicted + 1..).zip(records.iter().cloned());
        numbered.skip(records.len().saturating_sub(max)).collect()
    }

    /// The newest records whose message, stage or fields hold a text in any case, oldest first.
    pub fn find(&self, needle: &str, max: usize) -> Vec<(u64, Arc<LogRecord>)> {
        let needle = needle.to_lowercase();
        let holds = |text: &str| text.to_lowercase().contains(&needle);
        let matches = |record: &LogRecord| {
            holds(&record.message)
                || record.stage.as_deref().is_some_and(holds)
                || record.fields.iter().any(|(key, value)| holds(key) || holds(value))
        };
        // Looked through unlocked: nobody who logs waits for a search.
        let all = self.newest(usize::MAX);
        let mut found: Vec<_> = all.into_iter().rev().filter(|(_, record)| matches(record)).take(max).collect();
        found.reverse();
        found
    }
}

#[cfg(test)]
mod tests {
    use super::super::MAX_TEXT;
    use super::*;
    use tracing::Level;

    fn record(message: &str) -> LogRecord {
        LogRecord {
            at: 0,
            level: Level::INFO,
            stage: None,
            target: "polytape".into(),
            message: message.into(),
            fields: vec![],
        }
    }

    fn ring_of(capacity: usize, messages: impl IntoIterator<Item = u64>) -> LogRing {
        let ring = LogRing::with_capacity(capacity);
        for message in messages {
            ring.push(record(&message.to_string()));
        }
        ring
    }

    /// Every record here says its number.
    fn numbers(records: Vec<(u64, Arc<LogRecord>)>) -> Vec<u64> {
        records.iter().for_each(|(number, record)| assert_eq!(record.message, number.to_string()));
        records.into_iter().map(|(number, _)| number).collect()
    }

    #[test]
    fn keeps_the_newest_and_counts_the_others() {
        let ring = ring_of(3, 1..=5);
        assert_eq!(ring.counts(), LogCounts { seen: 5, kept: 3, evicted: 2 });
        assert_eq!(ring.sequence(), 5);
        assert_eq!(numbers(ring.newest(2)), [4, 5]);
        assert_eq!(numbers(ring.newest(9)), [3, 4, 5]);
        assert_eq!(ring_of(3, []).counts(), LogCounts { seen: 0, kept: 0, evicted: 0 });
    }

    #[test]
    fn finds_texts_in_any_case() {
        let ring = LogRing::default();
        ring.push(record("the Markets are read"));
        ring.push(LogRecord { stage: Some("ingest-markets".into()), ..record("waits") });
        ring.push(LogRecord { fields: vec![("url".into(), "https://x/MARKETS".into())], ..record("asked") });
        ring.push(record("Große Öse"));
        let found = |needle: &str, max| ring.find(needle, max).into_iter().map(|(at, _)| at).collect::<Vec<_>>();
        assert_eq!(found("mArkets", 9), [1, 2, 3]);
        assert_eq!(found("markets", 2), [2, 3], "the newest");
        assert_eq!(found("öSE", 9), [4]);
        assert_eq!(found("URL", 9), [3]);
        assert_eq!(found("polytape", 9), [0; 0], "the target is not looked at");
    }

    #[test]
    fn cuts_what_is_too_long() {
        let ring = LogRing::default();
        let kept = ring.push(record(&"é".repeat(MAX_TEXT)));
        assert!(kept.message.len() <= MAX_TEXT && kept.message.ends_with('…'));
        assert!(Arc::ptr_eq(&kept, &ring.newest(1)[0].1));
    }
}

//! What was a while ago: rates, and what grows.

use crate::flow::{StageId, StreamId, TableId};
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// For how long it is remembered.
const REMEMBERED: Duration = Duration::from_secs(305);

/// Over how long a rate is taken.
const RATE_OVER: Duration = Duration::from_secs(5);

/// How many numbers are shown.
const SHOWN: usize = 120;

/// What is remembered of the pipeline at one moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Sample {
    pub(super) moved: BTreeMap<StageId, u64>,
    pub(super) restarts: BTreeMap<StageId, u64>,
    /// Rows of each table, where they were counted.
    pub(super) rows: BTreeMap<TableId, u64>,
    /// Rows that this process has written to each table, as ClickHouse or the file confirmed them.
    pub(super) written: BTreeMap<TableId, u64>,
    /// Entries that came in, by stream.
    pub(super) added: BTreeMap<StreamId, u64>,
    /// Bytes that are not acknowledged, by stream.
    pub(super) unread_bytes: BTreeMap<StreamId, u64>,
    pub(super) unread: Option<u64>,
    pub(super) watermark: Option<u64>,
    pub(super) jobs: BTreeMap<String, (u64, u64)>,
    /// Doubts about a provider of the source, by its name.
    pub(super) doubts: BTreeMap<String, u64>,
}

/// The last five minutes, a moment a second.
#[derive(Default)]
pub(super) struct History {
    samples: VecDeque<(Instant, Sample)>,
}

impl History {
    pub(super) fn remember(&mut self, at: Instant, sample: Sample) {
        self.samples.push_back((at, sample));
        while self.samples.front().is_some_and(|(first, _)| at.duration_since(*first) > REMEMBERED) {
            self.samples.pop_front();
        }
    }

    /// A number now and so long ago, or at the oldest moment that is remembered.
    pub(super) fn then_and_now(
        &self,
        ago: Duration,
        number: impl Fn(&Sample) -> Option<u64>,
    ) -> Option<(Duration, u64, u64)> {
        let (now_at, now) = self.samples.back()?;
        let since = |at: &Instant| now_at.duration_since(*at);
        let known = self.samples.iter().filter(|(_, sample)| number(sample).is_some());
        let (then_at, then) = known.into_iter().find(|(at, _)| since(at) <= ago)?;
        let span = since(then_at);
        (span > Duration::ZERO).then_some(())?;
        Some((span, number(then)?, number(now)?))
    }

    /// By how much a number grows in a second; `None` while that cannot be told.
    pub(super) fn rate(&self, number: impl Fn(&Sample) -> Option<u64>) -> Option<u64> {
        let (span, then, now) = self.then_and_now(RATE_OVER, number)?;
        let grown = u128::from(now.saturating_sub(then)) * 1_000;
        u64::try_from((grown + span.as_millis() / 2) / span.as_millis().max(1)).ok()
    }

    /// A number for each of the last samples.
    pub(super) fn series(&self, number: impl Fn(&Sample) -> Option<u64>) -> Vec<Option<u64>> {
        let skip = self.samples.len().saturating_sub(SHOWN);
        self.samples.iter().skip(skip).map(|(_, sample)| number(sample)).collect()
    }

    /// By how much a number grew, moment by sample, in a second.
    pub(super) fn growth(&self, number: impl Fn(&Sample) -> Option<u64>) -> Vec<Option<u64>> {
        let skip = self.samples.len().saturating_sub(SHOWN + 1);
        let recent: Vec<_> = self.samples.iter().skip(skip).collect();
        let grown = |pair: &[&(Instant, Sample)]| {
            let millis = pair[1].0.duration_since(pair[0].0).as_millis().max(1);
            let grown = number(&pair[1].1)?.saturating_sub(number(&pair[0].1)?);
            u64::try_from((u128::from(grown) * 1_000 + millis / 2) / millis).ok()
        };
        recent.windows(2).map(grown).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history_of(numbers: &[Option<u64>]) -> History {
        let begin = Instant::now();
        let mut history = History::default();
        for (second, unread) in numbers.iter().enumerate() {
            let at = begin + Duration::from_secs(second as u64);
            history.remember(at, Sample { unread: *unread, ..Sample::default() });
        }
        history
    }

    #[test]
    fn a_rate_is_taken_over_five_seconds_and_unknown_without_two_moments() {
        let unread = |sample: &Sample| sample.unread;
        assert_eq!(history_of(&[]).rate(unread), None);
        assert_eq!(history_of(&[Some(5)]).rate(unread), None, "one sample tells no rate");
        assert_eq!(history_of(&[None, Some(5)]).rate(unread), None);
        assert_eq!(history_of(&[Some(5), Some(5)]).rate(unread), Some(0), "nothing moved: that is known");
        assert_eq!(history_of(&[Some(0), Some(10), Some(30)]).rate(unread), Some(15));
        let long: Vec<_> = (0..100).map(|second| Some(second * second)).collect();
        assert_eq!(history_of(&long).rate(unread), Some((99 * 99 - 94 * 94) / 5));
    }

    #[test]
    fn gaps_stay_gaps() {
        let unread = |sample: &Sample| sample.unread;
        let history = history_of(&[Some(1), None, Some(4), Some(6)]);
        assert_eq!(history.series(unread), [Some(1), None, Some(4), Some(6)]);
        assert_eq!(history.growth(unread), [None, None, Some(2)]);
    }

    #[test]
    fn five_minutes_are_remembered() {
        let long: Vec<_> = (0..1_000).map(Some).collect();
        let history = history_of(&long);
        assert!(history.samples.len() <= 307);
        assert_eq!(history.series(|sample| sample.unread).len(), SHOWN);
    }
}

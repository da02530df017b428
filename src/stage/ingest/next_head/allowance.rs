//! How often the head may be asked for: on average no more than at a fixed interval, with a rest of a block behind each new one.

use std::time::Duration;

use tokio::time::Instant;

/// So many asks can be saved up.
const MOST: f64 = 4.0;

/// So many can be owed, and so many are borrowed at no price. Behind them, the more it is the longer the rest.
const MOST_OWED: f64 = 3.0;
const FREE: f64 = 1.0;

/// With so many there is one to spare for a better guess.
const AMPLE: f64 = 2.0;

/// So many asks come with each block: one that finds it, and now and then one more.
const A_BLOCK: f64 = 1.15;

/// What is left of it.
#[derive(Debug, Default)]
pub(super) struct Allowance {
    left: f64,
    at: Option<Instant>,
}

impl Allowance {
    /// Takes one ask, after what the time since the last one has brought.
    pub(super) fn spend(&mut self, now: Instant, interval: Duration, pace: Option<Duration>) {
        let since = self.at.replace(now).map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        let seconds = |time: Duration| time.as_secs_f64().max(0.001);
        // At the interval nothing is saved up or owed.
        let Some(pace) = pace else { return };
        let a_second = (A_BLOCK / seconds(pace.max(interval))).min(1.0 / seconds(interval));
        self.left = (self.left + since.as_secs_f64() * a_second).min(MOST) - 1.0;
        self.left = self.left.max(-MOST_OWED);
    }

    /// From 0, where there is something left, to 1, where nothing more can be owed.
    pub(super) fn lack(&self) -> f64 {
        ((-self.left - FREE) / (MOST_OWED - FREE)).clamp(0.0, 1.0)
    }

    /// As wide as this a window must be for an ask to be spent on halving it: else it costs more than it brings.
    pub(super) fn halves_above(&self) -> Duration {
        match self.left {
            left if left >= AMPLE => Duration::from_millis(40),
            left if left >= -FREE => Duration::from_millis(200),
            _ => Duration::from_millis(500),
        }
    }

    pub(super) fn is_ample(&self) -> bool {
        self.left >= AMPLE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_saved_up_and_spent() {
        let (mut allowance, start) = (Allowance::default(), Instant::now());
        let (interval, pace) = (Duration::from_secs(1), Some(Duration::from_millis(1_500)));
        let mut spend = |millis: u64| {
            allowance.spend(start + Duration::from_millis(millis), interval, pace);
            (allowance.lack() > 0.0, allowance.is_ample())
        };
        assert_eq!([spend(0), spend(100), spend(200)], [(false, false), (true, false), (true, false)]);
        assert_eq!(spend(60_000), (false, true), "what is saved up is bounded");
        assert_eq!([spend(60_100), spend(60_200)], [(false, true), (false, false)]);
        let had = (0..1_200).filter(|at| !spend(70_000 + at * 50).0).count();
        assert!(had < 6, "an ask every 50 ms is far more than there is: {had}");
    }
}

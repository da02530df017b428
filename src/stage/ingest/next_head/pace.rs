//! How long a tick takes, as the moments tell at which finality moved.

use std::{collections::VecDeque, time::Duration};

use super::window::Window;

/// Over less time nothing is said.
const LEAST_TIME: Duration = Duration::from_secs(12);

/// Over so many moments time is measured, …
const MOST: usize = 64;
/// … and so many ticks lie between two of them.
const BETWEEN: u64 = 4;

/// Up to one of so many of the newest.
const NEWEST: usize = 4;

/// No tick takes longer, whatever the moments say.
const LONGEST: Duration = Duration::from_secs(5);

/// How long a tick takes, and by how much that is likely to be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tick {
    pub(super) time: Duration,
    pub(super) error: Duration,
}

/// Moments of ticks, each known to a window, and the last one.
#[derive(Debug, Default)]
pub(super) struct Pace {
    moments: VecDeque<(u64, Window)>,
    last: Option<(u64, Window)>,
    /// What they tell.
    tick: Option<Tick>,
}

impl Pace {
    /// A tick was in a window.
    pub(super) fn learn(&mut self, tick: u64, window: Window) {
        self.last = Some((tick, window));
        self.keep(tick, window);
        self.tick = self.measure();
    }

    /// Time between two ticks, as far as it is known.
    pub(super) const fn get(&self) -> Option<Tick> {
        self.tick
    }

    fn keep(&mut self, tick: u64, window: Window) {
        if let Some((before, known)) = self.moments.back_mut()
            && tick.saturating_sub(*before) < BETWEEN
        {
            if window.width() < known.width() {
                (*before, *known) = (tick, window);
            }
            return;
        }
        if self.moments.len() == MOST {
            self.moments.pop_front();
        }
        self.moments.push_back((tick, window));
    }

    /// Between those that tell best, which are known well and are far apart.
    fn measure(&self) -> Option<Tick> {
        let between = |(first, from): &(u64, Window), (last, by): &(u64, Window)| {
            let ticks = u32::try_from(last.checked_sub(*first)?).ok().filter(|ticks| *ticks > 0)?;
            let time = by.middle().saturating_duration_since(from.middle());
            let tick = Tick { time: (time / ticks).min(LONGEST), error: (from.width() + by.width()) / 4 / ticks };
            (time >= LEAST_TIME).then_some(tick)
        };
        let newest = self.moments.iter().rev().take(NEWEST).chain(&self.last);
        newest
            .flat_map(|by| self.moments.iter().filter_map(move |from| between(from, by)))
            .min_by_key(|tick| tick.error)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[test]
    fn a_tick_takes_what_the_best_moments_tell() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        let mut told = |ticks: std::ops::Range<u64>, tick: u64, wide: u64| {
            for at in ticks {
                let after = start + Duration::from_millis(at * tick);
                pace.learn(at, Window { after, by: after + Duration::from_millis(wide) });
            }
            pace.get()
        };
        let of = |time, error| Some(Tick { time: Duration::from_millis(time), error: Duration::from_millis(error) });
        assert_eq!(told(0..8, 1_500, 1_000), None, "too little time");
        assert_eq!(told(8..11, 1_500, 1_000), of(1_500, 50));
        assert_eq!(told(11..101, 1_500, 1_000), of(1_500, 5));
        assert_eq!(told(101..117, 1_500, 30), of(1_500, 1), "they are known better");
        assert_eq!(told(121..500, 3_000, 0), of(3_000, 0), "it is another now");
        assert_eq!(told(500..900, 60_000, 0), of(5_000, 0));
        assert_eq!(Pace::default().get(), None);
    }
}

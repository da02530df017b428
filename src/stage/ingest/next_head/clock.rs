//! A clock on which finality moves at the same moment every time: that of the blocks, or one of its own.

use std::time::Duration;

use tokio::time::Instant;

use super::{pace::Pace, steps::Steps, window::Window};

/// What is so much earlier or later than expected is on another clock: the chain or this machine has halted.
const OTHER_CLOCK: Duration = Duration::from_secs(3);

/// When something is to be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    /// Whether it may be there already, and was not.
    pub(super) was: bool,
    /// When it may be there next.
    pub(super) next: Option<Instant>,
}

/// More than so much wrong is as bad as this.
const WORST: Duration = Duration::from_secs(1);

/// The ticks of a clock, and at which of them finality moved.
#[derive(Debug, Default)]
pub(super) struct Clock {
    tick: u64,
    window: Option<Window>,
    pace: Pace,
    steps: Steps,
    /// By how much it was wrong lately.
    error: Duration,
}

impl Clock {
    /// Finality moved some ticks later, as was seen. The tick itself was in a window, too.
    pub(super) fn moved(&mut self, ticks: u64, seen: Window, tick_was: Option<Window>) {
        let (mut window, mut error) = (seen, Duration::ZERO);
        if let (Some(before), Some(tick)) = (self.window, self.pace.get()) {
            let expected = before.later(times(tick.time, ticks));
            window = expected.narrowed(times(tick.error, ticks), seen);
            error = expected.apart(seen);
        }
        if error > OTHER_CLOCK {
            self.pace = Pace::default();
        }
        self.error = (self.error * 7 + error.min(WORST)) / 8;
        self.tick += ticks;
        if let Some(tick_was) = tick_was {
            self.pace.learn(self.tick, tick_was);
        }
        self.steps.learn(ticks);
        self.window = Some(window);
    }

    /// Finality moved some ticks later, and nobody saw when, or in how many steps.
    pub(super) fn moved_unseen(&mut self, ticks: u64, tick_was: Option<Window>) {
        self.window = None;
        self.tick += ticks;
        if let Some(tick_was) = tick_was {
            self.pace.learn(self.tick, tick_was);
        }
    }

    /// How many ticks lie between the last move and one that was seen.
    pub(super) fn ticks_until(&self, seen: Window) -> u64 {
        let (Some(window), Some(pace)) = (self.window, self.pace.get()) else { return 1 };
        let time = seen.middle().saturating_duration_since(window.middle());
        (time.as_secs_f64() / pace.time.as_secs_f64().max(0.001)).round().max(1.0) as u64
    }

    /// Time between two ticks, as far as it is known.
    pub(super) fn pace(&self) -> Option<Duration> {
        self.pace.get().filter(|_| self.steps.are_known()).map(|tick| tick.time)
    }

    pub(super) fn error(&self) -> Duration {
        self.error
    }

    /// When the next move is due: at the end of its window, or in its middle where the window is wider than this.
    pub(super) fn due(&self, now: Instant, soon: Instant, halves_above: Duration) -> Option<Due> {
        let (window, pace) = (self.window?, self.pace()?);
        let mut due = Due { was: false, next: None };
        for ticks in self.steps.likely() {
            let window = window.later(times(pace, ticks));
            let halves = window.width() > halves_above && window.middle() > soon;
            let at = if halves { window.middle() } else { window.by };
            if at > soon {
                // What has happened once in a while is not waited for.
                let is_near = !due.was || at <= now + pace + pace / 4;
                due.next = Some(at).filter(|_| is_near);
                break;
            }
            due.was = true;
        }
        Some(due)
    }
}

fn times(time: Duration, count: u64) -> Duration {
    time.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX))
}

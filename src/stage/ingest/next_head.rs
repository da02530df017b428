//! When the newest final block is asked for again.
//!
//! Blocks come at a steady pace, and finality follows them in steps: at the same moment on the clock of the blocks, or on one of
//! its own, whichever has told better lately. So the moment of the next step lies in a *window*, behind the last answer that did
//! not show the one before and not after the first that did, some ticks of that clock later. The head is asked for at the end
//! of the window, or in its middle, which halves it; what is not there yet is asked for again in small steps that grow.
//!
//! Asks are paid from an allowance that a fixed interval would have used up, too. While no pace is known, and as far as the
//! allowance is spent since predictions fail, the interval is all there is.

mod allowance;
mod clock;
mod pace;
mod steps;
mod window;

use std::time::Duration;

use tokio::time::Instant;

use self::{allowance::Allowance, clock::Clock, clock::Due, window::Window};
use crate::source::Head;

/// The first step behind a moment at which a head was due.
const STEP: Duration = Duration::from_millis(100);

/// The shortest rest.
const SHORTEST: Duration = Duration::from_millis(20);

/// The longest rest, however large the steps of finality are.
const LONGEST: Duration = Duration::from_secs(5);

/// Where a clock was wrong by more than so much of the interval it tells nothing.
const TRUSTED: f64 = 0.12;

/// Where it was by less, a rest may be longer than the interval.
const STEADY: f64 = 0.05;

/// A clock of its own must have told so much better than that of the blocks.
const BETTER: Duration = Duration::from_millis(20);

/// Says when to ask for the head.
#[derive(Debug)]
pub(crate) struct NextHead {
    /// The rest while nothing better is known, and the longest one behind a moment at which a head was due.
    interval: Duration,
    head: Option<Head>,
    /// A moment, and the time of a block that counts as made then.
    epoch: Option<(Instant, u64)>,
    /// When it was asked for the last time.
    asked: Option<Instant>,
    /// How often it was asked for in vain since it was due.
    in_vain: u32,
    of_blocks: Clock,
    of_steps: Clock,
    allowance: Allowance,
}

impl NextHead {
    pub(crate) fn new(interval: Duration) -> Self {
        let (of_blocks, of_steps, allowance) = (Clock::default(), Clock::default(), Allowance::default());
        Self { interval, head: None, epoch: None, asked: None, in_vain: 0, of_blocks, of_steps, allowance }
    }

    /// What was answered to an ask of some moment. Says when to ask again, which may be past by now.
    pub(crate) fn answered(&mut self, asked: Instant, head: Head) -> Instant {
        let before = self.asked.replace(asked);
        let moved = self.head.map(|known| head.block.checked_sub(known.block));
        match moved {
            Some(Some(0)) => {}
            // While there was something else to do nobody asked: how often it moved meanwhile is not known.
            Some(Some(blocks))
                if before.is_none_or(|before| asked.saturating_duration_since(before) > self.longest() * 3 / 2) =>
            {
                self.of_steps = Clock::default();
                self.of_blocks.moved_unseen(blocks, self.made(head));
                self.in_vain = 0;
            }
            Some(Some(blocks)) => {
                let seen = Window { after: before.unwrap_or(asked), by: asked };
                self.of_steps.moved(self.of_steps.ticks_until(seen), seen, Some(seen));
                self.of_blocks.moved(blocks, seen, self.made(head));
                self.in_vain = 0;
            }
            // It is the first, or fell.
            Some(None) | None => {
                (self.of_blocks, self.of_steps, self.in_vain) = (Clock::default(), Clock::default(), 0);
                self.epoch = Some((asked, head.timestamp));
            }
        }
        self.head = Some(head);
        self.allowance.spend(asked, self.interval, self.of_blocks.pace());
        let is_new = moved != Some(Some(0));
        let next = self.next(asked, is_new).max(asked + SHORTEST.min(self.interval));
        next.min(asked + self.longest())
    }

    /// The longest rest.
    fn longest(&self) -> Duration {
        LONGEST.max(self.interval)
    }

    /// When a block was made, on a clock that began when the first one was seen. Blocks tell it in whole seconds.
    fn made(&self, head: Head) -> Option<Window> {
        let (epoch, time) = self.epoch?;
        let after = epoch.checked_add(Duration::from_secs(head.timestamp.checked_sub(time)?))?;
        Some(Window { after, by: after.checked_add(Duration::from_secs(1))? })
    }

    fn next(&mut self, now: Instant, is_new: bool) -> Instant {
        let clock = self.clock();
        let Some(pace) = self.of_blocks.pace() else { return now + self.interval };
        // At a fixed interval a new block is followed by a rest.
        let full = if is_new { self.interval.max(pace) } else { self.interval };
        let due = clock.due(now, now + SHORTEST, self.allowance.halves_above());
        let is_trusted = clock.error() <= self.interval.mul_f64(TRUSTED);
        let Some(Due { was, next }) = due.filter(|_| is_trusted) else { return now + full };
        let least = now + self.interval.mul_f64(self.allowance.lack());
        if !was {
            // Behind the middle of a window its end is due in any case.
            let next = next.unwrap_or(now + self.interval).max(if is_new { least } else { now });
            let is_steady = clock.error() <= self.interval.mul_f64(STEADY);
            return if is_steady { next } else { next.min(now + full) };
        }
        match next {
            // More likely the step is a larger one than late.
            Some(next) if self.in_vain > 0 || !self.allowance.is_ample() => {
                self.in_vain = 0;
                next.max(least)
            }
            _ => {
                let step = STEP.saturating_mul(1 << self.in_vain.min(10)).min(self.interval);
                self.in_vain = self.in_vain.saturating_add(1);
                (now + step).min(next.unwrap_or(now + step)).max(least)
            }
        }
    }

    /// The clock by which finality has moved lately.
    fn clock(&self) -> &Clock {
        let is_better = self.of_steps.pace().is_some() && self.of_steps.error() + BETTER < self.of_blocks.error();
        if is_better { &self.of_steps } else { &self.of_blocks }
    }
}

#[cfg(test)]
mod tests;

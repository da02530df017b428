//! A market as it is at one block.

use super::profile::Profile;
use crate::demo::{markets::calendar::Calendar, markets::roles::Part};

/// What of a market depends on when it is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::demo) struct Seen {
    pub(in crate::demo) question: String,
    pub(in crate::demo) slug: String,
    /// Its own.
    pub(in crate::demo) tags: Vec<String>,
    /// When it is to end, in unix seconds.
    pub(in crate::demo) ends: i64,
    /// When it was closed, in unix seconds.
    pub(in crate::demo) closed: Option<i64>,
    /// When what lasts of it was last changed, in unix microseconds.
    pub(in crate::demo) updated: i64,
    /// In millionths of a dollar, as the next.
    pub(in crate::demo) volume: u64,
    pub(in crate::demo) liquidity: u64,
}

/// A day, in seconds.
const DAY: i64 = 86_400;

impl Profile {
    /// At a block, counted from the first one.
    pub(in crate::demo) fn at(&self, calendar: &Calendar, now: i64) -> Seen {
        let closed = self.closes.filter(|closes| *closes <= now);
        // What is closed has its last state.
        let last = closed.unwrap_or(now).max(0);
        let mut seen = Seen {
            question: self.question.clone(),
            slug: self.slug.clone(),
            tags: self.tags.clone(),
            ends: calendar.micros(self.ends).div_euclid(1_000_000),
            closed: closed.map(|offset| calendar.micros(offset).div_euclid(1_000_000)),
            updated: self.updated(calendar, now, closed, last),
            volume: self.volume(last),
            liquidity: if closed.is_some() { 0 } else { 1_000_000 + (self.id * 31 + last as u64 * 17) % 9_000_000_000 },
        };
        if let Some((part, every)) = self.changes {
            seen.change(part, last / every);
        }
        seen
    }

    fn updated(&self, calendar: &Calendar, now: i64, closed: Option<i64>, last: i64) -> i64 {
        let change = self.changes.map(|(_, every)| last / every * every).filter(|at| *at > 0);
        let [shown, hydrated, named] = [self.shown.start, self.hydrated, self.named].map(Some);
        let moments = [Some(self.created), shown, hydrated, named, closed, change];
        let happened = |at: &i64| *at <= now && *at > i64::MIN;
        let newest = moments.into_iter().flatten().filter(happened).max();
        self.stamp(calendar, newest.unwrap_or(self.created))
    }

    fn volume(&self, last: i64) -> u64 {
        // Up and down in steps of its own, so that markets overtake each other.
        let pace = 1 + self.id % 1_013;
        (self.id % 104_729) * 900_000 + last as u64 * pace * 1_331
    }
}

impl Seen {
    fn change(&mut self, part: Part, step: i64) {
        if step == 0 {
            return;
        }
        match part {
            Part::Question => self.question = format!("{} (edit {step})", self.question),
            Part::Slug => self.slug = format!("{}-{step}", self.slug),
            Part::Tags => self.tags.push(format!("Round {step}")),
            Part::EndDate => self.ends += step * DAY,
        }
    }
}

//! What to read next, and when.
//!
//! First all open markets, the newest first, and what was closed lately. Then, again and again, what is new, what has
//! changed and what was closed; now and then all open ones, since a market may appear in the middle of a listing with an
//! old date. The closed ones of the past, where they are wanted, are read in between.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use super::scan::{Newest, Purpose};
use crate::source::{Listing, Order};

/// How often all open markets are read.
const ALL_OPEN_EVERY: Duration = Duration::from_secs(3_600);

/// The same where the source does not sort, so that nothing else shows what is new.
const ALL_OPEN_UNSORTED: Duration = Duration::from_secs(600);

/// How often all closed ones are read.
pub(crate) const HISTORY_EVERY: Duration = Duration::from_secs(86_400);

/// How far back (seconds) what is new is looked for: a market may be listed some time after it was made.
const CREATED_OVERLAP: u64 = 600;

/// How far back what has changed is looked for.
const UPDATED_OVERLAP: u64 = 60;

/// The same for what was closed, where the source only sorts by the making: most markets live for less than a day.
const LIFE: u64 = 86_400;

/// The plan, and up to where what was read is known to be complete.
#[derive(Debug)]
pub(crate) struct Scheduler {
    poll: Duration,
    due: VecDeque<Purpose>,
    next_round: Instant,
    next_open: Instant,
    newest: Option<Newest>,
    unsorted: Vec<Order>,
    /// A scan that does not come to its end. It is tried again behind the others.
    stuck: Option<Purpose>,
}

impl Scheduler {
    pub(crate) fn new(poll: Duration, now: Instant) -> Self {
        let due = [Purpose::Open, Purpose::Closed].into();
        Self {
            poll,
            due,
            next_round: now,
            next_open: now + ALL_OPEN_EVERY,
            newest: None,
            unsorted: Vec::new(),
            stuck: None,
        }
    }

    /// What is to be read now, if anything is.
    pub(crate) fn next(&mut self, now: Instant) -> Option<Purpose> {
        if self.due.is_empty() && now >= self.next_open {
            self.unsorted.clear();
            self.due.extend([Purpose::Open, Purpose::Changed, Purpose::Closed]);
            self.next_open = now + ALL_OPEN_EVERY;
        } else if now >= self.next_round && self.due.iter().all(|due| Some(*due) == self.stuck) {
            for purpose in [Purpose::Closed, Purpose::Changed, Purpose::New] {
                if Some(purpose) != self.stuck {
                    self.due.push_front(purpose);
                }
            }
        }
        self.due.front().copied()
    }

    /// When there will be something again.
    pub(crate) fn until(&self) -> Instant {
        self.next_round.min(self.next_open)
    }

    /// Which listing to read for a purpose, and behind which time it is known; nothing where no order helps.
    pub(crate) fn listing(&self, purpose: Purpose, closed_since: Option<u64>) -> Option<(Listing, Option<u64>)> {
        let sorts = |order: &Order| !self.unsorted.contains(order);
        let by = |closed, order| Listing { closed, order };
        let newest = self.newest.unwrap_or_default();
        match purpose {
            Purpose::Open => Some((by(false, Order::Created), None)),
            Purpose::New => {
                let until = newest.created.saturating_sub(CREATED_OVERLAP);
                sorts(&Order::Created).then_some((by(false, Order::Created), Some(until)))
            }
            Purpose::Changed => {
                let until = newest.updated.saturating_sub(UPDATED_OVERLAP);
                (sorts(&Order::Updated) && newest.updated > 0).then_some((by(false, Order::Updated), Some(until)))
            }
            Purpose::Closed => {
                let since = closed_since.unwrap_or(newest.updated);
                if sorts(&Order::Updated) && since > 0 {
                    return Some((by(true, Order::Updated), Some(since.saturating_sub(UPDATED_OVERLAP))));
                }
                // A scan without an end but that of the listing would be one through all of the past.
                let since = Some(since).filter(|since| *since > 0).unwrap_or(newest.created);
                let is_bounded = sorts(&Order::Created) && since > 0;
                is_bounded.then_some((by(true, Order::Created), Some(since.saturating_sub(LIFE))))
            }
            Purpose::History => Some((by(true, Order::Id), None)),
        }
    }

    /// A scan has come to its end, which began with these newest times. Between two rounds there is always a while, in
    /// which the past is read.
    pub(crate) fn done(&mut self, purpose: Purpose, begun: Newest, now: Instant) {
        let newest = self.newest.get_or_insert(begun);
        match purpose {
            // What was made or changed while all were read may be missing from it.
            Purpose::Open => *newest = begun,
            Purpose::New => newest.created = newest.created.max(begun.created),
            Purpose::Changed => newest.updated = newest.updated.max(begun.updated),
            Purpose::Closed | Purpose::History => {}
        }
        self.due.retain(|due| *due != purpose);
        self.stuck = self.stuck.filter(|stuck| *stuck != purpose);
        self.next_round = now + self.poll;
    }

    /// A scan does not come to its end: the other listings go first.
    pub(crate) fn postpone(&mut self, purpose: Purpose, begun: Newest, now: Instant) {
        self.newest.get_or_insert(begun);
        self.due.retain(|due| *due != purpose);
        self.due.push_back(purpose);
        self.stuck = Some(purpose);
        self.next_round = now + self.poll;
    }

    /// Something in a listing cannot be read: all open markets are, from both ends, sooner than else.
    pub(crate) fn gap(&mut self, now: Instant) {
        self.next_open = self.next_open.min(now + ALL_OPEN_UNSORTED);
    }

    /// Where closed markets are looked for that are behind a gap of those that were changed last.
    pub(crate) fn closed_by_creation(&self, closed_since: Option<u64>) -> Option<(Listing, Option<u64>)> {
        let since = closed_since.filter(|since| *since > 0)?;
        let listing = Listing { closed: true, order: Order::Created };
        (!self.unsorted.contains(&Order::Created)).then_some((listing, Some(since.saturating_sub(LIFE))))
    }

    /// What is being read.
    pub(crate) fn front(&self) -> Option<Purpose> {
        self.due.front().copied()
    }

    /// Whether everything that was due has been read.
    pub(crate) fn is_done(&self) -> bool {
        self.due.is_empty()
    }

    /// The source does not sort like this, so what needs it is left until everything open is read again. Says whether
    /// that is news.
    pub(crate) fn unsorted(&mut self, order: Order, now: Instant) -> bool {
        let is_news = !self.unsorted.contains(&order);
        if is_news {
            self.unsorted.push(order);
            self.next_open = self.next_open.min(now + ALL_OPEN_UNSORTED);
        }
        is_news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLL: Duration = Duration::from_secs(30);

    fn drained(scheduler: &mut Scheduler, now: Instant, newest: Newest) -> Vec<Purpose> {
        let mut seen = Vec::new();
        while let Some(purpose) = scheduler.next(now) {
            seen.push(purpose);
            scheduler.done(purpose, newest, now);
        }
        seen
    }

    #[tokio::test(start_paused = true)]
    async fn begins_with_what_is_open_and_then_follows() {
        use Purpose::{Changed, Closed, New, Open};
        let start = Instant::now();
        let mut scheduler = Scheduler::new(POLL, start);
        let newest = Newest { created: 10_000, updated: 20_000 };
        assert_eq!(drained(&mut scheduler, start, newest), [Open, Closed]);
        assert_eq!((scheduler.next(start), scheduler.until()), (None, start + POLL));
        assert_eq!(scheduler.listing(New, None).unwrap().1, Some(9_400));
        assert_eq!(scheduler.listing(Changed, None).unwrap().1, Some(19_940));
        assert_eq!(scheduler.listing(Closed, None).unwrap().1, Some(19_940), "nothing was closed before it began");
        assert_eq!(scheduler.listing(Closed, Some(15_000)).unwrap().1, Some(14_940), "it was away for a while");
        assert_eq!(drained(&mut scheduler, start + POLL, newest), [New, Changed, Closed]);
        assert_eq!(drained(&mut scheduler, start + ALL_OPEN_EVERY, newest), [Open, Changed, Closed]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_walk_without_an_end_holds_up_no_other() {
        use Purpose::{Changed, Closed, New, Open};
        let start = Instant::now();
        let mut scheduler = Scheduler::new(POLL, start);
        let newest = Newest { created: 10_000, updated: 20_000 };
        assert_eq!(scheduler.next(start), Some(Open));
        scheduler.postpone(Open, newest, start);
        let mut seen = Vec::new();
        for now in [start, start, start + POLL, start + POLL, start + POLL, start + POLL] {
            let purpose = scheduler.next(now).unwrap();
            seen.push(purpose);
            assert!(!scheduler.is_done());
            match purpose {
                Open => scheduler.postpone(Open, newest, now),
                other => scheduler.done(other, newest, now),
            }
        }
        assert_eq!(seen, [Closed, Open, New, Changed, Closed, Open]);
        assert_eq!(scheduler.listing(New, None).unwrap().1, Some(9_400), "what is new is known all the same");
        scheduler.done(Open, newest, start);
        assert!(scheduler.is_done());
    }

    #[tokio::test(start_paused = true)]
    async fn where_nothing_tells_the_time_no_walk_goes_through_all_of_the_past() {
        let start = Instant::now();
        let mut scheduler = Scheduler::new(POLL, start);
        drained(&mut scheduler, start, Newest { created: 200_000, updated: 0 });
        assert_eq!(scheduler.listing(Purpose::Changed, None), None);
        let closed = scheduler.listing(Purpose::Closed, None).unwrap();
        assert_eq!(closed, (Listing { closed: true, order: Order::Created }, Some(200_000 - LIFE)));

        let mut scheduler = Scheduler::new(POLL, start);
        drained(&mut scheduler, start, Newest::default());
        assert_eq!(scheduler.listing(Purpose::Closed, None), None);
        assert_eq!(scheduler.listing(Purpose::New, None).unwrap().1, Some(0), "the open ones are few");
    }

    #[tokio::test(start_paused = true)]
    async fn a_source_that_does_not_sort_is_read_as_a_whole() {
        let start = Instant::now();
        let mut scheduler = Scheduler::new(POLL, start);
        drained(&mut scheduler, start, Newest { created: 10_000, updated: 200_000 });
        scheduler.unsorted(Order::Updated, start);
        assert_eq!(scheduler.listing(Purpose::Changed, None), None);
        let closed = scheduler.listing(Purpose::Closed, None).unwrap();
        assert_eq!(closed, (Listing { closed: true, order: Order::Created }, Some(200_000 - LIFE)));
        scheduler.unsorted(Order::Created, start);
        assert_eq!(scheduler.listing(Purpose::New, None), None);
        assert_eq!(scheduler.listing(Purpose::Closed, None), None);
        assert!(scheduler.listing(Purpose::Open, None).is_some());
        let all = start + ALL_OPEN_UNSORTED;
        assert_eq!(scheduler.until().max(all), all);
        assert_eq!(scheduler.next(all), Some(Purpose::Open));
        assert!(scheduler.listing(Purpose::Changed, None).is_some(), "and its order is tried again");
    }
}

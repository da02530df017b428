//! One walk through a listing.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use crate::model::Market;
use crate::source::{Listing, MarketPage, Order};

/// What a walk is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// All open markets, the newest first.
    Open,
    /// Those that were made since the last time.
    New,
    /// The open ones that have changed since the last time.
    Changed,
    /// Those that were closed since the last time.
    Closed,
    /// All closed ones.
    History,
}

/// How far out of order a listing may be (seconds) before its order is not believed: answers come from several caches.
const DISORDER: u64 = 60;

/// How often in a row a cursor may come again before the walk is given up.
const MOST_CIRCLES: u32 = 5;

/// A walk that is under way.
#[derive(Debug)]
pub(super) struct Scan {
    pub(super) purpose: Purpose,
    pub(super) listing: Listing,
    /// How many pages have been read.
    pub(super) pages: u64,
    /// Where the next page begins.
    pub(super) after: Option<String>,
    /// It ends behind what is older than this.
    until: Option<u64>,
    /// The newest times of its first page: what happens later is not in this walk.
    pub(super) begun: Option<Newest>,
    /// The cursors that were given out, as hashes.
    seen: HashSet<u64>,
    hasher: RandomState,
    /// How often in a row the same cursor came again.
    circles: u32,
    /// The oldest time so far.
    oldest: Option<u64>,
    /// Whether it is not sorted as it was asked to be.
    pub(super) unsorted: bool,
}

/// The newest times of a page, as the source tells time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Newest {
    pub(super) created: u64,
    pub(super) updated: u64,
}

/// What a page means for the walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// There is more.
    More,
    /// This was the last page.
    Done,
}

/// Why a walk leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Astray {
    /// The source gives the same cursor again. Asked again, it may give another.
    Circle,
    /// It does so again and again.
    Lost,
    /// The listing is not sorted as it was asked to be, so its end cannot be told.
    Unsorted,
}

impl Scan {
    pub(super) fn new(purpose: Purpose, listing: Listing, until: Option<u64>) -> Self {
        Self {
            purpose,
            listing,
            pages: 0,
            after: None,
            until,
            begun: None,
            seen: HashSet::new(),
            hasher: RandomState::new(),
            circles: 0,
            oldest: None,
            unsorted: false,
        }
    }

    /// Goes on behind a cursor that was stored.
    pub(super) fn behind(mut self, after: Option<String>) -> Self {
        self.after = after;
        self
    }

    /// Takes in a page.
    pub(super) fn turn(&mut self, page: &MarketPage) -> Result<Turn, Astray> {
        let markets = || page.markets.iter().flatten();
        let key = |market: &Market| match self.listing.order {
            Order::Created => market.created_at.and_then(|time| u64::try_from(time).ok()),
            Order::Updated => Some(Market::updated_at(market.version)).filter(|time| *time > 0),
            Order::Id => None,
        };
        // What is of the future is of now, or nothing that follows would be new.
        let created =
            |market: &Market| Some(u64::try_from(market.created_at?).ok()?.min(Market::asked_at(market.version)));
        let newest = Newest {
            created: markets().filter_map(created).max().unwrap_or(0),
            updated: markets().map(|market| Market::updated_at(market.version)).max().unwrap_or(0),
        };
        // The first page that tells the time.
        if self.begun.is_none_or(|begun| begun == Newest::default()) {
            self.begun = Some(newest);
        }
        for time in markets().filter_map(key) {
            self.unsorted |= self.oldest.is_some_and(|oldest| time > oldest + DISORDER);
            self.oldest = Some(self.oldest.map_or(time, |oldest| oldest.min(time)));
        }
        if let Some(until) = self.until {
            if self.unsorted {
                return Err(Astray::Unsorted);
            }
            if self.oldest.is_some_and(|oldest| oldest < until) {
                return Ok(Turn::Done);
            }
        }
        let Some(next) = &page.next else { return Ok(Turn::Done) };
        if !self.seen.insert(self.hasher.hash_one(next)) {
            self.circles += 1;
            return Err(if self.circles < MOST_CIRCLES { Astray::Circle } else { Astray::Lost });
        }
        self.circles = 0;
        self.pages += 1;
        self.after = Some(next.clone());
        Ok(Turn::More)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn market(id: u64, created: u64, updated: i64) -> Market {
        Market {
            created_at: Some(created.cast_signed()),
            version: Market::version_of(Some(updated), 9_999),
            ..Market::blank(id)
        }
    }

    fn page(created: &[u64], next: Option<&str>) -> MarketPage {
        let markets = created.iter().map(|time| market(*time, *time, time.cast_signed())).map(Ok).collect();
        MarketPage { markets, next: next.map(str::to_owned) }
    }

    fn scan(until: Option<u64>) -> Scan {
        Scan::new(Purpose::New, Listing { closed: false, order: Order::Created }, until)
    }

    #[test]
    fn ends_with_the_listing_or_behind_what_is_known() {
        let mut scan = scan(Some(500));
        assert_eq!(scan.turn(&page(&[900, 800], Some("a"))), Ok(Turn::More));
        assert_eq!(scan.after.as_deref(), Some("a"));
        assert_eq!(scan.turn(&page(&[], Some("b"))), Ok(Turn::More), "an empty page says nothing");
        assert_eq!(scan.turn(&page(&[700, 500], Some("c"))), Ok(Turn::More));
        assert_eq!(scan.turn(&page(&[499], Some("d"))), Ok(Turn::Done));
        assert_eq!(scan.begun, Some(Newest { created: 900, updated: 900 }));
        assert_eq!(self::scan(None).turn(&page(&[900], None)), Ok(Turn::Done));
        let mut late = self::scan(Some(500));
        assert_eq!(late.turn(&page(&[], Some("a"))), Ok(Turn::More));
        assert_eq!(late.turn(&page(&[50_000, 900], Some("b"))), Ok(Turn::More));
        let asked_at = Newest { created: 9_999, updated: 9_999 };
        assert_eq!(late.begun, Some(asked_at), "the first page with times, and none of the future");
    }

    #[test]
    fn notices_a_circle() {
        let mut scan = scan(None);
        for next in ["a", "b"] {
            assert_eq!(scan.turn(&page(&[1], Some(next))), Ok(Turn::More));
        }
        assert_eq!(scan.turn(&page(&[1], Some("a"))), Err(Astray::Circle));
        assert_eq!(scan.after.as_deref(), Some("b"), "the same page is asked for again");
        assert_eq!(scan.turn(&page(&[1], Some("c"))), Ok(Turn::More), "it was a passing fault");
        for _ in 1..MOST_CIRCLES {
            assert_eq!(scan.turn(&page(&[1], Some("c"))), Err(Astray::Circle));
        }
        assert_eq!(scan.turn(&page(&[1], Some("c"))), Err(Astray::Lost));
    }

    #[test]
    fn notices_that_it_is_not_sorted() {
        let mut little = scan(Some(1));
        assert_eq!(little.turn(&page(&[900, 840, 899], Some("a"))), Ok(Turn::More), "a little disorder is usual");
        assert_eq!(little.turn(&page(&[100, 900], Some("b"))), Err(Astray::Unsorted));
        let mut all = scan(None);
        assert_eq!(all.turn(&page(&[100, 900], Some("a"))), Ok(Turn::More), "it has no end but that of the listing");
        assert!(all.unsorted && all.after.as_deref() == Some("a"));
        let by_id = Listing { closed: true, order: Order::Id };
        let mut any = Scan::new(Purpose::History, by_id, None).behind(Some("x".into()));
        assert_eq!(any.turn(&page(&[100, 900], Some("b"))), Ok(Turn::More), "ids are not times");
    }
}

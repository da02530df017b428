//! One scan through a listing.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use super::narrow::Narrowing;
use crate::model::Market;
use crate::source::{Listing, MarketPage, Order, Place};

/// What a scan is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
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

/// How often in a row a cursor may come again before the scan is given up.
const MOST_CIRCLES: u32 = 5;

/// A scan that is under way.
#[derive(Debug)]
pub(crate) struct Scan {
    pub(crate) purpose: Purpose,
    pub(crate) listing: Listing,
    /// How many pages have been read.
    pub(crate) pages: u64,
    /// Where the next page begins.
    pub(crate) after: Option<String>,
    /// It ends behind what is older than this.
    until: Option<u64>,
    /// The newest times of its first page: what happens later is not in this scan.
    pub(crate) begun: Option<Newest>,
    /// The cursors that were given out, as hashes.
    seen: HashSet<u64>,
    hasher: RandomState,
    /// How often in a row the same cursor came again.
    circles: u32,
    /// The oldest time so far.
    oldest: Option<u64>,
    /// Whether it is not sorted as it was asked to be.
    pub(crate) unsorted: bool,
    /// How much is asked for at once.
    pub(crate) narrowing: Narrowing,
    /// The id of the last market that was read.
    pub(crate) last: Option<String>,
    /// Where it is read from the other end: it goes up to what cannot be read.
    pub(crate) from_end: Option<FromEnd>,
}

/// The other way through a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FromEnd {
    /// The last market of the way there. Where it is met nothing is left out any more.
    pub(crate) meets: Option<String>,
    /// Why it was turned, in words.
    pub(crate) cause: String,
    /// Whether anything has been read from this side, which shows that the source answers.
    pub(crate) has_read: bool,
    /// Whether it came to what cannot be read.
    pub(crate) at_gap: bool,
}

/// The newest times of a page, as the source tells time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Newest {
    pub(crate) created: u64,
    pub(crate) updated: u64,
}

/// What a page means for the scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PageOutcome {
    /// There is more.
    More,
    /// This was the last page.
    Done,
}

/// Why a scan leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScanError {
    /// The source gives the same cursor again. Asked again, it may give another.
    Circle,
    /// It does so again and again.
    Lost,
    /// The listing is not sorted as it was asked to be, so its end cannot be told.
    Unsorted,
}

impl Scan {
    pub(crate) fn new(purpose: Purpose, listing: Listing, until: Option<u64>) -> Self {
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
            narrowing: Narrowing::new(),
            last: None,
            from_end: None,
        }
    }

    /// The same listing from its other end: something in it cannot be read.
    pub(crate) fn turned(&self, cause: String) -> Self {
        let from_end = FromEnd { meets: self.last.clone(), cause, has_read: false, at_gap: false };
        let new = Self::new(self.purpose, self.listing, None);
        Self { begun: self.begun, pages: self.pages, from_end: Some(from_end), ..new }
    }

    /// What to ask for.
    pub(crate) fn place(&self) -> Place<'_> {
        let (most, from_end) = (self.narrowing.most(), self.from_end.is_some());
        Place { after: self.after.as_deref(), most, from_end }
    }

    /// Whether one page from the other end is enough, to see that it can be read at all: what is new and what was changed is
    /// near the end where it begins, and what else is behind the gap is read with all open ones.
    const fn is_short(&self) -> bool {
        !matches!(self.purpose, Purpose::Open | Purpose::History)
    }

    /// Goes on behind a cursor that was stored.
    pub(crate) fn behind(mut self, after: Option<String>) -> Self {
        self.after = after;
        self
    }

    /// Takes in a page.
    pub(crate) fn turn(&mut self, page: &MarketPage) -> Result<PageOutcome, ScanError> {
        let markets = || page.markets.iter().flatten();
        self.narrowing.read();
        self.last = markets().last().map(|market| market.id.clone()).or(self.last.take());
        let is_short = self.is_short();
        if let Some(from_end) = &mut self.from_end {
            from_end.has_read = true;
            let is_met = markets().any(|market| Some(&market.id) == from_end.meets.as_ref());
            return if is_met || is_short { Ok(PageOutcome::Done) } else { self.go_on(page) };
        }
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
                return Err(ScanError::Unsorted);
            }
            if self.oldest.is_some_and(|oldest| oldest < until) {
                return Ok(PageOutcome::Done);
            }
        }
        self.go_on(page)
    }

    /// Goes on behind a page, if there is anything.
    fn go_on(&mut self, page: &MarketPage) -> Result<PageOutcome, ScanError> {
        let Some(next) = &page.next else { return Ok(PageOutcome::Done) };
        if !self.seen.insert(self.hasher.hash_one(next)) {
            self.circles += 1;
            return Err(if self.circles < MOST_CIRCLES { ScanError::Circle } else { ScanError::Lost });
        }
        self.circles = 0;
        self.pages += 1;
        self.after = Some(next.clone());
        Ok(PageOutcome::More)
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
        assert_eq!(scan.turn(&page(&[900, 800], Some("a"))), Ok(PageOutcome::More));
        assert_eq!(scan.after.as_deref(), Some("a"));
        assert_eq!(scan.turn(&page(&[], Some("b"))), Ok(PageOutcome::More), "an empty page says nothing");
        assert_eq!(scan.turn(&page(&[700, 500], Some("c"))), Ok(PageOutcome::More));
        assert_eq!(scan.turn(&page(&[499], Some("d"))), Ok(PageOutcome::Done));
        assert_eq!(scan.begun, Some(Newest { created: 900, updated: 900 }));
        assert_eq!(self::scan(None).turn(&page(&[900], None)), Ok(PageOutcome::Done));
        let mut late = self::scan(Some(500));
        assert_eq!(late.turn(&page(&[], Some("a"))), Ok(PageOutcome::More));
        assert_eq!(late.turn(&page(&[50_000, 900], Some("b"))), Ok(PageOutcome::More));
        let asked_at = Newest { created: 9_999, updated: 9_999 };
        assert_eq!(late.begun, Some(asked_at), "the first page with times, and none of the future");
    }

    #[test]
    fn notices_a_circle() {
        let mut scan = scan(None);
        for next in ["a", "b"] {
            assert_eq!(scan.turn(&page(&[1], Some(next))), Ok(PageOutcome::More));
        }
        assert_eq!(scan.turn(&page(&[1], Some("a"))), Err(ScanError::Circle));
        assert_eq!(scan.after.as_deref(), Some("b"), "the same page is asked for again");
        assert_eq!(scan.turn(&page(&[1], Some("c"))), Ok(PageOutcome::More), "it was a passing fault");
        for _ in 1..MOST_CIRCLES {
            assert_eq!(scan.turn(&page(&[1], Some("c"))), Err(ScanError::Circle));
        }
        assert_eq!(scan.turn(&page(&[1], Some("c"))), Err(ScanError::Lost));
    }

    #[test]
    fn from_the_other_end_it_goes_up_to_what_is_known() {
        let mut there = Scan::new(Purpose::Open, Listing { closed: false, order: Order::Created }, None);
        assert_eq!(there.turn(&page(&[900, 800], Some("a"))), Ok(PageOutcome::More));
        let mut back = there.turned("HTTP 500".into());
        assert_eq!((back.place().after, back.place().from_end, back.begun), (None, true, there.begun));
        assert_eq!(back.turn(&page(&[100, 200], Some("x"))), Ok(PageOutcome::More), "the oldest first is no disorder");
        assert_eq!(back.turn(&page(&[700], Some("y"))), Ok(PageOutcome::More));
        assert_eq!(back.from_end.as_ref().map(|from_end| from_end.has_read), Some(true));
        assert_eq!(back.turn(&page(&[800], Some("z"))), Ok(PageOutcome::Done), "nothing is left out any more");
        let mut short = scan(Some(1)).turned("HTTP 500".into());
        assert_eq!(short.turn(&page(&[100], Some("x"))), Ok(PageOutcome::Done));
    }

    #[test]
    fn notices_that_it_is_not_sorted() {
        let mut little = scan(Some(1));
        assert_eq!(
            little.turn(&page(&[900, 840, 899], Some("a"))),
            Ok(PageOutcome::More),
            "a little disorder is usual"
        );
        assert_eq!(little.turn(&page(&[100, 900], Some("b"))), Err(ScanError::Unsorted));
        let mut all = scan(None);
        assert_eq!(
            all.turn(&page(&[100, 900], Some("a"))),
            Ok(PageOutcome::More),
            "it has no end but that of the listing"
        );
        assert!(all.unsorted && all.after.as_deref() == Some("a"));
        let by_id = Listing { closed: true, order: Order::Id };
        let mut any = Scan::new(Purpose::History, by_id, None).behind(Some("x".into()));
        assert_eq!(any.turn(&page(&[100, 900], Some("b"))), Ok(PageOutcome::More), "ids are not times");
    }
}

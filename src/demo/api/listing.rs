//! The answers of Gamma, with the rules that clients trip over.
//!
//! A limit above 100 is capped without a word, `closed` is false unless it is said, orders that are not known are
//! ignored, a cursor belongs to its query, and only `after_cursor` moves on.

use std::sync::Arc;

use super::cursor::{self, Cursor};
use super::query::{Order, Query};
use crate::demo::gamma::{BROKEN, Broken, Gamma, json};
use crate::demo::{
    faults::Faults, gamma::ids::created, gamma::profile::Profile, http::params::Params, http::reply::Reply,
    markets::wallets::Wallets,
};
use axum::http::{StatusCode, Uri};

const PAGE: usize = 100;
const DEFAULT_PAGE: usize = 20;
const MAX_IDS: usize = 100;
const MAX_URI: usize = 4_400;
/// The deprecated listing goes no further.
const MAX_OFFSET: usize = 2_000;

/// How a listing goes in a circle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::demo) enum Circle {
    /// The next page is this one again.
    Here,
    /// The next page is the second one again.
    Start,
}

/// Gamma as one request meets it.
pub(in crate::demo) struct Sight<'a> {
    pub(in crate::demo) gamma: &'a Gamma,
    pub(in crate::demo) wallets: &'a Wallets,
    /// The newest block that it knows of.
    pub(in crate::demo) now: u64,
    pub(in crate::demo) faults: &'a Faults,
    pub(in crate::demo) circle: Option<Circle>,
}

/// What a listing holds, in its place: what it is sorted by, and the id that decides among equals.
struct Placed {
    key: i64,
    id: u64,
    element: Element,
}

enum Element {
    Market(Arc<Profile>),
    Broken(&'static Broken),
}

impl Sight<'_> {
    /// `/markets/keyset`
    pub(in crate::demo) fn keyset(&self, uri: &Uri) -> Reply {
        let params = Params::of(uri);
        let query = Query::of(&params, self.faults.ignore_order);
        if let Some(refusal) = too_long(uri, &query) {
            return refusal;
        }
        if params.get("offset").is_some() {
            return Reply::invalid("offset is not supported on this endpoint, use after_cursor");
        }
        let after = match cursor::of(&params, &query) {
            Ok(after) => after,
            Err(why) => return Reply::invalid(why),
        };
        let all = self.placed(&query);
        let begin = after.map_or(0, |cursor| begins_behind(&all, &query, cursor));
        let end = all.len().min(begin + limit(&params));
        if self.is_poisoned(&all[begin..end]) {
            return Reply::broken();
        }
        let cursor = |last: &Placed| Cursor { fingerprint: query.fingerprint(), key: last.key, id: last.id }.write();
        let next = match (self.circle, cursor::asked(&params)) {
            (Some(Circle::Here), Some(asked)) => Some(asked.to_owned()),
            (Some(Circle::Start), Some(_)) => all.get(limit(&params).min(all.len()).wrapping_sub(1)).map(cursor),
            _ if end < all.len() => all[begin..end].last().map(cursor),
            _ => None,
        };
        let next = match next {
            Some(cursor) => format!(",\"next_cursor\":\"{cursor}\""),
            // The last page, in the three ways that it is told.
            None => {
                let way = (query.fingerprint() ^ self.gamma.seed) % 3;
                ["", ",\"next_cursor\":null", ",\"next_cursor\":\"\""][way as usize].into()
            }
        };
        Reply::ok(format!("{{\"markets\":{}{next}}}", self.array(&all[begin..end], &params)))
    }

    /// `/markets`, which is deprecated.
    pub(in crate::demo) fn by_offset(&self, uri: &Uri) -> Reply {
        let params = Params::of(uri);
        let query = Query::of(&params, self.faults.ignore_order);
        if let Some(refusal) = too_long(uri, &query) {
            return refusal;
        }
        let offset = params.get("offset").and_then(|offset| offset.parse().ok()).unwrap_or(0);
        if offset > MAX_OFFSET {
            return Reply::invalid("offset too large, use /markets/keyset for deeper pagination");
        }
        let all = self.placed(&query);
        let begin = all.len().min(offset);
        let end = all.len().min(begin + limit(&params));
        if self.is_poisoned(&all[begin..end]) {
            return Reply::broken();
        }
        Reply::ok(self.array(&all[begin..end], &params))
    }

    /// `/markets/{id}`, which knows no `closed`.
    pub(in crate::demo) fn single(&self, id: &str, uri: &Uri) -> Reply {
        let shown = self.gamma.shown(self.wallets, self.now);
        match shown.iter().find(|profile| profile.id.to_string() == id) {
            Some(profile) if self.faults.poison == Some(profile.id) => Reply::broken(),
            Some(profile) => Reply::ok(self.json(profile, &Params::of(uri))),
            None => Reply::not_found("id not found"),
        }
    }

    /// Everything that a query finds, in its order.
    fn placed(&self, query: &Query) -> Vec<Placed> {
        let calendar = &self.gamma.calendar;
        let now = calendar.offset(self.now);
        let shown = self.gamma.shown(self.wallets, self.now).into_iter().filter(|profile| query.takes(profile, now));
        let markets = shown.map(|profile| Placed {
            key: query.key(&profile, calendar, now),
            id: profile.id,
            element: Element::Market(profile),
        });
        let with_broken = self.gamma.bad_markets && !query.is_lookup();
        let broken = BROKEN.iter().filter(|broken| with_broken && broken.closed == query.closed).map(|broken| Placed {
            key: match query.order {
                Order::Id => 0,
                Order::Created | Order::Updated => calendar.micros(created(broken.place)),
                Order::Volume => broken.place.cast_signed(),
            },
            id: broken.place,
            element: Element::Broken(broken),
        });
        let mut all: Vec<Placed> = markets.chain(broken).collect();
        all.sort_by_key(|placed| (placed.key, placed.id));
        if !query.ascending {
            all.reverse();
        }
        all
    }

    fn is_poisoned(&self, placed: &[Placed]) -> bool {
        let is_poison =
            |placed: &Placed| matches!(placed.element, Element::Market(_)) && self.faults.poison == Some(placed.id);
        placed.iter().any(is_poison)
    }

    /// The positions that a market is said to have.
    fn positions(&self, profile: &Profile) -> Vec<String> {
        if !profile.is_of_both() {
            return profile.positions.clone();
        }
        let another = self.gamma.fixed.iter().find(|other| other.is_of_both() && other.id != profile.id);
        let of = another.filter(|_| self.faults.exchanged_positions).map_or(profile, |another| another);
        let mut positions = of.positions.clone();
        if self.faults.swapped_positions {
            positions.reverse();
        }
        positions
    }

    fn array(&self, placed: &[Placed], params: &Params) -> String {
        let element = |placed: &Placed| match &placed.element {
            Element::Market(profile) => self.json(profile, params),
            Element::Broken(broken) => broken.json.to_owned(),
        };
        format!("[{}]", placed.iter().map(element).collect::<Vec<_>>().join(","))
    }

    fn json(&self, profile: &Profile, params: &Params) -> String {
        let calendar = &self.gamma.calendar;
        let positions = self.positions(profile);
        json::market(profile, &positions, calendar, calendar.offset(self.now), params.flag("include_tag"))
    }
}

/// How many elements come before a page.
fn begins_behind(all: &[Placed], query: &Query, cursor: Cursor) -> usize {
    let place = (cursor.key, cursor.id);
    all.partition_point(|placed| match query.ascending {
        true => (placed.key, placed.id) <= place,
        false => (placed.key, placed.id) >= place,
    })
}

fn limit(params: &Params) -> usize {
    let asked = params.get("limit").and_then(|limit| limit.parse().ok()).filter(|limit| *limit > 0);
    asked.unwrap_or(DEFAULT_PAGE).min(PAGE)
}

fn too_long(uri: &Uri, query: &Query) -> Option<Reply> {
    let length = uri.path_and_query().map_or(0, |text| text.as_str().len());
    let is_long = length > MAX_URI || query.asked_ids > MAX_IDS;
    is_long.then(|| Reply::refused(StatusCode::URI_TOO_LONG, "uri too long", "414 Request-URI Too Large"))
}

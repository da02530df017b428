//! What a request asks of the markets: which of them, and in which order.

use std::collections::HashSet;

use crate::demo::gamma::profile::{Profile, Reach};
use crate::demo::{http::params::Params, markets::calendar::Calendar};

/// What a listing is sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::demo) enum Order {
    Id,
    Created,
    Updated,
    Volume,
}

/// The filters by id: a market passes that has one of each kind that is asked for.
const ID_FILTERS: [&str; 3] = ["clob_token_ids", "position_ids", "condition_ids"];

/// A query. Two pages belong together where their queries are equal.
#[derive(Debug)]
pub(in crate::demo) struct Query {
    pub(in crate::demo) closed: bool,
    pub(in crate::demo) order: Order,
    pub(in crate::demo) ascending: bool,
    /// For each of [`ID_FILTERS`].
    ids: [HashSet<String>; 3],
    versions: Vec<String>,
    /// How many ids there are, repeated ones included.
    pub(in crate::demo) asked_ids: usize,
}

impl Query {
    pub(in crate::demo) fn of(params: &Params, ignore_order: bool) -> Self {
        let known = match params.get("order") {
            Some("createdAt") => Some(Order::Created),
            Some("updatedAt") => Some(Order::Updated),
            Some("volumeNum") => Some(Order::Volume),
            Some("id") => Some(Order::Id),
            _ => None,
        };
        let order = known.filter(|_| !ignore_order);
        Self {
            // Also where ids are asked for: that is how closed markets are missed.
            closed: params.flag("closed"),
            order: order.unwrap_or(Order::Id),
            ascending: order.is_none() || params.flag("ascending"),
            ids: ID_FILTERS.map(|name| params.all(name).map(normal).collect()),
            versions: params.all("version").map(str::to_owned).collect(),
            asked_ids: ID_FILTERS.iter().map(|name| params.all(name).count()).sum(),
        }
    }

    /// Whether it looks up single markets.
    pub(in crate::demo) fn is_lookup(&self) -> bool {
        self.ids.iter().any(|ids| !ids.is_empty())
    }

    pub(in crate::demo) fn takes(&self, profile: &Profile, now: i64) -> bool {
        let version = if profile.is_v2() { "v2" } else { "v1" };
        let [tokens, positions, conditions] = &self.ids;
        let told = |is_told: bool, list: &[String], ids: &HashSet<String>| {
            ids.is_empty() || (is_told && list.iter().any(|token| ids.contains(token)))
        };
        (profile.reach == Reach::Listed || self.is_lookup())
            && profile.is_closed(now) == self.closed
            && (self.versions.is_empty() || self.versions.iter().any(|asked| asked == version))
            && told(profile.tokens_form_at(now).is_told(), profile.listed_tokens(), tokens)
            && told(profile.positions_form.is_told(), &profile.positions, positions)
            && (conditions.is_empty() || conditions.contains(&profile.condition))
    }

    /// What a market is sorted by.
    pub(in crate::demo) fn key(&self, profile: &Profile, calendar: &Calendar, now: i64) -> i64 {
        match self.order {
            Order::Id => 0,
            Order::Created => profile.stamp(calendar, profile.created),
            Order::Updated => profile.at(calendar, now).updated,
            Order::Volume => profile.at(calendar, now).volume.cast_signed(),
        }
    }

    /// The hash of all that decides what is shown in which order.
    pub(in crate::demo) fn fingerprint(&self) -> u64 {
        let mut ids: Vec<_> =
            self.ids.iter().enumerate().flat_map(|(kind, ids)| ids.iter().map(move |id| (kind, id))).collect();
        ids.sort();
        let text = format!("{} {:?} {} {ids:?} {:?}", self.closed, self.order, self.ascending, self.versions);
        let hash = alloy_primitives::keccak256(text);
        hash[..8].iter().fold(0, |value, byte| value << 8 | u64::from(*byte))
    }
}

/// Ids in lower case, conditions of protocol v2 without their padding.
fn normal(id: &str) -> String {
    let id = id.to_ascii_lowercase();
    let reserved = id.get(40..56).unwrap_or_default();
    let is_padded = id.len() == 66 && id.ends_with("00") && reserved.bytes().all(|digit| digit == b'0');
    if is_padded { id[..64].to_owned() } else { id }
}

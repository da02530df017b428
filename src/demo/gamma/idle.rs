//! What nobody trades: most markets of the real listings.

use super::ids::created;
use super::profile::{Half, ListForm, Profile, Shape};
use crate::demo::markets::market::Market;

/// How many of them have ended, and how many have not.
const CLOSED: u64 = 100;
const OPEN: u64 = 60;

/// A market of V1 or V2 that nobody trades.
pub(in crate::demo) fn standard(seed: u64, id: u64) -> Market {
    Market::idle(seed, id, 0)
}

/// The profiles of all of them.
pub(in crate::demo) fn profiles(seed: u64) -> impl Iterator<Item = Profile> {
    let closed = (0..CLOSED).map(move |number| {
        let id = 7 + number * 29_989;
        let created = created(id);
        Profile { closes: Some(created * 3 / 5), ..profile(seed, id, number) }
    });
    closed.chain((0..OPEN).map(move |number| profile(seed, 1_000_003 + number * 20_011, number)))
}

fn profile(seed: u64, id: u64, number: u64) -> Profile {
    let mut profile = Profile::plain(id, &Market::idle(seed, id, number % 5), created(id));
    match number {
        6 => profile.shape = Shape::Bare,
        7 => profile.half = Some(Half::Question),
        8 => profile.half = Some(Half::Description),
        10 => profile.shape = Shape::Nulls,
        12 => profile.form = ListForm::Array,
        15 => profile.active = false,
        17 => profile.outcomes.clear(),
        20 => profile.shape = Shape::Legacy,
        _ => {}
    }
    profile
}

/// An element of a listing that is no market.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::demo) struct Broken {
    /// Exactly as it is served.
    pub(in crate::demo) json: &'static str,
    /// In which listing it is, …
    pub(in crate::demo) closed: bool,
    /// … and where: the id that decides its place.
    pub(in crate::demo) place: u64,
}

/// All of them.
pub(in crate::demo) static BROKEN: [Broken; 8] = [
    Broken { json: "null", closed: false, place: 99 },
    Broken { json: "\"see /markets/keyset\"", closed: false, place: 1_500_001 },
    Broken { json: "{\"question\":\"Who am I?\",\"conditionId\":\"\"}", closed: false, place: 2_222_222 },
    Broken { json: "{ \"id\" : null, \"slug\":\"na\\u00efve\" }", closed: false, place: 2_999_999 },
    Broken { json: "[]", closed: true, place: 100 },
    Broken { json: "{\"id\":\"\",\"closed\":true}", closed: true, place: 800_001 },
    Broken { json: "17", closed: true, place: 1_700_001 },
    Broken { json: "{\"id\":[1],\"closed\":true}", closed: true, place: 2_900_001 },
];

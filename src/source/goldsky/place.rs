//! A place among the rows: behind one of them, or before a second.

use std::fmt;

use crate::{source::position::Position, units::time};

/// A longer id is none.
const LONGEST_ID: usize = 256;

/// How much of an id is shown.
const SHOWN_ID: usize = 10;

/// Behind the row of this second and this id, or, where the id is empty, before all rows of the second.
///
/// Rows are ordered by second and then by id, byte by byte, as the subgraph orders them. It is kept as text: the second in 20
/// digits, a colon, the id; so texts are ordered as places are.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) second: u64,
    pub(super) id: String,
}

impl Place {
    /// Before all rows of a second.
    pub(super) const fn before(second: u64) -> Self {
        Self { second, id: String::new() }
    }

    /// Behind a row; `None` where its id is none.
    pub(super) fn behind(second: u64, id: String) -> Option<Self> {
        let is_id = !id.is_empty() && id.len() <= LONGEST_ID;
        is_id.then_some(Self { second, id })
    }

    /// The place that a text holds, as it was kept.
    pub(super) fn read(stored: &str) -> Option<Self> {
        let (second, id) = stored.split_once(':')?;
        let is_second = second.len() == 20 && second.bytes().all(|byte| byte.is_ascii_digit());
        let second = second.parse().ok().filter(|_| is_second)?;
        if id.is_empty() { Some(Self::before(second)) } else { Self::behind(second, id.to_owned()) }
    }

    /// The last second of which rows can be before it.
    pub(super) const fn last_second(&self) -> u64 {
        if self.id.is_empty() { self.second.saturating_sub(1) } else { self.second }
    }
}

impl From<&Place> for Position {
    fn from(place: &Place) -> Self {
        Self::own(format!("{:020}:{}", place.second, place.id), place.to_string())
    }
}

/// For the screen: the time, and the begin of the id.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match time(self.second) {
            Some(time) => time.fmt(f)?,
            None => write!(f, "second {}", self.second)?,
        }
        let short: String = self.id.chars().filter(|c| !crate::secrets::is_unsafe(*c)).take(SHOWN_ID).collect();
        if short.is_empty() { Ok(()) } else { write!(f, ", {short}…") }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_place_is_shown_as_a_time_and_a_short_id() {
        let place = Place::behind(1_777_374_040, "0x2faf9484ee3ecdd092bd_0x86".into()).unwrap();
        assert_eq!(Position::from(&place).to_string(), "2026-04-28T11:00:40Z, 0x2faf9484…");
        assert_eq!(Position::from(&Place::before(1_777_374_041)).to_string(), "2026-04-28T11:00:41Z");
        assert_eq!(Position::from(&place).stored(), "00000000001777374040:0x2faf9484ee3ecdd092bd_0x86");
        assert_eq!(Position::from(&Place::before(u64::MAX)).to_string(), "second 18446744073709551615");
    }

    #[test]
    fn only_what_was_kept_is_a_place() {
        for text in ["", ":", "7:a", "0000000000000000000x:a", "00000000000000000007", "+0000000000000000007:a"] {
            assert_eq!(Place::read(text), None, "{text}");
        }
        assert_eq!(Place::read(&format!("{:020}:{}", 7, "a".repeat(LONGEST_ID + 1))), None);
    }

    proptest! {
        #[test]
        fn texts_are_ordered_as_places_are(one: (u64, String), other in prop_oneof![Just(None), any::<(u64, String)>().prop_map(Some)]) {
            let place = |(second, id): (u64, String)| Place { second, id: id.chars().take(60).collect() };
            // Often of one second.
            let other = other.unwrap_or((one.0, "0x".into()));
            let [one, other] = [place(one), place(other)];
            let [kept, later] = [&one, &other].map(Position::from);
            prop_assert_eq!(kept.cmp(&later), one.cmp(&other));
            prop_assert_eq!(Place::read(&kept.stored()), Some(one));
        }
    }
}

//! Whole numbers within bounds.

use std::{num::NonZeroU32, ops::RangeInclusive};

use serde::{Deserialize, Deserializer, de::Error};

use super::given::Given;

/// A whole number within bounds.
fn within<'de, D: Deserializer<'de>>(
    deserializer: D,
    bounds: RangeInclusive<u32>,
    what: &str,
) -> Result<u32, D::Error> {
    let expected = format!("{} to {} {what} are expected", bounds.start(), bounds.end());
    let given = Given::deserialize(deserializer)?;
    let number = given.whole::<D::Error>(&expected)?;
    let allowed = u32::try_from(number).ok().filter(|number| bounds.contains(number));
    allowed.ok_or_else(|| D::Error::custom(format!("{number} is out of bounds: {expected}")))
}

pub(crate) fn rows<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    Ok(within(deserializer, 1..=1_000_000, "rows")? as usize)
}

/// The rows of a page of a subgraph, which allows no more.
pub(crate) fn page<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    Ok(within(deserializer, 1..=1_000, "rows")? as usize)
}

pub(crate) fn batch<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    Ok(within(deserializer, 1..=512, "events")? as usize)
}

pub(crate) fn files<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    Ok(within(deserializer, 1..=1_000, "files")? as usize)
}

pub(crate) fn rate<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NonZeroU32, D::Error> {
    let rate = within(deserializer, 1..=10_000, "requests a second")?;
    NonZeroU32::new(rate).ok_or_else(|| D::Error::custom("at least one request a second is expected"))
}

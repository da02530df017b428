//! Prices of outcomes, which polytape does not read.

use super::profile::{ListForm, Profile};

/// One price for each outcome. Those of real arrays have as many digits as some real ones have.
pub(in crate::demo) fn all(profile: &Profile, now: i64) -> Vec<String> {
    let first = (profile.id.wrapping_add(now.unsigned_abs() / 50) * 37) % 998 + 1;
    let price = |place: usize| {
        let thousandths = if place == 0 { first } else { 1_000 - first };
        match profile.form {
            ListForm::Array => format!("0.{thousandths:03}331166907769314663544544607728155"),
            _ => format!("0.{thousandths:03}"),
        }
    };
    match profile.is_closed(now) {
        true => (0..profile.outcomes.len()).map(|place| if place == 0 { "1" } else { "0" }.into()).collect(),
        false => (0..profile.outcomes.len()).map(price).collect(),
    }
}

//! The ways in which Gamma writes a time.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// Unix seconds: `2026-04-05T14:00:05.980362Z`, `2026-07-24 00:00:16+00`, or `2026-04-05`, which is its midnight in UTC.
pub(super) fn read(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time.as_second());
    }
    let date: Date = text.parse().ok().filter(|_| text.len() == 10)?;
    date.to_zoned(TimeZone::UTC).ok().map(|time| time.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_gamma_writes() {
        for (text, expected) in [
            ("2026-04-05T14:00:05.980362Z", Some(1_775_397_605)),
            ("2026-04-05T14:00:05Z", Some(1_775_397_605)),
            ("2020-10-12T22:00:05.791Z", Some(1_602_540_005)),
            ("2026-07-24 00:00:16+00", Some(1_784_851_216)),
            ("2026-07-24 02:00:16+02", Some(1_784_851_216)),
            ("2026-07-24", Some(1_784_851_200)),
            ("1970-01-01T00:00:00Z", Some(0)),
            ("0001-01-01T00:00:00Z", Some(-62_135_596_800)),
            ("2026-13-24", None),
            ("2026-07-24 00:00:16", None),
            ("1784851200", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }
}

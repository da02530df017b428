//! Times as Gamma writes them.

use jiff::{Timestamp, tz::TimeZone};

/// `2026-07-24T00:01:29.141988Z`, with so many digits behind the point.
pub(in crate::demo) fn iso(micros: i64, digits: u32) -> String {
    let seconds = format(micros.div_euclid(1_000_000), "%Y-%m-%dT%H:%M:%S");
    let fraction = format!("{:06}", micros.rem_euclid(1_000_000));
    match digits {
        0 => format!("{seconds}Z"),
        digits => format!("{seconds}.{}Z", &fraction[..fraction.len().min(digits as usize)]),
    }
}

/// `2026-07-24 00:00:16+00`
pub(in crate::demo) fn short_zone(seconds: i64) -> String {
    format(seconds, "%Y-%m-%d %H:%M:%S+00")
}

/// `2026-07-24`
pub(in crate::demo) fn date(seconds: i64) -> String {
    format(seconds, "%Y-%m-%d")
}

fn format(seconds: i64, how: &str) -> String {
    let time = Timestamp::from_second(seconds).unwrap_or_default();
    time.to_zoned(TimeZone::UTC).strftime(how).to_string()
}

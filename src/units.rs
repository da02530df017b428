//! Numbers as people read them, in few columns: counts, sizes, ages.

use jiff::Timestamp;

/// The time that a unix second is, if it is one.
pub(crate) fn time(second: u64) -> Option<Timestamp> {
    Timestamp::from_second(i64::try_from(second).ok()?).ok()
}

/// A unix second as `2026-04-28T11:00:40Z`, and as its number where that is no time.
pub(crate) fn second(unix: u64) -> String {
    time(unix).map_or_else(|| unix.to_string(), |time| time.to_string())
}

/// `1234567` as `1,234,567`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count in at most five columns: `9999`, `78.3k`, `412k`, `1.23M`.
pub(crate) fn count(number: u64) -> String {
    if number < 10_000 { number.to_string() } else { scaled(number, 1_000, ["", "k", "M", "G", "T", "P", "E"]) }
}

/// The rows of a table: as `exact` writes them where they were counted, else `~2.2M`.
pub(crate) fn rows(rows: u64, is_estimate: bool, exact: impl FnOnce(u64) -> String) -> String {
    if is_estimate { format!("~{}", rough(rows)) } else { exact(rows) }
}

/// About so many, in two or three digits.
fn rough(number: u64) -> String {
    let (whole, rest, letter) = match number {
        0..1_000 => return number.to_string(),
        1_000..1_000_000 => (number / 1_000, number % 1_000 / 100, "k"),
        1_000_000..1_000_000_000 => (number / 1_000_000, number % 1_000_000 / 100_000, "M"),
        _ => (number / 1_000_000_000, number % 1_000_000_000 / 100_000_000, "G"),
    };
    if whole < 10 { format!("{whole}.{rest}{letter}") } else { format!("{whole}{letter}") }
}

/// Bytes in at most five columns: `512B`, `12.3K`, `301M`.
pub(crate) fn bytes(number: u64) -> String {
    if number < 1_024 { format!("{number}B") } else { scaled(number, 1_024, ["B", "K", "M", "G", "T", "P", "E"]) }
}

/// Three digits and a letter. Never rounded up to what is not there yet.
fn scaled(number: u64, base: u64, letters: [&str; 7]) -> String {
    let (mut unit, mut power) = (1, base);
    while number / power >= 1_000 && unit < 6 {
        unit += 1;
        power *= base;
    }
    let (whole, rest) = (number / power, u128::from(number % power) * 100 / u128::from(power));
    let letter = letters[unit];
    match whole {
        0..10 => format!("{whole}.{rest:02}{letter}"),
        10..100 => format!("{whole}.{}{letter}", rest / 10),
        _ => format!("{whole}{letter}"),
    }
}

/// A duration in milliseconds, in at most five columns: `38s`, `1m39`, `4h02`, `3d04`.
pub(crate) fn age(millis: u64) -> String {
    let seconds = millis / 1_000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{minutes}m{:02}", seconds % 60),
        3_600..86_400 => format!("{hours}h{:02}", minutes % 60),
        _ if days < 1_000 => format!("{days}d{:02}", hours % 24),
        _ => format!("{days}d"),
    }
}

/// What something took in milliseconds, in at most five columns: `<1ms`, `38ms`, `1.2s`, `38s`, `1m39`.
pub(crate) fn latency(millis: u64) -> String {
    match millis {
        0 => "<1ms".to_owned(),
        1..1_000 => format!("{millis}ms"),
        1_000..10_000 => format!("{}.{}s", millis / 1_000, millis % 1_000 / 100),
        _ => age(millis),
    }
}

/// The same in one unit, for what nobody needs to see ticking: `<1m`, `4m`, `2h`, `3d`.
pub(crate) fn about(millis: u64) -> String {
    match millis / 60_000 {
        0 => "<1m".to_owned(),
        minutes @ 1..60 => format!("{minutes}m"),
        minutes @ 60..1_440 => format!("{}h", minutes / 60),
        minutes => format!("{}d", minutes / 1_440),
    }
}

/// A part of a whole in percent. All of it only when nothing is left.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "-".to_owned();
    }
    format!("{}%", u128::from(part.min(whole)) * 100 / u128::from(whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_digits_by_three() {
        let text = [0, 999, 1_000, 123_456, 1_234_567].map(thousands);
        assert_eq!(text, ["0", "999", "1,000", "123,456", "1,234,567"]);
    }

    #[test]
    fn an_estimate_says_so() {
        let text = |count, is_estimate| rows(count, is_estimate, thousands);
        assert_eq!(text(2_211_401, false), "2,211,401");
        let about = [7, 2_211, 99_999, 2_211_401, 9_999_999, 22_114_010, 812_412_345, 2_812_412_345];
        let about = about.map(|rows| text(rows, true));
        assert_eq!(about, ["~7", "~2.2k", "~99k", "~2.2M", "~9.9M", "~22M", "~812M", "~2.8G"]);
    }

    #[test]
    fn counts_and_bytes_fit_five_columns() {
        let text = [0, 9_999, 10_000, 78_349, 99_999, 412_000, 999_999, 1_239_999, 812_400_000, u64::MAX].map(count);
        assert_eq!(text, ["0", "9999", "10.0k", "78.3k", "99.9k", "412k", "999k", "1.23M", "812M", "18.4E"]);
        let text = [0, 1_023, 1_024, 1_048_575, 1_048_576, 536_870_912, u64::MAX].map(bytes);
        assert_eq!(text, ["0B", "1023B", "1.00K", "0.99M", "1.00M", "512M", "15.9E"]);
        for number in (0..64).map(|bit| (1_u64 << bit) - 1) {
            assert!(count(number).len() <= 5 && bytes(number).len() <= 5, "{number}");
        }
    }

    #[test]
    fn ages_fit_five_columns() {
        let text = [0, 999, 38_000, 99_000, 14_520_000, 273_600_000].map(age);
        assert_eq!(text, ["0s", "0s", "38s", "1m39", "4h02", "3d04"]);
        assert_eq!([59_999, 60_000, 7_200_000, 259_200_000].map(about), ["<1m", "1m", "2h", "3d"]);
        assert!(age(86_400_000 * 999).len() <= 6);
    }

    #[test]
    fn latencies_fit_five_columns() {
        let text = [0, 1, 999, 1_000, 9_999, 10_000, 99_000].map(latency);
        assert_eq!(text, ["<1ms", "1ms", "999ms", "1.0s", "9.9s", "10s", "1m39"]);
    }

    #[test]
    fn nothing_is_done_before_it_is() {
        assert_eq!([percent(999, 1_000), percent(5, 5), percent(9, 5), percent(0, 0)], ["99%", "100%", "100%", "-"]);
    }
}

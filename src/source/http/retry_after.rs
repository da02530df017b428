//! The `Retry-After` header: seconds, or an HTTP date.

use std::time::{Duration, SystemTime};

use jiff::{Timestamp, fmt::rfc2822};
use reqwest::{Response, header::RETRY_AFTER};

/// The longest that an endpoint is believed: beyond it, asking again does no harm.
pub(in crate::source) const LONGEST: Duration = Duration::from_secs(60);

/// How long an answer asks to wait; `None` where it says nothing that can be read.
pub(in crate::source) fn of(response: &Response) -> Option<Duration> {
    read(response.headers().get(RETRY_AFTER)?.to_str().ok()?, SystemTime::now())
}

/// How long to wait from `now` on, at most [`LONGEST`]; `None` where the header says nothing that can be read.
fn read(header: &str, now: SystemTime) -> Option<Duration> {
    let header = header.trim();
    let asked = match header.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let date = rfc2822::DateTimeParser::new().parse_timestamp(header).ok()?;
            let now = Timestamp::try_from(now).ok()?;
            // A date that has passed means "now".
            Duration::try_from(date.duration_since(now)).unwrap_or_default()
        }
    };
    Some(asked.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let table = [
            ("0", Some(0)),
            (" 7 ", Some(7)),
            ("3600", Some(60)),
            ("Sun, 06 Nov 1994 08:49:40 GMT", Some(3)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(0)),
            ("Sun, 06 Nov 1994 08:40:00 GMT", Some(0)),
            ("Sun, 06 Nov 1994 09:49:37 GMT", Some(60)),
            ("", None),
            ("-1", None),
            ("soon", None),
        ];
        for (header, expected) in table {
            assert_eq!(read(header, now), expected.map(Duration::from_secs), "{header:?}");
        }
    }
}

//! A stream fills up with what its reader has not read, and at its ceiling the stage before it will wait.

use std::time::Duration;

use super::rule::{Facts, Finding, Rule};
use crate::flow::StreamId;
use crate::monitor::snapshot::{Severity, State};
use crate::units::{age, bytes};

pub(super) const RULE: Rule = Rule { id: "backlog", check };

/// Over how long growth is measured.
const OVER: Duration = Duration::from_secs(30);

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let ceiling = facts.now.about.max_stream_bytes / 2;
    let mut found = Vec::new();
    for stream in &facts.now.streams {
        let (Some(reader), Some(group)) = (stream.reader(), stream.live()) else { continue };
        if ceiling == 0 || group.unread_bytes < ceiling / 4 {
            continue;
        }
        let grown = facts
            .history
            .then_and_now(OVER, |sample| sample.unread_bytes.get(&StreamId::named(&stream.name)?).copied());
        let left = grown.and_then(|(span, then, now)| {
            let grown = now.checked_sub(then).filter(|grown| *grown > 0)?;
            let left = u128::from(ceiling.saturating_sub(now)) * span.as_millis() / u128::from(grown);
            u64::try_from(left).ok()
        });
        let what =
            format!("{} unread in {}, {} is its ceiling", bytes(group.unread_bytes), stream.name, bytes(ceiling));
        let is_held = facts
            .now
            .stages
            .iter()
            .any(|stage| stage.name == reader && matches!(stage.state, State::Paus | State::Stop));
        let text = match left {
            Some(left) => format!("{reader} is behind: {what}, reached in {}", age(left)),
            None if is_held => format!("{reader} does not read: {what}"),
            None => format!("{reader} is behind: {what}, and it does not grow"),
        };
        found.push(Finding::new(Severity::Warn, stream.name.as_str(), text).slows(reader));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{healthy, past_of};
    use super::*;
    use crate::monitor::history::History;

    #[test]
    fn says_when_the_ceiling_is_reached() {
        let mut snapshot = healthy();
        assert_eq!(check(&Facts { now: &snapshot, history: &History::default() }), []);
        snapshot.about.max_stream_bytes = 1 << 30;
        snapshot.streams[2].groups[0].unread_bytes = 256 << 20;
        let text = |history: &History| check(&Facts { now: &snapshot, history }).remove(0).text;
        let unread = |sample: &mut crate::monitor::history::Sample, mib: u64| {
            sample.unread_bytes.insert(StreamId::Trades, mib << 20);
        };
        let grows = past_of(31, |sample, second| unread(sample, 226 + second));
        assert_eq!(
            text(&grows),
            "write-trades is behind: 256M unread in stream:trades, 512M is its ceiling, reached in 4m16"
        );
        let stands = past_of(31, |sample, _| unread(sample, 256));
        assert!(text(&stands).ends_with("and it does not grow"), "{}", text(&stands));
    }
}

//! The heartbeat: one line that says how it goes.

use std::convert::Infallible;
use std::fmt::Write;
use std::time::{Duration, SystemTime};

use crate::monitor::{Collector, Snapshot};
use crate::source::Head;
use crate::stage::{StageName, StageState};
use crate::warehouse::RowCounts;

const INTERVAL: Duration = Duration::from_secs(10);

/// The first one comes sooner: somebody may be watching.
const FIRST: Duration = Duration::from_secs(2);

/// Logs a heartbeat for ever.
pub(super) async fn beat(collector: &Collector) -> Infallible {
    let mut before = collector.snapshot().await;
    let mut wait = FIRST;
    loop {
        tokio::time::sleep(wait).await;
        wait = INTERVAL;
        let now = collector.snapshot().await;
        tracing::info!("{}", line(&before, &now, SystemTime::now()));
        before = now;
    }
}

/// What has happened between two snapshots, and how things stand at the later one.
fn line(before: &Snapshot, now: &Snapshot, clock: SystemTime) -> String {
    let clock = clock.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let old_head = || {
        let (head, _) = now.source.head?;
        (head.age(clock) > Head::FRESH).then(|| "the source is frozen".to_owned())
    };
    let mut line = now
        .stages
        .iter()
        .find(|(_, status)| matches!(status.state, StageState::Wait(_) | StageState::Fail(_)))
        .map(|(stage, status)| format!("{stage} {}", status.state))
        .or_else(old_head)
        .unwrap_or_else(|| "ok".to_owned());
    match now.source.head {
        Some((head, _)) => {
            let age = head.age(clock).as_secs();
            let _ = write!(line, " | head {} ({age} s old)", thousands(head.block));
        }
        None => line.push_str(" | head unknown"),
    }
    match now.source.blocks_behind() {
        Some(behind) => {
            let _ = write!(line, ", {} blocks behind", thousands(behind));
        }
        None => line.push_str(", lag unknown"),
    }
    let _ = write!(
        line,
        " | in {}/s, out {}/s",
        thousands(rate(before, now, StageName::IngestFills)),
        thousands(rate(before, now, StageName::WriteTrades))
    );
    for (stream, state) in &now.streams {
        let name = stream.as_str().trim_start_matches("stream:");
        match state {
            Ok(state) => {
                let unread = state.groups.iter().map(|group| group.pending + group.undelivered).max().unwrap_or(0);
                let _ = write!(line, " | {name} {} unread", thousands(unread));
            }
            Err(_) => {
                let _ = write!(line, " | {name} unknown");
            }
        }
    }
    match &now.tables {
        Ok(rows) => {
            let RowCounts { markets, trades, dead_letters } = rows;
            let [markets, trades, dead_letters] = [markets, trades, dead_letters].map(|rows| thousands(*rows));
            let _ = write!(line, " | {trades} trades, {markets} markets, {dead_letters} dead letters");
        }
        Err(_) => line.push_str(" | rows unknown"),
    }
    if let Some(tokens) = now.tokens {
        let _ = write!(line, " | {} tokens unresolved", thousands(tokens.unresolved));
    }
    line
}

fn rate(before: &Snapshot, now: &Snapshot, stage: StageName) -> u64 {
    let moved = |snapshot: &Snapshot| {
        snapshot.stages.iter().find(|(name, _)| *name == stage).map_or(0, |(_, status)| status.moved)
    };
    let millis = now.at.duration_since(before.at).as_millis().max(1);
    let events = u128::from(moved(now).saturating_sub(moved(before)));
    u64::try_from(events * 1000 / millis).unwrap_or(u64::MAX)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::{EntryId, GroupState, Stream, StreamState};
    use crate::model::ChainPosition;
    use crate::monitor::SourceView;
    use crate::stage::{StageStatus, TokenProgress};
    use std::time::Instant;

    fn status(state: StageState, moved: u64) -> StageStatus {
        StageStatus { state, moved, ..StageStatus::starting() }
    }

    fn snapshot(at: Instant, moved: u64, state: StageState) -> Snapshot {
        let group = GroupState {
            name: "g".into(),
            pending: 2,
            undelivered: 1_000,
            unacknowledged_bytes: 9,
            clear_up_to: EntryId::default(),
        };
        let stream = StreamState { entries: 5_000, bytes: 9, last_id: EntryId::default(), groups: vec![group] };
        Snapshot {
            at,
            stages: vec![
                (StageName::IngestFills, status(state, moved)),
                (StageName::WriteTrades, status(StageState::Run, moved / 2)),
            ],
            source: SourceView {
                head: Some((Head { block: 1_000_009, timestamp: 100 }, Duration::ZERO)),
                cursor: None,
                watermark: Some(ChainPosition::start_of(1_000_000)),
            },
            markets: None,
            tokens: Some(TokenProgress { sweeps: 1, unresolved: 1_070, untried: 0 }),
            streams: vec![(Stream::trades(), Ok(stream)), (Stream::dead_letters(), Err("gone".into()))],
            tables: Ok(RowCounts { markets: 56_789, trades: 1_234_567, dead_letters: 3 }),
        }
    }

    #[test]
    fn says_how_it_goes() {
        let start = Instant::now();
        let before = snapshot(start, 0, StageState::Run);
        let now = snapshot(start + Duration::from_secs(2), 5_000, StageState::Run);
        let clock = SystemTime::UNIX_EPOCH + Duration::from_secs(104);
        assert_eq!(
            line(&before, &now, clock),
            "ok | head 1,000,009 (4 s old), 10 blocks behind | in 2,500/s, out 1,250/s | trades 1,002 unread | \
             dead_letters unknown | 1,234,567 trades, 56,789 markets, 3 dead letters | 1,070 tokens unresolved"
        );
    }

    #[test]
    fn an_old_head_is_not_ok() {
        let now = snapshot(Instant::now(), 0, StageState::Idle);
        let later = SystemTime::UNIX_EPOCH + Duration::from_secs(100 + 301);
        let text = line(&now.clone(), &now, later);
        assert!(text.starts_with("the source is frozen | head 1,000,009 (301 s old)"), "{text}");
    }

    #[test]
    fn names_what_waits_and_what_is_unknown() {
        let mut now = snapshot(Instant::now(), 0, StageState::Wait("node: refused".into()));
        now.source = SourceView::default();
        now.tables = Err("gone".into());
        now.tokens = None;
        let text = line(&now.clone(), &now, SystemTime::UNIX_EPOCH);
        assert!(text.starts_with("ingest-fills WAIT node: refused | head unknown, lag unknown | "), "{text}");
        assert!(text.ends_with(" | rows unknown"), "{text}");
    }

    #[test]
    fn groups_digits_by_three() {
        let text = [0, 999, 1_000, 123_456, 1_234_567].map(thousands);
        assert_eq!(text, ["0", "999", "1,000", "123,456", "1,234,567"]);
    }
}

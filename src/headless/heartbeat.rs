//! The heartbeat: one line that says how it goes.

use std::convert::Infallible;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::monitor::{Severity, Snapshot, StageView, State};
use crate::stage::StageName;
use crate::units::{age, rows, thousands};

const INTERVAL: Duration = Duration::from_secs(30);

/// The first one comes sooner: somebody may be watching.
const FIRST: Duration = Duration::from_secs(2);

/// Logs heartbeats and alerts for ever.
pub(super) async fn beat(mut snapshots: watch::Receiver<Arc<Snapshot>>) -> Infallible {
    let mut due = Instant::now() + FIRST;
    loop {
        if snapshots.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        let now = Arc::clone(&snapshots.borrow_and_update());
        if Instant::now() >= due {
            due = Instant::now() + INTERVAL;
            tracing::info!("{}", line(&now));
        }
    }
}

/// How things stand.
fn line(now: &Snapshot) -> String {
    let source = &now.source;
    let reads = now.stages.iter().any(|stage| stage.name == StageName::IngestFills);
    let held: Vec<String> = now.stages.iter().filter_map(held).collect();
    let mut line = match now.alerts.first() {
        Some(alert) if alert.severity > Severity::Info => alert.text.clone(),
        _ if !held.is_empty() => format!("on purpose {}", held.join(", ")),
        _ if reads && source.head.value.is_none() => "starting".to_owned(),
        _ => "ok".to_owned(),
    };
    match source.head.value {
        Some(head) => {
            let _ = write!(line, " | head {} ({} old)", thousands(head.block), age(head.age));
        }
        None if reads => line.push_str(" | head unknown"),
        // Another process asks for it.
        None => {
            let _ = write!(line, " | in tables {}", source.watermark.map_or("?".into(), |at| thousands(at.block)));
        }
    }
    match source.blocks_behind() {
        Some(behind) => {
            let _ = write!(line, ", {} blocks behind", thousands(behind));
        }
        None if reads => line.push_str(", lag unknown"),
        None => {}
    }
    for (name, word, before) in [(StageName::IngestFills, "in", " | "), (StageName::WriteTrades, "out", ", ")] {
        if let Some(stage) = now.stages.iter().find(|stage| stage.name == name) {
            let before = if reads { before } else { " | " };
            let _ = write!(line, "{before}{word} {}/s", stage.rate.map_or("?".to_owned(), thousands));
        }
    }
    for stream in &now.streams {
        let name = stream.name.trim_start_matches("stream:");
        match (stream.entries.value, stream.live()) {
            (Some(_), Some(group)) => {
                let _ = write!(line, " | {name} {} unread", thousands(group.pending + group.lag));
            }
            _ => {
                let _ = write!(line, " | {name} unknown");
            }
        }
    }
    for (at, table) in now.tables.iter().enumerate() {
        line.push_str(if at == 0 { " | " } else { ", " });
        let name = table.name.replace('_', " ");
        match table.rows.value {
            Some(count) => {
                let _ = write!(line, "{} {name}", rows(count, thousands));
            }
            None => {
                let _ = write!(line, "{name} unknown");
            }
        }
    }
    if let Some(tokens) = now.tokens {
        let _ = write!(line, " | {} tokens unresolved", thousands(tokens.unresolved));
    }
    for job in now.jobs.iter().filter(|job| job.ended.is_none()) {
        let _ =
            write!(line, " | replay {} of {}: {} of {}", job.id, job.stage, thousands(job.done), thousands(job.total));
    }
    line
}

/// A stage that is held by somebody, in words.
fn held(stage: &StageView) -> Option<String> {
    let word = match stage.state {
        State::Paus => "paused",
        State::Stop => "stopped",
        _ => return None,
    };
    Some(format!("{} is {word}", stage.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::sample;

    #[test]
    fn what_is_held_on_purpose_is_not_just_ok() {
        let mut snapshot = sample::healthy();
        snapshot.alerts.clear();
        snapshot.stages[1].state = State::Stop;
        let text = line(&snapshot);
        assert!(text.starts_with(&format!("on purpose {} is stopped | ", snapshot.stages[1].name)), "{text}");
    }

    #[test]
    fn says_how_it_goes() {
        assert_eq!(
            line(&sample::healthy()),
            "ok | head 97,812,345 (3s old), 1 blocks behind | in 812/s, out 812/s | markets 0 unread | order_events 12 unread | \
             trades 300 unread | dead_letters 0 unread | 812,412,345 trades, 96,104 markets, 17 dead letters | 41 tokens \
             unresolved"
        );
    }

    #[test]
    fn names_the_worst_and_what_is_under_way() {
        let text = line(&sample::warning());
        assert!(text.starts_with("write-trades is behind: 188M unread in stream:trades"), "{text}");
        assert!(text.ends_with(" | replay a3f09c of ingest-fills: 412 of 1,000"), "{text}");
    }

    #[test]
    fn what_is_unknown_is_not_zero() {
        let text = line(&sample::loading());
        assert!(text.starts_with("starting | head unknown, lag unknown | in ?/s, out ?/s | markets unknown"), "{text}");
        assert!(text.contains("trades unknown, markets unknown"), "{text}");
    }
}

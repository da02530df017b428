//! The heartbeat: one line that says how it goes.

use std::{convert::Infallible, sync::Arc, time::Duration};

use tokio::{sync::watch, time::Instant};

use crate::flow::StageId;
use crate::monitor::{Severity, Snapshot, StageView, State, most_wait_for};
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
    let reads = now.stages.iter().any(|stage| stage.name == StageId::IngestFills);
    let held: Vec<String> = now.stages.iter().filter_map(held).collect();
    let mut line = match now.alerts.first() {
        Some(alert) if alert.severity > Severity::Info => alert.text.clone(),
        _ if !held.is_empty() => format!("on purpose {}", held.join(", ")),
        _ if reads && source.head.value.is_none() => match most_wait_for(&now.waits()) {
            // Before a wait is worth an alert.
            Some(wait) => format!("starting: {wait}"),
            None => "starting".to_owned(),
        },
        _ => "ok".to_owned(),
    };
    match source.head.value {
        Some(head) => line += &format!(" | head {} ({} old)", thousands(head.block), age(head.age)),
        None if reads => line.push_str(" | head unknown"),
        // Another process asks for it.
        None => line += &format!(" | in tables {}", source.watermark.map_or("?".into(), |at| thousands(at.block))),
    }
    match source.blocks_behind() {
        Some(behind) => line += &format!(", {} blocks behind", thousands(behind)),
        None if reads => line.push_str(", lag unknown"),
        None => {}
    }
    for (name, word, before) in [(StageId::IngestFills, "in", " | "), (StageId::WriteTrades, "out", ", ")] {
        if let Some(stage) = now.stages.iter().find(|stage| stage.name == name) {
            let before = if reads { before } else { " | " };
            line += &format!("{before}{word} {}/s", stage.rate.map_or("?".to_owned(), thousands));
        }
    }
    for beside in &now.beside {
        let place = |place: &Option<String>| place.clone().unwrap_or_else(|| "?".to_owned());
        let (read, landed) = (place(&beside.cursor), place(&beside.watermark));
        line += &format!(" | {} read to {read}, in tables to {landed}", beside.name);
        if let Some(since) = &beside.frozen_since {
            line += &format!(", frozen since {since}");
        }
    }
    for stream in &now.streams {
        let name = stream.name.trim_start_matches("stream:");
        match (stream.entries.value, stream.live()) {
            (Some(_), Some(group)) => line += &format!(" | {name} {} unread", thousands(group.pending + group.lag)),
            _ => line += &format!(" | {name} unknown"),
        }
    }
    for (at, table) in now.tables.iter().enumerate() {
        line.push_str(if at == 0 { " | " } else { ", " });
        let name = table.name.replace('_', " ");
        match table.rows.value {
            Some(count) => line += &format!("{} {name}", rows(count.rows, count.is_estimate, thousands)),
            None => line += &format!("{name} unknown"),
        }
    }
    if let Some(tokens) = now.tokens {
        line += &format!(" | {} tokens unresolved", thousands(tokens.unresolved));
    }
    for job in now.jobs.iter().filter(|job| job.ended.is_none()) {
        line += &format!(" | replay {} of {}: {} of {}", job.id, job.stage, thousands(job.done), thousands(job.total));
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
    use crate::streams::WaitCause;

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
    fn each_source_has_its_own_place() {
        let text = line(&sample::with_another_source());
        assert!(text.contains(" | other read to 12:00:07, 0x7f, in tables to 12:00:05, 0x3a | markets"), "{text}");
        assert!(text.starts_with("ok | head 97,812,345"), "{text}");
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

    #[test]
    fn a_start_that_waits_says_for_what() {
        let mut snapshot = sample::loading();
        for stage in &mut snapshot.stages {
            stage.wait_for(WaitCause::Other("ClickHouse at h: 452".into()), 0);
        }
        let (text, stages) = (line(&snapshot), snapshot.stages.len());
        assert!(
            text.starts_with(&format!("starting: {stages} stages wait: ClickHouse at h: 452 | head unknown")),
            "{text}"
        );
    }
}

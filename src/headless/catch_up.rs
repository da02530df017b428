//! `--until-caught-up`: waits until everything that was final at the start is in the tables.

use std::io::Write;
use std::time::{Duration, Instant};

use crate::clock::since_epoch;
use crate::model::ChainPosition;
use crate::monitor::{Collector, SourceView};
use crate::source::Head;
use crate::stage::StageState;

use super::heartbeat::thousands;

/// How often to look.
const POLL: Duration = Duration::from_millis(50);

/// Why it did not catch up.
#[derive(Debug, thiserror::Error)]
pub enum NotCaughtUp {
    /// The source has told no head.
    #[error("not caught up: the source told no head within {patience:?}{cause}")]
    NoHead {
        /// How long was waited.
        patience: Duration,
        /// What a stage says of it.
        cause: String,
    },
    /// The newest final block is old, and no newer one comes.
    #[error("not caught up: the source is frozen, its newest final block {block} is {age_seconds} s old")]
    Frozen {
        /// The block.
        block: u64,
        /// Its age.
        age_seconds: u64,
    },
    /// Nothing moved.
    #[error("not caught up: no progress for {patience:?} on the way to block {target}{cause}")]
    Stuck {
        /// How long was waited.
        patience: Duration,
        /// Where it was going.
        target: u64,
        /// What a stage says of it.
        cause: String,
    },
    /// It was told to stop.
    #[error("not caught up: interrupted")]
    Interrupted,
}

/// Waits until the watermark has passed the head of the beginning.
pub(super) async fn wait(collector: &Collector, patience: Duration) -> Result<(), NotCaughtUp> {
    let mut target = None;
    let mut seen = (None, None, None);
    let mut moved = Instant::now();
    loop {
        let source = collector.source();
        target =
            target.or_else(|| source.head.map(|(head, _)| head).filter(|head| head.age(since_epoch()) <= Head::FRESH));
        let end = target.map(|head| ChainPosition::start_of(head.block.saturating_add(1)));
        if end.is_some() && source.watermark >= end {
            return Ok(());
        }
        // Behind the target only the watermark counts: a cursor that goes on with the chain is no progress.
        let cursor = end.map_or(source.cursor, |end| source.cursor.map(|cursor| cursor.min(end)));
        let now = (target, cursor, source.watermark);
        if now != seen {
            (seen, moved) = (now, Instant::now());
        }
        if moved.elapsed() >= patience {
            return Err(why(collector, target, source, patience));
        }
        tokio::time::sleep(POLL).await;
    }
}

fn why(collector: &Collector, target: Option<Head>, source: SourceView, patience: Duration) -> NotCaughtUp {
    let waiting = collector.stages().into_iter().find(|(_, status)| matches!(status.state, StageState::Wait(_)));
    let cause = waiting.map_or(String::new(), |(stage, status)| format!(": {stage}: {}", status.state));
    match (target, source.head) {
        (Some(target), _) => NotCaughtUp::Stuck { patience, target: target.block, cause },
        (None, Some((head, _))) => {
            NotCaughtUp::Frozen { block: head.block, age_seconds: head.age(since_epoch()).as_secs() }
        }
        (None, None) => NotCaughtUp::NoHead { patience, cause },
    }
}

/// Says what there is now.
pub(super) async fn report(collector: &Collector) {
    let snapshot = collector.snapshot().await;
    let before = snapshot.source.watermark.map_or("unknown".into(), |position| thousands(position.block));
    let rows = match snapshot.tables {
        Ok(rows) => format!("{} trades, {} dead letters", thousands(rows.trades), thousands(rows.dead_letters)),
        Err(error) => format!("rows unknown ({error})"),
    };
    let _ = writeln!(std::io::stdout(), "caught up before block {before}: {rows}");
}

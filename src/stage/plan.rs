//! What a replay would do: its range resolved, and counted.

use jiff::Timestamp;

use super::command::{Plan, Point, Replay};
use super::job::stream_of;
use super::life::{Life, write_position};
use super::{StageError, StageName};
use crate::broker::EntryId;
use crate::clock::unix_ms;
use crate::model::ChainPosition;
use crate::source::Start;

/// A range as its stage understands it.
pub(super) struct Range {
    pub(super) begin: String,
    pub(super) until: String,
    /// Blocks or entries.
    pub(super) total: u64,
    pub(super) plan: Plan,
}

/// Resolves a range, or says why that cannot be done.
pub(super) async fn resolve(life: &Life, replay: &Replay) -> Result<Range, StageError> {
    match replay.stage {
        StageName::IngestFills => of_chain(life, replay).await,
        StageName::IngestMarkets | StageName::Resolver => Err(refused(format!(
            "{} has no range to replay: it reads everything again by itself, and at once after a restart",
            replay.stage
        ))),
        _ => of_stream(life, replay).await,
    }
}

async fn of_chain(life: &Life, replay: &Replay) -> Result<Range, StageError> {
    life.check_world().await?;
    let head = life.source.head().await?;
    let now = unix_ms();
    let block = async |point: Point| match point {
        Point::Block(block) => Ok::<_, StageError>(ChainPosition::start_of(block)),
        Point::Now => Ok(ChainPosition::start_of(head.block.saturating_add(1))),
        _ => {
            let seconds = u64::try_from(point.time(now).unwrap_or(now) / 1_000).unwrap_or(0);
            if seconds > head.timestamp {
                return Ok(ChainPosition::start_of(head.block.saturating_add(1)));
            }
            Ok(life.source.resolve(&Start::Time(seconds)).await?)
        }
    };
    let begin = block(replay.from).await?;
    let mut end = block(replay.to).await?;
    if matches!(replay.to, Point::Block(_)) {
        end = ChainPosition::start_of(end.block.saturating_add(1));
    }
    end = end.min(ChainPosition::start_of(head.block.saturating_add(1)));
    if begin >= end {
        return Err(refused(format!(
            "nothing lies between {} and {}: the newest final block is {}",
            replay.from, replay.to, head.block
        )));
    }
    let total = end.block - begin.block;
    let plan = Plan {
        from: format!("block {}", begin.block),
        to: format!("block {}", end.block.saturating_sub(1)),
        amount: format!("{total} blocks"),
        way: "read again from the source, straight into the tables".into(),
    };
    Ok(Range { begin: write_position(begin), until: write_position(end), total, plan })
}

async fn of_stream(life: &Life, replay: &Replay) -> Result<Range, StageError> {
    let stream = stream_of(life, replay.stage)?;
    let now = unix_ms();
    let time = |point: Point| {
        let time = point.time(now).ok_or_else(|| {
            refused(format!("{stream} knows times, not blocks: name an age or a time, or replay ingest-fills"))
        })?;
        Ok::<_, StageError>(u64::try_from(time).unwrap_or(0))
    };
    let (from, to) = (time(replay.from)?, time(replay.to)?);
    let (begin, until) = (EntryId::before(from), EntryId::last_of(to));
    // Where no stage has come so far yet.
    life.enter().await?;
    let oldest = life.broker.oldest(&stream, EntryId::default()).await?;
    let total = if begin < until { life.broker.count(&stream, begin, until).await? } else { 0 };
    if total == 0 {
        let oldest = oldest.map_or("it is empty".to_owned(), |id| format!("its oldest entry is of {}", show(id)));
        return Err(refused(format!(
            "{stream} holds nothing from {} to {}: {oldest}; replay ingest-fills for what is older",
            replay.from, replay.to
        )));
    }
    let first = oldest.filter(|oldest| *oldest > begin);
    let plan = Plan {
        from: first.map_or_else(|| show(EntryId { ms: from, seq: 0 }), |id| format!("{} (its oldest)", show(id))),
        to: show(until),
        amount: format!("{total} entries"),
        way: format!("read again from {stream} by a group of its own"),
    };
    Ok(Range { begin: begin.to_string(), until: until.to_string(), total, plan })
}

fn show(id: EntryId) -> String {
    let time = i64::try_from(id.ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    time.map_or_else(|| id.to_string(), |time| time.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
}

fn refused(reason: String) -> StageError {
    StageError::Replay(reason)
}

//! What a replay would do: its range resolved, and counted.

use jiff::Timestamp;

use crate::control::command::{Plan, Point, Replay};
use crate::flow::{Replays, StageId};
use crate::source::{FillSource, Frontier, Head, Start};
use crate::streams::{StageError, session::Session};
use crate::{broker::EntryId, clock::unix_ms, control::job::stream_of, model::ChainPosition};

/// How a range of a source is done again.
const AGAIN: &str = "read again from the source, straight into the tables";

/// A range as its stage understands it.
pub(crate) struct Range {
    pub(crate) begin: String,
    pub(crate) until: String,
    /// Blocks, seconds or entries.
    pub(crate) total: u64,
    pub(crate) plan: Plan,
}

/// Resolves a range, or says why that cannot be done.
pub(crate) async fn resolve(session: &Session, replay: &Replay) -> Result<Range, StageError> {
    match replay.stage.declared().replays {
        Replays::Source => of_source(session, replay).await,
        Replays::Nothing => Err(refused(format!(
            "{} has no range to replay: it reads everything again by itself, and at once after a restart",
            replay.stage
        ))),
        Replays::Stream => of_stream(session, replay).await,
    }
}

async fn of_source(session: &Session, replay: &Replay) -> Result<Range, StageError> {
    session.check_world().await?;
    let fills = session.read_by(replay.stage);
    let source = &*fills.ok_or_else(|| refused(format!("no source of {} is configured", replay.stage)))?.source;
    let frontier = source.frontier().await?;
    match frontier.head() {
        Some(head) => of_chain(source, head, replay).await,
        None => of_times(source, &frontier, replay).await,
    }
}

/// A range of a source that is no chain.
async fn of_times(source: &dyn FillSource, frontier: &Frontier, replay: &Replay) -> Result<Range, StageError> {
    let (now, name) = (unix_ms(), source.name());
    let second = |point: Point| {
        let time =
            point.time(now).ok_or_else(|| refused(format!("{name} knows times, not blocks: name an age or a time")))?;
        Ok::<_, StageError>(u64::try_from(time / 1_000).unwrap_or(0))
    };
    let (from, to) = (second(replay.from)?, second(replay.to)?);
    let begin = source.resolve(&Start::Time(from)).await?;
    let end = source.resolve(&Start::Time(to.saturating_add(1))).await?.min(frontier.end.clone());
    if begin >= end {
        let (from, to, newest) = (replay.from, replay.to, &frontier.end);
        return Err(refused(format!("nothing lies between {from} and {to}: {name} can be read up to {newest}")));
    }
    let total = source.measure(&end).saturating_sub(source.measure(&begin));
    let plan =
        Plan { from: begin.to_string(), to: end.to_string(), amount: format!("{total} seconds"), way: AGAIN.into() };
    Ok(Range { begin: begin.stored(), until: end.stored(), total, plan })
}

async fn of_chain(source: &dyn FillSource, head: Head, replay: &Replay) -> Result<Range, StageError> {
    let now = unix_ms();
    let block = async |point: Point| match point {
        Point::Block(block) => Ok::<_, StageError>(ChainPosition::start_of(block)),
        Point::Now => Ok(ChainPosition::start_of(head.block.saturating_add(1))),
        _ => {
            let seconds = u64::try_from(point.time(now).unwrap_or(now) / 1_000).unwrap_or(0);
            if seconds > head.timestamp {
                return Ok(ChainPosition::start_of(head.block.saturating_add(1)));
            }
            let begin = source.resolve(&Start::Time(seconds)).await?;
            Ok(begin.chain().unwrap_or(ChainPosition::start_of(0)))
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
        way: AGAIN.into(),
    };
    Ok(Range { begin: begin.stored(), until: end.stored(), total, plan })
}

async fn of_stream(session: &Session, replay: &Replay) -> Result<Range, StageError> {
    let stream = stream_of(replay.stage)?;
    let now = unix_ms();
    let time = |point: Point| {
        let time = point.time(now).ok_or_else(|| {
            refused(format!(
                "{stream} knows times, not blocks: name an age or a time, or replay {}",
                StageId::IngestFills
            ))
        })?;
        Ok::<_, StageError>(u64::try_from(time).unwrap_or(0))
    };
    let (from, to) = (time(replay.from)?, time(replay.to)?);
    let (begin, until) = (EntryId::before(from), EntryId::last_of(to));
    // Where no stage has come so far yet.
    session.enter().await?;
    let oldest = session.broker.oldest(&stream, EntryId::default()).await?;
    let total = if begin < until { session.broker.count(&stream, begin, until).await? } else { 0 };
    if total == 0 {
        let oldest = oldest.map_or("it is empty".to_owned(), |id| format!("its oldest entry is of {}", show(id)));
        return Err(refused(format!(
            "{stream} holds nothing from {} to {}: {oldest}; replay {} for what is older",
            replay.from,
            replay.to,
            StageId::IngestFills
        )));
    }
    let first = oldest.filter(|oldest| *oldest > begin);
    let plan = Plan {
        from: first.map_or_else(|| show(EntryId { ms: from, seq: 0 }), |id| format!("{} (its oldest)", show(id))),
        to: show(until),
        amount: format!("{total} events"),
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

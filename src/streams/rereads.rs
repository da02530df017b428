//! Has the events of damaged entries read again from their source.
//!
//! A replay of what an entry stood for is recorded before the entry is acknowledged, so that its events are not lost with it. Whoever
//! runs the source's stage finds the record and does it.

use crate::broker::{EntryId, Stream};
use crate::flow::StreamId;
use crate::model::{ChainPosition, entry::Span};
use crate::source::{Position, Start};
use crate::streams::{error::StageError, fills::Fills, session::Session};
use crate::warehouse::JobRecord;

/// An entry that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Damaged {
    pub(crate) stream: Stream,
    pub(crate) id: EntryId,
    /// What it stood for, if that can be told.
    pub(crate) span: Option<Span>,
}

/// Records replays of what entries of a stream stood for: one of each source whose events they may hold, from the first place to the
/// last. Where an entry does not tell, that is all that is under way from the source, since the watermark does not pass an entry
/// that nobody has acknowledged.
pub(crate) async fn read_again(session: &Session, damaged: &[&Damaged]) -> Result<(), StageError> {
    let Some(first) = damaged.first() else { return Ok(()) };
    for fills in session.sources() {
        let mut all: Option<(Position, Position)> = None;
        for entry in damaged.iter().filter(|entry| entry.may_be_of(session, fills)) {
            if let Some((begin, until)) = entry.range(session, fills).await? {
                all = Some(match all {
                    None => (begin, until),
                    Some((first, last)) => (first.min(begin), last.max(until)),
                });
            }
        }
        let Some((begin, until)) = all else { continue };
        let total = fills.source.measure(&until).saturating_sub(fills.source.measure(&begin));
        // Of one entry there is one, however often it is asked for.
        let id = format!("damage-{:x}-{:x}", first.id.ms, first.id.seq);
        let record = JobRecord::begun(id, fills.stage, begin.stored(), until.stored(), total);
        session.warehouse.set_job(&session.pipeline, &record).await?;
        tracing::warn!(
            "{} damaged entries of {}: their events are read again from {}, {begin} to {until} (replay {})",
            damaged.len(),
            first.stream,
            fills.name(),
            record.id
        );
    }
    Ok(())
}

impl Damaged {
    /// Whether it may hold events of a source.
    fn may_be_of(&self, session: &Session, fills: &Fills) -> bool {
        let stream = StreamId::ALL.into_iter().find(|id| id.as_str() == self.stream.as_str());
        let only = stream.and_then(StreamId::only_of);
        only.is_none_or(|only| only == fills.name())
            && self.span.is_none_or(|span| span.is_time == is_beside(session, fills))
    }

    /// From where to where a source is to be read again, if there is anything.
    async fn range(&self, session: &Session, fills: &Fills) -> Result<Option<(Position, Position)>, StageError> {
        let (begin, until) = match self.span {
            Some(Span { first, last, is_time: false }) => {
                (ChainPosition::start_of(first).into(), ChainPosition::start_of(last.saturating_add(1)).into())
            }
            Some(Span { first, last, is_time: true }) => {
                let source = &fills.source;
                let begin = source.resolve(&Start::Time(first)).await?;
                (begin, source.resolve(&Start::Time(last.saturating_add(1))).await?)
            }
            None => {
                let (key, checkpoint) = (fills.cursor_key(), session.checkpoint_of(fills.name()).await?);
                let cursor = session.broker.cursor(&key).await?;
                let (Some(checkpoint), Some(cursor)) = (checkpoint, cursor) else { return Ok(None) };
                (fills.position("the watermark", &checkpoint.watermark)?, fills.position(&key, &cursor)?)
            }
        };
        Ok((begin < until).then_some((begin, until)))
    }
}

/// Whether a source is one beside the chain, whose places are seconds.
fn is_beside(session: &Session, fills: &Fills) -> bool {
    session.beside.iter().any(|beside| beside.name() == fills.name())
}

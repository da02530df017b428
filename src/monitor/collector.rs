//! Sees everything that there is to be seen of a pipeline, at once and as it is.

use std::sync::Arc;
use std::time::Duration;

use crate::broker::{Broker, EntryId, GroupState, Memory, Stream, StreamState};
use crate::model::ChainPosition;
use crate::source::{Head, SourceState};
use crate::stage::{InsertTimes, JobStatus, MarketProgress, Observer, StageName, StageStatus, TokenProgress};
use crate::warehouse::{PartCounts, RowCounts, Table, TapeLine, Warehouse};

/// The source, as it is now.
#[derive(Clone, Copy, Debug, Default)]
pub struct Source {
    /// The newest final block, and how long ago the source said so; `None` before it did.
    pub head: Option<(Head, Duration)>,
    /// Every event before this is in the streams or beyond.
    pub cursor: Option<ChainPosition>,
    /// Every event before this is in the tables.
    pub watermark: Option<ChainPosition>,
    /// From this block on rows may be missing, until they have been read again.
    pub in_doubt: Option<u64>,
}

/// A stream, and the ages of what is in it.
#[derive(Clone, Debug)]
pub(super) struct StreamLook {
    pub(super) state: StreamState,
    /// Its oldest entry.
    pub(super) oldest: Option<EntryId>,
    /// The oldest entry that each group has not acknowledged.
    pub(super) unread: Vec<(GroupState, Option<EntryId>)>,
}

/// Looks at a pipeline and what it writes to.
#[derive(Clone)]
pub struct Collector {
    observer: Observer,
    broker: Arc<dyn Broker>,
    warehouse: Arc<dyn Warehouse>,
}

impl Collector {
    /// The streams, in the order of the flow.
    pub(super) const STREAMS: [fn() -> Stream; 4] =
        [Stream::markets, Stream::order_events, Stream::trades, Stream::dead_letters];

    /// A collector for a pipeline and what it writes to.
    pub const fn new(observer: Observer, broker: Arc<dyn Broker>, warehouse: Arc<dyn Warehouse>) -> Self {
        Self { observer, broker, warehouse }
    }

    /// The stages, in the order of the flow.
    pub fn stages(&self) -> Vec<(StageName, StageStatus)> {
        self.observer.stages()
    }

    /// Whether a stage runs no more, whatever it said last.
    pub(super) fn is_gone(&self, stage: StageName) -> bool {
        self.observer.is_gone(stage)
    }

    /// The replays.
    pub fn jobs(&self) -> Vec<JobStatus> {
        self.observer.jobs()
    }

    /// The source.
    pub fn source(&self) -> Source {
        let progress = self.observer.progress();
        Source {
            head: progress.head.map(|(head, seen)| (head, seen.elapsed())),
            cursor: progress.cursor,
            watermark: progress.watermark,
            in_doubt: progress.in_doubt,
        }
    }

    /// What the source has found out about its providers.
    pub fn source_state(&self) -> SourceState {
        self.observer.progress().source
    }

    /// The markets; `None` where they are not read.
    pub fn markets(&self) -> Option<MarketProgress> {
        let is_read = self.stages().iter().any(|(stage, _)| *stage == StageName::IngestMarkets);
        is_read.then(|| self.observer.progress().markets)
    }

    /// The tokens whose market is not known; `None` before all of them have been looked at.
    pub fn tokens(&self) -> Option<TokenProgress> {
        Some(self.observer.progress().tokens).filter(|tokens| tokens.sweeps > 0)
    }

    /// How many rows there are.
    pub async fn tables(&self) -> Result<RowCounts, String> {
        self.warehouse.row_counts().await.map_err(|error| error.to_string())
    }

    /// How many parts there are; `None` where there are none.
    pub(super) async fn parts(&self) -> Result<Option<PartCounts>, String> {
        self.warehouse.parts().await.map_err(|error| error.to_string())
    }

    /// How long inserts into a table take.
    pub(super) fn inserts(&self, table: Table) -> InsertTimes {
        self.observer.inserts(table)
    }

    /// The memory that the streams are kept in; `None` where they are not.
    pub(super) async fn memory(&self) -> Result<Option<Memory>, String> {
        self.broker.memory().await.map_err(|error| error.to_string())
    }

    /// The newest trades.
    pub(super) async fn tape(&self, rows: u32) -> Result<Vec<TapeLine>, String> {
        self.warehouse.newest_trades(rows).await.map_err(|error| error.to_string())
    }

    /// A stream.
    pub(super) async fn stream(&self, stream: &Stream) -> Result<StreamLook, String> {
        let look = async {
            let state = self.broker.stream(stream).await?;
            let oldest = self.broker.oldest(stream, EntryId::default()).await?;
            let mut unread = Vec::new();
            for group in state.groups.iter().cloned() {
                let is_clear = group.pending + group.undelivered == 0;
                let first = if is_clear { None } else { self.broker.oldest(stream, group.clear_up_to).await? };
                unread.push((group, first));
            }
            Ok::<_, crate::broker::BrokerError>(StreamLook { state, oldest, unread })
        };
        look.await.map_err(|error| error.to_string())
    }
}

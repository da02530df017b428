//! Who watches: everything that can be shown of a pipeline, as one value.
//!
//! What cannot be observed is an error in its place, with the reason: it is never shown as zero.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::broker::{Broker, Stream, StreamState};
use crate::model::ChainPosition;
use crate::source::Head;
use crate::stage::{MarketProgress, Observer, StageName, StageStatus, TokenProgress};
use crate::warehouse::{RowCounts, Warehouse};

/// All that can be shown, at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// When.
    pub at: Instant,
    /// The stages, in the order of the flow.
    pub stages: Vec<(StageName, StageStatus)>,
    /// The source.
    pub source: SourceView,
    /// How far markets have been read; `None` where they are not read.
    pub markets: Option<MarketProgress>,
    /// The tokens whose market is not known; `None` before all of them have been looked at.
    pub tokens: Option<TokenProgress>,
    /// The streams, in the order of the flow.
    pub streams: Vec<(Stream, Result<StreamState, String>)>,
    /// The tables.
    pub tables: Result<RowCounts, String>,
}

/// A source, observed.
#[derive(Clone, Copy, Debug, Default)]
pub struct SourceView {
    /// The newest final block, and how long ago the source said so; `None` before it did.
    pub head: Option<(Head, Duration)>,
    /// Every event before this is in the streams or beyond.
    pub cursor: Option<ChainPosition>,
    /// Every event before this is in the tables.
    pub watermark: Option<ChainPosition>,
}

impl SourceView {
    /// Final blocks that are not in the tables.
    pub fn blocks_behind(&self) -> Option<u64> {
        let (head, _) = self.head?;
        Some(head.block.saturating_add(1).saturating_sub(self.watermark?.block))
    }
}

/// Takes snapshots.
#[derive(Clone)]
pub struct Collector {
    observer: Observer,
    broker: Arc<dyn Broker>,
    warehouse: Arc<dyn Warehouse>,
}

impl Collector {
    /// A collector for a pipeline and what it writes to.
    pub const fn new(observer: Observer, broker: Arc<dyn Broker>, warehouse: Arc<dyn Warehouse>) -> Self {
        Self { observer, broker, warehouse }
    }

    /// The stages alone, in the order of the flow.
    pub fn stages(&self) -> Vec<(StageName, StageStatus)> {
        self.observer.stages()
    }

    /// The source alone.
    pub fn source(&self) -> SourceView {
        let progress = self.observer.progress();
        SourceView {
            head: progress.head.map(|(head, seen)| (head, seen.elapsed())),
            cursor: progress.cursor,
            watermark: progress.watermark,
        }
    }

    /// The markets alone.
    pub fn markets(&self) -> Option<MarketProgress> {
        let is_read = self.stages().iter().any(|(stage, _)| *stage == StageName::IngestMarkets);
        is_read.then(|| self.observer.progress().markets)
    }

    /// The tokens whose market is not known, alone.
    pub fn tokens(&self) -> Option<TokenProgress> {
        Some(self.observer.progress().tokens).filter(|tokens| tokens.sweeps > 0)
    }

    /// A snapshot of now.
    pub async fn snapshot(&self) -> Snapshot {
        let mut streams = Vec::new();
        for stream in [Stream::markets(), Stream::order_events(), Stream::trades(), Stream::dead_letters()] {
            let state = self.broker.stream(&stream).await.map_err(|error| error.to_string());
            streams.push((stream, state));
        }
        let tables = self.warehouse.row_counts().await.map_err(|error| error.to_string());
        Snapshot {
            at: Instant::now(),
            stages: self.stages(),
            source: self.source(),
            markets: self.markets(),
            tokens: self.tokens(),
            streams,
            tables,
        }
    }
}

//! Sees everything that there is to be seen of a pipeline, at once and as it is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::snapshot::{OutageView, QueryView};
use super::{probe::Unseen, waits::most_wait_for};
use crate::broker::{Broker, BrokerError, EntryId, GroupState, Memory, Stream, StreamState};
use crate::control::{Observer, StageState, StageStatus};
use crate::source::{Head, Position};
use crate::streams::{MarketProgress, SourceProgress, TokenProgress};
use crate::warehouse::{Inspection, PartCounts, PeriodicCost, RowCounts, TapeLine};
use crate::{flow::StageId, model::ChainPosition, secrets};

/// The chain, as it is now.
#[derive(Clone, Copy, Debug, Default)]
pub struct Source {
    /// The newest final block, and how long ago the source said so; `None` before it did.
    pub head: Option<(Head, Duration)>,
    /// Every event before this is in the streams or beyond.
    pub cursor: Option<ChainPosition>,
    /// Every event before this is in the tables.
    pub watermark: Option<ChainPosition>,
    /// When its ingester last knew that the streams are as it left them.
    pub confirmed: Option<Instant>,
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
    pub(super) observer: Observer,
    pub(super) broker: Arc<dyn Broker>,
    pub(super) warehouse: Arc<dyn Inspection>,
    /// Until then the tables are not looked at where nothing has begun.
    waits_until: Instant,
}

/// So long what works goes before what watches, …
const HEAD_START: Duration = Duration::from_secs(2);
/// … and so long behind the first of it.
const BEHIND: Duration = Duration::from_millis(250);

impl Collector {
    /// A collector for a pipeline and what it writes to.
    pub fn new(observer: Observer, broker: Arc<dyn Broker>, warehouse: Arc<dyn Inspection>) -> Self {
        Self { observer, broker, warehouse, waits_until: Instant::now() + HEAD_START }
    }

    /// Ends a moment after the pipeline has begun, or some time after the start: at the start the tables are made and asked from where
    /// to go on, which is not to wait for what is merely shown.
    pub(super) async fn once_begun(&self) {
        let begun = async {
            self.observer.begun().await;
            tokio::time::sleep(BEHIND).await;
        };
        if Instant::now() < self.waits_until {
            let _ = tokio::time::timeout_at(self.waits_until.into(), begun).await;
        }
    }

    /// The stages, in the order of the flow.
    pub fn stages(&self) -> Vec<(StageId, StageStatus)> {
        self.observer.stages()
    }

    /// The chain.
    pub fn source(&self) -> Source {
        let progress = self.observer.chain();
        let chain = |position: Option<Position>| position.and_then(|position| position.chain());
        Source {
            head: progress.frontier.and_then(|(frontier, seen)| Some((frontier.head()?, seen.elapsed()))),
            cursor: chain(progress.cursor),
            watermark: chain(progress.watermark),
            confirmed: progress.confirmed,
            in_doubt: progress.in_doubt,
        }
    }

    /// The sources beside the chain, and the stage that reads each.
    pub fn beside(&self) -> Vec<(&'static str, StageId, SourceProgress)> {
        self.observer.beside()
    }

    /// The markets; `None` where they are not read.
    pub fn markets(&self) -> Option<MarketProgress> {
        let is_read = self.stages().iter().any(|(stage, _)| *stage == StageId::IngestMarkets);
        is_read.then(|| self.observer.progress().markets)
    }

    /// The tokens whose market is not known; `None` before all of them have been looked at.
    pub fn tokens(&self) -> Option<TokenProgress> {
        Some(self.observer.progress().tokens).filter(|tokens| tokens.sweeps > 0)
    }

    /// Cuts rests of the pipeline short: somebody waits for the end of what is under way.
    pub(crate) fn urge(&self) {
        self.observer.urge();
    }

    /// Ends when something has come further than it has now.
    pub(crate) async fn moved(&self) {
        self.observer.moved().await;
    }

    /// How many rows there are.
    pub async fn tables(&self) -> Result<RowCounts, String> {
        self.warehouse.row_counts().await.map_err(words)
    }

    /// How many parts there are; `None` where there are none.
    pub(super) async fn parts(&self) -> Result<Option<PartCounts>, String> {
        self.warehouse.parts().await.map_err(words)
    }

    /// What the queries cost that are asked again and again.
    pub(super) fn queries(&self) -> Vec<QueryView> {
        let view = |PeriodicCost { query, read_rows }| QueryView { name: query.to_owned(), read_rows };
        self.warehouse.periodic_costs().into_iter().map(view).collect()
    }

    /// The memory that the streams are kept in; `None` where they are not.
    pub(super) async fn memory(&self) -> Result<Option<Memory>, String> {
        self.broker.memory().await.map_err(words)
    }

    /// The newest trades.
    pub(super) async fn tape(&self, rows: u32) -> Result<Vec<TapeLine>, String> {
        self.warehouse.newest_trades(rows).await.map_err(words)
    }

    /// What stages wait for, in words: what does not answer, or else what most of them say.
    pub fn root_cause(&self) -> Option<String> {
        let stages = self.stages();
        let waits: Vec<_> = stages
            .iter()
            .filter_map(|(stage, status)| match &status.state {
                StageState::Wait(cause) => Some((*stage, cause)),
                _ => None,
            })
            .collect();
        let outages = self.observer.outages().into_iter().map(OutageView::from);
        let told = outages.map(|outage| (outage.waiting(&waits), outage)).filter(|(waiting, _)| !waiting.is_empty());
        let told = told.max_by_key(|(waiting, _)| waiting.len());
        told.map(|(waiting, outage)| outage.text(&waiting)).or_else(|| most_wait_for(&waits))
    }

    /// A stream.
    pub(super) async fn stream(&self, stream: &Stream) -> Result<StreamLook, Unseen> {
        let look = async {
            let state = self.broker.stream(stream).await?;
            let oldest = self.broker.oldest(stream, EntryId::default()).await?;
            let mut unread = Vec::new();
            for group in state.groups.iter().cloned() {
                let is_clear = group.pending + group.undelivered == 0;
                let first = if is_clear { None } else { self.broker.oldest(stream, group.clear_up_to).await? };
                unread.push((group, first));
            }
            Ok::<_, BrokerError>(StreamLook { state, oldest, unread })
        };
        look.await.map_err(|error| match error {
            // Nobody has begun, or somebody begins again: whoever was asked has answered.
            BrokerError::Lost(_) if self.observer.chain().cursor.is_none() => Unseen::NotBegun,
            BrokerError::Lost(_) => Unseen::NotThere(words(error)),
            error => Unseen::Failed(words(error)),
        })
    }
}

/// Why something is missing, fit to be shown.
#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn words(error: impl ToString) -> String {
    secrets::line(&error.to_string())
}

//! Where the pipeline stands when it starts, and after its streams were lost.
//!
//! The warehouse is the truth. Its checkpoint says where a source began and up to where everything has landed; where
//! the streams are missing or incomplete, a new session of them begins at that watermark. There is no other way to begin:
//! a first run resolves its start, writes it down, and then finds itself with no streams.

use std::sync::Arc;

use crate::broker::{Broker, BrokerError, Group, Layout};
use crate::flow::{StageId, StreamId};
use crate::streams::{
    agreement::Agreement, breakers::Breakers, error::StageError, fills::Fills, inserts::Inserts,
    market_cursor::MarketCursor, token_cache::PartialResolutions, urge::Urge,
};
use crate::warehouse::{Checkpoint, Warehouse};
use crate::{model::ChainPosition, source::SourceError};

/// The name of the source of markets.
pub(crate) const MARKETS: &str = "gamma";

/// The key of its cursor.
pub(crate) fn markets_cursor() -> String {
    StageId::IngestMarkets.cursor_key(MARKETS)
}

/// Joins the streams, or begins a new session of them.
pub(crate) struct Session {
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) warehouse: Arc<dyn Warehouse>,
    pub(crate) pipeline: String,
    /// The chain, whose world is the store's.
    pub(crate) chain: Arc<Fills>,
    /// The sources beside it.
    pub(crate) beside: Vec<Arc<Fills>>,
    /// What the resolver knows of tokens and the tables do not.
    pub(crate) partial: PartialResolutions,
    /// How long inserts take.
    pub(crate) inserts: Inserts,
    /// What it depends on, where that may be away.
    pub(crate) breakers: Breakers,
    /// Whether anybody may write.
    pub(crate) agreement: Agreement,
    /// Cuts rests short where somebody waits for the end.
    pub(crate) urge: Urge,
    /// Whether a stage of this process reads a source, and so may bring what is of another world.
    reads_source: bool,
    /// One stage at a time looks after the streams.
    turn: tokio::sync::Mutex<()>,
}

impl Session {
    pub(crate) fn new(
        broker: Arc<dyn Broker>,
        warehouse: Arc<dyn Warehouse>,
        pipeline: String,
        chain: Fills,
        beside: Vec<Fills>,
        reads_source: bool,
    ) -> Self {
        let (agreement, urge, turn) = (Agreement::default(), Urge::default(), tokio::sync::Mutex::default());
        let (chain, beside) = (Arc::new(chain), beside.into_iter().map(Arc::new).collect::<Vec<_>>());
        let breakers = Breakers::new(&*broker, &*warehouse, &*chain.source);
        let breakers = breakers.with(beside.iter().map(|fills| fills.source.breaker()));
        let (partial, inserts) = (PartialResolutions::new(), Inserts::default());
        Self {
            broker,
            warehouse,
            pipeline,
            chain,
            beside,
            partial,
            inserts,
            breakers,
            agreement,
            urge,
            reads_source,
            turn,
        }
    }

    /// All sources of fills.
    pub(crate) fn sources(&self) -> impl Iterator<Item = &Arc<Fills>> {
        std::iter::once(&self.chain).chain(&self.beside)
    }

    /// The source that a stage reads, if it reads one of fills.
    pub(crate) fn read_by(&self, stage: StageId) -> Option<&Arc<Fills>> {
        self.sources().find(|fills| fills.stage == stage)
    }

    /// Whether anything that is read here can come into a stream.
    pub(crate) fn fills(&self, stream: StreamId) -> bool {
        stream.only_of().is_none_or(|source| self.sources().any(|fills| fills.name() == source))
    }

    fn layout(&self, beside: &[(String, String)]) -> Layout {
        let mut cursors = vec![self.chain.cursor_key(), markets_cursor()];
        cursors.extend(beside.iter().map(|(key, _)| key.clone()));
        Layout { groups: StreamId::ALL.map(Group::of).to_vec(), cursors }
    }

    /// Joins the streams that are there, with those that an older pipeline did not have.
    async fn join(&self, layout: &Layout) -> Result<(), StageError> {
        match self.broker.join(layout).await {
            Err(BrokerError::Lost(lost)) => match self.add_streams(layout).await? {
                true => Ok(self.broker.join(layout).await?),
                false => Err(BrokerError::Lost(lost).into()),
            },
            joined => Ok(joined?),
        }
    }

    /// Makes the streams that whoever began the session did not know. False where anything else is missing, too: what was never there is
    /// told from what is gone by its source, which nothing came of before it had a checkpoint.
    async fn add_streams(&self, layout: &Layout) -> Result<bool, StageError> {
        let (mut older, mut new) = (layout.clone(), Vec::new());
        // Where streams of all sources are missing, no checkpoint has to be asked for.
        let mut least = layout.clone();
        least.groups.retain(|group| StreamId::ALL.iter().all(|id| id.only_of().is_none() || *group != Group::of(*id)));
        match self.broker.join(&least).await {
            Err(BrokerError::Lost(_)) => return Ok(false),
            joined => joined?,
        }
        for stream in StreamId::ALL {
            let Some(source) = stream.only_of() else { continue };
            if self.checkpoint_of(source).await?.is_none() {
                older.groups.retain(|group| *group != Group::of(stream));
                new.push(Group::of(stream));
            }
        }
        match self.broker.join(&older).await {
            Err(BrokerError::Lost(_)) => return Ok(false),
            joined => joined?,
        }
        for group in &new {
            self.broker.add_stream(group).await?;
        }
        Ok(true)
    }

    /// The cursors of the sources beside the chain that have begun, and where each begins in a new session of the streams.
    async fn beside_begin(&self) -> Result<Vec<(String, String)>, StageError> {
        let mut begun = Vec::new();
        for fills in &self.beside {
            let checkpoint = self.checkpoint_of(fills.name()).await?;
            begun.extend(checkpoint.map(|checkpoint| (fills.cursor_key(), checkpoint.watermark)));
        }
        Ok(begun)
    }

    /// The chain's checkpoint, if it has begun.
    pub(crate) async fn checkpoint(&self) -> Result<Option<Checkpoint>, StageError> {
        self.checkpoint_of(self.chain.name()).await
    }

    pub(crate) async fn checkpoint_of(&self, source: &str) -> Result<Option<Checkpoint>, StageError> {
        Ok(self.warehouse.checkpoint(&self.pipeline, source).await?)
    }

    pub(crate) async fn set_checkpoint(&self, source: &str, to: &Checkpoint) -> Result<(), StageError> {
        Ok(self.warehouse.set_checkpoint(&self.pipeline, source, to).await?)
    }

    /// The cursor at which reading markets begins in a new session of the streams, and its checkpoint if it had none.
    async fn markets_begin(&self, world: &str, known: Option<Checkpoint>) -> Result<String, StageError> {
        if let Some(checkpoint) = known {
            return Ok(checkpoint.watermark);
        }
        let start = MarketCursor::START.write();
        let checkpoint = Checkpoint { world: world.to_owned(), watermark: start.clone(), start: start.clone() };
        self.set_checkpoint(MARKETS, &checkpoint).await?;
        Ok(start)
    }

    /// Fails unless the source shows the world that the store holds. Until that is known nobody writes.
    pub(crate) async fn check_world(&self) -> Result<(), StageError> {
        let ask = async {
            let checkpoint = self.checkpoint().await?.ok_or(StageError::NotBegun)?;
            if !self.reads_source {
                self.agreement.assume();
                return Ok(());
            }
            let served = served_world(&self.chain, Some(&checkpoint)).await?;
            self.agreement.compare(self.chain.name(), &checkpoint.world, &served)
        };
        self.agreement.ask(ask).await
    }

    /// Enters as the ingester of a source.
    pub(crate) async fn enter_as_ingester(&self, fills: &Fills) -> Result<(), StageError> {
        if fills.name() == self.chain.name() { self.enter_with_chain().await } else { self.enter_beside(fills).await }
    }

    /// Enters as the ingester of a source beside the chain: it must show the world of the chain, and on a first run it is
    /// asked where to begin. What fails here costs only itself.
    async fn enter_beside(&self, fills: &Fills) -> Result<(), StageError> {
        self.check_world().await?;
        let Checkpoint { world: stored, .. } = self.checkpoint().await?.ok_or(StageError::NotBegun)?;
        // Not every source can tell its world.
        fills.source.remember(&stored, None);
        let own = self.checkpoint_of(fills.name()).await?;
        let served = served_world(fills, own.as_ref()).await?;
        if served != stored {
            return Err(StageError::OtherWorld { source_name: fills.name(), stored, served });
        }
        if own.is_none() {
            let begin = fills.source.resolve(&fills.start).await?;
            tracing::info!(stage = fills.stage.as_str(), world = served, "first run: starting at {begin}");
            let start = begin.stored();
            self.set_checkpoint(fills.name(), &Checkpoint { world: served, watermark: start.clone(), start }).await?;
        }
        self.enter().await
    }

    /// Enters as the chain's ingester: asks which world it shows, and on a first run where to begin.
    async fn enter_with_chain(&self) -> Result<(), StageError> {
        let (checkpoint, source) = (self.checkpoint().await?, &self.chain.source);
        let served = served_world(&self.chain, checkpoint.as_ref()).await?;
        match checkpoint {
            Some(Checkpoint { world: stored, .. }) => self.agreement.compare(self.chain.name(), &stored, &served)?,
            None => {
                match self.join(&self.layout(&[])).await {
                    Err(StageError::Broker(BrokerError::Lost(_))) => {}
                    Err(error) => return Err(error),
                    // Another process may have begun just now.
                    Ok(()) if self.checkpoint().await?.is_some() => return self.check_world().await,
                    Ok(()) => return Err(StageError::OtherPipeline { name: self.pipeline.clone() }),
                }
                let begin = source.resolve(&self.chain.start).await?;
                let block = begin.chain().map_or(0, |begin| begin.block);
                let frontier = source.frontier().await?;
                if let Some(head) = frontier.head().filter(|_| begin > frontier.end) {
                    tracing::warn!("the start, block {block}, is above the newest final block {}", head.block);
                }
                let start = begin.stored();
                // Another process may have begun while the source was asked.
                if self.checkpoint().await?.is_none() {
                    tracing::info!(
                        stage = StageId::IngestFills.as_str(),
                        world = served,
                        "first run: starting at block {block}"
                    );
                    let checkpoint = Checkpoint { world: served, watermark: start.clone(), start };
                    self.set_checkpoint(self.chain.name(), &checkpoint).await?;
                }
            }
        }
        self.enter().await
    }

    /// Enters as any other stage: the streams must be there, or it must be known from where to fill them.
    pub(crate) async fn enter(&self) -> Result<(), StageError> {
        self.check_world().await?;
        let _turn = self.turn.lock().await;
        let beside = self.beside_begin().await?;
        let layout = self.layout(&beside);
        let lost = match self.join(&layout).await {
            Err(StageError::Broker(BrokerError::Lost(lost))) => lost,
            other => return other,
        };
        let (checkpoint, markets) = tokio::join!(self.checkpoint(), self.checkpoint_of(MARKETS));
        let checkpoint = checkpoint?.ok_or(StageError::NotBegun)?;
        if checkpoint.watermark != checkpoint.start {
            tracing::warn!("the streams were lost ({lost}): starting again at {}", checkpoint.watermark);
        }
        let markets = self.markets_begin(&checkpoint.world, markets?).await?;
        let mut cursors = vec![(self.chain.cursor_key(), checkpoint.watermark), (markets_cursor(), markets)];
        cursors.extend(beside);
        Ok(self.broker.begin(&layout, &cursors).await?)
    }
}

/// Which world a source shows. It is told first which one the store holds, so that of several providers those of another
/// world are left out.
async fn served_world(fills: &Fills, checkpoint: Option<&Checkpoint>) -> Result<String, StageError> {
    if let Some(Checkpoint { world, watermark, .. }) = checkpoint {
        fills.source.remember(world, fills.source.position(watermark).as_ref());
    }
    match fills.source.world().await {
        // All of them show another.
        Err(SourceError::WrongChain { found, .. }) if checkpoint.is_some() => Ok(format!("chain:{found}")),
        served => Ok(served?),
    }
}

/// The position in the chain that a text holds; `what` names it in the error.
pub(crate) fn read_position(what: &str, text: &str) -> Result<ChainPosition, StageError> {
    serde_json::from_str(text).map_err(|_| StageError::Position { what: what.into(), text: text.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_reads_as_it_was_written() {
        let position = ChainPosition { block: 97_800_001, log_index: 7 };
        let text = position.stored();
        assert_eq!(text, r#"{"block":97800001,"log_index":7}"#);
        assert_eq!(text, serde_json::to_string(&position).unwrap());
        assert_eq!(read_position("cursor", &text).unwrap(), position);
        for text in ["", "7", "{}", r#"{"block":-1,"log_index":0}"#, r#"{"block":1,"log_index":0,"x":1}"#] {
            assert!(read_position("cursor", text).is_err(), "{text}");
        }
    }
}

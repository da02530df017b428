//! Where the pipeline stands when it starts, and after its streams were lost.
//!
//! The warehouse is the truth. Its checkpoint says where a source began and up to where everything has landed; where
//! the streams are missing or incomplete, a new life of them begins at that watermark. There is no other way to begin:
//! a first run resolves its start, writes it down, and then finds itself with no streams.

use std::sync::Arc;

use super::StageError;
use super::agreement::Agreement;
use super::breakers::Breakers;
use super::inserts::Inserts;
use super::market_cursor::MarketCursor;
use super::token_cache::Partly;
use crate::broker::{Broker, BrokerError, Group, Layout, Stream};
use crate::model::ChainPosition;
use crate::source::{FillSource, SourceError, Start};
use crate::warehouse::{Checkpoint, Warehouse};

/// The name of the source of markets.
pub(super) const MARKETS: &str = "gamma";

/// The key of its cursor.
pub(super) const MARKETS_CURSOR: &str = "state:ingest-markets:gamma";

/// The groups of the pipeline.
pub(super) struct Groups {
    pub(super) market_writers: Group,
    pub(super) trade_processors: Group,
    pub(super) trade_writers: Group,
    pub(super) dead_letter_writers: Group,
}

impl Groups {
    pub(super) fn new() -> Self {
        Self {
            market_writers: Stream::markets().group("market_writers"),
            trade_processors: Stream::order_events().group("trade_processors"),
            trade_writers: Stream::trades().group("trade_writers"),
            dead_letter_writers: Stream::dead_letters().group("dead_letter_writers"),
        }
    }

    pub(super) fn all(&self) -> [&Group; 4] {
        [&self.market_writers, &self.trade_processors, &self.trade_writers, &self.dead_letter_writers]
    }
}

/// Joins the streams, or begins a new life of them.
pub(super) struct Life {
    pub(super) broker: Arc<dyn Broker>,
    pub(super) warehouse: Arc<dyn Warehouse>,
    pub(super) pipeline: String,
    pub(super) source: Arc<dyn FillSource>,
    pub(super) start: Start,
    pub(super) groups: Groups,
    /// What the resolver knows of tokens and the tables do not.
    pub(super) partly: Partly,
    /// How long inserts take.
    pub(super) inserts: Inserts,
    /// What it depends on, where that may be away.
    pub(super) breakers: Breakers,
    /// Whether anybody may write.
    pub(super) agreement: Agreement,
    /// Whether a stage of this process reads a source, and so may bring what is of another world.
    reads_source: bool,
    /// One stage at a time looks after the streams.
    turn: tokio::sync::Mutex<()>,
}

impl Life {
    pub(super) fn new(
        broker: Arc<dyn Broker>,
        warehouse: Arc<dyn Warehouse>,
        pipeline: String,
        source: Arc<dyn FillSource>,
        start: Start,
        reads_source: bool,
    ) -> Self {
        let (agreement, turn) = (Agreement::default(), tokio::sync::Mutex::default());
        let breakers = Breakers::new(&*broker, &*warehouse, &*source);
        let (groups, partly, inserts) = (Groups::new(), Partly::new(), Inserts::default());
        Self {
            broker,
            warehouse,
            pipeline,
            source,
            start,
            groups,
            partly,
            inserts,
            breakers,
            agreement,
            reads_source,
            turn,
        }
    }

    /// The key of the source's cursor.
    pub(super) fn cursor_key(&self) -> String {
        format!("state:ingest-fills:{}", self.source.name())
    }

    fn layout(&self) -> Layout {
        let cursors = vec![self.cursor_key(), MARKETS_CURSOR.to_owned()];
        Layout { groups: self.groups.all().map(Clone::clone).to_vec(), cursors }
    }

    /// The fill source's checkpoint, if it has begun.
    pub(super) async fn checkpoint(&self) -> Result<Option<Checkpoint>, StageError> {
        self.checkpoint_of(self.source.name()).await
    }

    pub(super) async fn checkpoint_of(&self, source: &str) -> Result<Option<Checkpoint>, StageError> {
        Ok(self.warehouse.checkpoint(&self.pipeline, source).await?)
    }

    pub(super) async fn set_checkpoint(&self, source: &str, to: &Checkpoint) -> Result<(), StageError> {
        Ok(self.warehouse.set_checkpoint(&self.pipeline, source, to).await?)
    }

    /// The cursor at which reading markets begins in a new life of the streams, and its checkpoint if it had none.
    async fn markets_begin(&self, world: &str) -> Result<String, StageError> {
        if let Some(checkpoint) = self.checkpoint_of(MARKETS).await? {
            return Ok(checkpoint.watermark);
        }
        let start = MarketCursor::START.write();
        let checkpoint = Checkpoint { world: world.to_owned(), watermark: start.clone(), start: start.clone() };
        self.set_checkpoint(MARKETS, &checkpoint).await?;
        Ok(start)
    }

    /// Fails unless the source shows the world that the store holds. Until that is known nobody writes.
    pub(super) async fn check_world(&self) -> Result<(), StageError> {
        let ask = async {
            let checkpoint = self.checkpoint().await?.ok_or(StageError::NotBegun)?;
            if !self.reads_source {
                self.agreement.assume();
                return Ok(());
            }
            let served = self.served_world(Some(&checkpoint)).await?;
            self.agreement.compare(self.source.name(), &checkpoint.world, &served)
        };
        self.agreement.ask(ask).await
    }

    /// Which world the source shows. It is told first which one the store holds, so that of several providers those of
    /// another world are left out.
    async fn served_world(&self, checkpoint: Option<&Checkpoint>) -> Result<String, StageError> {
        if let Some(Checkpoint { world, watermark, .. }) = checkpoint {
            let from = read_position("the watermark", watermark).unwrap_or(ChainPosition::start_of(0));
            self.source.remember(world, from);
        }
        match self.source.world().await {
            // All of them show another.
            Err(SourceError::WrongChain { found, .. }) if checkpoint.is_some() => Ok(format!("chain:{found}")),
            served => Ok(served?),
        }
    }

    /// Enters as the ingester: asks the source which world it shows, and on a first run where to begin.
    pub(super) async fn enter_as_ingester(&self) -> Result<(), StageError> {
        let checkpoint = self.checkpoint().await?;
        let served = self.served_world(checkpoint.as_ref()).await?;
        match checkpoint {
            Some(Checkpoint { world: stored, .. }) => self.agreement.compare(self.source.name(), &stored, &served)?,
            None => {
                match self.broker.join(&self.layout()).await {
                    Err(BrokerError::Lost(_)) => {}
                    Err(error) => return Err(error.into()),
                    // Another process may have begun just now.
                    Ok(()) if self.checkpoint().await?.is_some() => return self.check_world().await,
                    Ok(()) => return Err(StageError::OtherPipeline { name: self.pipeline.clone() }),
                }
                let begin = self.source.resolve(&self.start).await?;
                let head = self.source.head().await?;
                if begin.block > head.block.saturating_add(1) {
                    tracing::warn!("the start, block {}, is above the newest final block {}", begin.block, head.block);
                }
                let start = write_position(begin);
                // Another process may have begun while the source was asked.
                if self.checkpoint().await?.is_none() {
                    tracing::info!(
                        stage = "ingest-fills",
                        world = served,
                        "first run: begins at block {}",
                        begin.block
                    );
                    let checkpoint = Checkpoint { world: served, watermark: start.clone(), start };
                    self.set_checkpoint(self.source.name(), &checkpoint).await?;
                }
            }
        }
        self.enter().await
    }

    /// Enters as any other stage: the streams must be there, or it must be known from where to fill them.
    pub(super) async fn enter(&self) -> Result<(), StageError> {
        self.check_world().await?;
        let _turn = self.turn.lock().await;
        let layout = self.layout();
        let lost = match self.broker.join(&layout).await {
            Err(BrokerError::Lost(lost)) => lost,
            other => return Ok(other?),
        };
        let checkpoint = self.checkpoint().await?.ok_or(StageError::NotBegun)?;
        if checkpoint.watermark != checkpoint.start {
            tracing::warn!("the streams were lost ({lost}): beginning again at {}", checkpoint.watermark);
        }
        let markets = self.markets_begin(&checkpoint.world).await?;
        let cursors = [(self.cursor_key(), checkpoint.watermark), (MARKETS_CURSOR.to_owned(), markets)];
        Ok(self.broker.begin(&layout, &cursors).await?)
    }
}

/// A position as text.
pub(super) fn write_position(position: ChainPosition) -> String {
    let ChainPosition { block, log_index } = position;
    format!(r#"{{"block":{block},"log_index":{log_index}}}"#)
}

/// The position that a text holds; `what` names it in the error.
pub(super) fn read_position(what: &str, text: &str) -> Result<ChainPosition, StageError> {
    serde_json::from_str(text).map_err(|_| StageError::Position { what: what.into(), text: text.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_reads_as_it_was_written() {
        let position = ChainPosition { block: 97_800_001, log_index: 7 };
        let text = write_position(position);
        assert_eq!(text, r#"{"block":97800001,"log_index":7}"#);
        assert_eq!(text, serde_json::to_string(&position).unwrap());
        assert_eq!(read_position("cursor", &text).unwrap(), position);
        for text in ["", "7", "{}", r#"{"block":-1,"log_index":0}"#, r#"{"block":1,"log_index":0,"x":1}"#] {
            assert!(read_position("cursor", text).is_err(), "{text}");
        }
    }
}

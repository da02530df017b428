//! The flow, declared once: its tables, the streams in front of them, the groups that read those, and the stages.
//!
//! The names are kept in Redis, in the tables and in the embedded store, so none of them ever changes.

use super::group::GroupId;
use super::name::names;

/// The source that reads Goldsky's subgraph, whose trades have a stream and a table of their own.
pub const GOLDSKY: &str = "goldsky";

names! {
    /// A table by its name, as it is in both stores. They are shown in this order.
    TableId {
        /// Fills with their markets.
        Trades = "trades",
        /// The markets of Gamma.
        Markets = "markets",
        /// What was refused.
        DeadLetters = "dead_letters",
        /// Fills of Goldsky's subgraph, with their markets.
        TradesGoldsky = "trades_goldsky",
    }
}

names! {
    /// A stream by its name, as it is kept in Redis. They stand in the order of the flow.
    StreamId {
        /// Markets as they were read.
        Markets = "stream:markets",
        /// Fills as they were read.
        OrderEvents = "stream:order_events",
        /// Trades on their way to the tables.
        Trades = "stream:trades",
        /// Those of Goldsky's fills.
        GoldskyTrades = "stream:goldsky_trades",
        /// What was refused.
        DeadLetters = "stream:dead_letters",
    }
}

impl StreamId {
    /// The group of the stage that reads it.
    pub const fn group(self) -> GroupId {
        GroupId(match self {
            Self::Markets => "market_writers",
            Self::OrderEvents => "trade_processors",
            Self::Trades => "trade_writers",
            Self::GoldskyTrades => "goldsky_trade_writers",
            Self::DeadLetters => "dead_letter_writers",
        })
    }

    /// The source without which nothing ever came into it. A pipeline that is older than the stream has no such stream.
    pub const fn only_of(self) -> Option<&'static str> {
        match self {
            Self::GoldskyTrades => Some(GOLDSKY),
            Self::Markets | Self::OrderEvents | Self::Trades | Self::DeadLetters => None,
        }
    }
}

names! {
    /// A stage by its name. They stand in the order of the flow.
    StageId {
        /// Reads fills from their source.
        IngestFills = "ingest-fills",
        /// Reads fills from Goldsky's subgraph.
        IngestGoldsky = "ingest-goldsky",
        /// Reads markets from their source.
        IngestMarkets = "ingest-markets",
        /// Makes trades of fills.
        ProcessTrades = "process-trades",
        /// Writes markets.
        WriteMarkets = "write-markets",
        /// Writes trades.
        WriteTrades = "write-trades",
        /// Writes Goldsky's trades.
        WriteGoldskyTrades = "write-goldsky-trades",
        /// Writes what was refused.
        WriteDeadLetters = "write-dead-letters",
        /// Finds the markets of trades that landed without.
        Resolver = "resolver",
    }
}

/// What a stage is in the flow.
#[derive(Clone, Copy, Debug)]
pub struct Stage {
    /// Where it reads.
    pub input: Input,
    /// The streams that it adds to.
    pub writes: &'static [StreamId],
    /// The tables that its rows land in.
    pub lands_in: &'static [TableId],
    /// What a replay of it reads again.
    pub replays: Replays,
}

/// Where a stage reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// A source of fills.
    Fills,
    /// The sources of markets and tokens.
    Markets,
    /// A stream, by the group of that stream.
    Stream(StreamId),
}

/// What a replay of a stage reads again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replays {
    /// A range of its source, straight into the tables.
    Source,
    /// What its stream still holds, by a group of its own.
    Stream,
    /// It reads everything again by itself.
    Nothing,
}

impl StageId {
    /// What a stage is in the flow.
    pub const fn declared(self) -> Stage {
        match self {
            Self::IngestFills | Self::IngestGoldsky => Stage {
                input: Input::Fills,
                writes: &[StreamId::OrderEvents, StreamId::DeadLetters],
                lands_in: &[],
                replays: Replays::Source,
            },
            Self::IngestMarkets => Stage {
                input: Input::Markets,
                writes: &[StreamId::Markets, StreamId::DeadLetters],
                lands_in: &[],
                replays: Replays::Nothing,
            },
            Self::ProcessTrades => Stage {
                input: Input::Stream(StreamId::OrderEvents),
                writes: &[StreamId::Trades, StreamId::GoldskyTrades, StreamId::DeadLetters],
                lands_in: &[],
                replays: Replays::Stream,
            },
            Self::WriteMarkets => Stage {
                input: Input::Stream(StreamId::Markets),
                writes: &[StreamId::DeadLetters],
                lands_in: &[TableId::Markets],
                replays: Replays::Stream,
            },
            Self::WriteTrades => Stage {
                input: Input::Stream(StreamId::Trades),
                writes: &[StreamId::DeadLetters],
                lands_in: &[TableId::Trades],
                replays: Replays::Stream,
            },
            Self::WriteGoldskyTrades => Stage {
                input: Input::Stream(StreamId::GoldskyTrades),
                writes: &[StreamId::DeadLetters],
                lands_in: &[TableId::TradesGoldsky],
                replays: Replays::Stream,
            },
            Self::WriteDeadLetters => Stage {
                input: Input::Stream(StreamId::DeadLetters),
                writes: &[],
                lands_in: &[TableId::DeadLetters],
                replays: Replays::Stream,
            },
            Self::Resolver => Stage {
                input: Input::Markets,
                writes: &[],
                lands_in: &[TableId::Markets, TableId::Trades, TableId::TradesGoldsky, TableId::DeadLetters],
                replays: Replays::Nothing,
            },
        }
    }
}

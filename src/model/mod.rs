//! What flows: fills, trades, markets, dead letters, their ids and amounts, and the bytes they travel as.
//!
//! Pure values. Nothing here does I/O, knows a clock or depends on another part of polytape, so every
//! rule of the domain can be read and tested on its own.

mod amount;
mod condition;
mod condition_proof;
mod dead_letter;
pub mod entry;
mod exchange;
mod fill;
mod goldsky_trade;
mod market;
mod matches;
mod migration;
mod order_filled;
mod position;
mod position_id;
mod raw_json;
mod raw_log;
mod token_id;
mod trade;

pub use alloy_primitives::{Address, B256, U256};

pub use amount::{Amount, AmountOutOfRange};
pub use condition::{ConditionId, NoConditionId};
pub use dead_letter::DeadLetter;
pub use exchange::{Exchange, Layout};
pub use fill::{FeeUnit, Fill, Side};
pub use goldsky_trade::GoldskyTrade;
pub use market::{Event, Market, TokenPlaces};
pub use matches::{Match, Matches, matches};
pub use migration::{LegacyMarket, neg_risk_condition};
pub use order_filled::{ORDER_FILLED_V1, ORDER_FILLED_V2, Refusal, UnplacedFill, decode as decode_order_filled};
pub use position::ChainPosition;
pub use position_id::{Module, PositionId};
pub use raw_json::RawJson;
pub use raw_log::RawLog;
pub use token_id::{Collateral, TokenId, derive_token_id};
pub use trade::{NonUsdcSide, Resolution, Trade};

//! Upkeep of the streams: the session in which they are joined, lost and begun anew, the watermark, retention and backpressure,
//! and what every stage shares of them.

pub(crate) mod agreement;
pub(crate) mod backpressure;
pub(crate) mod breakers;
pub(crate) mod cursor_watch;
pub(crate) mod error;
pub(crate) mod fills;
pub(crate) mod inserts;
pub(crate) mod market_cursor;
pub(crate) mod markets;
pub(crate) mod memory;
pub(crate) mod progress;
pub(crate) mod replay_group;
pub(crate) mod rereads;
pub(crate) mod retention;
pub(crate) mod session;
pub(crate) mod token_cache;
pub(crate) mod unproved;
pub(crate) mod urge;
pub(crate) mod wait;
pub(crate) mod watermark;

pub use error::{Concern, StageError};
pub use fills::Fills;
pub use inserts::InsertTimes;
pub use markets::Markets;
pub use progress::{ListingGap, MarketProgress, Progress, SourceProgress, TokenProgress};
pub use replay_group::is_replay_group;
pub use wait::{Dependency, WaitCause};

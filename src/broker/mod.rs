//! How entries move: streams, consumer groups, and three operations that are atomic and may be repeated.
//!
//! [`append`](Broker::append) moves a source's cursor together with the entries that it stands for,
//! [`forward`](Broker::forward) acknowledges an input together with adding its outputs, and
//! [`acknowledge`](Broker::acknowledge) ends an entry's way. Each checks everything before its first write, and each
//! may be repeated after a lost reply without doubling anything. So a stage may be killed between any two of them.
//!
//! Streams and groups are parameters everywhere: a replay runs the same stages over streams of its own.

mod contract;
#[cfg(feature = "planted-bugs")]
mod defective;
mod embedded;
mod entry;
mod error;
mod limits;
mod memory;
mod operation;
mod product;
mod redis;
mod state;
mod stream;

pub use self::contract::{Broker, Reader};
#[cfg(feature = "planted-bugs")]
pub use self::defective::Defective;
pub use self::entry::{Delivery, EntryId, NewEntry, NotAnId};
pub use self::limits::{MAX_BYTES, MAX_ENTRIES};
pub use self::operation::{AckAndForward, Appended, CursorCommit, Layout, Retention};
pub use self::redis::{RedisBroker, RedisConfig, RedisFailure, RedisLook, RedisMode, RedisServer};
pub use self::state::{Barrier, GroupState, StreamState};
pub use self::stream::{Group, Stream};
pub use self::{embedded::EmbeddedBroker, error::BrokerError, memory::Memory, product::Product};

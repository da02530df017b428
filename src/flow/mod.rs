//! What the pipeline is: its stages, the streams between them, the groups that read those, and the tables where rows land.
//!
//! Pure data, declared once. Whoever starts stages, moves watermarks, plans replays, counts or shows reads the graph here. The names
//! are kept in Redis, in the tables and in the embedded store, so none of them ever changes.

mod declared;
mod graph;
mod group;
mod name;
mod table;

pub use declared::{GOLDSKY, Input, Replays, Stage, StageId, StreamId, TableId};
pub use group::GroupId;
pub use table::PerTable;

#[cfg(test)]
mod tests;

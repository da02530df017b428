//! Who watches: everything that can be shown of a pipeline, as one value that is published once a second.
//!
//! Probes ask the broker and the warehouse, each at its own pace and never twice at a time, so that one that is slow or
//! away holds up nothing. What cannot be observed is missing with its reason, and what is old says how old: neither is ever
//! shown as zero.

mod collector;
mod health;
mod history;
mod probe;
mod publisher;
#[cfg(any(test, feature = "fixtures"))]
pub mod sample;
mod snapshot;
mod unused;
mod waits;

pub use collector::{Collector, Source};
pub use publisher::{LogCounts, Publisher};
pub use snapshot::{
    About, Alert, BesideView, GroupView, HeadView, HistoryView, InsertsView, JobView, LogView, MarketsView, MemoryView,
    NodeView, OutageView, QueryView, Seen, Severity, Snapshot, SourceView, StageView, State, StreamView, TableView,
    TokensView,
};
pub(crate) use waits::most_wait_for;

//! Where fills and markets come from.
//!
//! A [`FillSource`] is asked for its [`Frontier`] and for pages of events behind a position, a [`MarketSource`] for pages of a
//! listing and for single markets. They answer with facts only: what cannot be decoded is a
//! [`DeadLetter`](crate::model::DeadLetter) in its place in the page, and an answer that cannot be trusted (a node that lacks the blocks, a cut body) is a [`SourceError`],
//! never a shorter page.
//!
//! The [`Chain`] is one source, which has several providers; what is no chain is a source of its own, with positions of its own.
//! What is configured is found in the [registry].

mod chain;
pub mod data_api;
mod error;
mod evidence;
mod fills;
mod frontier;
pub mod gamma;
pub mod goldsky;
mod guarded;
mod http;
mod markets;
mod page;
pub mod polygon;
mod position;
pub mod registry;
mod start;
mod start_spec;
mod state;

pub use chain::{CHAIN, Chain, ChainProvider};
pub use error::SourceError;
pub use evidence::Evidence;
pub use fills::FillSource;
pub use frontier::{Frontier, Head, Subgraph};
pub use guarded::Guarded;
pub use http::{ApiConfig, ApiConfigError, host_of};
pub use markets::{Listing, Lookup, MarketPage, MarketSource, Order, Place, TokenFact, TokenSource};
pub use page::{Page, SourceEvent};
pub use position::{OwnPosition, Position};
pub use start::Start;
pub use start_spec::StartSpec;
pub use state::{InDoubt, NodeState, SourceState};

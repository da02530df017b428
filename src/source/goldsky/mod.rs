//! A subgraph of fills, as Goldsky serves them, by GraphQL: a [`FillSource`](super::FillSource) that is no chain.
//!
//! ```text
//! place ─▶ query ─▶ the wire ─▶ answer ─▶ row ─▶ page
//!            ▲ size               └▶ growth ─▶ frontier
//! ```
//!
//! Rows are ordered by their second and their id, and so is the cursor: a page may end inside a second. A row is a fill of V1
//! without block, log index and contract. Its id is its transaction and its order, so that two fills of one order in one
//! transaction are one row there: it can complete nothing exactly, and its rows never mix with those of the chain.
//!
//! An answer that holds errors, whatever stands beside them, is never a page. That a subgraph answers does not prove that its
//! data grows (`growth.rs`). It does not tell its chain either: it is taken for that of the store.

mod answer;
mod client;
mod growth;
mod place;
mod query;
mod row;
mod section;
mod size;
#[cfg(test)]
mod tests;
mod wire;

pub use self::client::Goldsky;
pub use self::section::{GoldskySection, URL};

//! The orderbook subgraph: the fills of the V1 exchanges by GraphQL, as Goldsky serves them.
//!
//! ```text
//! body ─▶ request ─▶ plan ───┐
//!           values   filter  ├▶ answer ─▶ the wire
//! world ─▶ kept ─▶ row ─▶ subgraph
//!           └▶ the oracle
//! ```
//!
//! A row's id is its transaction and its order, so of two fills of one order in one transaction only the later one
//! stands. It is read by `POST` at `/goldsky`, or at any path below it. `first` may be 1,000, `skip` 5,000; what the
//! schema does not know is refused in the words of graph-node, with status 200. Only `orderFilledEvents` and `_meta` are
//! there, and no fragments or directives.

pub(super) mod answer;
pub(super) mod filter;
pub(super) mod kept;
pub(super) mod plan;
pub(super) mod refusal;
pub(super) mod request;
pub(super) mod row;
pub(super) mod subgraph;
pub(super) mod values;

//! The nodes of the chain, as they answer.

pub(super) mod filter;
pub(super) mod ledger;
pub(super) mod others;
pub(super) mod range_error;
pub(super) mod refusal;
pub(super) mod render;
pub(super) mod rpc;
pub(super) mod rpc_error;

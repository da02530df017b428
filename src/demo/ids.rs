//! The hashes of the demo world: each names one thing of one seed.

use alloy_primitives::{B256, keccak256};

/// What a hash names, so that the hashes of different things never meet.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    World,
    Block,
    Transaction,
    Order,
    Wallet,
    Operator,
    Condition,
    Lie,
    Signature,
}

/// The hash of one thing: its seed, its kind and what tells it apart from others of its kind.
///
/// Hashed in one call: a hasher that is fed piecemeal is compiled into this crate, and a debug build is then thirty times
/// slower at making blocks.
pub(super) fn id<const N: usize>(seed: u64, kind: Kind, parts: [u64; N]) -> B256 {
    let mut name = Vec::with_capacity(32 + N * 8);
    name.extend_from_slice(b"polytape demo");
    name.push(kind as u8);
    name.extend_from_slice(&seed.to_be_bytes());
    for part in parts {
        name.extend_from_slice(&part.to_be_bytes());
    }
    keccak256(name)
}

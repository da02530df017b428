//! The hashes of the demo world: each names one thing of one seed.

use alloy_primitives::{B256, Keccak256};

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
}

/// The hash of one thing: its seed, its kind and what tells it apart from others of its kind.
pub(super) fn id<const N: usize>(seed: u64, kind: Kind, parts: [u64; N]) -> B256 {
    let mut hash = Keccak256::new();
    hash.update(b"polytape demo");
    hash.update([kind as u8]);
    hash.update(seed.to_be_bytes());
    for part in parts {
        hash.update(part.to_be_bytes());
    }
    hash.finalize()
}

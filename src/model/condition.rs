//! The id of a condition: the question that a market's outcomes answer.

use std::fmt;

use alloy_primitives::{B256, U256, hex};

use super::token_id::TokenId;

/// A condition id, in the shape of its protocol.
///
/// The APIs also write a protocol-v2 id padded on the right with a zero byte to 32 bytes; polytape always writes
/// the 31 bytes that are the id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ConditionId {
    /// The Gnosis Conditional Tokens id of V1 and V2 markets: `keccak256(oracle, questionId, outcomes)`.
    Ctf(B256),
    /// The leading 31 bytes of a protocol-v2 position id.
    Position([u8; 31]),
}

/// The text is no condition id: `0x` and 62 or 64 hex digits are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no condition id: 0x and 62 or 64 hex digits are expected")]
pub struct NoConditionId;

impl ConditionId {
    /// The token of an outcome of a protocol-v2 condition; `None` for others, whose tokens are hashes.
    pub fn position(&self, outcome: u8) -> Option<TokenId> {
        let Self::Position(condition) = self else { return None };
        let mut word = [outcome; 32];
        word[..31].copy_from_slice(condition);
        Some(TokenId(U256::from_be_bytes(word)))
    }
}

/// Lower-case `0x…`: 64 digits for [`ConditionId::Ctf`], 62 for [`ConditionId::Position`].
impl fmt::Display for ConditionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ctf(id) => write!(f, "{id:#x}"),
            Self::Position(id) => f.write_str(&hex::encode_prefixed(id)),
        }
    }
}

//! The id of a condition: the question that a market's outcomes answer.

use std::fmt;
use std::str::FromStr;

use alloy_primitives::{B256, U256, hex};

use super::{Collateral, PositionId, TokenId, derive_token_id};

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
    /// Whether a token is one of the first `outcomes` of this condition, in any of the ways in which tokens come from
    /// conditions. Nobody has to be believed for this: see [`derive_token_id`] and [`PositionId`].
    pub fn has_token(&self, token: TokenId, outcomes: u8) -> bool {
        self.slot(token, outcomes).is_some()
    }

    /// Which of the first `outcomes` of this condition a token is, likewise.
    pub fn slot(&self, token: TokenId, outcomes: u8) -> Option<u8> {
        match self {
            Self::Ctf(condition) => {
                let collaterals = [Collateral::UsdcE, Collateral::NegRiskWrapped].into_iter();
                collaterals.flat_map(|collateral| (0..outcomes).map(move |outcome| (collateral, outcome))).find_map(
                    |(collateral, outcome)| {
                        (derive_token_id(*condition, outcome, collateral) == token).then_some(outcome)
                    },
                )
            }
            Self::Position(_) => {
                PositionId::of(token).filter(|position| position.condition == *self).map(|position| position.outcome)
            }
        }
    }

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

/// Reads what the APIs write, in any case of letters, also a padded protocol-v2 id.
impl FromStr for ConditionId {
    type Err = NoConditionId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).ok_or(NoConditionId)?;
        let bytes = hex::decode(digits).map_err(|_| NoConditionId)?;
        if let Ok(id) = <[u8; 31]>::try_from(bytes.as_slice()) {
            return Ok(Self::Position(id));
        }
        let id = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| NoConditionId)?;
        // A hash that ends in a zero byte and has the zeros of a position, too, comes once in 2⁷² markets.
        let padded = if id[31] == 0 { PositionId::of(TokenId(U256::from_be_bytes(id))) } else { None };
        Ok(padded.map_or(Self::Ctf(id.into()), |position| position.condition))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_and_what_the_apis_write() {
        let hash = "0x182390641d3b1b47cc64274b9da290efd04221c586651ba190880713da6347d9";
        let ctf: ConditionId = hash.parse().unwrap();
        assert!(matches!(ctf, ConditionId::Ctf(_)));
        assert_eq!(ctf.to_string(), hash);
        assert_eq!(hash.to_uppercase().parse(), Ok(ctf));

        let position = format!("0x01{}0002{}0007", "ab".repeat(16), "00".repeat(10));
        let short: ConditionId = position.parse().unwrap();
        assert!(matches!(short, ConditionId::Position(_)));
        assert_eq!(short.to_string(), position);
        assert_eq!(format!("{position}00").parse(), Ok(short), "padded to 32 bytes");
        assert_eq!(PositionId::of(short.position(1).unwrap()).unwrap().condition, short);

        let hash_with_a_zero = format!("0x{}00", "ab".repeat(31));
        assert!(matches!(hash_with_a_zero.parse(), Ok(ConditionId::Ctf(_))), "a hash may end in a zero");
        for text in ["", "0x", "0x12", &hash[2..], &hash[..65], "0xzz"] {
            assert_eq!(text.parse::<ConditionId>(), Err(NoConditionId), "{text}");
        }
    }
}

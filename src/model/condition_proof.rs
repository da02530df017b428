//! What a condition id proves of token ids, and how it is read.

use std::str::FromStr;

use alloy_primitives::{U256, hex};

use super::condition::{ConditionId, NoConditionId};
use super::position_id::PositionId;
use super::token_id::{TokenId, derive_token_ids};

impl ConditionId {
    /// Whether a token is one of the first `outcomes` of this condition, in any of the ways in which tokens come from
    /// conditions. Nobody has to be believed for this: see [`derive_token_id`](super::derive_token_id) and [`PositionId`].
    pub fn has_token(&self, token: TokenId, outcomes: u8) -> bool {
        self.slot(token, outcomes).is_some()
    }

    /// Which of the first `outcomes` of this condition a token is, likewise.
    pub fn slot(&self, token: TokenId, outcomes: u8) -> Option<u8> {
        (0..outcomes).find(|slot| self.has_at(token, *slot))
    }

    /// Whether a token is the outcome with this number.
    pub fn has_at(&self, token: TokenId, slot: u8) -> bool {
        match self {
            Self::Ctf(condition) => derive_token_ids(*condition, slot).contains(&token),
            Self::Position(_) => {
                PositionId::of(token).is_some_and(|position| position.condition == *self && position.outcome == slot)
            }
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

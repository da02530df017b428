//! Protocol-v2 position ids, which say by themselves what they are.
//!
//! From the high bits to the low ones:
//!
//! ```text
//! module 8 | base hash 128 | arity 16 | reserved 64 (zero) | resolution chain 16 | condition index 16 | outcome 8
//! ```
//!
//! Source: `docs/position-ids.md` of Polymarket/polymarket-v2-external and `_internal/protocol.py` of the official
//! Python SDK.

use alloy_primitives::U256;

use super::{ConditionId, TokenId};

/// What kind of market a position belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Module {
    /// One question, two outcomes.
    Binary,
    /// One of several exclusive questions.
    NegRisk,
    /// A basket of other positions; it has no market of its own.
    Combo,
}

/// A token id that is a protocol-v2 position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PositionId {
    /// The kind of market.
    pub module: Module,
    /// The condition, which is the id without its last byte.
    pub condition: ConditionId,
    /// The outcome: 0 is Yes, 1 is No.
    pub outcome: u8,
}

impl PositionId {
    /// Reads a token id as a position, or `None` where it is not one.
    ///
    /// The reserved bits tell: the id of a V1 or V2 token is a hash and passes with a chance of 2⁻⁶⁴.
    pub fn of(token: TokenId) -> Option<Self> {
        let reserved = U256::from(u64::MAX) << 40;
        if token.0 & reserved != U256::ZERO {
            return None;
        }
        let bytes: [u8; 32] = token.0.to_be_bytes();
        let module = match bytes[0] {
            1 => Module::Binary,
            2 => Module::NegRisk,
            3 => Module::Combo,
            _ => return None,
        };
        let outcome = bytes[31];
        if outcome > 1 {
            return None;
        }
        let mut condition = [0; 31];
        condition.copy_from_slice(&bytes[..31]);
        Some(Self { module, condition: ConditionId::Position(condition), outcome })
    }

    /// The outcome in words, as the protocol names it.
    pub const fn outcome_name(self) -> &'static str {
        if self.outcome == 0 { "Yes" } else { "No" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(module: u8, reserved: u64, outcome: u8) -> TokenId {
        let base = U256::from(0xabcd_ef01_2345_6789_u64) << 120;
        let arity = U256::from(2) << 104;
        let condition_index = U256::from(7) << 8;
        TokenId(
            (U256::from(module) << 248)
                | base
                | arity
                | (U256::from(reserved) << 40)
                | condition_index
                | U256::from(outcome),
        )
    }

    #[test]
    fn reads_module_condition_and_outcome() {
        for (number, module) in [(1, Module::Binary), (2, Module::NegRisk), (3, Module::Combo)] {
            for (outcome, name) in [(0, "Yes"), (1, "No")] {
                let position = PositionId::of(id(number, 0, outcome)).unwrap();
                assert_eq!((position.module, position.outcome_name()), (module, name));
                let text = format!("{:#066x}", id(number, 0, outcome).0);
                assert_eq!(position.condition.to_string(), text[..64], "the id without its last byte");
            }
        }
    }

    #[test]
    fn a_hash_is_not_a_position() {
        for token in [id(0, 0, 0), id(4, 0, 0), id(1, 1, 0), id(1, 1 << 63, 0), id(1, 0, 2), id(3, 0, 255)] {
            assert_eq!(PositionId::of(token), None, "{token}");
        }
    }
}

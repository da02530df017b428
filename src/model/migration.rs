//! Which protocol-v2 positions a market of the Conditional Tokens has, where it trades on both protocols.
//!
//! Nobody has to be believed for this. The condition of a position says where it comes from:
//!
//! ```text
//! binary    base hash = the last 16 bytes of the legacy condition id, all else zero
//! neg-risk  base hash = the last 16 bytes of the legacy event id, condition index = the question's place in its event
//! ```
//!
//! An event's questions have its id with their place as the last byte, and a question's condition is a hash of it, so a
//! neg-risk position is tied to its market as firmly as a binary one. The arity of neg-risk conditions is not a function of
//! the market; it was 3 wherever one was seen.
//!
//! Source: `BinaryMigrationMixin` and `docs/position-ids.md` of Polymarket/polymarket-v2-external; recomputed for a binary
//! market that lists both.

use alloy_primitives::{Address, B256, address, keccak256};

use super::{ConditionId, Module, PositionId};

/// Who answers the questions of neg-risk events.
const NEG_RISK_ADAPTER: Address = address!("0xd91E80cF2E7be2e162c6513ceD06f1dD0dA35296");

/// A market of the Conditional Tokens, as far as its positions follow from it.
#[derive(Clone, Copy, Debug)]
pub struct LegacyMarket {
    /// Its condition.
    pub condition: B256,
    /// Its question, as a source says. Proved by the condition before it is used.
    pub question: Option<B256>,
    /// The event of its question, as a source says. Proved likewise.
    pub event: Option<B256>,
}

impl LegacyMarket {
    /// The condition that it has as a binary one of protocol v2.
    pub fn binary(&self) -> ConditionId {
        let mut condition = [0; 31];
        condition[0] = 1;
        condition[1..17].copy_from_slice(&self.condition[16..]);
        ConditionId::Position(condition)
    }

    /// Whether a position is one of this market.
    pub fn has(&self, position: PositionId) -> bool {
        let ConditionId::Position(bytes) = position.condition else { return false };
        match position.module {
            Module::Binary => position.condition == self.binary(),
            Module::NegRisk => self.has_leg(&bytes),
            Module::Combo => false,
        }
    }

    fn has_leg(&self, leg: &[u8; 31]) -> bool {
        // Behind the base hash: arity 2, reserved 8, resolution chain 2, condition index 2.
        let (base, arity, chain) = (&leg[1..17], &leg[17..19], &leg[27..29]);
        let [high, place] = [leg[29], leg[30]];
        let is_well_formed = arity != [0, 0] && chain == [0, 0] && high == 0;
        let question_of = |mut event: B256| {
            event[31] = place;
            event
        };
        let questions = [self.question, self.event.map(question_of)];
        is_well_formed
            && questions.into_iter().flatten().any(|question| {
                let is_of_event = question[16..31] == base[..15] && base[15] == 0 && question[31] == place;
                is_of_event && neg_risk_condition(question) == self.condition
            })
    }
}

/// The condition of a question of a neg-risk event.
pub fn neg_risk_condition(question: B256) -> B256 {
    let mut preimage = [0; 84];
    preimage[..20].copy_from_slice(NEG_RISK_ADAPTER.as_slice());
    preimage[20..52].copy_from_slice(question.as_slice());
    preimage[83] = 2;
    keccak256(preimage)
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use alloy_primitives::{U256, b256};

    use super::*;
    use crate::model::TokenId;

    fn position(token: &str) -> PositionId {
        PositionId::of(TokenId(U256::from_str(token).unwrap())).unwrap()
    }

    /// Market 559651.
    const BINARY: LegacyMarket = LegacyMarket {
        condition: b256!("0xa467b14d51f01b957109d9cbb1d6c124fab2a089d52ed8f471d23c2812e743b7"),
        question: None,
        event: None,
    };

    /// Market 559657, with its question and its event.
    const LEG: LegacyMarket = LegacyMarket {
        condition: b256!("0xc8f1cf5d4f26e0fd9c8fe89f2a7b3263b902cf14fde7bfccef525753bb492e47"),
        question: Some(b256!("0x2c3d7e0eee6f058be3006baabf0d54a07da254ba47fe6e3e095e7990c7814705")),
        event: Some(b256!("0x2c3d7e0eee6f058be3006baabf0d54a07da254ba47fe6e3e095e7990c7814700")),
    };

    #[test]
    fn a_real_binary_market_has_its_positions_and_no_other() {
        let yes = "895257453734540292493143124621755605615887197499956109032745153687078305792";
        let no = "895257453734540292493143124621755605615887197499956109032745153687078305793";
        for own in [yes, no] {
            assert!(BINARY.has(position(own)), "{own}");
            assert!(!LEG.has(position(own)), "{own} is of another market");
        }
        for other in [
            // Binary, neg-risk and a combo, as they were seen.
            "559046155902038595262480008230326675380475253950762106083537792221715628032",
            "686958738232140500825748414873722514450555655367691328487318002769082712064",
            "651150819117105875331414918119047680898421632356043490229292782433651916800",
            "1176710649185715379246236772702433179078596393450958754111917085864706965504",
            "1243965552808499617108514947746357048534421404414231170468951922814836802049",
            "1478180995445884194963783500106018329313736528433258596285541062936163778560",
            "1733346977936095677598287638986609490683288367677675840260301941168951787521",
        ] {
            assert!(!BINARY.has(position(other)) && !LEG.has(position(other)), "{other}");
        }
    }

    /// The places of module, arity, chain and index, and of the base hash, in two real positions of neg-risk events.
    #[test]
    fn the_legs_that_were_seen_are_written_like_this() {
        for (token, condition) in [
            (
                "1176710649185715379246236772702433179078596393450958754111917085864706965504",
                "0x0299fe9fc67ffce73b3eb7350dc21a82000003000000000000000000000000",
            ),
            (
                "1243965552808499617108514947746357048534421404414231170468951922814836802049",
                "0x02c00f3ecc15ab66352ccc40ddc404ee000003000000000000000000000002",
            ),
        ] {
            assert_eq!(position(token).condition.to_string(), condition);
        }
    }

    #[test]
    fn a_neg_risk_position_is_tied_to_its_market_by_its_question() {
        let leg = |base: &str, rest: &str| -> PositionId {
            let condition: ConditionId = format!("0x02{base}{rest}").parse().unwrap();
            PositionId::of(condition.position(0).unwrap()).unwrap()
        };
        let (base, rest) = ("7da254ba47fe6e3e095e7990c7814700", "0003000000000000000000000005");
        assert_eq!(neg_risk_condition(LEG.question.unwrap()), LEG.condition, "a real question and its condition");
        let known_by = [(LEG.question, None), (None, LEG.event), (LEG.question, LEG.event)];
        for (question, event) in known_by {
            assert!(LegacyMarket { question, event, ..LEG }.has(leg(base, rest)));
        }
        assert!(!LegacyMarket { question: None, event: None, ..LEG }.has(leg(base, rest)), "nothing proves it");
        // The question of another market says nothing of this one, nor does a question that is made up.
        assert!(!LegacyMarket { condition: BINARY.condition, ..LEG }.has(leg(base, rest)));
        for (base, rest) in [
            (base, "0003000000000000000000000004"),
            (base, "0003000000000000000000000105"),
            (base, "0003000000000000000000010005"),
            (base, "0000000000000000000000000005"),
            ("7da254ba47fe6e3e095e7990c7814701", rest),
            ("7da254ba47fe6e3e095e7990c7814600", rest),
        ] {
            assert!(!LEG.has(leg(base, rest)), "{base} {rest}");
        }
    }
}

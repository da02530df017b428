//! Which tokens a market has: what it lists, as far as its condition proves that.
//!
//! The tokens of V1 and V2 are a function of the condition, those of protocol v2 hold it, and where a market has both, its
//! positions follow from it, too ([`LegacyMarket`]). So a list that contradicts the condition is refused, and one that is
//! missing is filled in.

use crate::model::{B256, Collateral, ConditionId, LegacyMarket, PositionId, TokenId, derive_token_id};

/// More outcomes than this no market has.
const MOST_OUTCOMES: usize = 16;

/// What a market says of itself that its tokens depend on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claims<'a> {
    pub(super) condition: Option<ConditionId>,
    pub(super) outcomes: &'a [String],
    pub(super) neg_risk: bool,
    pub(super) question: Option<B256>,
    pub(super) event: Option<B256>,
    pub(super) clob_token_ids: &'a [String],
    pub(super) position_ids: &'a [String],
}

/// A market's lists of tokens, and which of them were not as they should be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tokens {
    pub(super) token_ids: Vec<TokenId>,
    pub(super) position_ids: Vec<TokenId>,
    pub(super) refused: Vec<&'static str>,
}

/// The lists of a market as they were sent, checked and completed.
pub(super) fn check(claims: Claims<'_>) -> Tokens {
    let mut refused = Vec::new();
    let token_ids = claims.hashes().unwrap_or_else(|| {
        refused.push("clobTokenIds");
        Vec::new()
    });
    let token_ids = if token_ids.is_empty() { claims.derived_hashes() } else { token_ids };
    let order = claims.order(&token_ids);
    let position_ids = match claims.positions(order) {
        Listed::Right(positions) => positions,
        Listed::Disordered(positions) => {
            refused.push("positionIds");
            positions
        }
        Listed::Refused => {
            refused.push("positionIds");
            claims.derived_positions(order)
        }
    };
    Tokens { token_ids, position_ids, refused }
}

/// What became of a list of positions.
enum Listed {
    Right(Vec<TokenId>),
    /// The right ones in the wrong order, put right.
    Disordered(Vec<TokenId>),
    Refused,
}

/// The on-chain slots of the first two outcomes.
type Order = [u8; 2];

impl Claims<'_> {
    /// The tokens of V1 and V2 as they are listed, if the condition proves all of them.
    fn hashes(&self) -> Option<Vec<TokenId>> {
        let listed = parsed(self.clob_token_ids)?;
        let is_proved = match self.condition {
            Some(condition @ ConditionId::Ctf(_)) => {
                listed.iter().all(|token| condition.has_token(*token, self.count()))
            }
            _ => listed.is_empty(),
        };
        is_proved.then_some(listed)
    }

    /// How many outcomes there may be.
    fn count(&self) -> u8 {
        let count = self.outcomes.len().max(self.clob_token_ids.len()).clamp(2, MOST_OUTCOMES);
        u8::try_from(count).unwrap_or(2)
    }

    fn derived_hashes(&self) -> Vec<TokenId> {
        let Some(ConditionId::Ctf(condition)) = self.condition else { return Vec::new() };
        let outcomes = Some(self.outcomes.len()).filter(|outcomes| *outcomes <= MOST_OUTCOMES).unwrap_or(0);
        let collateral = if self.neg_risk { Collateral::NegRiskWrapped } else { Collateral::UsdcE };
        (0..outcomes as u8).map(|outcome| derive_token_id(condition, outcome, collateral)).collect()
    }

    /// Which slots its outcomes have: as its tokens of V1 and V2 prove, or else as the protocol names them.
    fn order(&self, token_ids: &[TokenId]) -> Order {
        if let (Some(condition), [first, _]) = (self.condition, token_ids)
            && !self.position_ids.is_empty()
        {
            return if condition.slot(*first, 2) == Some(1) { [1, 0] } else { [0, 1] };
        }
        let is_named =
            |place: usize, name: &str| self.outcomes.get(place).is_some_and(|own| own.eq_ignore_ascii_case(name));
        if is_named(0, "No") && is_named(1, "Yes") { [1, 0] } else { [0, 1] }
    }

    /// The positions that it lists.
    fn positions(&self, order: Order) -> Listed {
        let Some(listed) = parsed(self.position_ids) else { return Listed::Refused };
        let Some(first) = listed.first() else {
            return match self.condition {
                Some(ConditionId::Position(_)) => Listed::Right(self.derived_positions(order)),
                _ => Listed::Right(Vec::new()),
            };
        };
        let own = PositionId::of(*first).filter(|position| self.proves(*position)).map(|position| position.condition);
        let Some(own) = own else { return Listed::Refused };
        // Nobody says how many outcomes there are: as many as are listed.
        let count = if self.outcomes.is_empty() { listed.len() } else { self.outcomes.len() };
        let expected: Vec<TokenId> = order.iter().take(count).filter_map(|slot| own.position(*slot)).collect();
        if listed == expected {
            return Listed::Right(expected);
        }
        let is_same_set = listed.len() == expected.len() && expected.iter().all(|token| listed.contains(token));
        if is_same_set { Listed::Disordered(expected) } else { Listed::Refused }
    }

    /// Whether a position is one of this market.
    fn proves(&self, position: PositionId) -> bool {
        match self.condition {
            Some(condition @ ConditionId::Position(_)) => position.condition == condition,
            Some(ConditionId::Ctf(condition)) => {
                LegacyMarket { condition, question: self.question, event: self.event }.has(position)
            }
            None => false,
        }
    }

    /// The positions that it must have. The neg-risk ones of a market of both protocols cannot be told in advance.
    fn derived_positions(&self, order: Order) -> Vec<TokenId> {
        let own = match self.condition {
            Some(condition @ ConditionId::Position(_)) => condition,
            Some(ConditionId::Ctf(condition)) if !self.neg_risk => {
                LegacyMarket { condition, question: None, event: None }.binary()
            }
            _ => return Vec::new(),
        };
        let outcomes = self.outcomes.len();
        let is_told = (1..=order.len()).contains(&outcomes);
        order.iter().take(if is_told { outcomes } else { 0 }).filter_map(|slot| own.position(*slot)).collect()
    }
}

fn parsed(texts: &[String]) -> Option<Vec<TokenId>> {
    if texts.len() > MOST_OUTCOMES {
        return None;
    }
    texts.iter().map(|text| text.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::b256;

    const CONDITION: B256 = B256::repeat_byte(7);

    fn check(
        condition: Option<ConditionId>,
        outcomes: usize,
        neg_risk: bool,
        clob_token_ids: &[String],
        position_ids: &[String],
    ) -> Tokens {
        let outcomes = ["Over", "Under", "Neither"].iter().cycle().take(outcomes).map(|label| (*label).to_owned());
        let outcomes: Vec<String> = outcomes.collect();
        let (question, event, outcomes) = (None, None, &outcomes);
        super::check(Claims { condition, outcomes, neg_risk, question, event, clob_token_ids, position_ids })
    }

    fn derived(outcome: u8, collateral: Collateral) -> String {
        derive_token_id(CONDITION, outcome, collateral).to_string()
    }

    fn ctf(outcomes: usize, neg_risk: bool, listed: &[String]) -> (Vec<String>, bool) {
        let tokens = check(Some(ConditionId::Ctf(CONDITION)), outcomes, neg_risk, listed, &[]);
        (tokens.token_ids.iter().map(TokenId::to_string).collect(), tokens.refused.is_empty())
    }

    #[test]
    fn what_the_condition_proves_is_taken_as_it_is_listed() {
        use Collateral::{NegRiskWrapped, UsdcE};
        for collateral in [UsdcE, NegRiskWrapped] {
            let swapped = [derived(1, collateral), derived(0, collateral)];
            assert_eq!(ctf(2, false, &swapped), (swapped.to_vec(), true), "either collateral, in its order");
        }
        let three = [0, 1, 2].map(|outcome| derived(outcome, UsdcE));
        assert_eq!(ctf(3, false, &three), (three.to_vec(), true));
        assert_eq!(ctf(1, false, &three[..1]), (three[..1].to_vec(), true));
    }

    #[test]
    fn what_contradicts_it_or_is_missing_is_derived() {
        let right = [0, 1].map(|outcome| derived(outcome, Collateral::UsdcE)).to_vec();
        let foreign = derive_token_id(B256::repeat_byte(8), 0, Collateral::UsdcE).to_string();
        assert_eq!(ctf(2, false, &[right[0].clone(), foreign]), (right.clone(), false));
        for garbage in ["", "x", "-1", "0x10"] {
            assert_eq!(ctf(2, false, &[right[0].clone(), garbage.into()]), (right.clone(), false), "{garbage}");
        }
        assert_eq!(ctf(2, false, &[]), (right, true), "missing");
        let wrapped = [0, 1].map(|outcome| derived(outcome, Collateral::NegRiskWrapped)).to_vec();
        assert_eq!(ctf(2, true, &[]), (wrapped, true));
        assert_eq!(ctf(0, true, &[]), (vec![], true), "nobody knows how many");
        assert_eq!(ctf(17, true, &[]), (vec![], true));
    }

    #[test]
    fn positions_hold_their_condition() {
        let condition = |byte: &str| -> ConditionId {
            format!("0x01{}0002{}0007", byte.repeat(16), "00".repeat(10)).parse().unwrap()
        };
        let (own, other) = (condition("ab"), condition("cd"));
        let positions = |condition: ConditionId| [0, 1].map(|outcome| condition.position(outcome).unwrap()).to_vec();
        let listed = |condition| positions(condition).iter().map(TokenId::to_string).collect::<Vec<_>>();

        let checked = check(Some(own), 2, false, &[], &listed(own));
        assert_eq!((checked.position_ids, checked.token_ids, checked.refused), (positions(own), vec![], vec![]));
        let checked = check(Some(own), 2, false, &[], &listed(other));
        assert_eq!((checked.position_ids, checked.refused), (positions(own), vec!["positionIds"]));
        let swapped: Vec<String> = listed(own).into_iter().rev().collect();
        let checked = check(Some(own), 2, false, &[], &swapped);
        assert_eq!((checked.position_ids, checked.refused), (positions(own), vec!["positionIds"]), "0 is the first");
        let checked = check(Some(own), 2, false, &[], &listed(own)[1..]);
        assert_eq!((checked.position_ids, checked.refused), (positions(own), vec!["positionIds"]), "one of two");
        let hash = [derived(0, Collateral::UsdcE)];
        assert_eq!(
            check(None, 2, false, &hash, &hash).refused,
            ["clobTokenIds", "positionIds"],
            "a hash is no position"
        );
        assert_eq!(check(None, 2, false, &hash, &[]).refused, ["clobTokenIds"], "there is no condition to prove it");
        assert_eq!(check(Some(own), 2, false, &hash, &[]).refused, ["clobTokenIds"]);
        assert_eq!(check(None, 2, false, &[], &listed(own)).refused, ["positionIds"]);
        assert_eq!(check(None, 2, false, &[], &[]).refused, [""; 0]);
    }

    #[test]
    fn the_order_of_positions_is_that_of_the_outcomes() {
        let own: ConditionId = format!("0x01{}{}", "ab".repeat(16), "00".repeat(14)).parse().unwrap();
        let positions = |slots: [u8; 2]| slots.map(|slot| own.position(slot).unwrap());
        for (outcomes, slots) in [(["Yes", "No"], [0, 1]), (["No", "Yes"], [1, 0]), (["Down", "Up"], [0, 1])] {
            let outcomes = outcomes.map(str::to_owned);
            for listed in [vec![], vec![0, 1], vec![1, 0]] {
                let listed: Vec<String> = listed.iter().map(|slot| own.position(*slot).unwrap().to_string()).collect();
                let claims = Claims {
                    condition: Some(own),
                    outcomes: &outcomes,
                    neg_risk: false,
                    question: None,
                    event: None,
                    clob_token_ids: &[],
                    position_ids: &listed,
                };
                assert_eq!(super::check(claims).position_ids, positions(slots), "{outcomes:?} {listed:?}");
            }
        }
    }

    /// Market 559651, and the first question of an event whose positions are neg-risk ones.
    #[test]
    fn the_positions_of_a_market_of_both_protocols_are_proved() {
        let condition = b256!("0xa467b14d51f01b957109d9cbb1d6c124fab2a089d52ed8f471d23c2812e743b7");
        let both = Some(ConditionId::Ctf(condition));
        let own = [2, 3]
            .map(|digit| format!("89525745373454029249314312462175560561588719749995610903274515368707830579{digit}"));
        let swapped = [own[1].clone(), own[0].clone()];
        let foreign = [4, 5]
            .map(|digit| format!("117671064918571537924623677270243317907859639345095875411191708586470696550{digit}"));
        let ids = |tokens: &[TokenId]| tokens.iter().map(TokenId::to_string).collect::<Vec<_>>();

        let right = check(both, 2, false, &[], &own);
        assert_eq!((ids(&right.position_ids), right.refused), (own.to_vec(), vec![]));
        assert_eq!(right.token_ids.len(), 2);
        let none = check(both, 2, false, &[], &[]);
        assert_eq!((none.position_ids, none.refused), (vec![], vec![]), "it may trade on the old protocol only");
        for wrong in [&swapped[..], &foreign, &[own[0].clone(), foreign[1].clone()], &own[..1], &["x".to_owned()]] {
            let checked = check(both, 2, false, &[], wrong);
            assert_eq!((ids(&checked.position_ids), checked.refused), (own.to_vec(), vec!["positionIds"]), "{wrong:?}");
        }
        let checked = check(both, 2, true, &[], &foreign);
        assert_eq!((checked.position_ids, checked.refused), (vec![], vec!["positionIds"]), "whose arity nobody knows");

        // Its tokens say which outcome has which slot, so its positions follow them.
        let hashes = [1, 0].map(|slot| derive_token_id(condition, slot, Collateral::UsdcE).to_string());
        let checked = check(both, 2, false, &hashes, &swapped);
        assert_eq!((ids(&checked.position_ids), checked.refused), (swapped.to_vec(), vec![]));
        let checked = check(both, 2, false, &hashes, &own);
        assert_eq!((ids(&checked.position_ids), checked.refused), (swapped.to_vec(), vec!["positionIds"]));
    }

    #[test]
    fn neg_risk_positions_are_proved_by_question_or_event() {
        let condition = b256!("0xc8f1cf5d4f26e0fd9c8fe89f2a7b3263b902cf14fde7bfccef525753bb492e47");
        let question = b256!("0x2c3d7e0eee6f058be3006baabf0d54a07da254ba47fe6e3e095e7990c7814705");
        let event = b256!("0x2c3d7e0eee6f058be3006baabf0d54a07da254ba47fe6e3e095e7990c7814700");
        let leg: ConditionId = "0x027da254ba47fe6e3e095e7990c78147000003000000000000000000000005".parse().unwrap();
        let listed = [0, 1].map(|slot| leg.position(slot).unwrap().to_string());
        let outcomes = ["Yes", "No"].map(str::to_owned);
        for (question, event, is_proved) in
            [(Some(question), None, true), (None, Some(event), true), (None, None, false), (Some(event), None, false)]
        {
            let claims = Claims {
                condition: Some(ConditionId::Ctf(condition)),
                outcomes: &outcomes,
                neg_risk: true,
                question,
                event,
                clob_token_ids: &[],
                position_ids: &listed,
            };
            let checked = super::check(claims);
            assert_eq!(checked.position_ids.len(), if is_proved { 2 } else { 0 }, "{question:?} {event:?}");
            assert_eq!(checked.refused.is_empty(), is_proved);
        }
    }
}

//! Which tokens a market has: what it lists, as far as its condition proves that.
//!
//! The tokens of V1 and V2 are a function of the condition, those of protocol v2 hold it. So a list that contradicts the
//! condition is refused, and one that is missing is filled in.

use crate::model::{Collateral, ConditionId, PositionId, TokenId, derive_token_id};

/// More outcomes than this no market has.
const MOST_OUTCOMES: usize = 16;

/// A market's lists of tokens, and whether either was refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tokens {
    pub(super) token_ids: Vec<TokenId>,
    pub(super) position_ids: Vec<TokenId>,
    pub(super) refused: Vec<&'static str>,
}

/// The lists of a market as they were sent, checked and completed.
pub(super) fn check(
    condition: Option<ConditionId>,
    outcomes: usize,
    neg_risk: bool,
    clob_token_ids: &[String],
    position_ids: &[String],
) -> Tokens {
    let mut refused = Vec::new();
    let mut read = |name, texts: &[String], is_proved: &dyn Fn(&[TokenId]) -> bool| {
        let listed: Result<Vec<TokenId>, _> = texts.iter().map(|text| text.parse()).collect();
        match listed {
            Ok(listed) if is_proved(&listed) => listed,
            _ => {
                refused.push(name);
                Vec::new()
            }
        }
    };
    let listed = clob_token_ids.len();
    let count = u8::try_from(outcomes.max(listed).clamp(2, MOST_OUTCOMES)).unwrap_or(2);
    let mut token_ids = read("clobTokenIds", clob_token_ids, &|listed| match condition {
        Some(condition @ ConditionId::Ctf(_)) => listed.iter().all(|token| condition.has_token(*token, count)),
        _ => listed.is_empty(),
    });
    let mut position_ids = read("positionIds", position_ids, &|listed| {
        listed.iter().all(|token| match (PositionId::of(*token), condition) {
            (Some(position), Some(condition @ ConditionId::Position(_))) => position.condition == condition,
            // Nothing proves the positions of a market of both protocols. Whoever names their condition goes first.
            (Some(_), Some(ConditionId::Ctf(_))) => true,
            _ => false,
        })
    });
    match condition {
        Some(ConditionId::Ctf(condition)) if token_ids.is_empty() && (1..=MOST_OUTCOMES).contains(&outcomes) => {
            let collateral = if neg_risk { Collateral::NegRiskWrapped } else { Collateral::UsdcE };
            token_ids = (0..outcomes as u8).map(|outcome| derive_token_id(condition, outcome, collateral)).collect();
        }
        Some(condition) if position_ids.is_empty() && (1..=2).contains(&outcomes) => {
            position_ids = (0..outcomes as u8).filter_map(|outcome| condition.position(outcome)).collect();
        }
        _ => {}
    }
    Tokens { token_ids, position_ids, refused }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::B256;

    const CONDITION: B256 = B256::repeat_byte(7);

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
        let both = check(Some(ConditionId::Ctf(CONDITION)), 2, false, &[], &listed(other));
        assert_eq!((both.position_ids, both.token_ids.len()), (positions(other), 2), "a market of both protocols");
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
}

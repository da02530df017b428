//! The profiles of the markets that trade, by their roles, and of those that claim their tokens.

use super::ids::{FIRST_ID, created};
use super::profile::{Half, ListForm, Profile, Reach, Shape};
use super::{idle, words};
use crate::demo::markets::roles::{self, CLAIMED, CLAIMED_UNKNOWN, HYDRATION, LATE, NAMED, Part, Role};
use crate::demo::{markets::market::Market, markets::wallets::Wallets};

/// Smaller than the id of the market whose tokens it claims.
const LIAR_BEFORE: u64 = 11;
/// Claims the tokens of a market that Gamma does not know.
const LIAR_BEHIND: u64 = 2_950_001;

/// The profile of a market that trades from the first block on; `None` where Gamma never has one.
pub(in crate::demo) fn profile(seed: u64, wallets: &Wallets, number: usize) -> Option<Profile> {
    let role = roles::of(number);
    let cubed = 240 + (number as u64).pow(3) * 13 + number as u64;
    let id = if role == Role::Late { FIRST_ID - 3 } else { cubed };
    let market = &wallets.fixed[number];
    let closes = roles::closes(seed, number as u64).map(|(at, _)| at);
    let mut profile = Profile { closes, ..Profile::plain(id, market, created(id)) };
    if profile.neg_risk && matches!(number, 1..20) {
        profile.event = words::shared_event(number as u64 / 10);
    }
    match role {
        Role::DataApiOnly { .. } | Role::NeverKnown { .. } | Role::Combo | Role::OtherHalf => return None,
        Role::HalfSurrogate => profile.half = Some(Half::Description),
        Role::LookupOnly | Role::LookupOnlyClosed => profile.reach = Reach::Lookup,
        Role::TokensNull => profile.tokens_form = ListForm::Null,
        Role::TokensEmptyText => profile.tokens_form = ListForm::EmptyText,
        Role::TokensEmptyList => profile.tokens_form = ListForm::EmptyList,
        Role::TokensMissing => {
            profile.tokens_form = ListForm::Missing;
            profile.reach = Reach::Lookup;
        }
        Role::Hydrating => profile.hydrated = HYDRATION,
        Role::PositionsNull => profile.positions_form = ListForm::Null,
        Role::Arrays => (profile.form, profile.tokens_form) = (ListForm::Array, ListForm::Array),
        Role::OutcomesNull => profile.named = i64::MAX,
        Role::OutcomesLate => profile.named = NAMED,
        Role::NumberOutcomes => profile.number_outcomes = true,
        Role::Both => {
            let positions =
                |number: usize| wallets.fixed[number].tokens.iter().map(|token| token.decimal.clone()).collect();
            profile.positions = roles::other_half(number).map(positions).unwrap_or_default();
            profile.positions_form = ListForm::Text;
            profile.question_id = market.question.map(|question| format!("{question:#x}"));
        }
        Role::Bare => profile.shape = Shape::Bare,
        Role::Nulls => profile.shape = Shape::Nulls,
        Role::WrongTypes => {
            profile.shape = Shape::WrongTypes;
            profile.question = "2026".into();
        }
        Role::NoCondition => (profile.condition, profile.served_condition) = (String::new(), String::new()),
        Role::Legacy => profile.shape = Shape::Legacy,
        Role::Late => profile.shown.start = LATE,
        Role::Changing(part) => profile.changes = Some((part, every(part))),
        Role::Plain | Role::Claimed | Role::OneOutcome | Role::ThreeOutcomes | Role::StillTraded | Role::Closing => {}
    }
    // A change that is never told would be none.
    if role == Role::Changing(Part::EndDate) {
        profile.end_form = super::profile::EndForm::Time;
    }
    Some(profile)
}

/// Blocks between two changes.
fn every(part: Part) -> i64 {
    match part {
        Part::Question => 300,
        Part::Slug => 450,
        Part::Tags => 210,
        Part::EndDate => 700,
    }
}

/// Two markets that claim tokens which are not theirs, as their conditions prove.
pub(in crate::demo) fn liars(seed: u64, wallets: &Wallets) -> [Profile; 2] {
    [(LIAR_BEFORE, CLAIMED), (LIAR_BEHIND, CLAIMED_UNKNOWN)].map(|(id, victim)| {
        let claims = |market: &Market| market.tokens.iter().map(|token| token.decimal.clone()).collect();
        let claims = Some(claims(&wallets.fixed[victim]));
        Profile { claims, ..Profile::plain(id, &idle::standard(seed, id), created(id)) }
    })
}

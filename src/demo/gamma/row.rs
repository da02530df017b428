//! What must become of a market: its row, from its profile and by no way through JSON.

use super::profile::{EndForm, Half, Profile, Shape};
use crate::demo::{market_row::MarketRow, markets::calendar::Calendar};

/// The row of a market as Gamma shows it at a block.
pub(in crate::demo) fn row(profile: &Profile, calendar: &Calendar, now: i64) -> MarketRow {
    let seen = profile.at(calendar, now);
    let shape = profile.shape;
    // What is not told, or in no way that can be read, is empty.
    let told = !matches!(shape, Shape::Bare | Shape::Nulls);
    let text = |text: &str| if told { text.to_owned() } else { String::new() };
    let mut tags = if told { seen.tags } else { Vec::new() };
    if told {
        tags.extend(profile.event.tags.iter().cloned());
    }
    // Without a condition nothing proves that a token is its own.
    let proved = |tokens: &[String]| if profile.condition.is_empty() { Vec::new() } else { tokens.to_vec() };
    let mut once = std::collections::HashSet::new();
    tags.retain(|tag| once.insert(tag.clone()));
    MarketRow {
        id: profile.id.to_string(),
        condition_id: profile.condition.clone(),
        question: if profile.half == Some(Half::Question) { String::new() } else { text(&seen.question) },
        slug: text(&seen.slug),
        outcomes: match shape {
            Shape::Bare | Shape::WrongTypes => Vec::new(),
            _ => profile.outcomes_at(now).to_vec(),
        },
        token_ids: proved(&profile.tokens),
        position_ids: proved(&profile.positions),
        neg_risk: told && shape != Shape::Legacy && profile.neg_risk,
        event_id: text(&profile.event.id.to_string()),
        event_slug: text(&profile.event.slug),
        event_title: text(&profile.event.title),
        tags,
        created_at: (told && shape != Shape::WrongTypes)
            .then(|| profile.stamp(calendar, profile.created).div_euclid(1_000_000)),
        end_at: match profile.end_form {
            EndForm::Time if told => Some(seen.ends),
            EndForm::Date if told => Some(seen.ends - seen.ends.rem_euclid(86_400)),
            _ => None,
        },
        closed_at: seen.closed.filter(|_| told),
        active: told && profile.active,
        closed: seen.closed.is_some(),
    }
}

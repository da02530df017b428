//! What Gamma knows of a market, in plain terms, and how oddly it writes it down.
//!
//! [`json`](super::json) writes a profile as Gamma does, [`row`](super::row) says what must become of it; neither knows
//! the other.

use std::ops::Range;

use super::words::EventWords;
use crate::demo::{markets::calendar::Calendar, markets::market::Market, markets::roles::Part};

/// Who can see a market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::demo) enum Reach {
    /// Who reads the listings, and who looks it up.
    Listed,
    /// Who looks it up, only.
    Lookup,
}

/// What the object as a whole looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::demo) enum Shape {
    Full,
    /// Only ids.
    Bare,
    /// Most fields are null.
    Nulls,
    /// Numbers for texts, texts for numbers and flags.
    WrongTypes,
    /// Full, but without `negRisk`.
    Legacy,
}

/// How a list is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::demo) enum ListForm {
    /// A string that holds a JSON array, as is usual.
    Text,
    Array,
    Null,
    EmptyText,
    EmptyList,
    Missing,
}

impl ListForm {
    /// Whether the elements are there to be read, and to be searched by.
    pub(in crate::demo) fn is_told(self) -> bool {
        matches!(self, Self::Text | Self::Array)
    }
}

/// Which text holds half a surrogate pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::demo) enum Half {
    Description,
    Question,
}

/// How the end is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::demo) enum EndForm {
    /// `endDate` and `endDateIso`.
    Time,
    /// `endDateIso` only.
    Date,
    Untold,
}

/// A market of Gamma. Times are blocks, counted from the first one.
#[derive(Clone, Debug)]
pub(in crate::demo) struct Profile {
    pub(in crate::demo) id: u64,
    pub(in crate::demo) reach: Reach,
    pub(in crate::demo) shape: Shape,
    /// As the tables write it; `''` where it has none.
    pub(in crate::demo) condition: String,
    /// As it is served: 31 bytes may come padded to 32.
    pub(in crate::demo) served_condition: String,
    pub(in crate::demo) outcomes: Vec<String>,
    /// From here on the outcomes are told; `i64::MAX` where they never are.
    pub(in crate::demo) named: i64,
    /// Whether these are written as numbers.
    pub(in crate::demo) number_outcomes: bool,
    /// Its tokens of V1 and V2, in decimal.
    pub(in crate::demo) tokens: Vec<String>,
    /// The tokens of another market, which it claims.
    pub(in crate::demo) claims: Option<Vec<String>>,
    pub(in crate::demo) tokens_form: ListForm,
    /// From here on the tokens are told.
    pub(in crate::demo) hydrated: i64,
    /// Its positions of protocol v2.
    pub(in crate::demo) positions: Vec<String>,
    pub(in crate::demo) positions_form: ListForm,
    /// How the other lists are written.
    pub(in crate::demo) form: ListForm,
    pub(in crate::demo) neg_risk: bool,
    pub(in crate::demo) question: String,
    /// `questionID`, where its condition follows from it.
    pub(in crate::demo) question_id: Option<String>,
    pub(in crate::demo) slug: String,
    pub(in crate::demo) event: EventWords,
    /// Its own, beside those of its event.
    pub(in crate::demo) tags: Vec<String>,
    pub(in crate::demo) created: i64,
    pub(in crate::demo) shown: Range<i64>,
    pub(in crate::demo) closes: Option<i64>,
    /// In blocks from the first one, too.
    pub(in crate::demo) ends: i64,
    pub(in crate::demo) end_form: EndForm,
    /// What changes, every so many blocks.
    pub(in crate::demo) changes: Option<(Part, i64)>,
    pub(in crate::demo) active: bool,
    /// Whether JSON escapes all that is not ASCII.
    pub(in crate::demo) ascii: bool,
    pub(in crate::demo) half: Option<Half>,
}

impl Profile {
    /// A plain, open one.
    pub(in crate::demo) fn plain(id: u64, market: &Market, created: i64) -> Self {
        let decimals: Vec<String> = market.tokens.iter().map(|token| token.decimal.clone()).collect();
        let is_v2 = market.tokens.iter().any(|token| token.known.is_some());
        let (tokens, positions) = if is_v2 { (Vec::new(), decimals) } else { (decimals, Vec::new()) };
        let pad = if is_v2 && id.is_multiple_of(2) { "00" } else { "" };
        let form = |told| if told { ListForm::Text } else { ListForm::Missing };
        Self {
            id,
            reach: Reach::Listed,
            shape: Shape::Full,
            condition: market.condition.clone(),
            served_condition: format!("{}{pad}", market.condition),
            outcomes: market.labels.clone(),
            named: i64::MIN,
            number_outcomes: false,
            tokens_form: form(!tokens.is_empty()),
            tokens,
            claims: None,
            hydrated: i64::MIN,
            positions_form: form(!positions.is_empty()),
            positions,
            form: ListForm::Text,
            neg_risk: market.is_neg_risk(),
            question: super::words::question(id),
            question_id: None,
            slug: super::words::slug(id),
            event: super::words::event(id),
            tags: super::words::tags(id),
            created,
            shown: i64::MIN..i64::MAX,
            closes: None,
            ends: created.saturating_add(2_000_000 + (id % 977).cast_signed() * 3_000),
            end_form: match id % 5 {
                3 => EndForm::Date,
                4 => EndForm::Untold,
                _ => EndForm::Time,
            },
            changes: None,
            active: true,
            ascii: id % 3 == 1,
            half: None,
        }
    }

    /// The tokens that are written down, whosever they are.
    pub(in crate::demo) fn listed_tokens(&self) -> &[String] {
        self.claims.as_ref().unwrap_or(&self.tokens)
    }

    /// How the tokens are written down at a block.
    pub(in crate::demo) fn tokens_form_at(&self, now: i64) -> ListForm {
        if now < self.hydrated { ListForm::Missing } else { self.tokens_form }
    }

    /// The outcomes that are told at a block.
    pub(in crate::demo) fn outcomes_at(&self, now: i64) -> &[String] {
        if now < self.named { &[] } else { &self.outcomes }
    }

    pub(in crate::demo) fn is_v2(&self) -> bool {
        self.tokens.is_empty() && !self.positions.is_empty()
    }

    /// Whether it trades on both protocols.
    pub(in crate::demo) fn is_of_both(&self) -> bool {
        !self.tokens.is_empty() && !self.positions.is_empty()
    }

    pub(in crate::demo) fn is_closed(&self, now: i64) -> bool {
        self.closes.is_some_and(|closes| closes <= now)
    }

    /// The time of a block in unix microseconds, as finely as this market tells times.
    pub(in crate::demo) fn stamp(&self, calendar: &Calendar, offset: i64) -> i64 {
        let micros = calendar.micros(offset).saturating_add((self.id.wrapping_mul(7_919) % 1_000).cast_signed());
        let unit = 10i64.pow(6 - self.digits());
        micros.div_euclid(unit).saturating_mul(unit)
    }

    /// How many digits the fractions of its seconds have.
    pub(in crate::demo) fn digits(&self) -> u32 {
        (self.id % 7) as u32
    }
}

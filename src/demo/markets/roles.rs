//! What is odd about each of the markets that trade from the first block on.
//!
//! The first ones trade most, so what matters most comes early. Where a market trades follows from its number, too: see
//! [`Market::fixed`](super::market::Market::fixed).

use crate::demo::rng::{Purpose, Rng};

/// How many there are.
pub(in crate::demo) const MARKETS: u64 = 60;

/// What of a market's description changes every some hundred blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::demo) enum Part {
    Question,
    Slug,
    Tags,
    EndDate,
}

/// How a market differs from a plain one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::demo) enum Role {
    Plain,
    /// A field that nobody reads holds half a surrogate pair.
    HalfSurrogate,
    /// Another market, with a smaller id, claims its tokens.
    Claimed,
    /// No listing ever shows it, a lookup does.
    LookupOnly,
    /// Likewise, and it is closed: a lookup that does not say so misses it.
    LookupOnlyClosed,
    /// Gamma never shows it; the Data API knows its tokens, and its outcomes' names or not.
    DataApiOnly {
        named: bool,
    },
    /// Nobody knows it. The Data API lies about the first token of one of them.
    NeverKnown {
        lied_about: bool,
    },
    /// A basket: it has no market of its own.
    Combo,
    /// `clobTokenIds` is null for ever, …
    TokensNull,
    /// … `""` …
    TokensEmptyText,
    /// … `"[]"` …
    TokensEmptyList,
    /// … or missing, and no listing shows it either: only its condition finds it.
    TokensMissing,
    /// `clobTokenIds` is missing for the first [`HYDRATION`] blocks.
    Hydrating,
    /// `positionIds` is null for ever.
    PositionsNull,
    /// Lists are arrays, prices have 36 digits.
    Arrays,
    /// `outcomes` is null for ever, and the Data API does not name them either, …
    OutcomesNull,
    /// … or only for the first [`NAMED`] blocks.
    OutcomesLate,
    /// The outcomes are numbers.
    NumberOutcomes,
    OneOutcome,
    ThreeOutcomes,
    /// It trades on both protocols: its positions are the tokens of its [`other_half`].
    Both,
    /// The other half of a [`Role::Both`].
    OtherHalf,
    /// `id`, `conditionId`, `clobTokenIds` and no more.
    Bare,
    /// Most fields are null.
    Nulls,
    /// Numbers where texts should be, and the other way round.
    WrongTypes,
    /// `conditionId` is `""`.
    NoCondition,
    /// Long and Short, and no `negRisk`.
    Legacy,
    /// Closed before the first block, and traded for a while.
    StillTraded,
    /// It closes while the world runs.
    Closing,
    /// Shown only from [`LATE`] blocks on.
    Late,
    Changing(Part),
}

/// Blocks for which the tokens of [`Role::Hydrating`] are missing.
pub(in crate::demo) const HYDRATION: i64 = 250;
/// Blocks for which the outcomes of [`Role::OutcomesLate`] are null.
pub(in crate::demo) const NAMED: i64 = 200;
/// When [`Role::Late`] appears.
pub(in crate::demo) const LATE: i64 = 150;
/// The markets of both protocols, a binary and a neg-risk one, each with the number of its [`Role::OtherHalf`].
const BOTH: [(usize, usize); 2] = [(20, 19), (41, 54)];
/// The number of the plain market whose tokens another claims.
pub(in crate::demo) const CLAIMED: usize = 5;
/// The number of the market that only the Data API knows and whose tokens a market of Gamma claims.
pub(in crate::demo) const CLAIMED_UNKNOWN: usize = 2;

/// The role of a market.
pub(in crate::demo) fn of(number: usize) -> Role {
    match number {
        0 => Role::Changing(Part::Question),
        1 => Role::HalfSurrogate,
        CLAIMED_UNKNOWN => Role::DataApiOnly { named: true },
        3 | 9 => Role::OutcomesNull,
        CLAIMED => Role::Claimed,
        6 | 24 => Role::LookupOnly,
        7 => Role::NeverKnown { lied_about: true },
        8 => Role::Arrays,
        10 => Role::TokensNull,
        11 => Role::TokensEmptyText,
        12 => Role::TokensEmptyList,
        13 => Role::TokensMissing,
        14 | 29 | 44 | 59 => Role::Combo,
        15 => Role::ThreeOutcomes,
        16 => Role::Hydrating,
        17 => Role::OneOutcome,
        18 => Role::NeverKnown { lied_about: false },
        19 | 54 => Role::OtherHalf,
        20 | 41 => Role::Both,
        21 => Role::Late,
        22 => Role::Bare,
        23 => Role::WrongTypes,
        25 => Role::Nulls,
        26 => Role::NoCondition,
        27 => Role::Legacy,
        28 => Role::StillTraded,
        30 => Role::Changing(Part::Slug),
        31 => Role::Changing(Part::Tags),
        32 => Role::Changing(Part::EndDate),
        33..=35 => Role::Closing,
        36 => Role::DataApiOnly { named: false },
        37 => Role::LookupOnlyClosed,
        38 => Role::NumberOutcomes,
        39 => Role::PositionsNull,
        40 | 49 => Role::OutcomesLate,
        _ => Role::Plain,
    }
}

/// The market whose tokens are the positions of one of both protocols.
pub(in crate::demo) fn other_half(number: usize) -> Option<usize> {
    BOTH.into_iter().find(|(first, _)| *first == number).map(|(_, other)| other)
}

/// The market of both protocols whose positions a market's tokens are, by its key.
pub(in crate::demo) fn first_half(key: u64) -> Option<u64> {
    BOTH.into_iter().find(|(_, other)| *other as u64 == key).map(|(first, _)| first as u64)
}

/// Whether a market, by its key, has neg-risk positions beside its tokens.
pub(in crate::demo) fn has_legs(key: u64) -> bool {
    key == BOTH[1].0 as u64
}

impl Role {
    /// What may come out.
    pub(in crate::demo) fn labels(self, number: u64) -> &'static [&'static str] {
        match self {
            Self::OneOutcome => &["Réponse unique"],
            Self::ThreeOutcomes => &["São Paulo", "Draw \"X\"", "Bayern München ⚽"],
            Self::NumberOutcomes => &["2026", "2027"],
            Self::Legacy => &["Long", "Short"],
            _ if number % 7 == 3 => &["Over", "Under"],
            _ => &["Yes", "No"],
        }
    }
}

/// When a market closes, in blocks from the first one, and until when it trades all the same.
pub(in crate::demo) fn closes(seed: u64, number: u64) -> Option<(i64, i64)> {
    match of(number as usize) {
        Role::StillTraded => Some((-900, 120)),
        Role::LookupOnlyClosed => Some((-40, i64::MAX)),
        Role::Closing => {
            let at = Rng::new(seed, Purpose::Closing, number).between(100, 2_000).cast_signed();
            Some((at, at + 20))
        }
        _ => None,
    }
}

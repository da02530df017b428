//! The Data API: single tokens, of all protocols, without markets.
//!
//! It knows nearly every token that trades: also those that Gamma has not listed yet, and those that it never will. Of
//! one token it says what is not true.

use axum::http::Uri;

use crate::demo::gamma::{Gamma, Object, Profile};
use crate::demo::ids::{Kind, id};
use crate::demo::markets::market::{Market, MarketRef, Venue};
use crate::demo::markets::roles::{self, Role};
use crate::demo::{http::params::Params, http::reply::Reply, markets::wallets::Wallets};

const MAX_TOKENS: usize = 50;
const MAX_CONDITIONS: usize = 10;

/// The Data API as one request meets it.
pub(in crate::demo) struct DataApi<'a> {
    pub(in crate::demo) seed: u64,
    pub(in crate::demo) wallets: &'a Wallets,
    pub(in crate::demo) gamma: &'a Gamma,
    /// The newest block that it knows of.
    pub(in crate::demo) now: u64,
    /// The id of a market of Gamma: 500 to everything about its tokens.
    pub(in crate::demo) poison: Option<u64>,
}

impl DataApi<'_> {
    /// `/v2/tokens`
    pub(in crate::demo) fn tokens(&self, uri: &Uri) -> Reply {
        let params = Params::of(uri);
        let list = |name| -> Vec<&str> { params.all(name).flat_map(|value| value.split(',')).collect() };
        let (tokens, conditions) = (list("token_id"), list("condition"));
        let notes = match (tokens.is_empty(), conditions.is_empty()) {
            (true, true) => return Reply::bad_request("one of token_id and condition is required"),
            (false, false) => return Reply::bad_request("token_id and condition are mutually exclusive"),
            (false, true) if tokens.len() > MAX_TOKENS => return Reply::bad_request("at most 50 token ids"),
            (true, false) if conditions.len() > MAX_CONDITIONS => return Reply::bad_request("at most 10 conditions"),
            (false, true) if !tokens.iter().all(|token| is_token(token)) => {
                return Reply::bad_request("token_id must be a decimal number");
            }
            (true, false) if !conditions.iter().all(|condition| is_condition(condition)) => {
                return Reply::bad_request("condition must be 0x and 62 or 64 hex digits");
            }
            (false, true) => self.notes(|_, token| tokens.contains(&token)),
            (true, false) => self.notes(|condition, _| conditions.iter().any(|asked| is_of(asked, condition))),
        };
        match notes {
            Some(notes) => Reply::ok(format!("{{\"data\":[{}]}}", notes.join(","))),
            None => Reply::broken(),
        }
    }

    /// What is known of the tokens that pass, each with its condition; `None` where the poison is among them.
    fn notes(&self, pass: impl Fn(&str, &str) -> bool) -> Option<Vec<String>> {
        let fixed = (0..self.wallets.fixed.len()).map(MarketRef::Fixed);
        let series = self.wallets.series.kept(self.now).map(MarketRef::Series);
        let shown = std::cell::OnceCell::new();
        let mut notes = Vec::new();
        for name in fixed.chain(series).filter(|name| knows(self.wallets, self.gamma, *name, self.now)) {
            let market = self.wallets.market(name);
            for place in (0..market.tokens.len()).filter(|place| {
                let is_told = tells(name, *place) != Tells::Nothing;
                is_told && pass(&market.condition, &market.tokens[*place].decimal)
            }) {
                let shown = shown.get_or_init(|| self.gamma.shown(self.wallets, self.now));
                let profile = shown.iter().find(|profile| profile.condition == market.condition);
                if profile.is_some_and(|profile| self.poison == Some(profile.id)) {
                    return None;
                }
                notes.push(self.note(name, &market, place, profile.map(|profile| &**profile)));
            }
        }
        Some(notes)
    }

    fn note(&self, name: MarketRef, market: &Market, place: usize, profile: Option<&Profile>) -> String {
        let tells = tells(name, place);
        let token = &market.tokens[place];
        let is_position = token.known.is_some();
        // Some are padded to 32 bytes.
        let pad = if is_position && name.key().is_multiple_of(2) { "00" } else { "" };
        let condition = match tells {
            Tells::Lies => format!("{:#x}", id(self.seed, Kind::Condition, [u64::MAX])),
            _ => format!("{}{pad}", market.condition),
        };
        let label = Some(market.labels[place].as_str()).filter(|_| tells != Tells::Condition);
        let opposite = Some(1 - place.min(1)).filter(|_| market.is_binary()).map(|place| &market.tokens[place].decimal);
        let now = self.gamma.calendar.offset(self.now);
        let seen = profile.map(|profile| profile.at(&self.gamma.calendar, now));
        let mut object = Object::new(false);
        object.text("token_id", &token.decimal).text("condition_id", &condition);
        object.maybe("structural_condition_id", Some(market.condition.as_str()).filter(|_| is_position));
        object.text("module", module(market)).raw("outcome_index", place);
        object.raw("clob_index", profile.map_or("null".into(), |_| place.to_string()));
        object.maybe("outcome", label).maybe("opposite_token_id", opposite.map(String::as_str));
        object.raw("resolved", seen.as_ref().is_some_and(|seen| seen.closed.is_some())).raw("final_price", "null");
        object.maybe("title", seen.as_ref().map(|seen| seen.question.as_str()));
        object.maybe("market_slug", seen.as_ref().map(|seen| seen.slug.as_str()));
        object.raw("closed", seen.as_ref().map_or("null".into(), |seen| seen.closed.is_some().to_string()));
        object.raw("neg_risk", market.is_neg_risk()).raw("neg_risk_market_id", "null").raw("question_index", "null");
        object.raw("event_id", profile.map_or("null".into(), |profile| profile.event.id.to_string()));
        object.maybe("event_slug", profile.map(|profile| profile.event.slug.as_str()));
        object.end()
    }
}

/// What it says of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tells {
    Nothing,
    /// All but the name of the outcome.
    Condition,
    All,
    /// Another token's condition.
    Lies,
}

fn tells(name: MarketRef, place: usize) -> Tells {
    let MarketRef::Fixed(number) = name else { return Tells::All };
    match roles::of(number) {
        Role::NeverKnown { lied_about: true } if place == 0 => Tells::Lies,
        Role::NeverKnown { .. } => Tells::Nothing,
        Role::DataApiOnly { named: false } | Role::OutcomesNull | Role::OutcomesLate => Tells::Condition,
        _ => Tells::All,
    }
}

/// Whether a market of the series is known already; the others always are.
fn knows(wallets: &Wallets, gamma: &Gamma, name: MarketRef, now: u64) -> bool {
    match name {
        MarketRef::Fixed(_) => true,
        MarketRef::Series(number) => wallets.series.life(number).named <= gamma.calendar.offset(now),
    }
}

fn module(market: &Market) -> &'static str {
    match (market.venue, market.tokens.first().map(|token| token.word[0])) {
        (Venue::Standard | Venue::NegRisk, _) => "v1_ctf",
        (_, Some(1)) => "binary",
        (_, Some(2)) => "neg_risk",
        _ => "combo",
    }
}

fn is_token(text: &str) -> bool {
    (1..=78).contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_digit())
}

fn is_condition(text: &str) -> bool {
    let digits = text.strip_prefix("0x").unwrap_or_default();
    matches!(digits.len(), 62 | 64) && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
}

/// Whether a condition is the one that is asked for, which may be padded.
fn is_of(asked: &str, condition: &str) -> bool {
    let asked = asked.to_ascii_lowercase();
    asked == condition || asked.strip_suffix("00").is_some_and(|asked| asked == condition)
}

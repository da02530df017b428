//! A row of `markets`, as plain values that compare.

use serde::Serialize;

/// One row of the embedded `markets` table, without what changes all the time: volume, liquidity, raw and version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct MarketRow {
    /// Gamma's id.
    pub id: String,
    /// `0x…`: 64 digits, or 62 for protocol v2; `''` where it is unknown.
    pub condition_id: String,
    /// `''` where it is unknown, as for all texts.
    pub question: String,
    /// Its name in addresses.
    pub slug: String,
    /// In the order of the tokens.
    pub outcomes: Vec<String>,
    /// Decimal; those of the condition where Gamma gave none that agree with it.
    pub token_ids: Vec<String>,
    /// Decimal, likewise.
    pub position_ids: Vec<String>,
    /// Whether it is one of several exclusive questions.
    pub neg_risk: bool,
    /// Of the first event.
    pub event_id: String,
    /// Of the first event.
    pub event_slug: String,
    /// Of the first event.
    pub event_title: String,
    /// Its own labels, then those of the first event, each once.
    pub tags: Vec<String>,
    /// Unix seconds, fractions cut, as the next two.
    pub created_at: Option<i64>,
    /// When it is to end.
    pub end_at: Option<i64>,
    /// When it was closed.
    pub closed_at: Option<i64>,
    /// Whether it has begun.
    pub active: bool,
    /// Whether it has ended.
    pub closed: bool,
}

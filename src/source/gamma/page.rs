//! A page of markets.

use serde::Deserialize;

use super::{market, misread::Misread};
use crate::source::{http::Elements, markets::MarketPage};
use crate::{clock::unix_ms, flow::StageId, model::DeadLetter, secrets::excerpt};

/// The source's name.
pub(super) const NAME: &str = "gamma";

/// More markets no page has: ten times what was asked for.
const MOST_MARKETS: usize = 1_000;

/// A longer cursor is none. It is stored, and sent back in a URL.
const LONGEST_CURSOR: usize = 4 * 1024;

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    markets: Elements<'a, MOST_MARKETS>,
    /// Absent, null and empty alike behind the last page.
    #[serde(default)]
    next_cursor: Option<String>,
}

/// Reads the body of an answer that was asked for at `asked_at` (unix seconds). The error is in words.
pub(super) fn read(body: &[u8], asked_at: u64, misread: &Misread) -> Result<MarketPage, String> {
    let text = std::str::from_utf8(body).map_err(|_| "a page that is not UTF-8".to_owned())?;
    let page: Envelope<'_> = serde_json::from_str(text).map_err(|cause| match text.trim_start().get(..1) {
        Some("{") => format!("a page that cannot be read: {}", excerpt(&cause.to_string(), 120)),
        _ => format!("not a page of markets: {}", excerpt(text, 60)),
    })?;
    let next = page.next_cursor.filter(|cursor| !cursor.is_empty());
    if let Some(cursor) = &next
        && cursor.len() > LONGEST_CURSOR
    {
        return Err(format!("a page whose cursor has {} bytes", cursor.len()));
    }
    let mut markets = Vec::with_capacity(page.markets.0.len());
    for raw in page.markets.0.into_iter().map(|raw| raw.get()) {
        markets.push(match market::read(raw, asked_at) {
            Ok(read) => {
                misread.note(&read.market.id, &read.misread);
                Ok(read.market)
            }
            Err(reason) => Err(refused(raw, reason)),
        });
    }
    Ok(MarketPage { markets, next })
}

fn refused(raw: &str, reason: String) -> DeadLetter {
    DeadLetter {
        source: NAME.to_owned(),
        position: DeadLetter::position_of_bytes(raw.as_bytes()),
        stage: StageId::IngestMarkets.to_string(),
        reason,
        raw: raw.as_bytes().to_vec(),
        first_seen: unix_ms(),
    }
}

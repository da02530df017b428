//! Gamma, Polymarket's API of markets, as a [`MarketSource`].
//!
//! ```text
//! list, by_tokens, by_conditions ──▶ GET markets/keyset ──▶ page ──▶ market ──▶ tokens
//!                                                          bytes    fields    proved by the condition
//! ```
//!
//! What shapes it (facts of 2026): pages hold 100 markets; the cursor is `after_cursor`, any other name is ignored and
//! gives page 1 again; `closed=false` is meant unless something is said, also where ids are asked for; the fields of a
//! market come in several types, and new ones come monthly.

mod fields;
mod market;
mod page;
#[cfg(test)]
mod tests;
mod time;
mod tokens;

use std::collections::BTreeSet;
use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use parking_lot::Mutex;
use reqwest::StatusCode;
use tracing::Span;

use super::http::{Api, ApiError};
use super::{ApiConfig, ApiConfigError, Listing, MarketPage, MarketSource, Order, SourceError};
use crate::breaker::Breaker;
use crate::clock::since_epoch;
use crate::model::{ConditionId, DeadLetter, Market, PositionId, TokenId};

/// The source's name.
const NAME: &str = "gamma";

/// Where Polymarket's own Gamma is. It needs no key.
pub const URL: &str = "https://gamma-api.polymarket.com";

/// Where markets are listed and looked up.
const KEYSET: &str = "markets/keyset";

/// Markets of a page: more are never given.
const PAGE: usize = 100;

/// Ids of one lookup: a URL with more than 50 token ids is refused.
const IDS: usize = 40;

/// Pages that one lookup is followed through, at most: it asks for fewer markets than one page holds.
const LOOKUP_PAGES: usize = 5;

/// Lookups that are under way at once.
const AT_ONCE: usize = 4;

/// The API of markets.
pub struct Gamma {
    api: Api,
    misread: Arc<Misread>,
}

/// Fields that were not as they should be.
#[derive(Debug, Default)]
struct Misread {
    count: AtomicU64,
    /// Their names, each of which is told once.
    told: Mutex<BTreeSet<&'static str>>,
}

impl Misread {
    fn note(&self, market: &str, fields: &[&'static str]) {
        self.count.fetch_add(fields.len() as u64, Ordering::Relaxed);
        for field in fields {
            if self.told.lock().insert(field) {
                tracing::warn!("gamma: the field {field} of market {market} is not as expected: taken as unknown");
            }
        }
    }
}

type Found = Vec<Result<Market, DeadLetter>>;

impl Gamma {
    /// The API of a configuration. Connects to nobody yet.
    pub fn new(config: &ApiConfig) -> Result<Self, ApiConfigError> {
        Ok(Self { api: config.open()?, misread: Arc::default() })
    }

    /// One page, as the parameters ask for it.
    async fn page(
        &self,
        mut query: Vec<(&'static str, String)>,
        after: Option<&str>,
    ) -> Result<MarketPage, SourceError> {
        query.extend([("limit", PAGE.to_string()), ("include_tag", "true".to_owned())]);
        query.extend(after.map(|after| ("after_cursor", after.to_owned())));
        let asked_at = since_epoch().as_secs();
        let body = self.api.get(KEYSET, &query).await.map_err(|error| match error {
            ApiError::Rejected { status: StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY, cause }
                if after.is_some() =>
            {
                SourceError::Cursor { endpoint: self.api.name().to_owned(), cause }
            }
            error => self.api.error(error),
        })?;
        self.read(body, asked_at).await
    }

    /// Reads a page. Proving a hundred markets' tokens takes a while: not on a thread that others wait for.
    async fn read(&self, body: Bytes, asked_at: u64) -> Result<MarketPage, SourceError> {
        let misread = Arc::clone(&self.misread);
        // What is logged belongs to the stage that asks, on whatever thread.
        let stage = Span::current();
        let read = tokio::task::spawn_blocking(move || stage.in_scope(|| page::read(&body, asked_at, &misread)));
        match read.await {
            Ok(page) => page.map_err(|cause| self.api.untrusted(cause)),
            Err(panic) => Err(self.api.untrusted(format!("a page that cannot be read: {panic}"))),
        }
    }

    /// The markets that some ids find, in both `closed` states.
    async fn look_up<I: Display>(&self, by: &'static str, ids: &[I]) -> Result<Found, SourceError> {
        let lookups: Vec<_> = ids
            .chunks(IDS)
            .flat_map(|ids| [false, true].map(|closed| (closed, ids.iter().map(I::to_string).collect::<Vec<_>>())))
            .collect();
        let found = stream::iter(lookups).map(|(closed, ids)| self.look_up_some(by, closed, ids)).buffered(AT_ONCE);
        Ok(found.try_collect::<Vec<_>>().await?.concat())
    }

    async fn look_up_some(&self, by: &'static str, closed: bool, ids: Vec<String>) -> Result<Found, SourceError> {
        let mut query: Vec<_> = ids.into_iter().map(|id| (by, id)).collect();
        query.push(("closed", closed.to_string()));
        let (mut found, mut after) = (Vec::new(), None::<String>);
        for _ in 0..LOOKUP_PAGES {
            let page = self.page(query.clone(), after.as_deref()).await?;
            found.extend(page.markets);
            match page.next {
                Some(next) if after.as_ref() != Some(&next) => after = Some(next),
                _ => break,
            }
        }
        Ok(found)
    }
}

#[async_trait]
impl MarketSource for Gamma {
    fn name(&self) -> &'static str {
        NAME
    }

    fn breaker(&self) -> Option<Breaker> {
        Some(self.api.breaker().clone())
    }

    async fn list(&self, listing: Listing, after: Option<&str>) -> Result<MarketPage, SourceError> {
        let (order, ascending) = match listing.order {
            Order::Created => ("createdAt", false),
            Order::Updated => ("updatedAt", false),
            Order::Id => ("id", true),
        };
        let query =
            [("closed", listing.closed.to_string()), ("order", order.into()), ("ascending", ascending.to_string())];
        self.page(query.into(), after).await
    }

    async fn by_tokens(&self, tokens: &[TokenId]) -> Result<Found, SourceError> {
        let (positions, hashes): (Vec<TokenId>, Vec<TokenId>) =
            tokens.iter().partition(|token| PositionId::of(**token).is_some());
        let mut found = self.look_up("clob_token_ids", &hashes).await?;
        found.extend(self.look_up("position_ids", &positions).await?);
        Ok(found)
    }

    async fn by_conditions(&self, conditions: &[ConditionId]) -> Result<Found, SourceError> {
        // A condition of protocol v2 is written in two ways.
        let padded = |condition: &ConditionId| match condition {
            ConditionId::Ctf(_) => None,
            ConditionId::Position(_) => Some(format!("{condition}00")),
        };
        let ids: Vec<String> = conditions
            .iter()
            .flat_map(|condition| [Some(condition.to_string()), padded(condition)])
            .flatten()
            .collect();
        self.look_up("condition_ids", &ids).await
    }

    fn misread(&self) -> u64 {
        self.misread.count.load(Ordering::Relaxed)
    }
}

//! Gamma as it is asked: pages of a listing, and markets by their ids.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::try_join;
use reqwest::StatusCode;
use tracing::Span;

use super::misread::Misread;
use super::page::{self, NAME};
use crate::model::{ConditionId, DeadLetter, Market, PositionId, TokenId};
use crate::source::http::{Api, ApiConfig, ApiConfigError, ApiError, Batches};
use crate::source::markets::{Listing, Lookup, MarketPage, MarketSource, Order, Place};
use crate::{breaker::Breaker, clock::since_epoch, source::error::SourceError};

/// Where markets are listed and looked up.
const KEYSET: &str = "markets/keyset";

/// Ids of one lookup: a URL with more than 50 token ids is refused.
const IDS: usize = 40;

/// Pages that one lookup is followed through, at most: it asks for fewer markets than one page holds.
const LOOKUP_PAGES: usize = 5;

/// The API of markets.
pub struct Gamma {
    api: Api,
    misread: Arc<Misread>,
    /// How it is asked about ids, of whatever kind, among open markets and among closed ones.
    batches: [Batches<String>; 2],
}

type Found = Result<Market, DeadLetter>;

impl Gamma {
    /// The API of a configuration. Connects to nobody yet.
    pub fn new(config: &ApiConfig) -> Result<Self, ApiConfigError> {
        Ok(Self { api: config.open()?, misread: Arc::default(), batches: [Batches::of(IDS), Batches::of(IDS)] })
    }

    /// One page, as the parameters ask for it.
    async fn page(
        &self,
        mut query: Vec<(&'static str, String)>,
        Place { after, most, .. }: Place<'_>,
    ) -> Result<MarketPage, SourceError> {
        query.extend([("limit", most.to_string()), ("include_tag", "true".to_owned())]);
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
            Ok(Ok(page)) => {
                self.api.answered();
                Ok(page)
            }
            Ok(Err(cause)) => Err(self.api.untrusted(cause)),
            Err(panic) => Err(self.api.untrusted(format!("a page that cannot be read: {panic}"))),
        }
    }

    /// The markets that some ids find, in both `closed` states.
    async fn look_up(&self, by: &'static str, ids: &[String]) -> Result<Lookup<Found, String>, SourceError> {
        let [open, closed] = &self.batches;
        let open = open.ask(ids, |ids| self.look_up_some(by, false, ids));
        let closed = closed.ask(ids, |ids| self.look_up_some(by, true, ids));
        let (open, closed) = try_join(open, closed).await?;
        let mut both = open;
        let failed = closed.failed.iter().filter(|id| !both.failed.contains(id)).cloned().collect();
        both.join(Lookup { failed, ..closed });
        if let Some(cause) = &both.cause {
            tracing::debug!("gamma fails on {} of {} {by}: {cause}", both.failed.len(), ids.len());
        }
        self.api.unless_failing(both)
    }

    async fn look_up_some(&self, by: &'static str, closed: bool, ids: Vec<String>) -> Result<Vec<Found>, SourceError> {
        let mut query: Vec<_> = ids.into_iter().map(|id| (by, id)).collect();
        query.push(("closed", closed.to_string()));
        let (mut found, mut after) = (Vec::new(), None::<String>);
        for _ in 0..LOOKUP_PAGES {
            let place = Place { after: after.as_deref(), ..Place::FIRST };
            let page = self.page(query.clone(), place).await?;
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

    async fn list(&self, listing: Listing, place: Place<'_>) -> Result<MarketPage, SourceError> {
        let (order, ascending) = match listing.order {
            Order::Created => ("createdAt", false),
            Order::Updated => ("updatedAt", false),
            Order::Id => ("id", true),
        };
        let ascending = ascending != place.from_end;
        let query =
            [("closed", listing.closed.to_string()), ("order", order.into()), ("ascending", ascending.to_string())];
        self.page(query.into(), place).await
    }

    async fn by_tokens(&self, tokens: &[TokenId]) -> Result<Lookup<Found, TokenId>, SourceError> {
        let (positions, hashes): (Vec<TokenId>, Vec<TokenId>) =
            tokens.iter().partition(|token| PositionId::of(**token).is_some());
        let texts = |tokens: &[TokenId]| tokens.iter().map(TokenId::to_string).collect::<Vec<_>>();
        let mut both = self.look_up("clob_token_ids", &texts(&hashes)).await?;
        both.join(self.look_up("position_ids", &texts(&positions)).await?);
        Ok(both.of(|id| id.parse().ok()))
    }

    async fn by_conditions(&self, conditions: &[ConditionId]) -> Result<Lookup<Found, ConditionId>, SourceError> {
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
        let mut lookup = self.look_up("condition_ids", &ids).await?.of(|id| id.parse().ok());
        lookup.failed.dedup();
        Ok(lookup)
    }

    fn misread(&self) -> u64 {
        self.misread.count()
    }
}

//! The traits of what knows markets.

use async_trait::async_trait;

use super::error::SourceError;
use crate::breaker::Breaker;
use crate::model::{ConditionId, DeadLetter, Market, Resolution, TokenId};

/// What a listing is sorted by, the greatest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// When a market was made.
    Created,
    /// When it was last changed.
    Updated,
    /// Its id, the smallest first: what is added while the listing is read comes behind.
    Id,
}

/// One of a source's listings. Each holds one `closed` state only, since sources hide closed markets unless asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Listing {
    /// The markets that have ended, or those that have not.
    pub closed: bool,
    /// In which order.
    pub order: Order,
}

/// A place in a listing, and how much of it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// Behind which cursor; nothing at the beginning.
    pub after: Option<&'a str>,
    /// The most markets.
    pub most: usize,
    /// Whether the listing is read from its other end.
    pub from_end: bool,
}

impl Place<'_> {
    /// As many markets as a page holds.
    pub const PAGE: usize = 100;

    /// The first page.
    pub const FIRST: Self = Self { after: None, most: Self::PAGE, from_end: false };
}

/// What a source says of several things at once. One that it fails on harms no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup<T, I> {
    /// What it knows.
    pub found: Vec<T>,
    /// The things on which it fails, each also when it is asked about it alone. Nothing is known of them, not even that it
    /// knows nothing.
    pub failed: Vec<I>,
    /// Why, of one of them.
    pub cause: Option<SourceError>,
    /// How many requests were answered.
    pub answers: usize,
}

impl<T, I> Default for Lookup<T, I> {
    fn default() -> Self {
        Self { found: Vec::new(), failed: Vec::new(), cause: None, answers: 0 }
    }
}

impl<T, I> Lookup<T, I> {
    /// Adds what another one says.
    pub(super) fn join(&mut self, other: Self) {
        self.found.extend(other.found);
        self.failed.extend(other.failed);
        self.cause = other.cause.or(self.cause.take());
        self.answers += other.answers;
    }

    /// The same of other things; nothing of those that stand for none.
    pub(super) fn of<J>(self, thing: impl FnMut(I) -> Option<J>) -> Lookup<T, J> {
        let Self { found, failed, cause, answers } = self;
        Lookup { found, failed: failed.into_iter().filter_map(thing).collect(), cause, answers }
    }
}

/// A page of markets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MarketPage {
    /// The markets in the order of the source. One that cannot be understood does not harm the others.
    pub markets: Vec<Result<Market, DeadLetter>>,
    /// Where the next page begins; `None` behind the last one. Means something only for the same [`Listing`].
    pub next: Option<String>,
}

/// A source of markets.
#[async_trait]
pub trait MarketSource: Send + Sync {
    /// Its name, in cursor keys, dead letters and on screen: `gamma`.
    fn name(&self) -> &'static str;

    /// What keeps it from being asked by everybody while it is away, where it has that.
    fn breaker(&self) -> Option<Breaker> {
        None
    }

    /// The page of a listing that begins at a place.
    async fn list(&self, listing: Listing, place: Place<'_>) -> Result<MarketPage, SourceError>;

    /// The markets that list any of these tokens, of both protocols and both `closed` states.
    async fn by_tokens(&self, tokens: &[TokenId]) -> Result<Lookup<Result<Market, DeadLetter>, TokenId>, SourceError>;

    /// The markets of these conditions, of both `closed` states.
    async fn by_conditions(
        &self,
        conditions: &[ConditionId],
    ) -> Result<Lookup<Result<Market, DeadLetter>, ConditionId>, SourceError>;

    /// How many fields were of another type than expected, and so taken as unknown.
    fn misread(&self) -> u64;
}

/// What a source of tokens says of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenFact {
    /// The token.
    pub token_id: TokenId,
    /// Its condition, which agrees with the token id: that is checked.
    pub condition_id: ConditionId,
    /// What its outcome is called; `''` where it was not said.
    pub outcome: String,
}

impl TokenFact {
    /// As far as it goes: the condition and the outcome, without the market. Nothing where the outcome was not said: labels
    /// may come late.
    pub fn resolution(&self) -> Option<Resolution> {
        let (condition_id, outcome) = (self.condition_id.to_string().into(), self.outcome.as_str().into());
        (!self.outcome.is_empty()).then_some(Resolution::Token { condition_id, outcome })
    }
}

/// A source that knows single tokens.
#[async_trait]
pub trait TokenSource: Send + Sync {
    /// Its name: `data-api`.
    fn name(&self) -> &'static str;

    /// What keeps it from being asked by everybody while it is away, where it has that.
    fn breaker(&self) -> Option<Breaker> {
        None
    }

    /// What is known of these tokens; nothing of those that are not in the answer.
    async fn tokens(&self, tokens: &[TokenId]) -> Result<Lookup<TokenFact, TokenId>, SourceError>;
}

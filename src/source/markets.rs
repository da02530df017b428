//! The traits of what knows markets.

use async_trait::async_trait;

use super::SourceError;
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

    /// The page of a listing that begins behind `after`.
    async fn list(&self, listing: Listing, after: Option<&str>) -> Result<MarketPage, SourceError>;

    /// The markets that list any of these tokens, of both protocols and both `closed` states.
    async fn by_tokens(&self, tokens: &[TokenId]) -> Result<Vec<Result<Market, DeadLetter>>, SourceError>;

    /// The markets of these conditions, of both `closed` states.
    async fn by_conditions(&self, conditions: &[ConditionId]) -> Result<Vec<Result<Market, DeadLetter>>, SourceError>;

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
        let (condition_id, outcome) = (self.condition_id.to_string(), self.outcome.clone());
        (!outcome.is_empty()).then_some(Resolution::Token { condition_id, outcome })
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
    async fn tokens(&self, tokens: &[TokenId]) -> Result<Vec<TokenFact>, SourceError>;
}

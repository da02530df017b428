//! The Data API as it is asked, and the facts of an answer that prove themselves.

use async_trait::async_trait;
use serde::Deserialize;

use crate::model::{ConditionId, TokenId};
use crate::source::http::{Api, ApiConfig, ApiConfigError, Batches, Elements, fields};
use crate::source::markets::{Lookup, TokenFact, TokenSource};
use crate::{breaker::Breaker, secrets::excerpt, source::error::SourceError};

/// The source's name.
const NAME: &str = "data-api";

/// Tokens of one request: more are refused.
const TOKENS: usize = 50;

/// The slot of an outcome is below this in every market.
const MOST_OUTCOMES: u8 = 16;

/// The API of tokens.
pub struct DataApi {
    api: Api,
    batches: Batches<TokenId>,
}

impl DataApi {
    /// The API of a configuration. Connects to nobody yet.
    pub fn new(config: &ApiConfig) -> Result<Self, ApiConfigError> {
        Ok(Self { api: config.open()?, batches: Batches::of(TOKENS) })
    }

    async fn some(&self, tokens: Vec<TokenId>) -> Result<Vec<TokenFact>, SourceError> {
        let list = tokens.iter().map(TokenId::to_string).collect::<Vec<_>>().join(",");
        let body = self.api.get("v2/tokens", &[("token_id", list)]).await.map_err(|error| self.api.error(error))?;
        let facts = read(&body).map_err(|cause| self.api.untrusted(cause))?;
        self.api.answered();
        Ok(facts.into_iter().filter(|fact| tokens.contains(&fact.token_id)).collect())
    }
}

#[async_trait]
impl TokenSource for DataApi {
    fn name(&self) -> &'static str {
        NAME
    }

    fn breaker(&self) -> Option<Breaker> {
        Some(self.api.breaker().clone())
    }

    async fn tokens(&self, tokens: &[TokenId]) -> Result<Lookup<TokenFact, TokenId>, SourceError> {
        self.api.unless_failing(self.batches.ask(tokens, |tokens| self.some(tokens)).await?)
    }
}

/// More rows no answer has: some for each token that was asked for.
const MOST_ROWS: usize = 1_000;

/// What is read of a row.
const FIELDS: [&str; 4] = ["token_id", "condition_id", "outcome_index", "outcome"];

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    data: Elements<'a, MOST_ROWS>,
}

/// The facts of an answer that prove themselves. One that does not harms no other.
pub(super) fn read(body: &[u8]) -> Result<Vec<TokenFact>, String> {
    let answer: Answer<'_> = serde_json::from_slice(body)
        .map_err(|cause| format!("not a list of tokens: {}", excerpt(&cause.to_string(), 120)))?;
    Ok(answer.data.0.into_iter().filter_map(|raw| fact(raw.get())).collect())
}

fn fact(raw: &str) -> Option<TokenFact> {
    let fields = fields(raw, &FIELDS).ok()?;
    let json = |name| fields.iter().find(|(known, _)| *known == name).map(|(_, raw)| raw.get());
    let text = |name| serde_json::from_str::<String>(json(name)?).ok();
    let token_id: TokenId = text("token_id")?.parse().ok()?;
    let condition_id: ConditionId = text("condition_id")?.parse().ok()?;
    let slot = json("outcome_index").and_then(|slot| slot.parse::<u8>().ok());
    let outcomes = slot.map_or(2, |slot| slot.saturating_add(1)).clamp(2, MOST_OUTCOMES);
    if !condition_id.has_token(token_id, outcomes) {
        tracing::warn!("data-api: token {token_id} is not an outcome of condition {condition_id}, as claimed");
        return None;
    }
    let outcome = text("outcome").unwrap_or_default();
    Some(TokenFact { token_id, condition_id, outcome })
}

//! `resolver`: finds the markets of trades that landed without, and completes their rows.
//!
//! ```text
//! warehouse ── unresolved tokens ──▶ markets that are there ──▶ rows completed
//!                                          │ none
//!                                          ▼
//!             source of markets, by token ─▶ source of tokens ─▶ source of markets, by condition
//! ```
//!
//! Its list of what is to be done is the warehouse itself: a token leaves it when no row of it lacks its market any more. So
//! nothing is forgotten over a crash, and a row that was written late with less is found again. The newest rows come first;
//! all of them are gone through again and again.

mod tried;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::backoff::Backoff;
use super::halve::{write_halved, write_letters};
use super::life::{Life, MARKETS};
use super::pipeline::Markets;
use super::status::{Progress, TokenProgress};
use super::write::dead_letter;
use super::{Stage, StageError, StageName, Step};
use crate::failure::FailureClass;
use crate::model::{ConditionId, DeadLetter, Market, PositionId, Resolution, TokenId};

use self::tried::Tried;

/// The pause after a step in which nobody had to be asked: tokens that nobody knows may be many, and looking at them
/// again shall cost little.
const PAUSE: Duration = Duration::from_millis(250);

/// Among so many of the newest rows unresolved tokens come first: these are on screen.
const NEWEST_ROWS: u32 = 2_000;

/// Tokens of one step.
const AT_ONCE: u32 = 200;

pub(super) struct Resolver {
    life: Arc<Life>,
    markets: Markets,
    progress: Arc<watch::Sender<Progress>>,
    tried: Tried,
    sweep: Sweep,
    next: Instant,
    backoff: Backoff,
    /// Why nobody is asked now, and until when.
    resting: Option<(Instant, String)>,
}

/// One way through all unresolved tokens.
#[derive(Debug, Default)]
struct Sweep {
    after: Option<TokenId>,
    unresolved: u64,
    untried: u64,
}

/// What was found out about some tokens.
#[derive(Debug, Default)]
struct Findings {
    /// Rows that were completed.
    rows: u64,
    /// How complete what is known now of the tokens is.
    known: HashMap<TokenId, u8>,
}

impl Findings {
    /// Whether the market of a token is still to be found.
    fn leave_open(&self, token: &TokenId) -> bool {
        self.known.get(token).is_none_or(|version| *version < 2)
    }
}

impl Resolver {
    pub(super) async fn open(
        life: Arc<Life>,
        markets: Markets,
        progress: Arc<watch::Sender<Progress>>,
    ) -> Result<Self, StageError> {
        life.enter().await?;
        let (tried, sweep, next) = (Tried::new(), Sweep::default(), Instant::now());
        Ok(Self { life, markets, progress, tried, sweep, next, backoff: Backoff::default(), resting: None })
    }

    /// The tokens of this step: those of the newest rows, then some more of the sweep.
    async fn tokens(&self) -> Result<(Vec<TokenId>, Vec<TokenId>), StageError> {
        let warehouse = &self.life.warehouse;
        let swept = warehouse.unresolved_tokens(self.sweep.after, AT_ONCE).await?;
        let mut newest = if swept.is_empty() { vec![] } else { warehouse.newest_unresolved(NEWEST_ROWS).await? };
        newest.retain(|token| !swept.contains(token));
        newest.truncate(AT_ONCE as usize);
        Ok((newest, swept))
    }

    /// Completes the rows of tokens whose market is there already.
    async fn look_into_warehouse(&self, tokens: &[TokenId], findings: &mut Findings) -> Result<(), StageError> {
        let known = self.life.warehouse.resolutions(tokens).await?;
        self.complete(known.into_iter().collect(), findings).await
    }

    /// Completes the rows of tokens as far as was found out before. A position's rows know as much by themselves.
    async fn recall(&self, tokens: &[TokenId], findings: &mut Findings) -> Result<(), StageError> {
        let is_poor = |token: &&TokenId| findings.leave_open(token) && PositionId::of(**token).is_none();
        let recall = |token: &TokenId| Some((*token, self.life.partly.get(*token)?.as_ref().clone()));
        let known: Vec<_> = tokens.iter().filter(is_poor).filter_map(recall).collect();
        self.complete(known, findings).await
    }

    async fn complete(&self, known: Vec<(TokenId, Resolution)>, findings: &mut Findings) -> Result<(), StageError> {
        findings.rows += self.life.warehouse.resolve(&known).await?;
        findings.known.extend(known.into_iter().map(|(token, resolution)| (token, resolution.version())));
        Ok(())
    }

    /// Writes markets that were found by tokens or by conditions, and completes the rows of their tokens.
    async fn take_markets(
        &self,
        found: Vec<Result<Market, DeadLetter>>,
        tokens: &[TokenId],
        conditions: &[ConditionId],
        findings: &mut Findings,
    ) -> Result<(), StageError> {
        let (mut markets, mut letters) = (Vec::new(), Vec::new());
        let is_asked_for = |market: &Market| {
            market.tokens().any(|listed| tokens.contains(&listed))
                || market.condition_id.is_some_and(|condition| conditions.contains(&condition))
        };
        for item in found {
            match item {
                Ok(market) if is_asked_for(&market) => markets.push(market),
                Ok(_) => {}
                Err(letter) => {
                    letters.push(DeadLetter { stage: StageName::Resolver.to_string(), ..letter }.clipped());
                }
            }
        }
        letters.extend(self.write(&markets).await?);
        write_letters(&*self.life.warehouse, &letters).await?;
        // What two markets claim is decided by the table, which knows them all.
        let listed = |token: &TokenId| markets.iter().any(|market| market.tokens().any(|listed| listed == *token));
        let tokens: Vec<TokenId> = tokens.iter().copied().filter(listed).collect();
        self.look_into_warehouse(&tokens, findings).await
    }

    /// Writes markets. Those that the warehouse refuses are returned as dead letters: they stop nobody.
    async fn write(&self, markets: &[Market]) -> Result<Vec<DeadLetter>, StageError> {
        let written = write_halved(&*self.life.warehouse, markets, |warehouse, part| warehouse.write_markets(part));
        let refused = written.await?.into_iter().map(|(at, reason)| {
            let market = &markets[at];
            let (id, raw) = (Some(market.id.clone()), market.raw.unpack().unwrap_or_default());
            dead_letter(StageName::Resolver, MARKETS, id, raw.as_bytes(), &reason)
        });
        Ok(refused.collect())
    }

    /// Asks the sources about tokens.
    async fn ask_sources(&self, tokens: &[TokenId], findings: &mut Findings) -> Result<(), StageError> {
        let left = |findings: &Findings| -> Vec<TokenId> {
            tokens.iter().copied().filter(|token| findings.leave_open(token)).collect()
        };
        // While one source is away the other is asked all the same.
        let by_tokens = self.markets.source.by_tokens(tokens).await;
        let failed = match by_tokens {
            Ok(found) => {
                self.take_markets(found, tokens, &[], findings).await?;
                None
            }
            Err(error) => Some(error),
        };
        let rest = left(findings);
        if rest.is_empty() {
            return Ok(());
        }
        let facts = self.markets.tokens.tokens(&rest).await?;
        // First for the rows to come, then for those that are there: none falls between.
        let partly: Vec<_> = facts.iter().filter_map(|fact| Some((fact.token_id, fact.resolution()?))).collect();
        for (token, resolution) in &partly {
            self.life.partly.learn(*token, Arc::new(resolution.clone()));
        }
        self.complete(partly, findings).await?;
        if let Some(error) = failed {
            return Err(error.into());
        }
        // A market may be there before its tokens can be searched for.
        let mut conditions: Vec<_> = facts.iter().map(|fact| fact.condition_id).collect();
        conditions.sort_unstable();
        conditions.dedup();
        if !conditions.is_empty() {
            let found = self.markets.source.by_conditions(&conditions).await?;
            self.take_markets(found, &rest, &conditions, findings).await?;
        }
        Ok(())
    }

    /// Notes what has come of the swept tokens, and of the sweep where it ends.
    fn swept(&mut self, swept: &[TokenId], findings: &Findings) {
        for token in swept.iter().filter(|token| findings.leave_open(token)) {
            self.sweep.unresolved += 1;
            self.sweep.untried += u64::from(!self.tried.knows(*token));
        }
        self.sweep.after = swept.last().copied();
        if (swept.len() as u32) < AT_ONCE {
            let Sweep { unresolved, untried, .. } = std::mem::take(&mut self.sweep);
            self.progress.send_modify(|progress| {
                let (sweeps, at) = (progress.tokens.sweeps + 1, Some(std::time::Instant::now()));
                progress.tokens = TokenProgress { sweeps, unresolved, untried, at };
            });
        }
    }
}

#[async_trait]
impl Stage for Resolver {
    async fn step(&mut self, drain: &CancellationToken) -> Result<Step, StageError> {
        if drain.run_until_cancelled(tokio::time::sleep_until(self.next)).await.is_none() {
            return Ok(Step::Idle);
        }
        let (newest, swept) = self.tokens().await?;
        let tokens = [newest, swept.clone()].concat();
        let mut findings = Findings::default();
        self.look_into_warehouse(&tokens, &mut findings).await?;
        self.recall(&tokens, &mut findings).await?;

        let now = Instant::now();
        let is_due = |token: &TokenId| findings.leave_open(token) && self.tried.is_due(*token, now);
        let due: Vec<TokenId> = tokens.into_iter().filter(is_due).collect();
        let is_resting = self.resting.as_ref().is_some_and(|(until, _)| now < *until);
        if due.is_empty() || is_resting {
            self.next = now + PAUSE;
        } else {
            let asked = drain.run_until_cancelled(self.ask_sources(&due, &mut findings)).await;
            let Some(asked) = asked else { return Ok(Step::Idle) };
            match asked {
                Ok(()) => {
                    self.backoff.reset();
                    self.resting = None;
                    for token in due.iter().filter(|token| findings.leave_open(token)) {
                        self.tried.in_vain(*token, now);
                    }
                }
                // A source that is away keeps nobody from what can be known without it.
                Err(error @ StageError::Source(_)) if error.class() == FailureClass::Retry => {
                    let wait = self.backoff.next().max(error.retry_after().unwrap_or_default());
                    self.resting = Some((Instant::now() + wait, error.to_string()));
                    self.next = now + PAUSE;
                }
                Err(error) => return Err(error),
            }
        }
        self.swept(&swept, &findings);
        Ok(match &self.resting {
            _ if findings.rows > 0 => Step::Moved(findings.rows),
            Some((_, cause)) if !due.is_empty() => Step::Wait(cause.clone()),
            _ => Step::Idle,
        })
    }
}

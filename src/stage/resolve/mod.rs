//! `resolver`: finds the markets of trades that landed without, and completes their rows.
//!
//! ```text
//! warehouse ── unresolved tokens ──▶ markets that are there ──▶ rows completed
//!                                          │ none
//!                                          ▼
//!             source of markets, by token ─▶ source of tokens ─▶ source of markets, by condition
//! ```
//!
//! Its list of what is to be done is in the warehouse: who writes rows of a token that is not complete puts it there behind the rows. A
//! step reads entries, completes what it reads behind them, and then removes those entries whose token has nothing left to be
//! completed in their days; the others stay until their next try. So nothing is forgotten over a crash, a row that was written
//! late with less is found again, and what is done costs what there is to do, not what is there. The newest come first;
//! all of them are gone through again and again.

mod failing;
mod retry_schedule;
mod scan;
mod todo;

use std::collections::{HashMap, HashSet};
use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::flow::{StageId, TableId};
use crate::model::{ConditionId, DeadLetter, Market, PositionId, Resolution, TokenId};
use crate::stage::halve::{write_halved, write_letters};
use crate::stage::step::{Stage, Step};
use crate::streams::session::{MARKETS, Session};
use crate::streams::{Markets, Progress, StageError, TokenProgress, WaitCause};
use crate::warehouse::{Batch, UnresolvedEntry, UnresolvedPage, UnresolvedPlace};
use crate::{backoff::Backoff, failure::FailureClass, stage::unpack::dead_letter};

use self::{failing::Failing, retry_schedule::RetrySchedule, scan::Scanner, todo::Todo};

/// The pause after a step in which nobody had to be asked: tokens that nobody knows may be many, and looking at them
/// again shall cost little.
const PAUSE: Duration = Duration::from_millis(250);

/// Tokens of one step.
const AT_ONCE: u32 = 200;

pub(crate) struct Resolver {
    session: Arc<Session>,
    markets: Markets,
    progress: Arc<watch::Sender<Progress>>,
    tried: RetrySchedule,
    failing: Failing,
    scanner: Scanner,
    sweep: Sweep,
    next: Instant,
    backoff: Backoff,
    /// Why nobody is asked now, and until when.
    resting: Option<(Instant, WaitCause)>,
}

/// One way through all unresolved tokens.
#[derive(Debug, Default)]
struct Sweep {
    after: Option<UnresolvedPlace>,
    /// The last token that was counted: its entries may be on two pages.
    counted: Option<TokenId>,
    unresolved: u64,
    untried: u64,
}

/// What was found out about some tokens.
#[derive(Debug, Default)]
struct Findings {
    /// Rows that were completed.
    rows: u64,
    /// What is known now of the tokens.
    known: HashMap<TokenId, Resolution>,
    /// On which a source failed, each also alone.
    failed: HashSet<TokenId>,
}

impl Findings {
    /// Whether something of a token is still to be found.
    fn leave_open(&self, token: &TokenId) -> bool {
        !self.known.get(token).unwrap_or(&Resolution::Unknown).is_complete(*token)
    }
}

impl Resolver {
    pub(crate) async fn open(
        session: Arc<Session>,
        markets: Markets,
        progress: Arc<watch::Sender<Progress>>,
    ) -> Result<Self, StageError> {
        session.enter().await?;
        let (tried, failing, scanner) = (RetrySchedule::new(), Failing::new(), Scanner::new());
        let (sweep, next, backoff) = (Sweep::default(), Instant::now(), Backoff::default());
        Ok(Self { session, markets, progress, tried, failing, scanner, sweep, next, backoff, resting: None })
    }

    /// The next page of the list, and the newest entries.
    async fn read_list(&self) -> Result<(UnresolvedPage, Vec<UnresolvedEntry>), StageError> {
        let warehouse = &self.session.warehouse;
        let page = warehouse.unresolved_tokens(self.sweep.after.as_ref(), AT_ONCE).await?;
        let is_all = page.entries.is_empty() && page.next.is_none() && self.sweep.after.is_none();
        let newest = if is_all { Vec::new() } else { warehouse.newest_unresolved(AT_ONCE).await? };
        Ok((page, newest))
    }

    /// Says whether a sweep is under way. One that begins from now on finds all that is on the list now.
    fn note_sweeping(&self, is_sweeping: bool) {
        self.progress.send_if_modified(|progress| {
            std::mem::replace(&mut progress.tokens.is_sweeping, is_sweeping) != is_sweeping
        });
    }

    /// Completes the rows of tokens whose market is there already.
    async fn look_into_warehouse(
        &mut self,
        tokens: &[TokenId],
        todo: &Todo,
        findings: &mut Findings,
    ) -> Result<(), StageError> {
        let found = self.session.warehouse.resolutions(tokens).await?;
        let partial = &self.session.partial;
        let named = |(token, market): (TokenId, Resolution)| match partial.get(token) {
            Some(known) => (token, market.named_by(&known)),
            None => (token, market),
        };
        let found = found.into_iter().map(named).collect();
        self.complete(found, todo, findings).await
    }

    /// Completes the rows of tokens as far as was found out before. A position's rows know as much by themselves.
    async fn restore(&mut self, tokens: &[TokenId], todo: &Todo, findings: &mut Findings) -> Result<(), StageError> {
        let is_poor = |token: &&TokenId| !findings.known.contains_key(*token) && PositionId::of(**token).is_none();
        let restore = |token: &TokenId| Some((*token, self.session.partial.get(*token)?.as_ref().clone()));
        let known: Vec<_> = tokens.iter().filter(is_poor).filter_map(restore).collect();
        self.complete(known, todo, findings).await
    }

    /// Completes rows by what is known. Where that is not all there is to know it is done only once for what is on the list and for
    /// what is known, and with every try: else rows that nobody can complete would be read again and again.
    async fn complete(
        &mut self,
        known: Vec<(TokenId, Resolution)>,
        todo: &Todo,
        findings: &mut Findings,
    ) -> Result<(), StageError> {
        let now = Instant::now();
        let newest = todo.newest_inserts();
        let insert = |token: &TokenId| newest.get(token).copied().unwrap_or_default();
        let is_new = |(token, known): &&(TokenId, Resolution)| {
            known.is_complete(*token) || self.tried.is_news(*token, insert(token), known.version(), now)
        };
        let new: Vec<_> = known.iter().filter(is_new).cloned().collect();
        if !new.is_empty() {
            findings.rows += self.session.warehouse.resolve(&new, todo.entries()).await?;
        }
        for (token, known) in new.iter().filter(|(token, known)| !known.is_complete(*token)) {
            self.tried.completed(*token, insert(token), known.version());
        }
        findings.known.extend(known);
        Ok(())
    }

    /// Removes from the list what is done: entries of tokens that are complete now, and of those whose lookup failed
    /// but that no fill waits for any more.
    async fn remove_done(&self, todo: &mut Todo, asked: &[TokenId], findings: &Findings) -> Result<(), StageError> {
        let warehouse = &self.session.warehouse;
        let mut done = todo.take(|token| !findings.leave_open(token));
        let unsure = todo.of(|token| asked.contains(token));
        if !unsure.is_empty() {
            let still = warehouse.still_unresolved(&unsure).await?;
            done.extend(todo.take(|token| asked.contains(token) && !still.contains(token)));
        }
        if !done.is_empty() {
            warehouse.remove_unresolved(&done).await?;
        }
        for (many, one) in todo.foldable() {
            // First the one, so that there is never none.
            warehouse.list_unresolved(&[one]).await?;
            warehouse.remove_unresolved(&many).await?;
        }
        Ok(())
    }

    /// Writes markets that were found by tokens or by conditions, and completes the rows of their tokens.
    async fn take_markets(
        &mut self,
        found: Vec<Result<Market, DeadLetter>>,
        tokens: &[TokenId],
        conditions: &[ConditionId],
        todo: &Todo,
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
                    letters.push(DeadLetter { stage: StageId::Resolver.to_string(), ..letter }.clipped());
                }
            }
        }
        letters.extend(self.write(&markets).await?);
        write_letters(&*self.session.warehouse, &letters).await?;
        // What two markets claim is decided by the table, which knows them all.
        let listed = |token: &TokenId| markets.iter().any(|market| market.tokens().any(|listed| listed == *token));
        let tokens: Vec<TokenId> = tokens.iter().copied().filter(listed).collect();
        self.look_into_warehouse(&tokens, todo, findings).await
    }

    /// Writes markets. Those that the warehouse refuses are returned as dead letters: they stop nobody.
    async fn write(&self, markets: &[Market]) -> Result<Vec<DeadLetter>, StageError> {
        if markets.is_empty() {
            return Ok(Vec::new());
        }
        let insert = self.session.inserts.begin(TableId::Markets);
        let refused = write_halved(&*self.session.warehouse, &Batch::from(markets.to_vec()), |_| Ok(())).await?;
        insert.confirmed((markets.len() - refused.len()) as u64);
        let refused = refused.into_iter().map(|(at, reason)| {
            let market = &markets[at];
            let (id, raw) = (Some(market.id.clone()), market.raw.unpack().unwrap_or_default());
            dead_letter(StageId::Resolver, MARKETS, id, raw.as_bytes(), &reason)
        });
        Ok(refused.collect())
    }

    /// Asks the sources about tokens.
    async fn ask_sources(
        &mut self,
        tokens: &[TokenId],
        todo: &Todo,
        findings: &mut Findings,
    ) -> Result<(), StageError> {
        let left = |findings: &Findings| -> Vec<TokenId> {
            tokens.iter().copied().filter(|token| findings.leave_open(token)).collect()
        };
        // While one source is away the other is asked all the same.
        let by_tokens = self.markets.source.by_tokens(tokens).await;
        let failed = match by_tokens {
            Ok(lookup) => {
                findings.failed.extend(lookup.failed);
                self.take_markets(lookup.found, tokens, &[], todo, findings).await?;
                None
            }
            Err(error) => Some(error),
        };
        let rest = left(findings);
        if rest.is_empty() {
            return Ok(());
        }
        let lookup = self.markets.tokens.tokens(&rest).await?;
        findings.failed.extend(lookup.failed);
        let facts = lookup.found;
        // First for the rows to come, then for those that are there: none falls between.
        let mut partial: Vec<_> = facts.iter().filter_map(|fact| Some((fact.token_id, fact.resolution()?))).collect();
        for (token, resolution) in &mut partial {
            self.session.partial.learn(*token, Arc::new(resolution.clone()));
            // A market that does not name its outcome is known all the same.
            if let Some(market) = findings.known.get(token).filter(|known| known.version() > resolution.version()) {
                *resolution = market.clone().named_by(resolution);
            }
        }
        self.complete(partial, todo, findings).await?;
        if let Some(error) = failed {
            return Err(error.into());
        }
        // A market may be there before its tokens can be searched for.
        let mut conditions: Vec<_> = facts.iter().map(|fact| fact.condition_id).collect();
        conditions.sort_unstable();
        conditions.dedup();
        if !conditions.is_empty() {
            let lookup = self.markets.source.by_conditions(&conditions).await?;
            let is_failed = |condition: &ConditionId| lookup.failed.contains(condition);
            findings.failed.extend(facts.iter().filter(|fact| is_failed(&fact.condition_id)).map(|fact| fact.token_id));
            self.take_markets(lookup.found, &rest, &conditions, todo, findings).await?;
        }
        Ok(())
    }

    /// Notes what has come of a page of the sweep, and of the sweep where it ends.
    fn swept(&mut self, tokens: &[TokenId], next: Option<UnresolvedPlace>, findings: &Findings) {
        let counted = self.sweep.counted;
        for token in tokens.iter().filter(|token| findings.leave_open(token) && Some(**token) != counted) {
            self.sweep.unresolved += 1;
            self.sweep.untried += u64::from(!self.tried.knows(*token) && !self.failing.is_given_up(*token));
        }
        self.sweep.counted = tokens.last().copied().or(counted);
        self.sweep.after = next;
        if self.sweep.after.is_none() {
            let Sweep { unresolved, untried, .. } = std::mem::take(&mut self.sweep);
            let (is_whole, missed) = (self.scanner.is_filled(), self.scanner.missed());
            self.progress.send_modify(|progress| {
                // A list that is still being filled does not hold all of them.
                let (sweeps, at) = (progress.tokens.sweeps + u64::from(is_whole), Some(std::time::Instant::now()));
                progress.tokens = TokenProgress { sweeps, is_sweeping: false, unresolved, untried, missed, at };
            });
        }
    }
}

#[async_trait]
impl Stage for Resolver {
    async fn step(&mut self, drain: &CancellationToken) -> Result<Step, StageError> {
        let rest = self.session.urge.cuts(tokio::time::sleep_until(self.next));
        if drain.run_until_cancelled(rest).await.is_none() {
            return Ok(Step::Idle);
        }
        let warehouse = Arc::clone(&self.session.warehouse);
        self.scanner.step(&*warehouse).await;
        self.note_sweeping(true);
        // Nothing is half done where these reads are cut off.
        let read = drain.run_until_cancelled(self.read_list()).await;
        let Some((page, newest)) = read.transpose()? else { return Ok(Step::Idle) };
        let swept = Todo::new(Vec::new(), page.entries.clone()).tokens();
        let mut todo = Todo::new(newest, page.entries);
        let tokens = todo.tokens();
        let mut findings = Findings::default();
        self.look_into_warehouse(&tokens, &todo, &mut findings).await?;
        self.restore(&tokens, &todo, &mut findings).await?;

        let now = Instant::now();
        let is_due = |token: &TokenId| {
            findings.leave_open(token) && self.tried.is_due(*token, now) && self.failing.is_due(*token, now)
        };
        let due: Vec<TokenId> = tokens.into_iter().filter(is_due).collect();
        let is_resting = self.resting.as_ref().is_some_and(|(until, _)| now < *until);
        let mut in_vain = Vec::new();
        if due.is_empty() || is_resting {
            self.next = now + PAUSE;
        } else {
            let asked = drain.run_until_cancelled(self.ask_sources(&due, &todo, &mut findings)).await;
            let Some(asked) = asked else { return Ok(Step::Idle) };
            match asked {
                Ok(()) => {
                    self.backoff.reset();
                    self.resting = None;
                    findings.failed.retain(|token| findings.known.get(token).is_none_or(|known| known.version() < 2));
                    self.failing.note(&due, &findings.failed, now);
                    let is_answered = |token: &TokenId| findings.leave_open(token) && !findings.failed.contains(token);
                    in_vain = due.iter().copied().filter(is_answered).collect();
                    for token in &in_vain {
                        self.tried.in_vain(*token, now);
                    }
                }
                // A source that is away keeps nobody from what can be known without it.
                Err(error @ StageError::Source(_)) if error.class() == FailureClass::Retry => {
                    let wait = self.backoff.next().max(error.retry_after().unwrap_or_default());
                    self.resting = Some((Instant::now() + wait, self.session.breakers.cause(&error)));
                    self.next = now + PAUSE;
                }
                Err(error) => return Err(error),
            }
        }
        self.remove_done(&mut todo, &in_vain, &findings).await?;
        self.swept(&swept, page.next, &findings);
        Ok(match &self.resting {
            _ if findings.rows > 0 => Step::Moved(findings.rows),
            Some((_, cause)) if !due.is_empty() => Step::Wait(cause.clone()),
            _ => Step::Idle,
        })
    }
}

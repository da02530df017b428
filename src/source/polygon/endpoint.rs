//! One JSON-RPC endpoint: how it is asked, and what has been learned about it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::Mutex;
use reqwest::Url;

use super::doubt::{Doubt, Doubts};
use super::error_classifier::{self, Verdict};
use super::limits::{Limit, Ranges};
use super::reply::{self, Broken, Outcome, Reply, RpcError};
use super::{
    call::Call, config::PolygonConfig, failure::Failure, failure::Result, http, operator, pace::Pace, span::Depth,
    trail::Trail,
};
use crate::source::{error::SourceError, http::name_of, http::retry_after::LONGEST};

/// How long nothing is believed of an endpoint alone that left logs out.
const DISTRUST: Duration = Duration::from_secs(24 * 60 * 60);

/// A JSON-RPC endpoint.
pub(super) struct Endpoint {
    name: String,
    operator: String,
    http: http::Client,
    next_id: AtomicU64,
    max_batch: usize,
    cool_down: Duration,
    back_off: Duration,
    limit_memory: Duration,
    doubts: Doubts,
    learned: Mutex<Learned>,
    trail: Mutex<Trail>,
}

/// What the endpoint's answers have taught.
#[derive(Debug, Default)]
struct Learned {
    chain: Chain,
    cool_until: Option<Instant>,
    /// Why it has to be left alone, in its own words.
    complaint: String,
    /// How often in a row it has limited the rate.
    strikes: u32,
    pace: Pace,
    last_error: Option<SourceError>,
    batch: Option<Limit<usize>>,
    ranges: Ranges,
    /// At how many logs it cuts its answers.
    row_cap: Option<Limit<u64>>,
    /// How many logs its last answer had.
    rows: Option<u64>,
    no_finality_until: Option<Instant>,
    distrusted_until: Option<Instant>,
    /// It has left out a log that another reading has.
    caught: bool,
    no_receipts_until: Option<Instant>,
    /// Since when it has answered no question about receipts.
    receipts_unanswered_since: Option<Instant>,
    no_block_hash_until: Option<Instant>,
    /// Since when it has answered no question about logs.
    silent_since: Option<Instant>,
}

/// Whether the endpoint's chain is the right one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Chain {
    /// It has not been asked.
    #[default]
    Unknown,
    /// It has, and is.
    Right,
    /// It has, and is not; it is this one.
    Wrong(u64),
}

impl Endpoint {
    pub(super) fn new(url: Url, client: reqwest::Client, config: &PolygonConfig) -> Self {
        Self {
            name: name_of(&url),
            operator: operator::of(&url),
            http: http::Client::new(url, client, config.max_body),
            next_id: AtomicU64::new(1),
            max_batch: config.max_batch.max(1),
            cool_down: config.cool_down,
            back_off: config.back_off,
            limit_memory: config.limit_memory,
            doubts: Doubts::default(),
            learned: Mutex::default(),
            trail: Mutex::default(),
        }
    }

    /// Host and port, which is all that may be shown.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Who runs it, as far as its name tells: two endpoints of one operator are one opinion.
    pub(super) fn operator(&self) -> &str {
        &self.operator
    }

    /// Asks one question.
    pub(super) async fn one(&self, call: Call) -> Result<Bytes> {
        let mut results = self.all(&[call]).await?;
        results.pop().ok_or_else(|| Failure::Untrusted("no answer".to_owned()))
    }

    /// Asks several questions, in as few batches as the endpoint allows. The results come in the order of the calls; the
    /// first failure is that of all.
    pub(super) async fn all(&self, calls: &[Call]) -> Result<Vec<Bytes>> {
        self.each(calls).await?.into_iter().collect()
    }

    /// The same, but each question fails alone; an error where a whole request does.
    pub(super) async fn each(&self, calls: &[Call]) -> Result<Vec<Result<Bytes>>> {
        let mut results = Vec::with_capacity(calls.len());
        while results.len() < calls.len() {
            let rest = &calls[results.len()..];
            let batch = &rest[..self.batch_size().min(rest.len())];
            match self.batch(batch).await {
                Ok(more)
                    if batch.len() > 1 && more.iter().any(|it| matches!(it, Err(Failure::BatchTooLarge { .. }))) =>
                {
                    let limit = more.into_iter().find_map(|it| match it {
                        Err(Failure::BatchTooLarge { limit, .. }) => Some(limit),
                        _ => None,
                    });
                    self.shrink_batch(batch.len(), limit.flatten());
                }
                Ok(more) => {
                    self.learned.lock().strikes = 0;
                    if more.iter().all(Result::is_ok) {
                        self.set_answered();
                    }
                    // One call that is refused for its rate speaks for all.
                    if let Some(Err(failure)) = more.iter().find(|it| matches!(it, Err(Failure::RateLimited { .. }))) {
                        return Err(failure.clone());
                    }
                    results.extend(more);
                }
                // Each round asks for less, so this ends.
                Err(Failure::BatchTooLarge { limit, .. }) if batch.len() > 1 => self.shrink_batch(batch.len(), limit),
                Err(failure) => return Err(failure),
            }
        }
        Ok(results)
    }

    /// Sends one HTTP request.
    async fn batch(&self, calls: &[Call]) -> Result<Vec<Result<Bytes>>> {
        let asked = calls.len();
        let first_id = self.next_id.fetch_add(asked as u64, Ordering::Relaxed);
        let requests = calls.iter().zip(first_id..).map(|(Call { method, params }, id)| {
            format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#)
        });
        let requests: Vec<String> = requests.collect();
        let body = if asked == 1 { requests.concat() } else { format!("[{}]", requests.join(",")) };

        let answer = self.http.post(body, asked).await?;
        let reply = reply::read(&answer, first_id, asked).map_err(|broken| match broken {
            Broken::Off(cause) => Failure::CutOff(self.http.redact(&cause)),
            Broken::Wrong(cause) => Failure::Untrusted(self.http.redact(&cause)),
        })?;
        match reply {
            Reply::Each(outcomes) => Ok(outcomes.into_iter().map(|outcome| self.result(outcome)).collect()),
            Reply::Whole(error) if asked == 1 => Ok(vec![Err(self.judge(&error))]),
            Reply::Whole(error) => Err(match self.judge(&error) {
                // One error for a whole batch, in words that mean nothing: perhaps it knows no batches.
                Failure::Refused(cause) if asked > 1 => Failure::BatchTooLarge { limit: None, cause },
                failure => failure,
            }),
        }
    }

    fn result(&self, outcome: Outcome) -> Result<Bytes> {
        outcome.map_err(|error| self.judge(&error))
    }

    fn judge(&self, error: &RpcError) -> Failure {
        let cause = self.http.redact(&error.message);
        match error_classifier::judge(error.code, &error.message) {
            Verdict::BatchTooLarge(limit) => Failure::BatchTooLarge { limit, cause },
            Verdict::RangeTooLarge(hint) => Failure::RangeTooLarge { hint, cause },
            Verdict::RateLimited => {
                let is_plain = error_classifier::names_a_rate(&error.message);
                Failure::RateLimited { cause, retry_after: None, is_plain }
            }
            Verdict::NoMethod => Failure::NoMethod(cause),
            Verdict::LacksBlock => Failure::LacksBlock(cause),
            Verdict::Other => Failure::Refused(cause),
        }
    }
}

/// What has been learned.
impl Endpoint {
    pub(super) fn chain(&self) -> Chain {
        self.learned.lock().chain
    }

    /// Whether it may be asked at all.
    pub(super) fn is_usable(&self) -> bool {
        !matches!(self.chain(), Chain::Wrong(_))
    }

    pub(super) fn set_chain(&self, chain: Chain) {
        self.learned.lock().chain = chain;
    }

    /// How long it has to be left alone yet; `None` where it may be asked.
    pub(super) fn cools_for(&self, now: Instant) -> Option<Duration> {
        let left = self.learned.lock().cool_until?.saturating_duration_since(now);
        (!left.is_zero()).then_some(left)
    }

    /// Why it has to be left alone, in its own words.
    pub(super) fn complaint(&self) -> String {
        self.learned.lock().complaint.clone()
    }

    /// It limits the rate: leave it alone for as long as it asked, or longer each time. Says for how long.
    pub(super) fn cool_down(&self, complaint: &str, asked: Option<Duration>, now: Instant) -> Duration {
        let mut learned = self.learned.lock();
        complaint.clone_into(&mut learned.complaint);
        let doubled = self.cool_down.saturating_mul(1 << learned.strikes.min(10));
        let pause = asked.unwrap_or(doubled).min(LONGEST);
        learned.strikes = learned.strikes.saturating_add(1);
        learned.cool_until = Some(now + pause);
        pause
    }

    /// It has answered a question about logs.
    pub(super) fn set_heard(&self) {
        self.learned.lock().silent_since = None;
    }

    /// It has not answered a question about logs.
    pub(super) fn set_silent(&self, now: Instant) {
        self.learned.lock().silent_since.get_or_insert(now);
    }

    /// For how long it has not answered any, if it did not answer the last one.
    pub(super) fn silent_for(&self, now: Instant) -> Option<Duration> {
        self.learned.lock().silent_since.map(|since| now.duration_since(since))
    }

    /// The most blocks that it allows in one request, where that is known or guessed.
    pub(super) fn range_limit(&self, depth: Depth) -> Option<u64> {
        self.learned.lock().ranges.most(depth, Instant::now())
    }

    /// It has said that it allows at most `blocks` blocks in one request.
    pub(super) fn limit_range(&self, blocks: u64, depth: Depth) {
        let until = Instant::now() + self.limit_memory;
        self.learned.lock().ranges.named(blocks, depth, until);
    }

    /// It has not answered for so many blocks, and perhaps would for fewer.
    pub(super) fn refused_range(&self, blocks: u64, depth: Depth) {
        self.learned.lock().ranges.refused(blocks, depth);
    }

    /// It has answered for so many blocks.
    pub(super) fn answered_range(&self, blocks: u64, depth: Depth) {
        let until = Instant::now() + self.limit_memory;
        self.learned.lock().ranges.answered(blocks, depth, until);
    }

    /// It has given an answer of so many logs. Returns how many the one before had.
    pub(super) fn counted(&self, rows: u64) -> Option<u64> {
        self.learned.lock().rows.replace(rows)
    }

    /// At how many logs it was found to cut its answers.
    pub(super) fn row_cap(&self) -> Option<u64> {
        Limit::at(self.learned.lock().row_cap, Instant::now())
    }

    /// It cuts its answers at so many logs.
    pub(super) fn set_row_cap(&self, rows: u64) {
        self.learned.lock().row_cap = Some(Limit::new(rows, Instant::now() + self.limit_memory));
    }

    /// Whether it has lately said that it does not know `eth_getBlockReceipts`.
    pub(super) fn lacks_receipts(&self) -> bool {
        self.learned.lock().no_receipts_until.is_some_and(|until| Instant::now() < until)
    }

    pub(super) fn set_lacks_receipts(&self) {
        self.learned.lock().no_receipts_until = Some(Instant::now() + self.limit_memory);
    }

    /// It answered what was asked of receipts.
    pub(super) fn set_receipts_answered(&self) {
        self.learned.lock().receipts_unanswered_since = None;
    }

    /// It did not.
    pub(super) fn set_receipts_unanswered(&self, now: Instant) {
        self.learned.lock().receipts_unanswered_since.get_or_insert(now);
    }

    /// Whether it has not answered for less than `patience` what was asked of receipts. Who never answers is not waited for.
    pub(super) fn receipts_may_come(&self, now: Instant, patience: Duration) -> bool {
        let since = self.learned.lock().receipts_unanswered_since;
        !self.lacks_receipts() && since.is_some_and(|since| now.duration_since(since) < patience)
    }

    /// Whether it has lately refused to find logs by the hash of their block.
    pub(super) fn lacks_block_hash(&self) -> bool {
        self.learned.lock().no_block_hash_until.is_some_and(|until| Instant::now() < until)
    }

    pub(super) fn set_lacks_block_hash(&self) {
        self.learned.lock().no_block_hash_until = Some(Instant::now() + self.limit_memory);
    }

    /// There is a reason to look twice at what it says.
    pub(super) fn note(&self, doubt: Doubt) {
        tracing::debug!(endpoint = self.name, doubt = doubt.label(), "an answer is in doubt");
        self.doubts.note(doubt);
    }

    /// What rests on its word alone.
    pub(super) const fn trail(&self) -> &Mutex<Trail> {
        &self.trail
    }

    /// Whether it was found to leave logs out, so that nothing is believed of it alone.
    pub(super) fn is_distrusted(&self) -> bool {
        self.learned.lock().distrusted_until.is_some_and(|until| Instant::now() < until)
    }

    /// It has left out a log that another reading has.
    pub(super) fn set_caught(&self) {
        self.learned.lock().caught = true;
    }

    /// Whether it has, and that has led to nothing yet.
    pub(super) fn is_caught(&self) -> bool {
        let is_caught = self.learned.lock().caught;
        is_caught && !self.is_distrusted()
    }

    /// It was found to leave logs out.
    pub(super) fn set_distrusted(&self) {
        let mut learned = self.learned.lock();
        (learned.distrusted_until, learned.caught) = (Some(Instant::now() + DISTRUST), false);
    }

    /// How often there was, for each reason.
    pub(super) fn doubts(&self) -> impl Iterator<Item = (Doubt, u64)> {
        Doubt::ALL.into_iter().map(|doubt| (doubt, self.doubts.count(doubt)))
    }

    /// It failed: leave it alone for a while.
    pub(super) fn set_failed(&self, error: &SourceError, now: Instant) {
        let mut learned = self.learned.lock();
        learned.last_error = Some(error.clone());
        learned.pace.failed(self.back_off, now);
    }

    /// Why it failed the last time.
    pub(super) fn last_error(&self) -> Option<SourceError> {
        self.learned.lock().last_error.clone()
    }

    /// It answered.
    pub(super) fn set_answered(&self) {
        self.learned.lock().pace.answered();
    }

    /// Whether it should be left alone, while there are others to ask.
    pub(super) fn rests(&self, now: Instant) -> bool {
        self.learned.lock().pace.rests(now)
    }

    /// Whether it must not be asked at all, having failed so often.
    pub(super) fn is_barred(&self, now: Instant) -> bool {
        self.learned.lock().pace.is_barred(now)
    }

    /// Whether it may be asked for a second opinion.
    pub(super) fn may_ask(&self, now: Instant) -> bool {
        self.is_usable() && self.cools_for(now).is_none() && !self.rests(now)
    }

    /// Whether it has lately said that it does not know `finalized`.
    pub(super) fn lacks_finality(&self, now: Instant) -> bool {
        self.learned.lock().no_finality_until.is_some_and(|until| now < until)
    }

    /// It does not know `finalized`.
    pub(super) fn set_lacks_finality(&self, now: Instant) {
        self.learned.lock().no_finality_until = Some(now + self.limit_memory);
    }

    /// How many calls it takes at once.
    pub(super) fn batch_size(&self) -> usize {
        let limit = Limit::at(self.learned.lock().batch, Instant::now());
        limit.unwrap_or(self.max_batch).clamp(1, self.max_batch)
    }

    /// A batch of `tried` was refused.
    fn shrink_batch(&self, tried: usize, named: Option<usize>) {
        let value = named.filter(|limit| *limit < tried).unwrap_or(tried / 2).max(1);
        tracing::debug!(endpoint = self.name, batch = value, "the endpoint wants smaller batches");
        self.learned.lock().batch = Some(Limit::new(value, Instant::now() + self.limit_memory));
    }
}

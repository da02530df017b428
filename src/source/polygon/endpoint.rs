//! One JSON-RPC endpoint: how it is asked, and what has been learned about it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::Mutex;
use reqwest::Url;

use super::config::PolygonConfig;
use super::failure::Failure;
use super::http;
use super::reply::{self, Outcome, Reply, RpcError};
use super::vocabulary::{self, Verdict};
use crate::source::http::name_of;
use crate::source::http::retry_after::LONGEST;

/// One request.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// The JSON-RPC method.
    pub(super) method: &'static str,
    /// Its parameters, as JSON.
    pub(super) params: String,
}

/// A JSON-RPC endpoint.
pub(super) struct Endpoint {
    name: String,
    http: http::Client,
    next_id: AtomicU64,
    max_batch: usize,
    cool_down: Duration,
    limit_memory: Duration,
    learned: Mutex<Learned>,
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
    batch: Option<Limit<usize>>,
    range: Option<Limit<u64>>,
    no_finality_until: Option<Instant>,
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

/// A limit that holds until it is worth another try.
#[derive(Clone, Copy, Debug)]
struct Limit<T> {
    value: T,
    until: Instant,
}

impl<T: Copy> Limit<T> {
    fn at(limit: Option<Self>, now: Instant) -> Option<T> {
        limit.filter(|limit| now < limit.until).map(|limit| limit.value)
    }
}

impl Endpoint {
    pub(super) fn new(url: Url, client: reqwest::Client, config: &PolygonConfig) -> Self {
        Self {
            name: name_of(&url),
            http: http::Client::new(url, client, config.max_body),
            next_id: AtomicU64::new(1),
            max_batch: config.max_batch.max(1),
            cool_down: config.cool_down,
            limit_memory: config.limit_memory,
            learned: Mutex::default(),
        }
    }

    /// Host and port, which is all that may be shown.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Asks one question.
    pub(super) async fn one(&self, call: Call) -> Result<Bytes, Failure> {
        let mut results = self.all(&[call]).await?;
        results.pop().ok_or_else(|| Failure::Untrusted("no answer".to_owned()))
    }

    /// Asks several questions, in as few batches as the endpoint allows. The results come in the order of the calls.
    pub(super) async fn all(&self, calls: &[Call]) -> Result<Vec<Bytes>, Failure> {
        let mut results = Vec::with_capacity(calls.len());
        while results.len() < calls.len() {
            let rest = &calls[results.len()..];
            let batch = &rest[..self.batch_size().min(rest.len())];
            match self.batch(batch).await {
                Ok(more) => {
                    self.learned.lock().strikes = 0;
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
    async fn batch(&self, calls: &[Call]) -> Result<Vec<Bytes>, Failure> {
        let asked = calls.len();
        let first_id = self.next_id.fetch_add(asked as u64, Ordering::Relaxed);
        let requests = calls.iter().zip(first_id..).map(|(Call { method, params }, id)| {
            format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#)
        });
        let requests: Vec<String> = requests.collect();
        let body = if asked == 1 { requests.concat() } else { format!("[{}]", requests.join(",")) };

        let answer = self.http.post(body, asked).await?;
        let reply =
            reply::read(&answer, first_id, asked).map_err(|cause| Failure::Untrusted(self.http.redact(&cause)))?;
        match reply {
            Reply::Each(outcomes) => outcomes.into_iter().map(|outcome| self.result(outcome)).collect(),
            Reply::Whole(error) => Err(match self.judge(&error) {
                // One error for a whole batch, in words that mean nothing: perhaps it knows no batches.
                Failure::Refused(cause) if asked > 1 => Failure::BatchTooLarge { limit: None, cause },
                failure => failure,
            }),
        }
    }

    fn result(&self, outcome: Outcome) -> Result<Bytes, Failure> {
        outcome.map_err(|error| self.judge(&error))
    }

    fn judge(&self, error: &RpcError) -> Failure {
        let cause = self.http.redact(&error.message);
        match vocabulary::judge(error.code, &error.message) {
            Verdict::BatchTooLarge(limit) => Failure::BatchTooLarge { limit, cause },
            Verdict::RangeTooLarge(hint) => Failure::RangeTooLarge { hint, cause },
            Verdict::RateLimited => Failure::RateLimited { cause, retry_after: None },
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

    /// The most blocks that it allows in one request, where it has said so.
    pub(super) fn range_limit(&self, now: Instant) -> Option<u64> {
        Limit::at(self.learned.lock().range, now)
    }

    /// It allows at most `blocks` blocks in one request.
    pub(super) fn limit_range(&self, blocks: u64, now: Instant) {
        self.learned.lock().range = Some(Limit { value: blocks.max(1), until: now + self.limit_memory });
    }

    /// Whether it has lately said that it does not know `finalized`.
    pub(super) fn lacks_finality(&self, now: Instant) -> bool {
        self.learned.lock().no_finality_until.is_some_and(|until| now < until)
    }

    /// It does not know `finalized`.
    pub(super) fn set_lacks_finality(&self, now: Instant) {
        self.learned.lock().no_finality_until = Some(now + self.limit_memory);
    }

    fn batch_size(&self) -> usize {
        let limit = Limit::at(self.learned.lock().batch, Instant::now());
        limit.unwrap_or(self.max_batch).clamp(1, self.max_batch)
    }

    /// A batch of `tried` was refused.
    fn shrink_batch(&self, tried: usize, named: Option<usize>) {
        let value = named.filter(|limit| *limit < tried).unwrap_or(tried / 2).max(1);
        tracing::debug!(endpoint = self.name, batch = value, "the endpoint wants smaller batches");
        self.learned.lock().batch = Some(Limit { value, until: Instant::now() + self.limit_memory });
    }
}

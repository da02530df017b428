//! Keeps something that fails from being asked by everybody at once: a circuit breaker that all its callers share.
//!
//! Each caller has its own `Backoff`. Many of them together are still a storm, so whatever is asked
//! over a network has one breaker besides: after [`OPENS_AT`] failures in a row, summed over all callers, one attempt is made
//! every few seconds, and everybody else is told at once why the last one failed. Who waits is woken when the dependency
//! answers again, so that a long outage costs seconds and not what the back-off had grown to.
//!
//! Never: decides what an error means. Whoever asks says whether there was an answer.

use std::sync::atomic::{AtomicU32, Ordering};
use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use parking_lot::Mutex;
use rand::RngExt;
use tokio::{sync::watch, time::Instant};

/// So many failures in a row, with no answer between them, open it.
pub const OPENS_AT: u32 = 10;

/// How long to wait between two attempts while it is open. An attempt may be two requests, since a connection that was closed
/// while it was idle shows only in use.
const LEAST: Duration = Duration::from_secs(2);
const MOST: Duration = Duration::from_secs(4);

/// An attempt that takes longer than this keeps nobody from the next one.
const LONG: Duration = Duration::from_secs(5);

/// Who was invited to make the next attempt has to make it within this time.
const INVITED: Duration = Duration::from_millis(500);

/// From here on an attempt is taken for one that is not answered.
const SILENT: Duration = Duration::from_millis(800);

/// How often who waits looks whether it was opened meanwhile.
const LOOK: Duration = Duration::from_millis(500);

/// The breaker of a dependency. Clones are the same one.
#[derive(Clone)]
pub struct Breaker(Arc<Inner>);

struct Inner {
    name: Mutex<String>,
    /// Failures in a row.
    failures: AtomicU32,
    outage: Mutex<State>,
    /// How often it has recovered.
    recovered: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    since: Option<Instant>,
    cause: String,
    /// When the next attempt is due.
    due: Option<Instant>,
    /// Since when one is under way.
    trying: Option<Instant>,
    /// Until when it is left to who was woken for it.
    invited: Option<Instant>,
    /// What was asked and is not answered, by number, and since when.
    under_way: BTreeMap<u64, Instant>,
    asked: u64,
    /// When it last answered.
    answered: Option<Instant>,
}

/// A dependency that does not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outage {
    /// `ClickHouse at http://host:port`. No more of its address: the rest may be a key.
    pub name: String,
    /// Why the last attempt failed, in a few words: `connection refused`.
    pub cause: String,
    /// For how long.
    pub lasts: Duration,
    /// How often in a row.
    pub failures: u32,
}

/// What everybody else is told while one tries.
impl fmt::Display for Outage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cannot be reached: {}", self.name, self.cause)
    }
}

/// Leave to ask once. Dropped without a word it says nothing of the dependency.
pub struct Attempt {
    breaker: Breaker,
    number: u64,
    is_trial: bool,
}

impl Breaker {
    /// Of a dependency of this name, which must be fit to be shown.
    pub fn new(name: impl Into<String>) -> Self {
        let recovered = watch::Sender::new(0);
        Self(Arc::new(Inner {
            name: Mutex::new(name.into()),
            failures: AtomicU32::new(0),
            outage: Mutex::default(),
            recovered,
        }))
    }

    /// The name of the dependency.
    pub fn name(&self) -> String {
        self.0.name.lock().clone()
    }

    /// Calls it so from now on: a server tells its name with its first answer.
    pub fn rename(&self, name: impl Into<String>) {
        *self.0.name.lock() = name.into();
    }

    /// Leave to ask, or why that is of no use now.
    pub fn attempt(&self) -> Result<Attempt, Outage> {
        let now = Instant::now();
        let mut state = self.0.outage.lock();
        if !self.is_open() {
            return Ok(self.begin(&mut state, now, false));
        }
        let is_tried = state.trying.is_some_and(|since| now < since + LONG);
        let is_due = state.due.is_none_or(|due| now >= due) || state.invited.is_some_and(|until| now < until);
        if is_tried || !is_due {
            return Err(self.describe(&state));
        }
        (state.trying, state.invited, state.due) = (Some(now), None, Some(now + pause()));
        Ok(self.begin(&mut state, now, true))
    }

    fn begin(&self, state: &mut State, now: Instant, is_trial: bool) -> Attempt {
        state.asked += 1;
        state.under_way.insert(state.asked, now);
        Attempt { breaker: self.clone(), number: state.asked, is_trial }
    }

    /// There was an answer.
    pub fn answered(&self) {
        if self.0.failures.load(Ordering::Acquire) == 0 {
            return;
        }
        let was_open = {
            let mut state = self.0.outage.lock();
            (state.since, state.due, state.trying, state.invited) = (None, None, None, None);
            state.cause.clear();
            self.0.failures.swap(0, Ordering::AcqRel) >= OPENS_AT
        };
        if was_open {
            tracing::info!("{} answers again", self.name());
            self.0.recovered.send_modify(|times| *times += 1);
        }
    }

    /// There was none. `cause` is shown.
    pub fn failed(&self, cause: impl Into<String>) {
        let now = Instant::now();
        let mut state = self.0.outage.lock();
        let failures = self.0.failures.load(Ordering::Acquire).saturating_add(1);
        self.0.failures.store(failures, Ordering::Release);
        state.since.get_or_insert(now);
        state.cause = cause.into();
        state.due = Some(now + pause());
    }

    /// The outage, if there is one.
    pub fn outage(&self) -> Option<Outage> {
        let is_away = self.0.failures.load(Ordering::Acquire) > 0;
        is_away.then(|| self.describe(&self.0.outage.lock()))
    }

    /// The same of what was asked a while ago, and has answered nobody since.
    pub fn unanswered(&self) -> Option<Outage> {
        let state = self.0.outage.lock();
        let lasts =
            state.under_way.values().min().filter(|since| state.answered.is_none_or(|at| at < **since))?.elapsed();
        let cause = if state.cause.is_empty() { "no answer yet".to_owned() } else { state.cause.clone() };
        (lasts >= SILENT).then(|| Outage { lasts, cause, ..self.describe(&state) })
    }

    /// Whether only one attempt now and then is made.
    pub fn is_open(&self) -> bool {
        self.0.failures.load(Ordering::Acquire) >= OPENS_AT
    }

    /// Waits until it is worth asking again: it answers again, or it is this caller's turn to find out. Pends as long as it
    /// answers others: what fails all the same is another matter.
    pub async fn worth_asking(&self) {
        let mut recovered = self.0.recovered.subscribe();
        loop {
            let wait = match self.turn() {
                None => return,
                Some(wait) => wait,
            };
            tokio::select! {
                changed = recovered.changed() => match changed {
                    Ok(()) => return,
                    Err(_) => std::future::pending().await,
                },
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// How long to wait before looking again, or nothing where it is the caller's turn.
    fn turn(&self) -> Option<Duration> {
        if self.0.failures.load(Ordering::Acquire) == 0 {
            return Some(LOOK);
        }
        let now = Instant::now();
        let mut state = self.0.outage.lock();
        let tried_until = state.trying.map(|since| since + LONG);
        let not_before = [state.due, state.invited, tried_until].into_iter().flatten().filter(|at| *at > now).max();
        match not_before {
            // An attempt that is under way may end sooner.
            Some(at) => Some((at - now).min(LOOK)),
            None => {
                state.invited = Some(now + INVITED);
                None
            }
        }
    }

    fn describe(&self, state: &State) -> Outage {
        Outage {
            name: self.name(),
            cause: state.cause.clone(),
            lasts: state.since.map_or(Duration::ZERO, |since| since.elapsed()),
            failures: self.0.failures.load(Ordering::Acquire),
        }
    }
}

impl Attempt {
    /// There was an answer, whatever it says.
    pub fn answered(self) {
        self.breaker.0.outage.lock().answered = Some(Instant::now());
        self.breaker.answered();
    }

    /// There was none.
    pub fn failed(self, cause: impl Into<String>) {
        self.breaker.failed(cause);
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        let mut state = self.breaker.0.outage.lock();
        state.under_way.remove(&self.number);
        if self.is_trial {
            state.trying = None;
            if self.breaker.is_open() {
                state.due = Some(Instant::now() + pause());
            }
        }
    }
}

fn pause() -> Duration {
    rand::rng().random_range(LEAST..=MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open() -> Breaker {
        let breaker = Breaker::new("a server");
        for _ in 0..OPENS_AT {
            breaker.attempt().unwrap().failed("refused");
        }
        breaker
    }

    #[tokio::test(start_paused = true)]
    async fn ten_failures_open_it_and_an_answer_between_them_does_not() {
        let breaker = Breaker::new("a server");
        for _ in 0..3 {
            for _ in 0..OPENS_AT - 1 {
                breaker.attempt().unwrap().failed("refused");
            }
            assert!(!breaker.is_open());
            breaker.attempt().unwrap().answered();
            assert_eq!(breaker.outage(), None);
        }
        let outage = open().attempt().err().unwrap();
        assert_eq!(outage.to_string(), "a server cannot be reached: refused");
        assert_eq!(outage.failures, OPENS_AT);
    }

    #[tokio::test(start_paused = true)]
    async fn however_many_ask_one_attempt_is_made_now_and_then() {
        let (breaker, mut attempts) = (open(), 0_u32);
        for _ in 0..6_000 {
            if let Ok(attempt) = breaker.attempt() {
                attempts += 1;
                attempt.failed("refused");
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!((15..=30).contains(&attempts), "{attempts} in a minute");
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_takes_long_or_is_given_up_keeps_nobody_from_the_next() {
        let breaker = open();
        tokio::time::sleep(MOST).await;
        let held = breaker.attempt().unwrap();
        tokio::time::sleep(LONG - Duration::from_millis(1)).await;
        assert!(breaker.attempt().is_err(), "one at a time");
        tokio::time::sleep(Duration::from_millis(1)).await;
        drop(breaker.attempt().unwrap());
        drop(held);
        assert!(breaker.attempt().is_err(), "given up is no answer");
        tokio::time::sleep(MOST).await;
        assert!(breaker.attempt().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn one_of_those_who_wait_tries_and_all_are_woken_when_it_answers() {
        let breaker = open();
        let begun = Instant::now();
        let waiting: Vec<_> = (0..5)
            .map(|_| {
                let breaker = breaker.clone();
                tokio::spawn(async move {
                    let mut attempts = 0;
                    loop {
                        breaker.worth_asking().await;
                        match breaker.attempt() {
                            Err(_) => {}
                            Ok(attempt) if !breaker.is_open() => {
                                attempt.answered();
                                return attempts;
                            }
                            Ok(attempt) => {
                                attempts += 1;
                                if begun.elapsed() < Duration::from_secs(60) {
                                    attempt.failed("refused");
                                } else {
                                    attempt.answered();
                                    return attempts;
                                }
                            }
                        }
                    }
                })
            })
            .collect();
        let mut attempts = 0;
        for task in waiting {
            attempts += task.await.unwrap();
        }
        assert!((14..=32).contains(&attempts), "{attempts}");
        assert!(begun.elapsed() < Duration::from_secs(60) + MOST + LOOK, "{:?}", begun.elapsed());
        assert_eq!(breaker.outage(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn the_only_caller_finds_out_soon_and_one_whose_requests_fail_alone_does_not() {
        let breaker = Breaker::new("a server");
        breaker.attempt().unwrap().failed("refused");
        let begun = Instant::now();
        breaker.worth_asking().await;
        assert!((LEAST..=MOST + LOOK).contains(&begun.elapsed()), "{:?}", begun.elapsed());
        breaker.failed("cut");
        breaker.answered();
        let waited = tokio::time::timeout(Duration::from_secs(600), breaker.worth_asking()).await;
        assert!(waited.is_err(), "others are answered: its own back-off counts");
    }
}

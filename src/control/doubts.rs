//! Checks the source beside the reading, and has read again what is in doubt.
//!
//! A range is in doubt from the moment at which the source says so to the end of a replay of it, which is written down before
//! anything else, so that it outlives the process.

use std::{sync::Arc, time::Duration};

use futures::FutureExt;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::control::{job::DOUBT, job::registry::JobRegistry, supervisor::Supervisor};
use crate::streams::session::{Session, read_position};
use crate::streams::{Fills, Progress, unproved::Unproved};
use crate::{source::InDoubt, warehouse::JobState};

/// How often to look whether something is to be checked, or written down.
const LOOK: Duration = Duration::from_millis(500);

/// Ranges that wait to be written down, at most; more are joined.
const WAITING: usize = 8;

pub(crate) async fn run(
    session: Arc<Session>,
    supervisor: Arc<Supervisor>,
    registry: Arc<JobRegistry>,
    progress: Arc<watch::Sender<Progress>>,
    drain: CancellationToken,
) {
    let source = &session.chain.source;
    let mut unproved = Unproved::new(Arc::clone(&session));
    let mut waiting: Vec<InDoubt> = Vec::new();
    while !drain.is_cancelled() {
        // What earlier processes knew belongs to what is found: it comes first.
        let found = match drain.run_until_cancelled(unproved.restore()).await {
            Some(true) => drain.run_until_cancelled(source.check()).await.flatten(),
            _ => None,
        };
        let is_idle = found.is_none();
        for range in found.into_iter().flatten() {
            join(&mut waiting, range);
        }
        show(&session.chain, &waiting, &registry, &progress);
        if let Some(range) = waiting.first() {
            match supervisor.read_again(range).await {
                Ok(()) => drop(waiting.remove(0)),
                Err(cause) => tracing::debug!(cause, "blocks in doubt are not stored yet"),
            }
        }
        // Not before what was found is written down: until then what is kept is all that is known of it after a kill.
        if waiting.is_empty() {
            let _ = drain.run_until_cancelled(unproved.keep()).await;
        }
        if is_idle || !waiting.is_empty() {
            let _ = drain.run_until_cancelled(tokio::time::sleep(LOOK)).await;
        }
    }
    // What is known by now would be forgotten with this process. Nobody is asked any more for that.
    for range in source.check().now_or_never().flatten().into_iter().flatten() {
        join(&mut waiting, range);
    }
    let mut failed = None;
    for range in &waiting {
        if failed.is_none() {
            failed = supervisor.read_again(range).await.err();
        }
        if let Some(cause) = &failed {
            let InDoubt { endpoint, from, to } = range;
            tracing::error!("blocks {from} to {to} of {endpoint} are in doubt, which could not be stored: {cause}");
        }
    }
}

fn join(waiting: &mut Vec<InDoubt>, range: InDoubt) {
    match waiting.last_mut().filter(|last| last.from <= range.to.saturating_add(1) && range.from <= last.to + 1) {
        Some(last) => (last.from, last.to) = (last.from.min(range.from), last.to.max(range.to)),
        None => waiting.push(range),
    }
    if waiting.len() > WAITING
        && let Some(range) = waiting.pop()
        && let Some(last) = waiting.last_mut()
    {
        (last.from, last.to) = (last.from.min(range.from), last.to.max(range.to));
    }
}

/// From which block on the source is in doubt: of what waits, and of the replays that have not ended well.
fn show(chain: &Fills, waiting: &[InDoubt], registry: &JobRegistry, progress: &watch::Sender<Progress>) {
    let jobs = registry.statuses().into_iter().filter(|job| {
        job.record.id.starts_with(DOUBT) && matches!(job.record.state, JobState::Running | JobState::Failed)
    });
    let begins = jobs.filter_map(|job| read_position("", &job.record.begin).ok());
    let in_doubt = begins.map(|begin| begin.block).chain(waiting.iter().map(|range| range.from)).min();
    let state = chain.source.state();
    progress.send_if_modified(|progress| {
        let progress = progress.of_mut(chain.name());
        let changed = progress.in_doubt != in_doubt || progress.state != state;
        (progress.in_doubt, progress.state) = (in_doubt, state);
        changed
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_joined_and_bounded() {
        let range = |from, to| InDoubt { endpoint: "node".into(), from, to };
        let mut waiting = Vec::new();
        join(&mut waiting, range(10, 20));
        join(&mut waiting, range(15, 30));
        join(&mut waiting, range(31, 31));
        assert_eq!(waiting, [range(10, 31)]);
        for number in 1..100 {
            join(&mut waiting, range(number * 1_000, number * 1_000 + 1));
        }
        assert!(waiting.len() <= WAITING);
        assert_eq!(waiting.last().map(|last| last.to), Some(99_001), "none is forgotten");
    }
}

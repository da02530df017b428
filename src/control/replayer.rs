//! Does a replay, or stands by while another process runs it.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::broker::{BrokerError, Group, Stream};
use crate::control::runner::{Ended, OnFailure, Runner};
use crate::control::{
    desired::StageControl, factory::StageFactory, job::Job, job::registry::JobRegistry, status::StatusLine,
};
use crate::flow::{StageId, StreamId};
use crate::streams::{StageError, WaitCause, session::Session};
use crate::warehouse::{JobRecord, JobState};
use crate::{backoff::Backoff, clock::unix_ms, secrets};

/// How often how far it has come is written down, and who does it is asked.
const KEEP: Duration = Duration::from_secs(5);

/// How often who stands by asks whether nobody does it any more.
const STAND_BY: Duration = Duration::from_secs(1);

/// How often to look whether its outputs have landed.
const POLL: Duration = Duration::from_millis(100);

/// Brings a replay to its end, unless the drain comes first: then it continues in another process, or the next.
pub(crate) async fn run(job: Arc<Job>, line: StatusLine, factory: Arc<StageFactory>, drain: CancellationToken) {
    let session = &factory.session;
    while stand_by(&job, session, &line, &drain).await {
        match work(&job, &line, &factory, &drain).await {
            Some(ended) => {
                end(&job, session, ended, &drain).await;
                break;
            }
            None => {
                job.note_held(false);
                tracing::warn!("replay {} of {} continues in another process", job.id(), job.stage);
            }
        }
    }
    let _ = session.broker.release_lease(&job.name()).await;
}

/// Waits until it is this process that does it. False where that never comes.
async fn stand_by(job: &Job, session: &Session, line: &StatusLine, drain: &CancellationToken) -> bool {
    let (mut has_waited, mut backoff) = (false, Backoff::default());
    loop {
        let mut failed = None;
        match drain.run_until_cancelled(take(job, session)).await {
            None => return false,
            Some(Ok(true)) => {
                if has_waited && !job.has_ended() {
                    tracing::info!("replay {} of {} continues in this process", job.id(), job.stage);
                }
                return !job.has_ended();
            }
            Some(Ok(false)) => {
                backoff.reset();
                line.wait_quietly(WaitCause::Other("another process runs it".into()));
            }
            Some(Err(error)) => {
                line.wait_quietly(session.breakers.cause(&error));
                failed = Some(error);
            }
        }
        has_waited = true;
        let pause = async {
            match &failed {
                None => tokio::time::sleep(STAND_BY).await,
                Some(error) => session.breakers.wait(error, backoff.next().max(STAND_BY)).await,
            }
        };
        if drain.run_until_cancelled(pause).await.is_none() || job.has_ended() {
            return false;
        }
    }
}

/// Takes it, unless another process runs it.
async fn take(job: &Job, session: &Session) -> Result<bool, StageError> {
    session.enter().await?;
    if !session.broker.acquire_lease(&job.name()).await? {
        return Ok(false);
    }
    // What was done of it elsewhere is in its record, to the very end.
    let records = session.warehouse.jobs(&session.pipeline, JobRegistry::ENDED as u32).await?;
    if let Some(record) = records.into_iter().find(|record| record.id == job.id()) {
        job.refresh(record);
    }
    job.note_held(true);
    Ok(true)
}

/// Does it, and says how that ended; `None` where another process runs it now.
async fn work(
    job: &Arc<Job>,
    line: &StatusLine,
    factory: &Arc<StageFactory>,
    drain: &CancellationToken,
) -> Option<Result<Ended, StageError>> {
    let session = &factory.session;
    let hurry = drain.child_token();
    // Kept to the end: a runner whose control channel is gone is told nothing any more.
    let (_controls, receiver) = watch::channel(StageControl::RUN);
    let work = async {
        loop {
            let before = generation(session).await;
            let runner = Runner {
                open: factory.open_replay(job),
                status: line.clone(),
                control: receiver.clone(),
                drain: hurry.clone(),
                on_failure: OnFailure::End,
                breakers: session.breakers.clone(),
                progress: None,
            };
            let ended = runner.run().await?;
            if ended == Ended::Done {
                let mut backoff = Backoff::default();
                while let Err(error) = job.note_lost(session).await {
                    let pause = session.breakers.wait(&error, backoff.next().max(POLL));
                    if hurry.run_until_cancelled(pause).await.is_none() {
                        return Ok(Ended::Drained);
                    }
                    let _ = session.enter().await;
                }
            }
            if ended != Ended::Done || job.stage != StageId::ProcessTrades {
                return Ok::<_, StageError>(ended);
            }
            line.wait_quietly(WaitCause::Other("its trades are being written".into()));
            // Its group is clear by then: where the drain comes first the next process waits for the same.
            if hurry.run_until_cancelled(until_written(session)).await.is_none() {
                return Ok(Ended::Drained);
            }
            // Where the streams were lost or put back meanwhile, so may be its trades: it is done again, as far as they are there.
            if before.is_some() && before == generation(session).await {
                return Ok(Ended::Done);
            }
            if hurry.run_until_cancelled(tokio::time::sleep(POLL)).await.is_none() {
                return Ok(Ended::Drained);
            }
        }
    };
    let kept = async {
        loop {
            tokio::time::sleep(KEEP).await;
            if let Ok(false) = session.broker.acquire_lease(&job.name()).await {
                return;
            }
            // How far it has come is worth something after a kill.
            let _ = job.note_lost(session).await;
            let _ = job.status();
            let _ = session.warehouse.set_job(&session.pipeline, &job.record()).await;
        }
    };
    tokio::select! {
        biased;
        ended = work => Some(ended),
        () = kept => None,
        // Cut off, as a kill would: what is in hand is written or not, and both are fine.
        () = job.cancel.cancelled() => Some(Ok(Ended::Drained)),
    }
}

/// Writes down how it ended.
async fn end(job: &Job, session: &Session, ended: Result<Ended, StageError>, drain: &CancellationToken) {
    let _ = job.status();
    let state = match ended {
        Ok(Ended::Drained) if !job.cancel.is_cancelled() => return keep(job, session, drain, false).await,
        Ok(Ended::Drained) => JobState::Cancelled,
        Ok(Ended::Done) if !job.record().reason.is_empty() => JobState::Failed,
        Ok(Ended::Done) => JobState::Done,
        Err(error) => {
            job.update(|record| record.reason = secrets::line(&error.to_string()));
            JobState::Failed
        }
    };
    job.update(|record| (record.state, record.ended_at) = (state, Some(unix_ms())));
    keep(job, session, drain, true).await;
    let JobRecord { id, moved, state, reason, .. } = job.record();
    let stage = job.stage.as_str();
    match state {
        JobState::Failed => tracing::error!("replay {id} of {stage} failed: {reason}"),
        _ => tracing::info!("replay {id} of {stage} {}: {moved} rows", state.as_str()),
    }
}

/// By what two moments are told between which nothing was taken back; nothing where that cannot be asked.
async fn generation(session: &Session) -> Option<String> {
    session
        .broker
        .barrier(&session.chain.cursor_key(), &Stream::of(StreamId::Trades))
        .await
        .ok()
        .map(|barrier| barrier.generation)
}

/// Waits until everything that is in the streams of trades now is in the tables, however long the broker does not answer.
async fn until_written(session: &Session) {
    let streams = StageId::ProcessTrades.declared().writes.iter().filter(|stream| **stream != StreamId::DeadLetters);
    for writers in streams.copied().map(Group::of) {
        until_clear(session, writers).await;
    }
}

async fn until_clear(session: &Session, writers: Group) {
    let (mut last, mut backoff) = (None, Backoff::default());
    loop {
        let is_clear = async {
            let id = match last {
                Some(id) => id,
                None => session.broker.stream(&writers.stream).await?.last_id,
            };
            last = Some(id);
            session.broker.is_clear(&writers, id).await
        };
        match is_clear.await {
            Ok(true) => return,
            Ok(false) => {
                backoff.reset();
                tokio::time::sleep(POLL).await;
            }
            Err(error) => session.breakers.wait(&error.into(), backoff.next().max(POLL)).await,
        }
    }
}

/// Writes down how it stands, and ends its group with it; again until that is done or the drain comes.
async fn keep(job: &Job, session: &Session, drain: &CancellationToken, is_over: bool) {
    let mut backoff = Backoff::default();
    loop {
        let kept = async {
            if is_over && job.reads_stream() {
                match session.broker.close_group(&job.group()?).await {
                    // Groups end with their streams.
                    Ok(()) | Err(BrokerError::Lost(_)) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Ok::<_, StageError>(session.warehouse.set_job(&session.pipeline, &job.record()).await?)
        };
        match kept.await {
            Ok(()) => return,
            Err(error) if drain.is_cancelled() => {
                tracing::warn!("the replay's progress could not be stored: {error}");
                return;
            }
            Err(error) => {
                let _ = drain.run_until_cancelled(session.breakers.wait(&error, backoff.next())).await;
            }
        }
    }
}

//! Does a replay, or stands by while another process does it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Board, Job};
use crate::broker::{BrokerError, Stream};
use crate::clock::unix_ms;
use crate::secrets;
use crate::stage::backoff::Backoff;
use crate::stage::life::Life;
use crate::stage::orders::Orders;
use crate::stage::runner::{Ended, OnFailure, Runner};
use crate::stage::status::StatusLine;
use crate::stage::workshop::Workshop;
use crate::stage::{StageError, StageName};
use crate::warehouse::{JobRecord, JobState};

/// How often how far it has come is written down, and who does it is asked.
const KEEP: Duration = Duration::from_secs(5);

/// How often who stands by asks whether nobody does it any more.
const STAND_BY: Duration = Duration::from_secs(1);

/// How often to look whether its outputs have landed.
const POLL: Duration = Duration::from_millis(100);

/// Brings a replay to its end, unless the drain comes first: then it goes on in another process, or the next.
pub(in crate::stage) async fn run(job: Arc<Job>, line: StatusLine, workshop: Arc<Workshop>, drain: CancellationToken) {
    let life = &workshop.life;
    while stand_by(&job, life, &line, &drain).await {
        match work(&job, &line, &workshop, &drain).await {
            Some(ended) => {
                end(&job, life, ended, &drain).await;
                break;
            }
            None => {
                job.note_held(false);
                tracing::warn!("replay {} of {} goes on in another process", job.id(), job.stage);
            }
        }
    }
    let _ = life.broker.release(&job.name()).await;
}

/// Waits until it is this process that does it. False where that never comes.
async fn stand_by(job: &Job, life: &Life, line: &StatusLine, drain: &CancellationToken) -> bool {
    let (mut has_waited, mut backoff) = (false, Backoff::default());
    loop {
        let mut failed = None;
        match drain.run_until_cancelled(take(job, life)).await {
            None => return false,
            Some(Ok(true)) => {
                if has_waited && !job.has_ended() {
                    tracing::info!("replay {} of {} goes on in this process", job.id(), job.stage);
                }
                return !job.has_ended();
            }
            Some(Ok(false)) => {
                backoff.reset();
                line.wait_quietly("another process does it".into());
            }
            Some(Err(error)) => {
                line.wait_quietly(error.to_string());
                failed = Some(error);
            }
        }
        has_waited = true;
        let pause = async {
            match &failed {
                None => tokio::time::sleep(STAND_BY).await,
                Some(error) => life.breakers.wait(error, backoff.next().max(STAND_BY)).await,
            }
        };
        if drain.run_until_cancelled(pause).await.is_none() || job.has_ended() {
            return false;
        }
    }
}

/// Takes it, unless another process does it.
async fn take(job: &Job, life: &Life) -> Result<bool, StageError> {
    life.enter().await?;
    if !life.broker.hold(&job.name()).await? {
        return Ok(false);
    }
    // What was done of it elsewhere is in its record, to the very end.
    let records = life.warehouse.jobs(&life.pipeline, Board::ENDED as u32).await?;
    if let Some(record) = records.into_iter().find(|record| record.id == job.id()) {
        job.refresh(record);
    }
    job.note_held(true);
    Ok(true)
}

/// Does it, and says how that ended; `None` where another process does it now.
async fn work(
    job: &Arc<Job>,
    line: &StatusLine,
    workshop: &Arc<Workshop>,
    drain: &CancellationToken,
) -> Option<Result<Ended, StageError>> {
    let life = &workshop.life;
    let hurry = drain.child_token();
    // Kept to the end: a runner whose orders are gone is told nothing any more.
    let (_orders, receiver) = watch::channel(Orders::RUN);
    let work = async {
        loop {
            let before = generation(life).await;
            let runner = Runner {
                open: workshop.open_replay(job),
                status: line.clone(),
                orders: receiver.clone(),
                drain: hurry.clone(),
                on_failure: OnFailure::End,
                breakers: life.breakers.clone(),
                progress: None,
            };
            let ended = runner.run().await?;
            if ended == Ended::Done {
                let mut backoff = Backoff::default();
                while let Err(error) = job.note_lost(life).await {
                    let pause = life.breakers.wait(&error, backoff.next().max(POLL));
                    if hurry.run_until_cancelled(pause).await.is_none() {
                        return Ok(Ended::Drained);
                    }
                    let _ = life.enter().await;
                }
            }
            if ended != Ended::Done || job.stage != StageName::ProcessTrades {
                return Ok::<_, StageError>(ended);
            }
            line.wait_quietly("its trades are being written".into());
            // Its group is clear by then: where the drain comes first the next process waits for the same.
            if hurry.run_until_cancelled(until_written(life)).await.is_none() {
                return Ok(Ended::Drained);
            }
            // Where the streams were lost or put back meanwhile, so may be its trades: it is done again, as far as they are there.
            if before.is_some() && before == generation(life).await {
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
            if let Ok(false) = life.broker.hold(&job.name()).await {
                return;
            }
            // How far it has come is worth something after a kill.
            let _ = job.note_lost(life).await;
            let _ = job.status();
            let _ = life.warehouse.set_job(&life.pipeline, &job.record()).await;
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
async fn end(job: &Job, life: &Life, ended: Result<Ended, StageError>, drain: &CancellationToken) {
    let _ = job.status();
    let state = match ended {
        Ok(Ended::Drained) if !job.cancel.is_cancelled() => return keep(job, life, drain, false).await,
        Ok(Ended::Drained) => JobState::Cancelled,
        Ok(Ended::Done) if !job.record().reason.is_empty() => JobState::Failed,
        Ok(Ended::Done) => JobState::Done,
        Err(error) => {
            job.update(|record| record.reason = secrets::line(&error.to_string()));
            JobState::Failed
        }
    };
    job.update(|record| (record.state, record.ended_at) = (state, Some(unix_ms())));
    keep(job, life, drain, true).await;
    let JobRecord { id, moved, state, reason, .. } = job.record();
    let stage = job.stage.as_str();
    match state {
        JobState::Failed => tracing::error!("replay {id} of {stage} failed: {reason}"),
        _ => tracing::info!("replay {id} of {stage} {}: {moved} rows", state.as_str()),
    }
}

/// By what two moments are told between which nothing was taken back; nothing where that cannot be asked.
async fn generation(life: &Life) -> Option<String> {
    life.broker.mark(&life.cursor_key(), &Stream::trades()).await.ok().map(|mark| mark.generation)
}

/// Waits until everything that is in the stream of trades now is in the table, however long the broker does not answer.
async fn until_written(life: &Life) {
    let writers = &life.groups.trade_writers;
    let (mut last, mut backoff) = (None, Backoff::default());
    loop {
        let is_clear = async {
            let id = match last {
                Some(id) => id,
                None => life.broker.stream(&writers.stream).await?.last_id,
            };
            last = Some(id);
            life.broker.is_clear(writers, id).await
        };
        match is_clear.await {
            Ok(true) => return,
            Ok(false) => {
                backoff.reset();
                tokio::time::sleep(POLL).await;
            }
            Err(error) => life.breakers.wait(&error.into(), backoff.next().max(POLL)).await,
        }
    }
}

/// Writes down how it stands, and ends its group with it; again until that is done or the drain comes.
async fn keep(job: &Job, life: &Life, drain: &CancellationToken, is_over: bool) {
    let mut backoff = Backoff::default();
    loop {
        let kept = async {
            if is_over && job.reads_stream() {
                match life.broker.close_group(&job.group(life)?).await {
                    // Groups end with their streams.
                    Ok(()) | Err(BrokerError::Lost(_)) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Ok::<_, StageError>(life.warehouse.set_job(&life.pipeline, &job.record()).await?)
        };
        match kept.await {
            Ok(()) => return,
            Err(error) if drain.is_cancelled() => {
                tracing::warn!("how the replay stands could not be written down: {error}");
                return;
            }
            Err(error) => {
                let _ = drain.run_until_cancelled(life.breakers.wait(&error, backoff.next())).await;
            }
        }
    }
}

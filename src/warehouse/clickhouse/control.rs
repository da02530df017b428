//! What polytape keeps for itself: checkpoints, desired states, replays.

use std::collections::HashMap;

use clickhouse::Row;
use serde::Deserialize;

use super::ClickhouseError;
use super::answer::Written;
use super::connection::Connection;
use super::read_back::check_kept;
use crate::warehouse::{Checkpoint, JobRecord, JobState, WarehouseError};

const CHECKPOINT: &str = include_str!("../../../schema/clickhouse/queries/checkpoint.sql");
const SET_CHECKPOINT: &str = include_str!("../../../schema/clickhouse/queries/set_checkpoint.sql");
const DESIRED_STATES: &str = include_str!("../../../schema/clickhouse/queries/desired_states.sql");
const SET_DESIRED_STATE: &str = include_str!("../../../schema/clickhouse/queries/set_desired_state.sql");
const JOBS: &str = include_str!("../../../schema/clickhouse/queries/jobs.sql");
const SET_JOB: &str = include_str!("../../../schema/clickhouse/queries/set_job.sql");

#[derive(Row, Deserialize)]
struct Kept {
    world: String,
    start: String,
    watermark: String,
}

pub(super) async fn checkpoint(
    connection: &Connection,
    pipeline: &str,
    source: &str,
) -> Result<Option<Checkpoint>, ClickhouseError> {
    let rows: Vec<Kept> =
        connection.periodic("checkpoint", connection.query(CHECKPOINT).bind(pipeline).bind(source)).await?;
    let checkpoint = |Kept { world, start, watermark }| Checkpoint { world, start, watermark };
    Ok(rows.into_iter().next().map(checkpoint))
}

pub(super) async fn set_checkpoint(
    connection: &Connection,
    pipeline: &str,
    source: &str,
    to: &Checkpoint,
) -> Result<(), WarehouseError> {
    let query = connection.query(SET_CHECKPOINT).bind(pipeline).bind(source);
    let query = query.bind(&to.world).bind(&to.start).bind(&to.watermark);
    if let Written::Unproved = connection.move_rows(query).await? {
        let kept = checkpoint(connection, pipeline, source).await?;
        check_kept("checkpoint", kept.as_ref() == Some(to), connection)?;
    }
    Ok(())
}

#[derive(Row, Deserialize)]
struct Desired {
    stage: String,
    state: String,
}

pub(super) async fn desired_states(
    connection: &Connection,
    pipeline: &str,
) -> Result<HashMap<String, String>, ClickhouseError> {
    let rows: Vec<Desired> =
        connection.periodic("desired states", connection.query(DESIRED_STATES).bind(pipeline)).await?;
    Ok(rows.into_iter().map(|Desired { stage, state }| (stage, state)).collect())
}

pub(super) async fn set_desired_state(
    connection: &Connection,
    pipeline: &str,
    stage: &str,
    state: &str,
) -> Result<(), WarehouseError> {
    let query = connection.query(SET_DESIRED_STATE).bind(pipeline).bind(stage).bind(state);
    if let Written::Unproved = connection.move_rows(query).await? {
        let kept = desired_states(connection, pipeline).await?;
        check_kept("desired state", kept.get(stage).is_some_and(|kept| kept == state), connection)?;
    }
    Ok(())
}

#[derive(Row, Deserialize)]
struct Job {
    id: String,
    stage: String,
    begin: String,
    until: String,
    cursor: String,
    total: u64,
    done: u64,
    moved: u64,
    state: String,
    reason: String,
    started: i64,
    ended: Option<i64>,
}

pub(super) async fn jobs(
    connection: &Connection,
    pipeline: &str,
    ended: u32,
) -> Result<Vec<JobRecord>, ClickhouseError> {
    let rows: Vec<Job> = connection.periodic("replays", connection.query(JOBS).bind(pipeline).bind(ended)).await?;
    let record = |job: Job| {
        let state = JobState::ALL.into_iter().find(|state| state.as_str() == job.state);
        let state = state.ok_or_else(|| ClickhouseError::Garbled {
            at: connection.address(),
            text: format!("{:?} is no state of a job", job.state),
        })?;
        Ok(JobRecord {
            id: job.id,
            stage: job.stage,
            begin: job.begin,
            until: job.until,
            cursor: job.cursor,
            total: job.total,
            done: job.done,
            moved: job.moved,
            state,
            reason: job.reason,
            started_at: job.started,
            ended_at: job.ended,
        })
    };
    rows.into_iter().map(record).collect()
}

pub(super) async fn set_job(connection: &Connection, pipeline: &str, job: &JobRecord) -> Result<(), WarehouseError> {
    let query = connection
        .query(SET_JOB)
        .bind(pipeline)
        .bind(&job.id)
        .bind(&job.stage)
        .bind(&job.begin)
        .bind(&job.until)
        .bind(&job.cursor)
        .bind(job.total)
        .bind(job.done)
        .bind(job.moved)
        .bind(job.state.as_str())
        .bind(&job.reason)
        .bind(job.started_at)
        .bind(job.ended_at);
    if let Written::Unproved = connection.move_rows(query).await? {
        let kept = jobs(connection, pipeline, u32::MAX).await?;
        check_kept("replay", kept.contains(job), connection)?;
    }
    Ok(())
}

//! What was asked of a pipeline: desired states and replays.

use std::collections::HashMap;

use rusqlite::{Connection, Row, Transaction, params, types::Type};

use crate::warehouse::control::{JobRecord, JobState};

const SET_JOB: &str = include_str!("../../../schema/embedded/queries/set_job.sql");
const JOBS: &str = include_str!("../../../schema/embedded/queries/jobs.sql");

pub(super) fn desired_states(connection: &Connection, pipeline: &str) -> rusqlite::Result<HashMap<String, String>> {
    let sql = "SELECT stage, state FROM desired_states WHERE pipeline = ?";
    connection.prepare_cached(sql)?.query_map([pipeline], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

pub(super) fn jobs(connection: &Connection, pipeline: &str, ended: u32) -> rusqlite::Result<Vec<JobRecord>> {
    connection.prepare_cached(JOBS)?.query_map(params![pipeline, ended], job)?.collect()
}

fn job(row: &Row<'_>) -> rusqlite::Result<JobRecord> {
    let word: String = row.get("state")?;
    let state = JobState::ALL.into_iter().find(|state| state.as_str() == word);
    let state = state.ok_or_else(|| {
        rusqlite::Error::FromSqlConversionFailure(0, Type::Text, format!("{word:?} is no state of a job").into())
    })?;
    Ok(JobRecord {
        id: row.get("id")?,
        stage: row.get("stage")?,
        begin: row.get("begin")?,
        until: row.get("until")?,
        cursor: row.get("cursor")?,
        total: row.get("total")?,
        done: row.get("done")?,
        moved: row.get("moved")?,
        state,
        reason: row.get("reason")?,
        started_at: row.get("started_at")?,
        ended_at: row.get("ended_at")?,
    })
}

pub(super) fn set_job(tx: &Transaction<'_>, pipeline: &str, job: &JobRecord) -> rusqlite::Result<()> {
    tx.prepare_cached(SET_JOB)?.execute(params![
        pipeline,
        job.id,
        job.stage,
        job.begin,
        job.until,
        job.cursor,
        job.total,
        job.done,
        job.moved,
        job.state.as_str(),
        job.reason,
        job.started_at,
        job.ended_at,
    ])?;
    Ok(())
}

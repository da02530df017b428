//! What polytape keeps for itself: checkpoints, desired states, replays, commands.
//!
//! Each row counts its changes in `version`, and the highest is the last. A count that rested on what was read alone would fall
//! behind where a read is answered by a replica that lags, and what was written would be hidden. So a version is above all that this
//! process knows of the row, and not below ClickHouse's clock: that puts it behind what other processes wrote, and where the clock
//! goes back the count goes on. What is read never takes back what is known ([`Newest`](super::newest::Newest)).

use std::collections::HashMap;

use async_trait::async_trait;
use clickhouse::Row;
use serde::Deserialize;

use super::{
    answer::Written, connection::Connection, error::ClickhouseError, error::Result, newest::Versioned,
    read_back::check_kept, warehouse::ClickhouseWarehouse,
};
use crate::warehouse::control::{Checkpoint, CommandRecord, Control, JobRecord, JobState};
use crate::warehouse::error::WarehouseError;

const CHECKPOINT: &str = include_str!("../../../schema/clickhouse/queries/checkpoint.sql");
const SET_CHECKPOINT: &str = include_str!("../../../schema/clickhouse/queries/set_checkpoint.sql");
const DESIRED_STATES: &str = include_str!("../../../schema/clickhouse/queries/desired_states.sql");
const SET_DESIRED_STATE: &str = include_str!("../../../schema/clickhouse/queries/set_desired_state.sql");
const JOBS: &str = include_str!("../../../schema/clickhouse/queries/jobs.sql");
const SET_JOB: &str = include_str!("../../../schema/clickhouse/queries/set_job.sql");
const COMMANDS: &str = include_str!("../../../schema/clickhouse/queries/commands.sql");
const ADD_COMMAND: &str = include_str!("../../../schema/clickhouse/queries/add_command.sql");
const VERSIONS: &str = include_str!("../../../schema/clickhouse/queries/versions.sql");

/// A table whose rows count their changes, and the column that names a row of a pipeline.
#[derive(Clone, Copy)]
struct Counted {
    table: &'static str,
    key: &'static str,
}

const CHECKPOINTS: Counted = Counted { table: "checkpoints", key: "source" };
const STATES: Counted = Counted { table: "desired_states", key: "stage" };
const REPLAYS: Counted = Counted { table: "jobs", key: "id" };

/// What the next version of a row is made of.
#[derive(Row, Deserialize)]
struct Versions {
    highest: u64,
    now: u64,
}

impl Counted {
    /// What the next version of a row is made of, of which this process knows up to a version.
    async fn versions(self, connection: &Connection, pipeline: &str, name: &str, known: u64) -> Result<Versions> {
        let sql = VERSIONS.replace("{table}", self.table).replace("{key}", self.key);
        let rows: Vec<Versions> = connection.rows(connection.query(&sql).bind(pipeline).bind(name)).await?;
        let missing = || ClickhouseError::Garbled { at: connection.address(), text: "no row".into() };
        let Versions { highest, now } = rows.into_iter().next().ok_or_else(missing)?;
        Ok(Versions { highest: highest.max(known), now })
    }
}

impl Versions {
    /// That of a change.
    fn next(&self) -> u64 {
        self.highest.saturating_add(1).max(self.now)
    }

    /// That of a change which is a beginning where there is no row. Should there be one that was not seen, that one stays: what had
    /// begun before must not begin anew.
    fn next_or_first(&self) -> u64 {
        if self.highest == 0 { 1 } else { self.next() }
    }
}

/// Whether a row shows that a change of this version was made: it is there, or a later one is.
fn is_made<T: PartialEq>(found: Option<&Versioned<T>>, version: u64, value: &T) -> bool {
    found.is_some_and(|found| found.version > version || (found.version == version && found.value == *value))
}

#[derive(Row, Deserialize)]
struct Kept {
    world: String,
    start: String,
    watermark: String,
    version: u64,
}

#[derive(Row, Deserialize)]
struct Desired {
    stage: String,
    state: String,
    version: u64,
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
    version: u64,
}

#[derive(Row, Deserialize)]
struct Given {
    given: i64,
    id: String,
    user: String,
    tty: String,
    pid: u32,
    command: String,
    outcome: String,
    said: String,
}

#[async_trait]
impl Control for ClickhouseWarehouse {
    /// Fails where there was one and none is found. A replica may lag, but if the tables were emptied nothing may go on as if all
    /// before the watermark were there.
    async fn checkpoint(&self, pipeline: &str, source: &str) -> Result<Option<Checkpoint>, WarehouseError> {
        let (connection, known) = (self.ready().await?, &self.known.checkpoints);
        match read_checkpoint(connection, pipeline, source).await? {
            Some(found) => Ok(Some(known.take(pipeline, source, found))),
            None if known.get(pipeline, source).is_none() => Ok(None),
            None => Err(ClickhouseError::Missing { at: connection.address(), what: "checkpoint" }.into()),
        }
    }

    async fn set_checkpoint(&self, pipeline: &str, source: &str, to: &Checkpoint) -> Result<(), WarehouseError> {
        let (connection, known) = (self.ready().await?, &self.known.checkpoints);
        let before = known.get(pipeline, source).map_or(0, |known| known.version);
        let version = CHECKPOINTS.versions(connection, pipeline, source, before).await?.next_or_first();
        let query = connection.query(SET_CHECKPOINT).bind(pipeline).bind(source);
        let query = query.bind(&to.world).bind(&to.start).bind(&to.watermark).bind(version);
        if let Written::Unproved = connection.move_rows(query).await? {
            let found = read_checkpoint(connection, pipeline, source).await?;
            check_kept("checkpoint", is_made(found.as_ref(), version, to), connection)?;
        }
        known.take(pipeline, source, Versioned { version, value: to.clone() });
        Ok(())
    }

    async fn desired_states(&self, pipeline: &str) -> Result<HashMap<String, String>, WarehouseError> {
        let known = &self.known.desired_states;
        let found = read_desired_states(self.ready().await?, pipeline).await?;
        // What is not found may be known all the same.
        let mut states = known.all(pipeline);
        states.extend(found.into_iter().map(|(stage, state)| {
            let newest = known.take(pipeline, &stage, state);
            (stage, newest)
        }));
        Ok(states)
    }

    async fn set_desired_state(&self, pipeline: &str, stage: &str, state: &str) -> Result<(), WarehouseError> {
        let (connection, known) = (self.ready().await?, &self.known.desired_states);
        let (before, value) = (known.get(pipeline, stage).map_or(0, |known| known.version), state.to_owned());
        let version = STATES.versions(connection, pipeline, stage, before).await?.next();
        let query = connection.query(SET_DESIRED_STATE).bind(pipeline).bind(stage).bind(state).bind(version);
        if let Written::Unproved = connection.move_rows(query).await? {
            let found = read_desired_states(connection, pipeline).await?;
            check_kept("desired state", is_made(found.get(stage), version, &value), connection)?;
        }
        known.take(pipeline, stage, Versioned { version, value });
        Ok(())
    }

    /// As they are known: one that was found going on may have ended, and is there beside the newest that have.
    async fn jobs(&self, pipeline: &str, ended: u32) -> Result<Vec<JobRecord>, WarehouseError> {
        let found = read_jobs(self.ready().await?, pipeline, ended).await?;
        let newest = |job: Versioned<JobRecord>| {
            let id = job.value.id.clone();
            self.known.jobs.take(pipeline, &id, job)
        };
        Ok(found.into_iter().map(newest).collect())
    }

    async fn set_job(&self, pipeline: &str, job: &JobRecord) -> Result<(), WarehouseError> {
        let (connection, known) = (self.ready().await?, &self.known.jobs);
        let before = known.get(pipeline, &job.id).map_or(0, |known| known.version);
        let version = REPLAYS.versions(connection, pipeline, &job.id, before).await?.next();
        let query = connection.query(SET_JOB).bind(pipeline).bind(&job.id).bind(&job.stage);
        let query = query.bind(&job.begin).bind(&job.until).bind(&job.cursor);
        let query = query.bind(job.total).bind(job.done).bind(job.moved).bind(job.state.as_str());
        let query = query.bind(&job.reason).bind(job.started_at).bind(job.ended_at).bind(version);
        if let Written::Unproved = connection.move_rows(query).await? {
            let found = read_jobs(connection, pipeline, u32::MAX).await?;
            let found = found.iter().find(|found| found.value.id == job.id);
            check_kept("replay", is_made(found, version, job), connection)?;
        }
        known.take(pipeline, &job.id, Versioned { version, value: job.clone() });
        Ok(())
    }

    async fn commands(&self, pipeline: &str, most: u32) -> Result<Vec<CommandRecord>, WarehouseError> {
        Ok(read_commands(self.ready().await?, pipeline, most).await?)
    }

    async fn add_commands(&self, pipeline: &str, commands: &[CommandRecord]) -> Result<(), WarehouseError> {
        let connection = self.ready().await?;
        for record in commands {
            let query = connection.query(ADD_COMMAND).bind(pipeline).bind(record.at).bind(&record.id);
            let query = query.bind(&record.user).bind(&record.tty).bind(record.pid).bind(&record.command);
            let query = query.bind(&record.outcome).bind(&record.said);
            if let Written::Unproved = connection.move_rows(query).await? {
                let found = read_commands(connection, pipeline, u32::MAX).await?;
                check_kept("command", found.iter().any(|found| found.id == record.id), connection)?;
            }
        }
        Ok(())
    }
}

/// Commands as they are found.
async fn read_commands(connection: &Connection, pipeline: &str, most: u32) -> Result<Vec<CommandRecord>> {
    let rows: Vec<Given> = connection.rows(connection.query(COMMANDS).bind(pipeline).bind(most)).await?;
    let record = |Given { given, id, user, tty, pid, command, outcome, said }| CommandRecord {
        at: given,
        id,
        user,
        tty,
        pid,
        command,
        outcome,
        said,
    };
    Ok(rows.into_iter().map(record).collect())
}

/// A checkpoint as it is found.
async fn read_checkpoint(
    connection: &Connection,
    pipeline: &str,
    source: &str,
) -> Result<Option<Versioned<Checkpoint>>> {
    let rows: Vec<Kept> =
        connection.periodic("checkpoint", connection.query(CHECKPOINT).bind(pipeline).bind(source)).await?;
    let checkpoint = |Kept { world, start, watermark, version }| {
        let value = Checkpoint { world, start, watermark };
        Versioned { version, value }
    };
    Ok(rows.into_iter().next().map(checkpoint))
}

/// What is wanted of stages, as it is found.
async fn read_desired_states(connection: &Connection, pipeline: &str) -> Result<HashMap<String, Versioned<String>>> {
    let rows: Vec<Desired> =
        connection.periodic("desired states", connection.query(DESIRED_STATES).bind(pipeline)).await?;
    let state = |Desired { stage, state, version }| (stage, Versioned { version, value: state });
    Ok(rows.into_iter().map(state).collect())
}

/// Replays as they are found.
async fn read_jobs(connection: &Connection, pipeline: &str, ended: u32) -> Result<Vec<Versioned<JobRecord>>> {
    let rows: Vec<Job> = connection.periodic("replays", connection.query(JOBS).bind(pipeline).bind(ended)).await?;
    let record = |job: Job| {
        let state = JobState::ALL.into_iter().find(|state| state.as_str() == job.state);
        let state = state.ok_or_else(|| ClickhouseError::Garbled {
            at: connection.address(),
            text: format!("{:?} is no state of a job", job.state),
        })?;
        let value = JobRecord {
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
        };
        Ok(Versioned { version: job.version, value })
    };
    rows.into_iter().map(record).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_comes_behind_all_that_is_known_and_not_before_the_clock() {
        let versions = |highest, now| Versions { highest, now };
        assert_eq!(versions(7, 1_000).next(), 1_000, "what was read may be old");
        assert_eq!(versions(1_000, 1_000).next(), 1_001);
        assert_eq!(versions(2_000, 1_000).next(), 2_001, "the clock went back");
        assert_eq!(versions(2_000, 1_000).next_or_first(), 2_001);
        assert_eq!(versions(0, 1_000).next(), 1_000);
        assert_eq!(versions(0, 1_000).next_or_first(), 1, "any other row is above it");
    }

    #[test]
    fn a_change_is_made_where_it_is_found_or_a_later_one() {
        let found = |version, value| Some(Versioned { version, value });
        assert!(is_made(found(7, "a").as_ref(), 7, &"a") && is_made(found(8, "b").as_ref(), 7, &"a"));
        assert!(!is_made(found(7, "b").as_ref(), 7, &"a") && !is_made(found(6, "a").as_ref(), 7, &"a"));
        assert!(!is_made(None, 7, &"a"));
    }
}

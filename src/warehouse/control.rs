//! What polytape keeps for itself, so that it outlives the process: checkpoints, desired states, replays, commands.

use std::{collections::HashMap, time::Duration};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::error::Result;
use crate::{clock::unix_ms, flow::StageId};

/// Where one source of one pipeline began, and up to where all of it has landed.
///
/// The positions are text that only their source understands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which world the source shows: `chain:137`.
    pub world: String,
    /// Where the first run began.
    pub start: String,
    /// Every event before this is in the tables.
    pub watermark: String,
}

/// A replay, as it is kept. The positions are text that only its stage understands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRecord {
    /// Its id.
    pub id: String,
    /// The stage that it repeats.
    pub stage: String,
    /// Where it begins.
    pub begin: String,
    /// Where it ends.
    pub until: String,
    /// How far it has come; empty where its group knows that.
    pub cursor: String,
    /// What there was to do when it began: blocks or entries.
    pub total: u64,
    /// How much of that is done.
    pub done: u64,
    /// Rows that it wrote or handed on.
    pub moved: u64,
    /// How it stands.
    pub state: JobState,
    /// Why it failed.
    pub reason: String,
    /// When it began, in unix milliseconds.
    pub started_at: i64,
    /// When it ended, if it has.
    pub ended_at: Option<i64>,
}

impl JobRecord {
    /// Of a replay that has just been asked for.
    pub(crate) fn begun(id: String, stage: StageId, begin: String, until: String, total: u64) -> Self {
        Self {
            id,
            stage: stage.to_string(),
            begin,
            until,
            cursor: String::new(),
            total,
            done: 0,
            moved: 0,
            state: JobState::Running,
            reason: String::new(),
            started_at: unix_ms(),
            ended_at: None,
        }
    }
}

/// How a replay stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// It goes on, in this process or the next.
    Running,
    /// It came to its end.
    Done,
    /// Somebody ended it.
    Cancelled,
    /// It could not be brought to its end.
    Failed,
}

impl JobState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Running, Self::Done, Self::Cancelled, Self::Failed];

    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }
}

/// A command that somebody gave, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandRecord {
    /// When, in unix milliseconds.
    pub at: i64,
    /// Tells it from others of that moment.
    pub id: String,
    /// The user who gave it.
    pub user: String,
    /// The terminal that it came from; empty where it came from none.
    pub tty: String,
    /// The process that it came from; 0 where that is the pipeline's own.
    pub pid: u32,
    /// The command, as the command line has it.
    pub command: String,
    /// `done` or `refused`.
    pub outcome: String,
    /// What was answered.
    pub said: String,
}

/// How long commands are kept.
pub const COMMANDS_KEPT: Duration = Duration::from_secs(90 * 24 * 3_600);

/// Where a pipeline keeps how far it is and what was asked of it.
#[async_trait]
pub trait Control: Send + Sync {
    /// The checkpoint of a source, if it has one.
    async fn checkpoint(&self, pipeline: &str, source: &str) -> Result<Option<Checkpoint>>;

    /// Sets the checkpoint of a source.
    async fn set_checkpoint(&self, pipeline: &str, source: &str, to: &Checkpoint) -> Result<()>;

    /// What was asked of the stages of a pipeline, by their names.
    async fn desired_states(&self, pipeline: &str) -> Result<HashMap<String, String>>;

    /// Keeps what was asked of a stage.
    async fn set_desired_state(&self, pipeline: &str, stage: &str, state: &str) -> Result<()>;

    /// The replays of a pipeline that have not ended, and of the others the newest `ended`; the oldest first.
    async fn jobs(&self, pipeline: &str, ended: u32) -> Result<Vec<JobRecord>>;

    /// Keeps a replay as it is now.
    async fn set_job(&self, pipeline: &str, job: &JobRecord) -> Result<()>;

    /// The newest commands that were given to a pipeline, the oldest first.
    async fn commands(&self, pipeline: &str, most: u32) -> Result<Vec<CommandRecord>>;

    /// Keeps commands, for [`COMMANDS_KEPT`]. Those that are there stay as they are.
    async fn add_commands(&self, pipeline: &str, commands: &[CommandRecord]) -> Result<()>;
}

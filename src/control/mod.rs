//! Who decides: the pipeline with its supervisor and runners, what is wanted of stages, commands, replays, and what stages say of
//! themselves.

mod command;
mod command_log;
mod desired;
mod doubts;
mod factory;
mod job;
mod limits;
mod pipeline;
mod plan;
mod replayer;
mod runner;
mod status;
mod supervisor;
mod watchdog;

pub use command::{Answer, Command, Plan, Point, Replay};
pub use command_log::{Caller, CommandLog};
pub use desired::DesiredState;
pub use job::JobStatus;
pub use limits::Limits;
pub use pipeline::{Observer, Parts, Pipeline, PipelineFailed};
pub use status::{StageState, StageStatus};
pub use supervisor::Control;
pub use watchdog::Watchdog;

//! Who asked for what, and what came of it: the newest commands, in memory and in the warehouse.
//!
//! A command is never held up by this. What could not be written down yet is tried again; while there is more of it than is
//! kept in memory, the oldest is left out and that is said.

use std::sync::Arc;
use std::{collections::VecDeque, time::Duration};

use parking_lot::Mutex;
use rand::RngExt;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::command::Answer;
use crate::warehouse::{CommandRecord, Warehouse, WarehouseError};
use crate::{backoff::Backoff, clock::unix_ms, secrets};

/// Commands that are kept in memory.
const KEPT: usize = 1_000;

/// How long the warehouse may take for what is written down when the pipeline ends.
const LAST: Duration = Duration::from_secs(1);

/// Who asks for something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The user.
    pub user: String,
    /// The process, where it is another one.
    pub pid: Option<u32>,
    /// The terminal, if any.
    pub tty: Option<String>,
}

impl std::fmt::Display for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.user.is_empty() { "somebody" } else { &self.user })?;
        if let Some(tty) = &self.tty {
            write!(f, " on {tty}")?;
        }
        match self.pid {
            Some(pid) => write!(f, " (pid {pid})"),
            None => Ok(()),
        }
    }
}

/// The newest commands.
#[derive(Default)]
pub struct CommandLog {
    kept: Mutex<Kept>,
    added: Notify,
}

#[derive(Default)]
struct Kept {
    records: VecDeque<Arc<CommandRecord>>,
    /// Those that are not in the warehouse, which are the newest.
    unwritten: usize,
}

impl std::fmt::Debug for CommandLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CommandLog").finish_non_exhaustive()
    }
}

impl CommandLog {
    /// The newest of them, oldest first.
    pub fn newest(&self, most: usize) -> Vec<Arc<CommandRecord>> {
        let kept = self.kept.lock();
        kept.records.iter().skip(kept.records.len().saturating_sub(most)).cloned().collect()
    }

    /// Notes what somebody asked and what came of it.
    pub(super) fn note(&self, caller: &Caller, command: &str, answer: &Answer) {
        let (outcome, said) = match answer {
            Answer::Done(said) => ("done", said.as_str()),
            Answer::Refused(why) => ("refused", why.as_str()),
            // Nothing was to change.
            Answer::Plan(_) => return,
        };
        tracing::info!(outcome, "{caller} asked: {command}: {said}");
        self.add(CommandRecord {
            at: unix_ms(),
            id: format!("{:08x}", rand::rng().random::<u32>()),
            user: secrets::line(&caller.user),
            tty: caller.tty.as_deref().map(secrets::line).unwrap_or_default(),
            pid: caller.pid.unwrap_or_default(),
            command: secrets::line(command),
            outcome: outcome.to_owned(),
            said: secrets::line(said),
        });
    }

    fn add(&self, record: CommandRecord) {
        let mut kept = self.kept.lock();
        if kept.records.len() == KEPT {
            kept.records.pop_front();
            if kept.unwritten == KEPT {
                tracing::warn!("a command of the log of commands is not in the warehouse, which takes none");
                kept.unwritten -= 1;
            }
        }
        kept.records.push_back(Arc::new(record));
        kept.unwritten += 1;
        drop(kept);
        self.added.notify_one();
    }

    /// Those that are not in the warehouse.
    fn unwritten(&self) -> Vec<Arc<CommandRecord>> {
        let kept = self.kept.lock();
        kept.records.iter().skip(kept.records.len() - kept.unwritten).cloned().collect()
    }

    /// Puts what earlier runs did in front of what this one did.
    fn restore(&self, earlier: Vec<CommandRecord>) {
        let mut kept = self.kept.lock();
        for record in earlier.into_iter().rev() {
            if kept.records.len() < KEPT && !kept.records.iter().any(|there| there.id == record.id) {
                kept.records.push_front(Arc::new(record));
            }
        }
    }

    /// Reads what earlier runs did, and writes down what this one does, until the drain.
    pub(super) async fn keep(
        self: Arc<Self>,
        pipeline: String,
        warehouse: Arc<dyn Warehouse>,
        drain: CancellationToken,
    ) {
        let (mut backoff, mut is_restored) = (Backoff::default(), false);
        while !drain.is_cancelled() {
            let step = async {
                if !is_restored {
                    return warehouse.commands(&pipeline, KEPT as u32).await.map(|earlier| {
                        self.restore(earlier);
                        is_restored = true;
                    });
                }
                if self.unwritten().is_empty() {
                    self.added.notified().await;
                }
                self.write(&pipeline, &*warehouse).await
            };
            match drain.run_until_cancelled(step).await {
                Some(Ok(())) => backoff.reset(),
                Some(Err(error)) => {
                    tracing::debug!("the log of commands is not written down: {error}");
                    let _ = drain.run_until_cancelled(tokio::time::sleep(backoff.next())).await;
                }
                None => {}
            }
        }
        let _ = tokio::time::timeout(LAST, self.write(&pipeline, &*warehouse)).await;
    }

    async fn write(&self, pipeline: &str, warehouse: &dyn Warehouse) -> Result<(), WarehouseError> {
        let unwritten = self.unwritten();
        if unwritten.is_empty() {
            return Ok(());
        }
        let records: Vec<CommandRecord> = unwritten.iter().map(|record| (**record).clone()).collect();
        warehouse.add_commands(pipeline, &records).await?;
        // Others may have been added meanwhile, behind these.
        let mut kept = self.kept.lock();
        kept.unwritten = kept.unwritten.saturating_sub(records.len());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept_and_a_plan_is_none_of_them() {
        let log = CommandLog::default();
        let caller = Caller { user: "ann".into(), pid: Some(7), tty: Some("/dev/pts/1".into()) };
        for number in 0..KEPT + 2 {
            log.note(&caller, &format!("pause {number}"), &Answer::Done("so".into()));
        }
        let plan = super::super::command::Plan {
            from: String::new(),
            to: String::new(),
            amount: String::new(),
            way: String::new(),
        };
        log.note(&caller, "replay", &Answer::Plan(plan));
        let kept = log.newest(usize::MAX);
        assert_eq!((kept.len(), kept[0].command.as_str()), (KEPT, "pause 2"));
        assert_eq!(kept[KEPT - 1].command, format!("pause {}", KEPT + 1));
        assert_eq!(log.unwritten().len(), KEPT);
        assert_eq!(caller.to_string(), "ann on /dev/pts/1 (pid 7)");
    }

    #[test]
    fn what_earlier_runs_did_comes_first_and_once() {
        let log = CommandLog::default();
        log.note(&Caller::default(), "stop write-trades", &Answer::Refused("no".into()));
        let mine = (*log.newest(1)[0]).clone();
        let earlier = CommandRecord { id: "earlier".into(), command: "pause write-trades".into(), ..mine.clone() };
        log.restore(vec![earlier, mine]);
        let commands: Vec<String> = log.newest(9).iter().map(|record| record.command.clone()).collect();
        assert_eq!(commands, ["pause write-trades", "stop write-trades"]);
        assert_eq!(log.unwritten().len(), 1);
    }
}

//! What `polytape ctl` understands: the commands of the pipeline as they are declared, so that a new one is there, too.

use clap::{ArgMatches, FromArgMatches, Subcommand};

use crate::control::Command;

/// What `ctl` asks: each command of the pipeline, those that are for a stage also for several, and what replays there are.
#[derive(Clone, Debug)]
pub(super) enum CtlCommand {
    /// List the replays that go on, and the last ones that ended.
    Jobs,
    /// The same for each of these stages.
    Each { verb: String, stages: Vec<String> },
    /// Anything else.
    One(Command),
}

/// The one argument of a command that is for a stage and for nothing else.
const STAGE: &str = "stage";

const JOBS: &str = "jobs";

/// Whether a command is for a stage, and for nothing else.
fn is_for_a_stage(command: &clap::Command) -> bool {
    let mut arguments = command.get_positionals().chain(command.get_opts());
    arguments.next().is_some_and(|argument| argument.get_id() == STAGE) && arguments.next().is_none()
}

impl Subcommand for CtlCommand {
    fn augment_subcommands(command: clap::Command) -> clap::Command {
        let command = Command::augment_subcommands(command);
        let several = |command: clap::Command| match is_for_a_stage(&command) {
            true => command.mut_arg(STAGE, |stage| {
                let stage = stage.num_args(1..).value_name("STAGE…|all").value_parser(clap::value_parser!(String));
                stage.help("Stages, or all that run there")
            }),
            false => command,
        };
        let jobs = clap::Command::new(JOBS).about("List the replays that go on, and the last ones that ended");
        command.mut_subcommands(several).subcommand(jobs)
    }

    fn augment_subcommands_for_update(command: clap::Command) -> clap::Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        name == JOBS || Command::has_subcommand(name)
    }
}

impl FromArgMatches for CtlCommand {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        match matches.subcommand() {
            Some((JOBS, _)) => Ok(Self::Jobs),
            Some((verb, given)) => match given.try_get_many::<String>(STAGE) {
                Ok(stages) => {
                    Ok(Self::Each { verb: verb.to_owned(), stages: stages.into_iter().flatten().cloned().collect() })
                }
                Err(_) => Command::from_arg_matches(matches).map(Self::One),
            },
            None => Err(clap::Error::new(clap::error::ErrorKind::MissingSubcommand)),
        }
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Words {
        #[command(subcommand)]
        command: CtlCommand,
    }

    fn read(words: &str) -> Result<String, clap::Error> {
        let words = Words::try_parse_from(["ctl"].into_iter().chain(words.split(' ')))?;
        Ok(match words.command {
            CtlCommand::Jobs => "jobs".to_owned(),
            CtlCommand::Each { verb, stages } => format!("{verb}: {}", stages.join(", ")),
            CtlCommand::One(command) => command.to_string(),
        })
    }

    #[test]
    fn what_is_for_a_stage_is_for_several() {
        for (words, expected) in [
            ("pause write-trades", "pause: write-trades"),
            ("skip write-trades resolver", "skip: write-trades, resolver"),
            ("stop all", "stop: all"),
            ("jobs", "jobs"),
            ("cancel a3f09c", "cancel a3f09c"),
            ("replay ingest-fills --from 15m --to now --dry-run", "replay ingest-fills --from 15m --to now --dry-run"),
        ] {
            assert_eq!(read(words).unwrap(), expected);
        }
        for words in ["pause", "jump write-trades", "cancel", "replay ingest-fills"] {
            assert!(read(words).is_err(), "{words}");
        }
    }
}

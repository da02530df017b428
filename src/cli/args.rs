//! What can be said on the command line.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, builder::PossibleValuesParser};
use clap_complete::Shell;

use crate::{cli::ctl_command::CtlCommand, flow::StageId, headless::When, value::parse_duration};

/// Polymarket's tape: every market and every fill, from the source into tables, exactly once.
#[derive(Parser, Debug)]
#[command(name = "polytape", version, about, args_conflicts_with_subcommands = true)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    #[command(flatten)]
    pub(super) run: RunArgs,
}

#[derive(Subcommand, Debug)]
pub(super) enum Command {
    /// Run the pipeline. This is what happens without a command, too
    Run(RunArgs),
    /// Try every source and the store, and say what was found: a line for each
    Check(CheckArgs),
    /// Show the configuration, or begin one
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Say how the pipeline that runs in a data directory is
    Status(StatusArgs),
    /// Steer the pipeline that runs in a data directory
    Ctl(CtlArgs),
    /// Show the screen of the pipeline that runs in a data directory; leaving it leaves the pipeline running
    Attach(AttachArgs),
    /// Let the pipeline that runs in a data directory finish what is in hand and end
    Stop(StopArgs),
    /// Print the newest lines of the log, and follow it
    Logs(LogsArgs),
    /// Make or print the tables in ClickHouse
    #[command(subcommand)]
    Schema(SchemaCommand),
    /// Run polytape as a service of systemd
    #[command(subcommand)]
    Service(ServiceCommand),
    /// Print the completions of a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page
    Man {
        /// Write a page for every command into this directory instead
        #[arg(long, value_name = "DIR")]
        directory: Option<PathBuf>,
    },
    /// Serve the demo world alone, for staging and measuring
    DemoWorld(DemoWorldArgs),
}

/// What `check` is told.
#[derive(Args, Debug)]
pub(super) struct CheckArgs {
    /// Send one marked fill through both hops into the table, beside what runs, and remove it
    #[arg(long)]
    pub(super) flow: bool,

    /// Read the configuration from this file
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,

    /// Look for the store in this directory
    #[arg(long, value_name = "DIR")]
    pub(super) data_dir: Option<PathBuf>,
}

/// What `config` is told.
#[derive(Subcommand, Debug)]
pub(super) enum ConfigCommand {
    /// Print what is in force: the file, and the environment over it. Keys in URLs are left out
    Show {
        /// Read the configuration from this file
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Write a file in which every key is explained
    Init {
        /// Write it here, and not in its usual place
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,

        /// Replace the file that is there
        #[arg(long)]
        force: bool,
    },
}

/// Which running pipeline is meant.
#[derive(Args, Debug)]
pub(super) struct PlaceArgs {
    /// The pipeline that runs in this directory
    #[arg(long, value_name = "DIR", global = true)]
    pub(super) data_dir: Option<PathBuf>,

    /// The demo that runs here
    #[arg(long, global = true)]
    pub(super) demo: bool,
}

/// What `status` is told.
#[derive(Args, Debug)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    pub(super) place: PlaceArgs,

    /// Print all that is known, as JSON
    #[arg(long)]
    pub(super) json: bool,

    /// Print it again whenever it changes, until stopped or the pipeline ends
    #[arg(long)]
    pub(super) watch: bool,
}

/// What `ctl` is told.
#[derive(Args, Debug)]
pub(super) struct CtlArgs {
    #[command(flatten)]
    pub(super) place: PlaceArgs,

    /// Print answers as JSON, a line each
    #[arg(long, global = true)]
    pub(super) json: bool,

    #[command(subcommand)]
    pub(super) command: CtlCommand,
}

/// What `attach` is told.
#[derive(Args, Debug)]
pub(super) struct AttachArgs {
    #[command(flatten)]
    pub(super) place: PlaceArgs,

    /// Look, and steer nothing
    #[arg(long)]
    pub(super) read_only: bool,

    /// Read the configuration of the screen from this file
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
}

/// What `stop` is told.
#[derive(Args, Debug)]
pub(super) struct StopArgs {
    #[command(flatten)]
    pub(super) place: PlaceArgs,

    /// Return when it has ended
    #[arg(long)]
    pub(super) wait: bool,
}

/// What `logs` is told.
#[derive(Args, Debug)]
pub(super) struct LogsArgs {
    /// Only lines of this stage
    #[arg(long, value_name = "STAGE", value_parser = PossibleValuesParser::new(StageId::ALL.map(StageId::as_str)))]
    pub(super) stage: Option<String>,

    /// Only lines of this level or above
    #[arg(long, value_name = "LEVEL", value_parser = ["error", "warn", "info", "debug", "trace"], ignore_case = true)]
    pub(super) level: Option<String>,

    /// Go on with the lines that come, until stopped
    #[arg(long, short)]
    pub(super) follow: bool,

    /// So many lines, the newest
    #[arg(long, short = 'n', value_name = "N", default_value_t = 100)]
    pub(super) lines: usize,

    /// Print lines as they are in the files: JSON
    #[arg(long)]
    pub(super) json: bool,

    /// Read the configuration from this file
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,

    /// Read the log of the pipeline in this directory
    #[arg(long, value_name = "DIR")]
    pub(super) data_dir: Option<PathBuf>,
}

/// What `schema` is told.
#[derive(Subcommand, Debug)]
pub(super) enum SchemaCommand {
    /// Make what is missing of database, tables and views, as a run does; and bring trades of an older release into today's layout, while
    /// runs go on
    Apply {
        /// Then drop the older table, which is kept otherwise
        #[arg(long)]
        drop_old: bool,

        /// Read the configuration from this file
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Print the SQL that does so in an empty ClickHouse
    Print {
        /// Read the configuration from this file
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
}

/// What `service` is told.
#[derive(Subcommand, Debug)]
pub(super) enum ServiceCommand {
    /// Print the unit file of this binary
    Print,
    /// Put it in its place
    Install {
        /// Put it here, and not in /etc/systemd/system
        #[arg(long, value_name = "DIR")]
        directory: Option<PathBuf>,

        /// Replace the file that is there
        #[arg(long)]
        force: bool,
    },
}

/// What `demo-world` is told.
#[derive(Args, Debug)]
pub(super) struct DemoWorldArgs {
    /// Answer on this port of 127.0.0.1; 0 takes a free one
    #[arg(long, value_name = "P")]
    pub(super) port: u16,

    /// The seed of the world
    #[arg(long, value_name = "N", default_value_t = 42)]
    pub(super) seed: u64,

    /// End the world after so many fills
    #[arg(long, value_name = "N")]
    pub(super) fills: Option<u64>,

    /// Fills a second
    #[arg(long, value_name = "R", default_value_t = 60.0, value_parser = parse_rate)]
    pub(super) rate: f64,
}

/// What `run` is told.
#[derive(Args, Debug)]
pub(super) struct RunArgs {
    /// Run without a screen: log lines and a heartbeat on stderr
    #[arg(long)]
    pub(super) no_tui: bool,

    /// Run against a demo world on this machine: no network, nothing to install, a store of its own
    #[arg(long)]
    pub(super) demo: bool,

    /// The seed of the demo world
    #[arg(long, value_name = "N", default_value_t = 42, requires = "demo")]
    pub(super) seed: u64,

    /// End the demo world after so many fills
    #[arg(long, value_name = "N", requires = "demo")]
    pub(super) fills: Option<u64>,

    /// Fills a second in the demo world
    #[arg(long, value_name = "R", default_value_t = 60.0, value_parser = parse_rate, requires = "demo")]
    pub(super) rate: f64,

    /// Read the configuration from this file
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,

    /// Keep the store in this directory
    #[arg(long, value_name = "DIR")]
    pub(super) data_dir: Option<PathBuf>,

    /// Run these stages here; others run in other processes on the same Redis and ClickHouse
    #[arg(long, value_name = "STAGE,…", value_delimiter = ',', conflicts_with = "until_caught_up")]
    pub(super) only: Option<Vec<StageId>>,

    /// End when everything that was final at the start is in the tables
    #[arg(long)]
    pub(super) until_caught_up: bool,

    /// With --until-caught-up: fail after so long without progress
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = parse_duration, requires = "until_caught_up")]
    pub(super) timeout: Duration,

    /// Show how far catching up has come: blocks, rows a second, time left
    #[arg(long, value_name = "WHEN", value_enum, default_value_t)]
    pub(super) progress: When,
}

fn parse_rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "a number is expected".to_owned())?;
    if (0.001..=100_000.0).contains(&rate) { Ok(rate) } else { Err("a rate from 0.001 to 100000 is expected".into()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn run_is_the_default_command() {
        let bare = Cli::parse_from(["polytape", "--demo", "--fills", "5"]);
        assert!(bare.command.is_none() && bare.run.demo && bare.run.fills == Some(5));
        let named = Cli::parse_from(["polytape", "run", "--demo", "--rate", "2.5"]);
        assert!(matches!(named.command, Some(Command::Run(args)) if args.demo && args.rate == 2.5));
    }

    #[test]
    fn refuses_what_makes_no_sense() {
        for wrong in [
            &["--fills", "5"][..],
            &["--demo", "--rate", "0"],
            &["--demo", "--rate", "NaN"],
            &["--demo", "--fills", "-1"],
            &["--timeout", "10m"],
            &["--only", "ingest-rumours"],
            &["--only", ""],
            &["--only", "ingest-fills", "--until-caught-up"],
            &["--until-caught-up", "--timeout", "soon"],
            &["--what"],
            &["logs", "--stage", "ingest-rumours"],
            &["logs", "--level", "loud"],
            &["logs", "-n", "-1"],
            &["walk"],
        ] {
            let error = Cli::try_parse_from([&["polytape"][..], wrong].concat()).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{wrong:?}");
        }
    }
}

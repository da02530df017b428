//! The command line.

mod check;
mod config;
mod demo;
mod demo_world;
mod environment;
mod logging;
mod logs;
mod origin;
mod places;
mod run;
mod schema;
mod screen;
mod signals;
mod sources;
mod stores;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand};

use crate::config::{ConfigError, parse_duration};
use crate::embedded::{DataDirError, StorageError, create_privately};
use crate::headless::{HeadlessError, When};
use crate::secrets;
use crate::stage::StageName;
use crate::tui::KeymapError;
use crate::warehouse::WarehouseError;

/// Polymarket's tape: every market and every fill, from the source into tables, exactly once.
#[derive(Parser, Debug)]
#[command(name = "polytape", version, about, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Run the pipeline. This is what happens without a command, too
    Run(RunArgs),
    /// Try every source and the store, and say what was found: a line for each
    Check(CheckArgs),
    /// Show the configuration, or begin one
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print the newest lines of the log, and follow it
    Logs(LogsArgs),
    /// Make or print the tables in ClickHouse
    #[command(subcommand)]
    Schema(SchemaCommand),
    /// Serve the demo world alone, for staging and measuring
    DemoWorld(DemoWorldArgs),
}

/// What `check` is told.
#[derive(Args, Debug)]
struct CheckArgs {
    /// Send one marked fill through both hops into the table, beside what runs, and remove it
    #[arg(long)]
    flow: bool,

    /// Read the configuration from this file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Look for the store in this directory
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

/// What `config` is told.
#[derive(Subcommand, Debug)]
enum ConfigCommand {
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

/// What `logs` is told.
#[derive(Args, Debug)]
struct LogsArgs {
    /// Only lines of this stage
    #[arg(long, value_name = "STAGE", value_parser = PossibleValuesParser::new(StageName::ALL.map(StageName::as_str)))]
    stage: Option<String>,

    /// Only lines of this level or above
    #[arg(long, value_name = "LEVEL", value_parser = ["error", "warn", "info", "debug", "trace"], ignore_case = true)]
    level: Option<String>,

    /// Go on with the lines that come, until stopped
    #[arg(long, short)]
    follow: bool,

    /// So many lines, the newest
    #[arg(long, short = 'n', value_name = "N", default_value_t = 100)]
    lines: usize,

    /// Print lines as they are in the files: JSON
    #[arg(long)]
    json: bool,

    /// Read the configuration from this file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Read the log of the pipeline in this directory
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

/// What `schema` is told.
#[derive(Subcommand, Debug)]
enum SchemaCommand {
    /// Make what is missing of database, tables and views. A run does that, too
    Apply {
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

/// What `demo-world` is told.
#[derive(Args, Debug)]
struct DemoWorldArgs {
    /// Answer on this port of 127.0.0.1; 0 takes a free one
    #[arg(long, value_name = "P")]
    port: u16,

    /// The seed of the world
    #[arg(long, value_name = "N", default_value_t = 42)]
    seed: u64,

    /// End the world after so many fills
    #[arg(long, value_name = "N")]
    fills: Option<u64>,

    /// Fills a second
    #[arg(long, value_name = "R", default_value_t = 60.0, value_parser = parse_rate)]
    rate: f64,
}

/// What `run` is told.
#[derive(Args, Debug)]
struct RunArgs {
    /// Run without a screen: log lines and a heartbeat on stderr
    #[arg(long)]
    no_tui: bool,

    /// Run against a demo world on this machine: no network, nothing to install, a store of its own
    #[arg(long)]
    demo: bool,

    /// The seed of the demo world
    #[arg(long, value_name = "N", default_value_t = 42, requires = "demo")]
    seed: u64,

    /// End the demo world after so many fills
    #[arg(long, value_name = "N", requires = "demo")]
    fills: Option<u64>,

    /// Fills a second in the demo world
    #[arg(long, value_name = "R", default_value_t = 60.0, value_parser = parse_rate, requires = "demo")]
    rate: f64,

    /// Read the configuration from this file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Keep the store in this directory
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,

    /// Run these stages here; others run in other processes on the same Redis and ClickHouse
    #[arg(long, value_name = "STAGE,…", value_delimiter = ',', conflicts_with = "until_caught_up")]
    only: Option<Vec<StageName>>,

    /// End when everything that was final at the start is in the tables
    #[arg(long)]
    until_caught_up: bool,

    /// With --until-caught-up: fail after so long without progress
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = parse_duration, requires = "until_caught_up")]
    timeout: Duration,

    /// Show how far catching up has come: blocks, rows a second, time left
    #[arg(long, value_name = "WHEN", value_enum, default_value_t)]
    progress: When,
}

fn parse_rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "a number is expected".to_owned())?;
    if (0.001..=100_000.0).contains(&rate) { Ok(rate) } else { Err("a rate from 0.001 to 100000 is expected".into()) }
}

/// Why the program fails. One line for stderr: what, on what, why, what to do next.
#[derive(Debug, thiserror::Error)]
enum CliError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("{0}: {1}")]
    Source(&'static str, String),
    #[error("{} is there already: --force replaces it", .0.display())]
    ConfigExists(PathBuf),
    #[error("cannot write {}: {cause}", .path.display())]
    ConfigUnwritable { path: PathBuf, cause: std::io::Error },
    #[error("{failed} of {all} checks failed")]
    Checks { failed: usize, all: usize },
    #[error("there is no log in {}: run polytape first, or name its --data-dir", .0.display())]
    NoLog(PathBuf),
    #[error("cannot read the log in {}: {cause}", .path.display())]
    LogUnreadable { path: PathBuf, cause: std::io::Error },
    #[error("cannot print: {0}")]
    Output(std::io::Error),
    #[error("no ClickHouse is configured: name it in [clickhouse], and Redis in [redis]")]
    NoClickhouse,
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
    #[error(transparent)]
    Keymap(#[from] KeymapError),
    #[error("there is no home directory: name the place with --data-dir or --config")]
    NoHome,
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("--demo leaves {} alone, which holds {holds}: choose another --data-dir, or none", .path.display())]
    NoDemoStore { path: PathBuf, holds: String },
    #[error("{} holds a demo's store: go on with --demo, or choose another --data-dir", .0.display())]
    DemoStore(PathBuf),
    #[error("the demo world cannot be served on 127.0.0.1: {0}")]
    Demo(std::io::Error),
    #[error(transparent)]
    Headless(#[from] HeadlessError),
    #[error("the pipeline does not go on without a screen: it ended at once ({0}); `polytape --no-tui` says why")]
    Detach(String),
    #[error("cannot start: {0}")]
    Start(std::io::Error),
}

impl CliError {
    /// 1 failed, 2 usage or config.
    const fn code(&self) -> u8 {
        match self {
            Self::Config(_) | Self::NoClickhouse | Self::Keymap(_) | Self::Source(..) | Self::NoHome => 2,
            _ => 1,
        }
    }
}

/// Parses, dispatches, and says how it ended.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    create_privately();
    let command = cli.command.unwrap_or(Command::Run(cli.run));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(CliError::Start);
    let result = runtime.and_then(|runtime| {
        let result = runtime.block_on(perform(command));
        // What is still under way is safe to cut off, and must not hold up the exit.
        runtime.shutdown_timeout(Duration::from_millis(500));
        result
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = std::io::Write::write_fmt(
                &mut std::io::stderr(),
                format_args!("polytape: {}\n", secrets::own_line(&error.to_string())),
            );
            ExitCode::from(error.code())
        }
    }
}

async fn perform(command: Command) -> Result<(), CliError> {
    match command {
        Command::Run(args) => run::run(args).await,
        Command::Check(args) => check::run(args).await,
        Command::Config(ConfigCommand::Show { config }) => config::show(config.as_deref()),
        Command::Config(ConfigCommand::Init { config, force }) => config::init(config, force),
        Command::Logs(args) => logs::run(args),
        Command::Schema(command) => schema::run(command).await,
        Command::DemoWorld(args) => demo_world::run(args).await,
    }
}

/// Prints a result. A reader that went away has seen enough.
fn print(text: &str) {
    let _ = std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes());
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

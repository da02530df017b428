//! The command line.

mod args;
mod attach;
mod check;
mod completions;
mod config;
mod ctl;
mod ctl_command;
mod demo;
mod demo_world;
mod environment;
mod error;
mod logging;
mod logs;
mod origin;
mod paths;
mod print;
mod run;
mod schema;
mod screen;
mod service;
mod status;
mod stop;

use std::{process::ExitCode, time::Duration};

use clap::Parser;

use self::args::{Cli, Command, ConfigCommand};
use self::error::CliError;
use crate::{app::AppError, secrets, sqlite::create_privately};

/// Parses, dispatches, and says how it ended.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    create_privately();
    let command = cli.command.unwrap_or(Command::Run(cli.run));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| AppError::Start(error).into());
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
        Command::Status(args) => status::run(args).await,
        Command::Ctl(args) => ctl::run(args).await,
        Command::Attach(args) => attach::run(args).await,
        Command::Stop(args) => stop::run(args).await,
        Command::Service(command) => service::run(command),
        Command::Completions { shell } => {
            completions::completions(shell);
            Ok(())
        }
        Command::Man { directory } => completions::man(directory.as_deref()),
        Command::Logs(args) => logs::run(args),
        Command::Schema(command) => schema::run(command).await,
        Command::DemoWorld(args) => demo_world::run(args).await,
    }
}

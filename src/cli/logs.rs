//! `polytape logs`: prints the newest lines of the log, and follows it.

mod backward;
mod follow;
mod line;
mod patience;
mod printer;
mod selection;
mod stop;
mod tail;

use std::io::{self, ErrorKind};
use std::path::Path;

use self::{follow::Follower, line::Line, printer::Printer, selection::Selection, stop::Stop};
use super::{args::LogsArgs, environment, error::CliError, paths};
use crate::{config::load, logs::files_in};

pub(super) fn run(args: LogsArgs) -> Result<(), CliError> {
    let config = load(paths::config_file(args.config.as_deref()).as_deref(), &environment::all()?)?;
    let directory = config.log.dir_for(&paths::data_dir(args.data_dir.as_deref())?);
    match show(&args, &directory) {
        Ok(()) => Ok(()),
        // A reader that went away has seen enough.
        Err(Stop::Printing(cause)) if cause.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(Stop::Printing(cause)) => Err(CliError::Output(cause)),
        Err(Stop::Reading(cause)) if cause.kind() == ErrorKind::NotFound => Err(CliError::NoLog(directory)),
        Err(Stop::Reading(cause)) => Err(CliError::LogUnreadable { path: directory, cause }),
    }
}

fn show(args: &LogsArgs, directory: &Path) -> Result<(), Stop> {
    let selection = Selection::new(args.stage.clone(), args.level.as_deref());
    let files = files_in(directory).map_err(Stop::Reading)?;
    let tail = tail::read(&files, args.lines, &selection, args.follow).map_err(Stop::Reading)?;
    let mut printer = Printer::new(io::stdout().lock(), args.json);
    tail.lines.iter().try_for_each(|line| printer.print(line)).map_err(Stop::Printing)?;
    printer.flush().map_err(Stop::Printing)?;
    if !args.follow {
        return Ok(());
    }
    let mut follower = Follower::new(directory.to_owned(), tail.reached);
    loop {
        follower.advance(&mut |raw| {
            let line = Line::new(raw);
            if selection.has(&line) { printer.print(&line).map_err(Stop::Printing) } else { Ok(()) }
        })?;
        printer.flush().map_err(Stop::Printing)?;
        if patience::wait() == patience::Reader::Gone {
            return Ok(());
        }
    }
}

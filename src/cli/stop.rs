//! `polytape stop`: lets a running pipeline end.

use std::time::Duration;

use super::{args::StopArgs, error::CliError, paths, print::print};
use crate::app::socket::{Ask, Client};
use crate::control::Answer;
use crate::sqlite::DataDir;

/// How often to look whether it has ended.
const LOOK: Duration = Duration::from_millis(50);

pub(super) async fn run(args: StopArgs) -> Result<(), CliError> {
    let data_dir = paths::place(&args.place)?;
    let mut client = Client::connect(&data_dir).await?;
    let pid = client.greeting().pid;
    match client.ask(Ask::Shutdown).await? {
        Answer::Refused(why) => return Err(CliError::Refused(why)),
        Answer::Done(said) => print(&format!("pid {pid}: {said}\n")),
        Answer::Plan(_) => {}
    }
    // It has ended when the directory is free, or is another process's already.
    while args.wait && DataDir::holder(&data_dir).is_ok_and(|holder| holder == Some(pid.to_string())) {
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

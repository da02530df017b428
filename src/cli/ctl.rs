//! `polytape ctl`: steers a running pipeline.

use serde_json::json;

use super::args::CtlArgs;
use super::ctl_command::CtlCommand;
use super::{error::CliError, paths, print::print};
use crate::app::socket::Client;
use crate::control::{Answer, Command, Plan};
use crate::flow::StageId;
use crate::monitor::JobView;
use crate::units;

pub(super) async fn run(args: CtlArgs) -> Result<(), CliError> {
    let mut client = Client::connect(&paths::place(&args.place)?).await?;
    let commands = match args.command {
        CtlCommand::Jobs => return jobs(&client.snapshot().await?.jobs, args.json),
        CtlCommand::One(command) => vec![command],
        CtlCommand::Each { verb, stages } => {
            let running: Vec<StageId> = client.snapshot().await?.stages.iter().map(|stage| stage.name).collect();
            let commands = chosen(&stages, &running)?.into_iter().map(|stage| format!("{verb} {stage}").parse());
            commands.collect::<Result<_, _>>().map_err(CliError::Usage)?
        }
    };
    ask_all(&mut client, commands, args.json).await
}

/// The stages that were named: `all` are those that run there.
fn chosen(named: &[String], running: &[StageId]) -> Result<Vec<StageId>, CliError> {
    if named.iter().any(|name| name == "all") {
        return match named.len() {
            1 => Ok(running.to_vec()),
            _ => Err(CliError::Usage("all stands alone: it means every stage that runs there".into())),
        };
    }
    let mut stages: Vec<StageId> = Vec::new();
    for name in named {
        let stage = name.parse().map_err(|_| {
            let names: Vec<&str> = running.iter().map(|stage| stage.as_str()).collect();
            CliError::Usage(format!(
                "{name:?} is no stage: there are {}, and all for every one of them",
                names.join(", ")
            ))
        })?;
        if !stages.contains(&stage) {
            stages.push(stage);
        }
    }
    Ok(stages)
}

/// Asks for one thing after the other, says what came of each, and fails where one was refused.
async fn ask_all(client: &mut Client, commands: Vec<Command>, json: bool) -> Result<(), CliError> {
    let mut refused = Vec::new();
    for command in commands {
        let answer = client.command(command.clone()).await?;
        if json {
            print(&format!("{}\n", json!({ "command": command.to_string(), "answer": answer })));
        }
        match answer {
            Answer::Refused(why) => refused.push(why),
            Answer::Done(said) if !json => print(&format!("{said}\n")),
            Answer::Plan(Plan { from, to, amount, way }) if !json => {
                print(&format!("{command}\n  from    {from}\n  to      {to}\n  amount  {amount}\n  way     {way}\n"));
            }
            _ => {}
        }
    }
    if refused.is_empty() { Ok(()) } else { Err(CliError::Refused(refused.join("; "))) }
}

/// The replays, a line each.
fn jobs(jobs: &[JobView], json: bool) -> Result<(), CliError> {
    for job in jobs {
        if json {
            print(&format!("{}\n", json!(job)));
            continue;
        }
        let JobView { id, stage, state, total, done, moved, cause, .. } = job;
        let [done, total, moved] = [*done, *total, *moved].map(units::thousands);
        let left = job.left.map(|left| format!(", {} left", units::age(left))).unwrap_or_default();
        let cause = cause.as_ref().map(|cause| format!(": {cause}")).unwrap_or_default();
        print(&format!("{id}  {:<9}  {stage}  {done} of {total}, {moved} rows{left}{cause}\n", state.as_str()));
    }
    if jobs.is_empty() && !json {
        print("no replays\n");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_named_or_all_of_them() {
        let running = [StageId::IngestFills, StageId::WriteTrades];
        let chosen = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            chosen(&names, &running).map_err(|error| error.to_string())
        };
        assert_eq!(chosen(&["all"]), Ok(running.to_vec()));
        assert_eq!(chosen(&["write-trades", "write-trades"]), Ok(vec![StageId::WriteTrades]));
        assert!(chosen(&["all", "write-trades"]).unwrap_err().starts_with("all stands alone"));
        let error = chosen(&["nobody"]).unwrap_err();
        assert_eq!(
            error,
            "\"nobody\" is no stage: there are ingest-fills, write-trades, and all for every one of them"
        );
    }
}

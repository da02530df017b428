//! `polytape status`: how a running pipeline is, for people, scripts and health checks.

use std::io::{IsTerminal as _, stdout};

use serde::Serialize;

use super::{args::StatusArgs, error::CliError, paths, print::print};
use crate::app::socket::{Ask, Client, ClientError, Message};
use crate::monitor::{Seen, Severity, Snapshot, StageView, State};
use crate::units::{age, bytes, rows, thousands};

/// The version of what `--json` prints. It changes where who reads it would misunderstand.
const VERSION: u32 = 1;

/// What `--json` prints.
#[derive(Serialize)]
struct Status<'a> {
    version: u32,
    pid: u32,
    snapshot: &'a Snapshot,
}

pub(super) async fn run(args: StatusArgs) -> Result<(), CliError> {
    let mut client = Client::connect(&paths::place(&args.place)?).await?;
    let pid = client.greeting().pid;
    let show = |snapshot: &Snapshot| match args.json {
        true => serde_json::to_string(&Status { version: VERSION, pid, snapshot }).unwrap_or_default() + "\n",
        false => text(snapshot, pid),
    };
    if !args.watch {
        let snapshot = client.snapshot().await?;
        print(&show(&snapshot));
        return verdict(&snapshot);
    }
    // A terminal shows the newest one only.
    let before = if stdout().is_terminal() && !args.json { "\x1b[H\x1b[2J" } else { "" };
    print(&format!("{before}{}", show(&client.snapshot().await?)));
    client.ask(Ask::Snapshots).await?;
    loop {
        match client.next().await {
            Ok(Message::Snapshot(snapshot)) => print(&format!("{before}{}", show(&snapshot))),
            Ok(_) => {}
            // That it ended was waited for.
            Err(ClientError::Lost(_)) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// A stage that has failed fails a check, too.
fn verdict(snapshot: &Snapshot) -> Result<(), CliError> {
    match snapshot.stages.iter().find(|stage| stage.state == State::Fail) {
        Some(stage) => {
            let cause = stage.cause.as_deref().unwrap_or("it does not say why");
            Err(CliError::Refused(format!("{} has failed: {cause}", stage.name)))
        }
        None => Ok(()),
    }
}

fn seen<T>(seen: &Seen<T>, text: impl Fn(&T) -> String) -> String {
    let stale = if seen.is_stale() { format!(" ({} ago)", age(seen.age)) } else { String::new() };
    seen.value.as_ref().map_or_else(|| "?".to_owned(), |value| text(value) + &stale)
}

/// A pipeline in a few lines: what is wrong, its stages, where its source is, what its streams and tables hold.
fn text(now: &Snapshot, pid: u32) -> String {
    let demo = if now.about.demo { ", demo" } else { "" };
    let mut text = format!(
        "{} runs for {} as pid {pid}: polytape {}, {}{demo}\n",
        now.about.name,
        age(now.uptime),
        now.about.version,
        now.about.store
    );
    match now.alerts.iter().filter(|alert| alert.severity > Severity::Info).count() {
        0 => text.push_str("all is well\n"),
        _ => {
            for alert in now.alerts.iter().filter(|alert| alert.severity > Severity::Info) {
                text += &format!("! {} (for {})\n", alert.text, age(alert.since));
            }
        }
    }
    let source = &now.source;
    text += &format!(
        "\n{}: final block {}, {} behind\n\n",
        source.name,
        seen(&source.head, |head| format!("{} ({} old)", thousands(head.block), age(head.age))),
        source
            .blocks_behind()
            .map_or_else(|| "an unknown number of blocks".to_owned(), |blocks| format!("{} blocks", thousands(blocks))),
    );
    for stage in &now.stages {
        text += &line(stage);
    }
    text.push('\n');
    for stream in &now.streams {
        let unread = stream.live().map_or_else(|| "?".to_owned(), |group| thousands(group.pending + group.lag));
        let events = seen(&stream.entries, |events| thousands(*events));
        text += &format!("{:<24} {events:>12} events  {unread:>12} unread  {:>6}\n", stream.name, bytes(stream.bytes));
    }
    text.push('\n');
    for table in &now.tables {
        text += &format!(
            "{:<24} {:>12} rows\n",
            table.name,
            seen(&table.rows, |count| rows(count.rows, count.is_estimate, thousands))
        );
    }
    text
}

fn line(stage: &StageView) -> String {
    let requested = stage.requested.map(|state| format!(" (asked to {})", state.as_str())).unwrap_or_default();
    let cause = stage.cause.as_ref().map(|cause| format!("  {cause}")).unwrap_or_default();
    let rate = stage.rate.map_or_else(|| "?".to_owned(), thousands);
    format!(
        "{:<22} {}{requested}  {rate:>8}/s  {:>12} in all{cause}\n",
        stage.name.as_str(),
        stage.state,
        thousands(stage.moved)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::socket::{Greeting, Hello, PROTOCOL};
    use crate::monitor::sample;

    /// What scripts read. Where a name goes or means something else, the version changes with it.
    #[test]
    fn what_is_printed_for_scripts_is_of_this_version() {
        let snapshot = sample::healthy();
        let status = Status { version: VERSION, pid: 7, snapshot: &snapshot };
        insta::assert_snapshot!("status_of_version_1", serde_json::to_string_pretty(&status).unwrap());
        let greeting =
            Greeting { protocol: PROTOCOL, version: "0.1.0".into(), pid: 7, pipeline: "main".into(), demo: false };
        let hello = Hello { protocol: PROTOCOL, version: "0.1.0".into(), tty: Some("/dev/pts/1".into()) };
        let lines = [Message::Greeting(greeting)].map(|message| serde_json::to_string(&message).unwrap());
        insta::assert_snapshot!(
            "greeting_of_version_1",
            format!("{}\n{}", lines[0], serde_json::to_string(&hello).unwrap())
        );
    }

    #[test]
    fn what_is_wrong_comes_first_and_a_failed_stage_fails_a_check() {
        let mut snapshot = sample::healthy();
        snapshot.alerts.clear();
        assert!(text(&snapshot, 7).contains("all is well\n"), "{}", text(&snapshot, 7));
        assert!(verdict(&snapshot).is_ok());
        (snapshot.stages[4].state, snapshot.stages[4].cause) = (State::Fail, Some("452".into()));
        assert_eq!(verdict(&snapshot).unwrap_err().to_string(), "write-trades has failed: 452");
        assert!(text(&snapshot, 7).contains("write-trades           FAIL"), "{}", text(&snapshot, 7));
    }
}

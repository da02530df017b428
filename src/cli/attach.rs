//! `polytape attach`: the screen of a pipeline that runs in another process.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::{args::AttachArgs, environment, error::CliError, paths, print::print, screen, screen::TerminalMode};
use crate::app::signals;
use crate::app::socket::{Ask, Client, ClientError, Message, Reader, Writer};
use crate::app::{AppError, HangUp};
use crate::config::load;
use crate::control::{Answer, Command, Control};
use crate::logs::{LogRing, Sink, TuiLog};
use crate::monitor::Snapshot;
use crate::tui::{End, Exits, Leave, Parts, Screen};

/// Log lines of before that are shown.
const NEWEST: usize = 1_000;

pub(super) async fn run(args: AttachArgs) -> Result<(), CliError> {
    if screen::wanted(false) != TerminalMode::Yes {
        return Err(CliError::NoTerminal);
    }
    let config = load(paths::config_file(args.config.as_deref()).as_deref(), &environment::all()?)?;
    let look = screen::look(&config.ui)?;
    let data_dir = paths::place(&args.place)?;
    let mut client = Client::connect(&data_dir).await?;
    let pid = client.greeting().pid;
    let first = client.snapshot().await?;
    client.ask(Ask::Snapshots).await?;
    client.ask(Ask::Log { newest: NEWEST }).await?;
    let stop = CancellationToken::new();
    signals::watch(stop.clone(), crate::tui::restore_modes).map_err(AppError::Start)?;
    let _hang_up = HangUp::listen().map_err(AppError::Start)?;

    let (sender, snapshots) = watch::channel(Arc::new(first));
    let (ring, tui) = (Arc::new(LogRing::default()), TuiLog::default());
    let (control, asked) = Control::remote();
    let (read, write) = client.split();
    let (answers, answered) = mpsc::channel(1);
    let link = Link { sender, ring: Arc::clone(&ring), tui, answers, is_read_only: args.read_only };
    let link = tokio::spawn(link.run(read, write, asked, answered));
    let parts = Parts {
        snapshots,
        control,
        ring,
        saved: config.log.dir_for(&data_dir),
        look,
        exits: if args.read_only { Exits::ReadOnly } else { Exits::Attached },
    };
    let mut shown = Screen::start(parts).map_err(AppError::Start)?;
    let ended = tokio::select! {
        ended = shown.ended() => ended,
        () = stop.cancelled() => {
            shown.close().await;
            End::Left(Leave::Detach)
        }
        lost = link => {
            shown.close().await;
            return Err(lost.unwrap_or_else(|error| ClientError::Lost(error.to_string())).into());
        }
    };
    match ended {
        End::Left(Leave::Stop) => {
            let mut client = Client::connect(&data_dir).await?;
            client.ask(Ask::Shutdown).await?;
            print(&format!("pid {pid} finishes what is in hand and ends\n"));
            Ok(())
        }
        End::Left(Leave::Detach) => {
            print(&format!("the pipeline goes on as pid {pid}; come back with `{}`\n", come_back(&args, &data_dir)));
            Ok(())
        }
        // A terminal that is gone takes only this screen along.
        End::HungUp(_) => Ok(()),
        End::Failed(cause) => Err(CliError::Refused(format!("the screen failed: {cause}"))),
    }
}

/// The command that attaches again.
fn come_back(args: &AttachArgs, data_dir: &Path) -> String {
    match (&args.place.data_dir, args.place.demo) {
        (Some(_), _) => format!("polytape attach --data-dir {}", data_dir.display()),
        (None, true) => "polytape attach --demo".to_owned(),
        (None, false) => "polytape attach".to_owned(),
    }
}

/// Brings what the pipeline says to the screen, and what the screen asks to the pipeline.
struct Link {
    sender: watch::Sender<Arc<Snapshot>>,
    ring: Arc<LogRing>,
    tui: TuiLog,
    answers: mpsc::Sender<(u64, Answer)>,
    is_read_only: bool,
}

type Asked = (Command, oneshot::Sender<Answer>);

impl Link {
    /// Until the connection is lost, which is said.
    async fn run(
        self,
        mut read: Reader,
        write: Writer,
        asked: mpsc::Receiver<Asked>,
        answered: mpsc::Receiver<(u64, Answer)>,
    ) -> ClientError {
        let is_read_only = self.is_read_only;
        let listening = async {
            loop {
                match read.next().await {
                    Ok(Message::Snapshot(snapshot)) => drop(self.sender.send_replace(Arc::new(*snapshot))),
                    Ok(Message::Log(records)) => {
                        for record in records {
                            self.tui.accept(&self.ring.push(record));
                        }
                    }
                    // Of one that nobody waits for any more nothing is said.
                    Ok(Message::Answer { id, answer }) => drop(self.answers.try_send((id, answer))),
                    Ok(_) => {}
                    Err(error) => return error,
                }
            }
        };
        tokio::select! {
            lost = listening => lost,
            lost = pass_on(write, asked, answered, is_read_only) => lost,
        }
    }
}

/// Asks for one thing after the other.
async fn pass_on(
    mut write: Writer,
    mut asked: mpsc::Receiver<Asked>,
    mut answered: mpsc::Receiver<(u64, Answer)>,
    is_read_only: bool,
) -> ClientError {
    while let Some((command, answer)) = asked.recv().await {
        if is_read_only {
            let _ = answer.send(Answer::Refused(format!("{command}: attached with --read-only")));
            continue;
        }
        let id = match write.send(Ask::Command(command)).await {
            Ok(id) => id,
            Err(error) => return error,
        };
        while let Some((of, said)) = answered.recv().await {
            if of == id {
                let _ = answer.send(said);
                break;
            }
        }
    }
    // The screen asks no more: what it shows goes on.
    std::future::pending().await
}

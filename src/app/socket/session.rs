//! One client of the socket.
//!
//! Requests are answered one after the other. What a client does not read waits in its connection, and what finds no room there is
//! not kept: of snapshots the newest goes next, log lines are taken from where they are kept anyway. Who has not read
//! for ten seconds is dropped.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::sync::{mpsc, watch};

use super::lines;
use super::protocol::{Ask, Hello, MAX_MESSAGE, MAX_REQUEST, Message, PROTOCOL, Request, caller, mismatch};
use super::served::{Served, SnapshotLine, halves};
use crate::control::Answer;
use crate::logs::{LogRecord, LogRing};
use crate::monitor::Snapshot;

/// How long a client may take to read what was written.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a client may take to say who it is.
const INTRODUCTION: Duration = Duration::from_secs(5);

/// How long at least from one request of a client to its next: who asks faster waits, and nobody else does.
const BETWEEN: Duration = Duration::from_millis(10);

/// How often to look for new lines of the log.
const LOOK: Duration = Duration::from_millis(250);

/// Lines of the log that are told at once, at most.
const AT_ONCE: usize = 500;

/// What the reader of a client's requests has for its writer.
enum Told {
    Answer(u64, Answer),
    Snapshot,
    Snapshots,
    Log(usize),
    Bye(String),
}

/// Says why there is nothing to be had, and closes.
pub(super) async fn turn_away(client: UnixStream, why: String) {
    let (_, mut write) = halves(client);
    if let Ok(line) = lines::line(&Message::Bye(why)) {
        let _ = lines::write(&mut write, &line, INTRODUCTION).await;
    }
}

/// Serves a client until it goes.
pub(super) async fn serve(
    client: UnixStream,
    served: Served,
    line: &SnapshotLine,
    user: String,
    pid: Option<u32>,
) -> io::Result<()> {
    let (mut read, mut write) = halves(client);
    let greeting = lines::line(&Message::Greeting(served.greeting.clone()))?;
    lines::write(&mut write, &greeting, INTRODUCTION).await?;
    let hello = tokio::time::timeout(INTRODUCTION, lines::read_value::<Hello>(&mut read, MAX_REQUEST)).await??;
    let Some(hello) = hello else { return Ok(()) };
    let server = (served.greeting.version.as_str(), PROTOCOL);
    if let Some(why) = mismatch(server, (&hello.version, hello.protocol)) {
        return lines::write(&mut write, &lines::line(&Message::Bye(why))?, INTRODUCTION).await;
    }
    let control = served.control.by(caller(user, pid, hello.tty.as_deref()));
    let (sender, told) = mpsc::channel(4);
    let stop = served.stop.clone();
    let asking = async move {
        loop {
            let request = match lines::read(&mut read, MAX_REQUEST).await {
                Ok(Some(line)) => serde_json::from_slice::<Request>(&line).map_err(|error| error.to_string()),
                Ok(None) => return,
                Err(error) => Err(error.to_string()),
            };
            let Request { id, ask } = match request {
                Ok(request) => request,
                Err(why) => {
                    let _ = sender.send(Told::Bye(format!("a request cannot be read: {why}"))).await;
                    return;
                }
            };
            let answers = match ask {
                Ask::Snapshot => vec![Told::Snapshot],
                Ask::Snapshots => vec![Told::Answer(id, Answer::Done("snapshots follow".into())), Told::Snapshots],
                Ask::Log { newest } => {
                    vec![Told::Answer(id, Answer::Done("log lines follow".into())), Told::Log(newest)]
                }
                Ask::Command(command) => vec![Told::Answer(id, control.send(command).await)],
                Ask::Shutdown => {
                    let answer = control.note_stop();
                    stop.cancel();
                    vec![Told::Answer(id, answer)]
                }
            };
            for answer in answers {
                if sender.send(answer).await.is_err() {
                    return;
                }
            }
            tokio::time::sleep(BETWEEN).await;
        }
    };
    let telling = tell(&mut write, told, served.snapshots.clone(), &served.ring, line);
    tokio::pin!(telling);
    // A client that asks no more is still told what it asked before; one that cannot be told any more is gone.
    tokio::select! {
        biased;
        told = &mut telling => told,
        () = asking => telling.await,
    }
}

/// Writes what there is to be told, until nobody asks any more.
async fn tell(
    write: &mut tokio::net::unix::OwnedWriteHalf,
    mut told: mpsc::Receiver<Told>,
    mut snapshots: watch::Receiver<Arc<Snapshot>>,
    ring: &LogRing,
    line: &SnapshotLine,
) -> io::Result<()> {
    let (mut follows, mut log): (bool, Option<u64>) = (false, None);
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let next = tokio::select! {
            biased;
            next = told.recv() => match next {
                Some(next) => next,
                None => return Ok(()),
            },
            Ok(()) = snapshots.changed(), if follows => Told::Snapshot,
            _ = look.tick(), if log.is_some_and(|seen| ring.sequence() > seen) => Told::Log(0),
        };
        let text: Arc<[u8]> = match next {
            Told::Answer(id, answer) => lines::line(&Message::Answer { id, answer })?.into(),
            Told::Bye(why) => {
                let last = lines::line(&Message::Bye(why))?;
                return lines::write(write, &last, PATIENCE).await;
            }
            Told::Log(newest) => {
                let from = *log.get_or_insert_with(|| ring.sequence().saturating_sub(newest as u64));
                let (seen, records) = behind(ring, from);
                log = Some(seen);
                if records.is_empty() {
                    continue;
                }
                lines::line(&Message::Log(records))?.into()
            }
            Told::Snapshot | Told::Snapshots => {
                follows |= matches!(next, Told::Snapshots);
                let newest = Arc::clone(&snapshots.borrow_and_update());
                let Some(text) = line.of(&newest) else {
                    let last = lines::line(&Message::Bye(format!("a snapshot has more than {MAX_MESSAGE} bytes")))?;
                    return lines::write(write, &last, PATIENCE).await;
                };
                text
            }
        };
        lines::write(write, &text, PATIENCE).await?;
    }
}

/// The lines behind one, as many as are told at once, and the number of the last one.
fn behind(ring: &LogRing, seen: u64) -> (u64, Vec<LogRecord>) {
    let missing = usize::try_from(ring.sequence().saturating_sub(seen)).unwrap_or(usize::MAX);
    let newest = ring.newest(missing);
    let (mut last, mut records, mut bytes) = (seen, Vec::new(), 0);
    for (number, record) in newest.into_iter().filter(|(number, _)| *number > seen).take(AT_ONCE) {
        // What a line may have, with room for its escapes.
        bytes += record.message.len()
            + record.fields.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>()
            + 200;
        if bytes > MAX_MESSAGE / 8 && !records.is_empty() {
            break;
        }
        last = number;
        records.push((*record).clone());
    }
    (last, records)
}

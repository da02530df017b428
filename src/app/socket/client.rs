//! The other end of the socket: what looks at a running pipeline and steers it from elsewhere.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::BufReader;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use super::lines;
use super::place;
use super::protocol::{Ask, Greeting, Hello, MAX_MESSAGE, Message, PROTOCOL, Request, mismatch};
use super::served::halves;
use crate::app::caller;
use crate::control::{Answer, Command};
use crate::monitor::Snapshot;
use crate::sqlite::DataDir;

/// How long a pipeline may take to say who it is.
const GREETING: Duration = Duration::from_secs(5);

/// How long it may take to answer. A command that it has to think about has ten seconds there.
const ANSWER: Duration = Duration::from_secs(15);

/// Why a running pipeline cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nothing runs there.
    #[error("no polytape runs in {}: start one with `polytape run`, or name its --data-dir", .0.display())]
    NotRunning(PathBuf),
    /// Something runs there, and has no socket.
    #[error("polytape runs in {} (pid {pid}) but cannot be asked: {why}", .path.display())]
    Unreachable {
        /// The data directory.
        path: PathBuf,
        /// The process.
        pid: String,
        /// Why.
        why: String,
    },
    /// It is of another version, or turns this client away.
    #[error("{0}")]
    TurnedAway(String),
    /// It has gone in the middle.
    #[error("the connection to the running polytape was lost: {0}")]
    Lost(String),
}

impl ClientError {
    /// Whether nothing runs there.
    pub const fn is_not_running(&self) -> bool {
        matches!(self, Self::NotRunning(_))
    }
}

fn lost(error: io::Error) -> ClientError {
    ClientError::Lost(match error.kind() {
        io::ErrorKind::TimedOut => "it does not answer".to_owned(),
        _ => error.to_string(),
    })
}

/// A connection to a running pipeline.
pub struct Client {
    read: Reader,
    write: Writer,
    greeting: Greeting,
}

/// What it says.
pub struct Reader(BufReader<OwnedReadHalf>);

/// What it is asked.
pub struct Writer {
    write: OwnedWriteHalf,
    asked: u64,
}

impl Client {
    /// Connects to the pipeline that runs in a data directory.
    pub async fn connect(data_dir: &Path) -> Result<Self, ClientError> {
        let reached = async {
            let place = place::reach(data_dir)?;
            UnixStream::connect(&place.path).await
        };
        let stream = match tokio::time::timeout(GREETING, reached).await.unwrap_or_else(|late| Err(late.into())) {
            Ok(stream) => stream,
            Err(error) => return Err(not_reached(data_dir, &error)),
        };
        let (read, write) = halves(stream);
        let (mut read, mut write) = (Reader(read), Writer { write, asked: 0 });
        let first = tokio::time::timeout(GREETING, lines::read(&mut read.0, MAX_MESSAGE)).await;
        let first = first.map_err(io::Error::from).flatten().map_err(lost)?;
        let first = first.ok_or_else(|| ClientError::Lost("it said nothing".into()))?;
        let greeting = greeted(&first)?;
        let hello = Hello { protocol: PROTOCOL, version: env!("CARGO_PKG_VERSION").into(), tty: caller::tty() };
        let text = lines::line(&hello).map_err(lost)?;
        lines::write(&mut write.write, &text, GREETING).await.map_err(lost)?;
        Ok(Self { read, write, greeting })
    }

    /// Who it is.
    pub const fn greeting(&self) -> &Greeting {
        &self.greeting
    }

    /// Asks for something, and waits for the answer. What else is said meanwhile is left out.
    pub async fn ask(&mut self, ask: Ask) -> Result<Answer, ClientError> {
        let asked = self.write.send(ask).await?;
        loop {
            match self.read.next_within(ANSWER).await? {
                Message::Answer { id, answer } if id == asked => return Ok(answer),
                _ => {}
            }
        }
    }

    /// Asks for a command to be done.
    pub async fn command(&mut self, command: Command) -> Result<Answer, ClientError> {
        self.ask(Ask::Command(command)).await
    }

    /// The newest snapshot.
    pub async fn snapshot(&mut self) -> Result<Snapshot, ClientError> {
        self.write.send(Ask::Snapshot).await?;
        loop {
            if let Message::Snapshot(snapshot) = self.read.next_within(ANSWER).await? {
                return Ok(*snapshot);
            }
        }
    }

    /// Its two directions, for who does both at once.
    pub fn split(self) -> (Reader, Writer) {
        (self.read, self.write)
    }

    /// The next thing that it says, whenever that is.
    pub async fn next(&mut self) -> Result<Message, ClientError> {
        self.read.next().await
    }
}

/// Who greeted; or why the two do not talk. Of a greeting of another version only its version is understood.
fn greeted(line: &[u8]) -> Result<Greeting, ClientError> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum First {
        Greeting(serde_json::Value),
        Bye(String),
    }
    let garbled = || ClientError::TurnedAway("what answers on the socket is no polytape".into());
    let value = match serde_json::from_slice(line).map_err(|_| garbled())? {
        First::Greeting(value) => value,
        First::Bye(why) => return Err(ClientError::TurnedAway(crate::secrets::line(&why))),
    };
    let protocol = value["protocol"].as_u64().and_then(|version| u32::try_from(version).ok()).ok_or_else(garbled)?;
    let version = value["version"].as_str().unwrap_or("?");
    match mismatch((version, protocol), (env!("CARGO_PKG_VERSION"), PROTOCOL)) {
        Some(why) => Err(ClientError::TurnedAway(why)),
        None => serde_json::from_value(value).map_err(|_| garbled()),
    }
}

/// Why nobody answers there: nothing runs, or what runs has no socket.
fn not_reached(data_dir: &Path, error: &io::Error) -> ClientError {
    match DataDir::holder(data_dir) {
        Ok(Some(pid)) => ClientError::Unreachable { path: data_dir.to_owned(), pid, why: error.to_string() },
        _ => ClientError::NotRunning(data_dir.to_owned()),
    }
}

impl Reader {
    /// The next thing that it says, whenever that is.
    pub async fn next(&mut self) -> Result<Message, ClientError> {
        let message = lines::read_value(&mut self.0, MAX_MESSAGE).await.map_err(lost)?;
        match message {
            Some(Message::Bye(why)) => Err(ClientError::TurnedAway(crate::secrets::line(&why))),
            Some(message) => Ok(message),
            None => Err(ClientError::Lost("it ended".into())),
        }
    }

    async fn next_within(&mut self, within: Duration) -> Result<Message, ClientError> {
        let late = |_| ClientError::Lost(format!("no answer within {} s", within.as_secs()));
        tokio::time::timeout(within, self.next()).await.map_err(late)?
    }
}

impl Writer {
    /// Asks for something, and says by which number its answer goes.
    pub async fn send(&mut self, ask: Ask) -> Result<u64, ClientError> {
        self.asked += 1;
        let line = lines::line(&Request { id: self.asked, ask }).map_err(lost)?;
        lines::write(&mut self.write, &line, ANSWER).await.map_err(lost)?;
        Ok(self.asked)
    }
}

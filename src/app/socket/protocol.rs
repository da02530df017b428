//! What goes over the socket: a JSON value on a line, in each direction.
//!
//! The server says first who it is ([`Greeting`]), the client answers likewise ([`Hello`]), and each of them finds out whether it
//! understands the other. From then on the client asks ([`Request`]), and the server answers each request once, in their order, by
//! its number; between answers come the snapshots and log lines that were asked for ([`Message`]).

use serde::{Deserialize, Serialize};

use crate::control::{Answer, Caller, Command};
use crate::logs::LogRecord;
use crate::monitor::Snapshot;

/// The version of what is spoken. It changes where an older side would misunderstand.
pub const PROTOCOL: u32 = 1;

/// Bytes of a line to the server, at most.
pub(super) const MAX_REQUEST: usize = 16 << 10;

/// Bytes of a line to a client, at most.
pub(super) const MAX_MESSAGE: usize = 1 << 20;

/// Who the server is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Greeting {
    /// The version of what it speaks.
    pub protocol: u32,
    /// The version of polytape.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// Its pipeline.
    pub pipeline: String,
    /// Whether its world is the demo's.
    pub demo: bool,
}

/// Who the client is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The version of what it speaks.
    pub protocol: u32,
    /// The version of polytape.
    pub version: String,
    /// The terminal that it is on, if any. Shown to others; what it may do does not depend on it.
    #[serde(default)]
    pub tty: Option<String>,
}

/// What a client asks, and by which number the answer goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Its number, chosen by the client.
    pub id: u64,
    /// What it asks.
    pub ask: Ask,
}

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ask {
    /// The newest snapshot.
    Snapshot,
    /// Every snapshot from now on that there is time for.
    Snapshots,
    /// So many of the newest lines of the log, and those that come.
    Log {
        /// How many.
        newest: usize,
    },
    /// To do something.
    Command(Command),
    /// To finish what is in hand and end.
    Shutdown,
}

/// What the server says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Message {
    /// Who it is. This comes first.
    Greeting(Greeting),
    /// Why it says nothing more.
    Bye(String),
    /// The answer to a request.
    Answer {
        /// The number of the request.
        id: u64,
        /// What came of it.
        answer: Answer,
    },
    /// A snapshot.
    Snapshot(Box<Snapshot>),
    /// Lines of the log, oldest first.
    Log(Vec<LogRecord>),
}

/// Who asks, as the system and the client itself say.
pub(super) fn caller(user: String, pid: Option<u32>, tty: Option<&str>) -> Caller {
    let tty = tty.map(crate::secrets::line).map(|tty| tty.chars().take(64).collect());
    Caller { user, pid, tty }
}

/// Why two sides of different versions do not talk: what each is, and what to do.
pub(super) fn mismatch(server: (&str, u32), client: (&str, u32)) -> Option<String> {
    let ((server, speaks), (client, wants)) = (server, client);
    (speaks != wants).then(|| {
        let binary = |version: &str| crate::secrets::line(version);
        format!(
            "the pipeline is run by polytape {}, which speaks version {speaks} of the socket; this is polytape {} with version {wants}: \
             use the binary that runs the pipeline",
            binary(server),
            binary(client)
        )
    })
}

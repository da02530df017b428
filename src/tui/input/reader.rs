//! Reads the terminal, on a thread of its own.
//!
//! It ends where the terminal does, and where nobody wants keys any more: who has the terminal next gets all that is typed
//! from then on. It waits in `poll` and nowhere else, so that a terminal that is gone costs no time.

use std::io::{self, IsTerminal, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};
use std::{fs::File, thread};

use crate::tui::key::{Event, Key};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::sync::mpsc;

use super::parser::Parser;

/// How long there is nothing before and behind a key that came alone.
const SILENCE: Duration = Duration::from_millis(30);

/// Events that wait, at most.
const WAITING: usize = 64;

/// What is read at once.
const BLOCK: usize = 4 << 10;

/// Something that somebody did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Input {
    pub(crate) event: Event,
    /// Whether nothing else came with it, before it or behind it. Known of the keys of which it was asked for, true of all
    /// others.
    pub(crate) alone: bool,
}

/// Whether it is to be known of a key that it came alone.
pub(crate) type Guarded = Box<dyn Fn(&Key) -> bool + Send>;

/// Keys, until dropped.
pub(in crate::tui) struct Keys {
    inputs: mpsc::Receiver<io::Result<Input>>,
    /// Whose end tells the thread that nobody wants keys any more.
    _wanted: OwnedFd,
}

impl Keys {
    /// The next one; an error is the last.
    pub(crate) async fn next(&mut self) -> Option<io::Result<Input>> {
        self.inputs.recv().await
    }
}

/// Begins to read.
pub(crate) fn start(guarded: Guarded) -> io::Result<Keys> {
    let (sender, inputs) = mpsc::channel(WAITING);
    let (unwanted, wanted) = io::pipe()?;
    // Its own: the standard streams are taken off a terminal that is gone.
    let terminal = if io::stdin().is_terminal() {
        File::from(io::stdin().as_fd().try_clone_to_owned()?)
    } else {
        File::open("/dev/tty")?
    };
    let mut reader =
        Reader { terminal, unwanted: unwanted.into(), sender, guarded, parser: Parser::default(), last: None };
    thread::Builder::new().name("keys".into()).spawn(move || {
        if let Err(error) = reader.run() {
            let _ = reader.sender.blocking_send(Err(error));
        }
    })?;
    Ok(Keys { inputs, _wanted: wanted.into() })
}

struct Reader {
    terminal: File,
    unwanted: OwnedFd,
    sender: mpsc::Sender<io::Result<Input>>,
    guarded: Guarded,
    parser: Parser,
    /// When something came last.
    last: Option<Instant>,
}

/// What `poll` found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Bytes,
    Nothing,
    Unwanted,
}

impl Reader {
    /// Until nobody wants more; an error where the terminal is gone.
    fn run(&mut self) -> io::Result<()> {
        let mut block = [0; BLOCK];
        loop {
            let mut events = Vec::new();
            let alone = match self.wait(self.parser.patience())? {
                Found::Unwanted => return Ok(()),
                Found::Nothing => {
                    self.parser.give_up(&mut events);
                    true
                }
                Found::Bytes => {
                    let now = Instant::now();
                    let length = match self.terminal.read(&mut block) {
                        Ok(0) => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the terminal is gone")),
                        Ok(length) => length,
                        Err(error) if is_passing(&error) => continue,
                        Err(error) => return Err(error),
                    };
                    self.take(&block[..length], now, &mut events)?
                }
            };
            for event in events {
                let alone = alone || !self.is_guarded(&event);
                if self.sender.blocking_send(Ok(Input { event, alone })).is_err() {
                    return Ok(());
                }
            }
        }
    }

    /// Takes what was read. Says whether it is one key that came alone, or nothing of which that is to be known.
    fn take(&mut self, bytes: &[u8], now: Instant, events: &mut Vec<Event>) -> io::Result<bool> {
        let was_quiet = self.last.is_none_or(|last| now.duration_since(last) >= SILENCE);
        let was_whole = self.parser.patience().is_none();
        self.parser.has_dropped();
        self.parser.push(bytes, events);
        self.last = Some(now);
        if !events.iter().any(|event| self.is_guarded(event)) {
            return Ok(true);
        }
        let is_one = events.len() == 1 && was_whole && self.parser.patience().is_none() && !self.parser.has_dropped();
        Ok(is_one && was_quiet && self.wait(Some(SILENCE))? == Found::Nothing)
    }

    fn is_guarded(&self, event: &Event) -> bool {
        matches!(event, Event::Key(key) if (self.guarded)(key))
    }

    /// Waits for bytes, for so long.
    fn wait(&self, longest: Option<Duration>) -> io::Result<Found> {
        let begin = Instant::now();
        loop {
            let left = longest.map(|longest| longest.saturating_sub(begin.elapsed()));
            let timeout = left.and_then(|left| Timespec::try_from(left).ok());
            let mut polled = [watched(self.terminal.as_fd()), watched(self.unwanted.as_fd())];
            match poll(&mut polled, timeout.as_ref()) {
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
                Ok(0) => return Ok(Found::Nothing),
                Ok(_) => {}
            }
            let [terminal, unwanted] = polled.map(|polled| polled.revents());
            if !unwanted.is_empty() {
                return Ok(Found::Unwanted);
            }
            // Also where it is gone: reading says so.
            if !terminal.is_empty() {
                return Ok(Found::Bytes);
            }
        }
    }
}

fn watched(fd: BorrowedFd<'_>) -> PollFd<'_> {
    PollFd::from_borrowed_fd(fd, PollFlags::IN)
}

/// Another reader was faster, or a signal came.
fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock)
}

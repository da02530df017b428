//! The loop of the screen: takes messages, draws what they change, and does what they ask for.
//!
//! It has a thread and a runtime of its own: a terminal that does not take what is written to it holds up the screen and
//! nobody else.

use std::time::{Duration, Instant};
use std::{env, io, path::PathBuf, sync::Arc};

use crossterm::clipboard::CopyToClipboard;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::effect::{Effect, Leave};
use super::exits::Exits;
use super::input::{self, Input};
use super::terminal::{Terminal, size};
use super::update::{Message, update};
use super::{key::Event, look::UiOptions, painter::Painter, screen, state::State};
use crate::control::Control;
use crate::logs::{LogRing, line};
use crate::monitor::{Severity, Snapshot};

/// How often it draws, at most: here, and over a network.
const LOCAL: Duration = Duration::from_millis(100);
const REMOTE: Duration = Duration::from_millis(250);

/// A frame that took so much longer to be taken makes the next ones rarer.
const SLOW: u32 = 4;

/// How often it looks for new lines of the log, and for what is over.
const LOOK: Duration = Duration::from_millis(330);

/// Answers that wait, at most.
const ANSWERS: usize = 16;

/// What a screen shows and steers.
pub struct Parts {
    /// What is shown.
    pub snapshots: watch::Receiver<Arc<Snapshot>>,
    /// By which it is steered.
    pub control: Control,
    /// The log.
    pub ring: Arc<LogRing>,
    /// Where lines of the log are saved.
    pub saved: PathBuf,
    /// How it looks.
    pub look: UiOptions,
    /// By which ways it can be left.
    pub exits: Exits,
}

/// How a screen ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Somebody left it, or it was told to close.
    Left(Leave),
    /// Its terminal is gone.
    HungUp(String),
    /// It could not go on.
    Failed(String),
}

/// Shows the screen until it ends.
pub(super) async fn run(parts: Parts, closing: CancellationToken) -> End {
    show(parts, closing).await.unwrap_or_else(|error| End::Failed(error.to_string()))
}

async fn show(parts: Parts, closing: CancellationToken) -> io::Result<End> {
    let terminal = Terminal::take()?;
    let writer = terminal.writer()?;
    let signals = Signals::new()?;
    let mut screen = Screen::new(parts, terminal, Painter::new(writer));
    match screen.show(signals, closing).await {
        Ok(leave) => Ok(End::Left(leave)),
        Err(cause) => screen.terminal.lose().map(|()| End::HungUp(cause)),
    }
}

/// What somebody did, as a message.
fn take(input: Input) -> Message {
    match input.event {
        Event::Key(key) if input.alone => Message::Key(key),
        Event::Key(key) => Message::Crowded(key),
        Event::Paste(text) => Message::Paste(text),
    }
}

/// What the system tells.
struct Signals {
    hang_up: Signal,
    stop: Signal,
    go_on: Signal,
    resized: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        let raw = |signal: rustix::process::Signal| SignalKind::from_raw(signal.as_raw());
        Ok(Self {
            hang_up: signal(SignalKind::hangup())?,
            stop: signal(raw(rustix::process::Signal::TSTP))?,
            go_on: signal(raw(rustix::process::Signal::CONT))?,
            resized: signal(SignalKind::window_change())?,
        })
    }
}

struct Screen {
    state: State,
    terminal: Terminal,
    painter: Painter<std::fs::File>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    control: Control,
    saved: PathBuf,
    began: Instant,
    size: (u16, u16),
    /// How long to wait between frames.
    pace: Duration,
    drawn: Option<Instant>,
    log_seen: u64,
}

impl Screen {
    fn new(parts: Parts, terminal: Terminal, painter: Painter<std::fs::File>) -> Self {
        let Parts { mut snapshots, control, ring, saved, look, exits } = parts;
        let first = Arc::clone(&snapshots.borrow_and_update());
        let pace = if env::var_os("SSH_CONNECTION").is_some() { REMOTE } else { LOCAL };
        Self {
            state: State::new(look, first, ring, exits),
            terminal,
            painter,
            snapshots,
            control,
            saved,
            began: Instant::now(),
            size: size(),
            pace,
            drawn: None,
            log_seen: 0,
        }
    }

    /// Until somebody leaves; an error where the terminal is gone.
    async fn show(&mut self, mut signals: Signals, closing: CancellationToken) -> Result<Leave, String> {
        let gone = |error: io::Error| error.to_string();
        let keymap = self.state.look.keymap.clone();
        let mut keys = input::start(Box::new(move |key| keymap.is_guarded(key))).map_err(gone)?;
        let (answers, mut answered) = mpsc::channel(ANSWERS);
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        self.draw().map_err(gone)?;
        let mut is_dirty = false;
        loop {
            let due = self.drawn.map_or(Duration::ZERO, |drawn| self.pace.saturating_sub(drawn.elapsed()));
            let message = tokio::select! {
                biased;
                () = closing.cancelled() => return Ok(Leave::Stop),
                _ = signals.hang_up.recv() => return Err("the terminal hung up".into()),
                _ = signals.stop.recv() => {
                    self.suspend().map_err(gone)?;
                    None
                }
                _ = signals.go_on.recv() => {
                    self.terminal.enter().map_err(gone)?;
                    self.size = size();
                    self.painter.repaint();
                    None
                }
                () = tokio::time::sleep(due), if is_dirty && self.terminal.is_ours() => {
                    self.draw().map_err(gone)?;
                    is_dirty = false;
                    continue;
                }
                _ = signals.resized.recv() => {
                    self.size = size();
                    None
                }
                input = keys.next() => match input {
                    Some(Ok(input)) => Some(take(input)),
                    Some(Err(error)) => return Err(error.to_string()),
                    None => return Err("the terminal is gone".into()),
                },
                answer = answered.recv() => answer,
                // Where nobody publishes any more the last one stays, and gets old.
                Ok(()) = self.snapshots.changed() => {
                    Some(Message::Snapshot(Arc::clone(&self.snapshots.borrow_and_update())))
                }
                _ = look.tick() => {
                    let seen = self.state.ring.sequence();
                    let logged = std::mem::replace(&mut self.log_seen, seen) != seen && self.state.frozen.is_none();
                    if !logged && !self.is_passing() {
                        continue;
                    }
                    Some(Message::Tick)
                }
            };
            is_dirty = true;
            let Some(message) = message else { continue };
            let Some(effect) = self.tell(message) else { continue };
            if let Some(leave) = self.perform(effect, &answers).map_err(gone)? {
                return Ok(leave);
            }
        }
    }

    fn tell(&mut self, message: Message) -> Option<Effect> {
        let now = self.now();
        update(&mut self.state, message, now)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Whether something on the screen passes with time alone.
    fn is_passing(&self) -> bool {
        let now = self.now();
        self.state.toast.as_ref().is_some_and(|toast| toast.until <= now)
            || self.state.undo.as_ref().is_some_and(|(_, until)| *until <= now)
            || (self.state.frozen.is_none() && now.saturating_sub(self.state.received) > 3_500)
    }

    fn draw(&mut self) -> io::Result<()> {
        (self.state.width, self.state.height) = self.size;
        if self.state.frozen.is_none() {
            tui_logger::move_events();
        }
        let began = Instant::now();
        let state = &self.state;
        self.painter.paint(self.size, |area, buffer| screen::draw(state, area, buffer))?;
        let took = began.elapsed();
        // A line that is slow gets fewer frames, and all of each.
        let base = if env::var_os("SSH_CONNECTION").is_some() { REMOTE } else { LOCAL };
        self.pace = base.max(took * SLOW).min(Duration::from_secs(2));
        self.drawn = Some(Instant::now());
        Ok(())
    }

    fn suspend(&mut self) -> io::Result<()> {
        if !self.terminal.suspend()? {
            let text = "nobody could let it go on: it leads its session".to_owned();
            self.tell(Message::Say(Severity::Warn, text));
        }
        Ok(())
    }

    fn perform(&mut self, effect: Effect, answers: &mpsc::Sender<Message>) -> io::Result<Option<Leave>> {
        match effect {
            Effect::Leave(leave) => return Ok(Some(leave)),
            Effect::Ask(command) => {
                let (control, answers) = (self.control.clone(), answers.clone());
                tokio::spawn(async move {
                    let answer = control.send(command.clone()).await;
                    let _ = answers.send(Message::Answer(command, answer)).await;
                });
            }
            Effect::Suspend => self.suspend()?,
            Effect::Repaint => self.painter.repaint(),
            Effect::Copy(text) => {
                let mut bytes = Vec::new();
                crossterm::queue!(bytes, CopyToClipboard::to_clipboard_from(&text))?;
                self.painter.write(&bytes)?;
                let said = format!("copied {} bytes by OSC 52, if the terminal takes it", text.len());
                self.tell(Message::Say(Severity::Info, said));
            }
            Effect::SaveLog => {
                let (severity, said) = match self.save_log() {
                    Ok(path) => (Severity::Info, format!("saved in {}", path.display())),
                    Err(error) => (Severity::Bad, format!("not saved: {error}")),
                };
                self.tell(Message::Say(severity, said));
            }
        }
        Ok(None)
    }

    /// Writes the lines in memory to a file of its own.
    fn save_log(&self) -> io::Result<PathBuf> {
        let path = self.saved.join(format!("saved-{}.log", jiff::Zoned::now().strftime("%Y%m%dT%H%M%S")));
        let lines: Vec<String> = self.state.ring.newest(usize::MAX).iter().map(|(_, record)| line(record)).collect();
        std::fs::write(&path, lines.join("\n") + "\n")?;
        Ok(path)
    }
}

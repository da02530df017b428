//! The binary on a terminal of its own: what it paints is read as a terminal reads it, and keys are pressed.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::fs::{Mode, OFlags};
use rustix::io::ioctl_fionread;
use rustix::process::{Pid, Signal, kill_process};
use vt100::Screen;

use crate::support::process::Workplace;

/// How long anything may take that is expected to happen at once. Tests run beside each other.
pub const SOON: Duration = Duration::from_secs(30);

/// What is between two keys that a person presses, at least.
const APART: Duration = Duration::from_millis(40);

/// The unit of processor time in `/proc`, on every Linux that there is.
const TICK: Duration = Duration::from_millis(10);

/// Columns and lines.
pub type Size = (u16, u16);

/// The one that most tests use.
pub const USUAL: Size = (120, 40);

/// A terminal with a process that leads its session, and is killed when nobody looks any more.
pub struct Rig {
    child: Box<dyn Child + Send + Sync>,
    pid: Pid,
    line: Option<Line>,
    tty: PathBuf,
    before: String,
    began: Instant,
    shown: Arc<Shown>,
    ended: Option<Ended>,
}

/// How it ended: its code, or the signal that killed it.
pub type Ended = Result<i32, String>;

/// Our end of the terminal. The other end hangs up when this is dropped.
struct Line {
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    reader: JoinHandle<()>,
}

struct Shown {
    picture: Mutex<Picture>,
    changed: Condvar,
    is_closing: AtomicBool,
}

/// What the terminal shows.
pub struct Picture {
    terminal: vt100::Parser,
    /// All that was written to it.
    pub raw: Vec<u8>,
    /// The begin of a frame whose end was not written yet.
    held: Vec<u8>,
    /// Frames that were painted.
    pub frames: u64,
    /// When the first of them was.
    pub painted: Option<Instant>,
    /// What was written since then and is no frame.
    pub between: Vec<u8>,
    /// Nobody can write any more.
    is_over: bool,
}

const FRAME_BEGINS: &[u8] = b"\x1b[?2026h";
const FRAME_ENDS: &[u8] = b"\x1b[?2026l";

impl Picture {
    fn new((columns, lines): Size) -> Self {
        Self {
            terminal: vt100::Parser::new(not_zero(lines), not_zero(columns), 1_000),
            raw: Vec::new(),
            held: Vec::new(),
            frames: 0,
            painted: None,
            between: Vec::new(),
            is_over: false,
        }
    }

    /// Takes what was written. Of a frame nothing shows before all of it is there.
    fn take(&mut self, bytes: &[u8]) {
        self.raw.extend(bytes);
        self.held.extend(bytes);
        loop {
            let begin = position(&self.held, FRAME_BEGINS).unwrap_or_else(|| without_begin(&self.held));
            if self.frames > 0 {
                self.between.extend(&self.held[..begin]);
            }
            self.terminal.process(&self.held[..begin]);
            self.held.drain(..begin);
            let Some(end) = position(&self.held, FRAME_ENDS) else { return };
            let frame: Vec<u8> = self.held.drain(..end + FRAME_ENDS.len()).collect();
            self.terminal.process(&frame);
            self.frames += 1;
            self.painted.get_or_insert_with(Instant::now);
        }
    }

    pub fn screen(&self) -> &Screen {
        self.terminal.screen()
    }

    /// How often something was written.
    pub fn count(&self, bytes: &[u8]) -> usize {
        self.raw.windows(bytes.len()).filter(|window| *window == bytes).count()
    }
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// How much there is before what may be the begin of a frame's begin.
fn without_begin(bytes: &[u8]) -> usize {
    let is_begin = |at: &usize| FRAME_BEGINS.starts_with(&bytes[*at..]);
    (bytes.len().saturating_sub(FRAME_BEGINS.len())..bytes.len()).find(is_begin).unwrap_or(bytes.len())
}

fn not_zero(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).unwrap()
}

const fn pty_size((cols, rows): Size) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}

/// The demo of a place, with more arguments.
pub fn demo(place: &Workplace, arguments: &[&str]) -> Command {
    place.command(&[&["--demo"], arguments].concat())
}

impl Rig {
    /// Starts the demo of a place.
    pub fn demo(place: &Workplace, arguments: &[&str]) -> Self {
        Self::start(&demo(place, arguments), USUAL, place)
    }

    /// Starts a command that leads the session of a terminal of this size.
    pub fn start(command: &Command, size: Size, place: &Workplace) -> Self {
        Self::with(command, size, place, true)
    }

    /// The same on a terminal that belongs to nobody: a hang-up is told by no signal.
    pub fn start_without_signals(command: &Command, place: &Workplace) -> Self {
        Self::with(command, USUAL, place, false)
    }

    fn with(command: &Command, size: Size, place: &Workplace, controlling: bool) -> Self {
        let home = place.data_dir().parent().unwrap().to_owned();
        let pty = native_pty_system().openpty(pty_size(size)).unwrap();
        let tty = pty.master.tty_name().unwrap();
        let before = modes(&tty);
        let mut builder = CommandBuilder::new(command.get_program());
        builder.args(command.get_args());
        builder.cwd(&home);
        for (name, value) in [("TERM", "xterm-256color"), ("LANG", "C.UTF-8")] {
            builder.env(name, value);
        }
        for (name, below) in
            [("HOME", ""), ("XDG_CONFIG_HOME", "config"), ("XDG_CACHE_HOME", "cache"), ("XDG_DATA_HOME", "share")]
        {
            builder.env(name, home.join(below));
        }
        for name in ["SSH_CONNECTION", "NO_COLOR", "LC_ALL", "LC_CTYPE", "ENV"] {
            builder.env_remove(name);
        }
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => builder.env(name, value),
                None => builder.env_remove(name),
            }
        }
        builder.set_controlling_tty(controlling);

        let shown = Arc::new(Shown {
            picture: Mutex::new(Picture::new(size)),
            changed: Condvar::new(),
            is_closing: AtomicBool::new(false),
        });
        let reader = read(pty.master.try_clone_reader().unwrap(), Arc::clone(&shown));
        let keys = pty.master.take_writer().unwrap();
        let began = Instant::now();
        let child = pty.slave.spawn_command(builder).unwrap();
        let pid = Pid::from_raw(child.process_id().unwrap().cast_signed()).unwrap();
        let line = Some(Line { master: pty.master, keys, reader });
        Self { child, pid, line, tty, before, began, shown, ended: None }
    }

    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// The modes of the terminal before it was given to the process, as `stty -g` has them.
    pub fn modes_before(&self) -> &str {
        &self.before
    }

    /// Its modes now.
    pub fn modes(&self) -> String {
        modes(&self.tty)
    }

    /// How long it took to paint the first picture.
    pub fn first_picture(&self) -> Option<Duration> {
        self.look(|picture| picture.painted.map(|painted| painted - self.began))
    }

    /// Fails unless the terminal was taken once and given back as it was.
    #[track_caller]
    pub fn assert_restored(&self) {
        assert_eq!(self.modes(), self.before);
        self.look(|picture| {
            let screen = picture.screen();
            assert!(!screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste());
            let contents = screen.contents();
            for left in ["1 Stages", "─", "q quit"] {
                assert!(!contents.contains(left), "{left:?} is left of the screen:\n{contents}");
            }
            assert_eq!([picture.count(b"\x1b[?1049h"), picture.count(b"\x1b[?1049l")], [1, 1]);
        });
    }

    /// Presses keys as a person does: behind those that were pressed before, which have been read by then.
    pub fn press(&mut self, keys: &str) {
        self.until_read();
        std::thread::sleep(APART);
        self.send(keys.as_bytes());
    }

    /// Waits until what was sent has been read, where somebody reads.
    pub fn until_read(&self) {
        let begin = Instant::now();
        let flags = OFlags::RDONLY | OFlags::NOCTTY | OFlags::NONBLOCK;
        let Ok(tty) = rustix::fs::open(&self.tty, flags, Mode::empty()) else { return };
        while ioctl_fionread(&tty).is_ok_and(|unread| unread > 0) && begin.elapsed() < Duration::from_secs(2) {
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Sends bytes to the process at once, as a terminal does that answers.
    pub fn send(&mut self, bytes: &[u8]) {
        let line = self.line.as_mut().unwrap();
        line.keys.write_all(bytes).unwrap();
        line.keys.flush().unwrap();
    }

    /// Makes the terminal larger or smaller.
    pub fn resize(&mut self, size: Size) {
        self.look(|picture| picture.terminal.set_size(not_zero(size.1), not_zero(size.0)));
        self.line.as_ref().unwrap().master.resize(pty_size(size)).unwrap();
    }

    /// Looks at what is there now.
    pub fn look<T>(&self, at: impl FnOnce(&mut Picture) -> T) -> T {
        at(&mut self.shown.picture.lock())
    }

    /// Waits until the picture is so. Says how long that took.
    #[track_caller]
    pub fn until(&self, what: &str, is_so: impl Fn(&Screen) -> bool) -> Duration {
        self.until_picture(what, |picture| is_so(picture.screen()))
    }

    /// Waits until a text shows.
    #[track_caller]
    pub fn shows(&self, text: &str) -> Duration {
        self.until(&format!("{text:?} shows"), |screen| screen.contents().contains(text))
    }

    /// Waits until a text shows no more.
    #[track_caller]
    pub fn hides(&self, text: &str) -> Duration {
        self.until(&format!("{text:?} goes"), |screen| !screen.contents().contains(text))
    }

    #[track_caller]
    pub fn until_picture(&self, what: &str, is_so: impl Fn(&Picture) -> bool) -> Duration {
        let begin = Instant::now();
        let mut shown = self.shown.picture.lock();
        loop {
            if is_so(&shown) {
                return begin.elapsed();
            }
            let contents = shown.screen().contents();
            assert!(begin.elapsed() < SOON, "{what}: not within {SOON:?}, but\n{contents}");
            self.shown.changed.wait_for(&mut shown, Duration::from_millis(50));
        }
    }

    /// All lines that show.
    pub fn lines(&self) -> Vec<String> {
        self.look(|picture| lines(picture.screen()))
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid, signal).unwrap();
    }

    /// Whether it has ended, and how.
    pub fn ended(&mut self) -> Option<Ended> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().unwrap().map(|status| match status.signal() {
                Some(signal) => Err(signal.to_owned()),
                None => Ok(status.exit_code().cast_signed()),
            });
        }
        self.ended.clone()
    }

    /// Waits until it has ended, and until all that it wrote was read.
    #[track_caller]
    pub fn wait(&mut self) -> Ended {
        let begin = Instant::now();
        while self.ended().is_none() {
            assert!(begin.elapsed() < SOON, "it does not end, but\n{}", self.lines().join("\n"));
            std::thread::sleep(Duration::from_millis(10));
        }
        if self.line.is_some() {
            self.until_picture("all of it is read", |picture| picture.is_over);
        }
        self.ended().unwrap()
    }

    /// kill -9.
    pub fn kill(mut self) {
        self.signal(Signal::KILL);
        assert!(self.wait().is_err());
    }

    /// Closes our end of the terminal, as a network that breaks does.
    pub fn hang_up(&mut self) {
        let Line { master, keys, reader } = self.line.take().unwrap();
        self.shown.is_closing.store(true, Ordering::Release);
        // Who reads waits for something to read.
        std::fs::OpenOptions::new().write(true).open(&self.tty).unwrap().write_all(b"\0").unwrap();
        reader.join().unwrap();
        drop(keys);
        drop(master);
    }

    /// Processor time of it so far.
    pub fn cpu(&self) -> Duration {
        cpu(Path::new(&format!("/proc/{}/stat", self.pid)))
    }

    /// Processor time of the threads that have this name, to the nanosecond.
    pub fn cpu_of(&self, thread: &str) -> Duration {
        let time = |task: &PathBuf| {
            let schedstat = std::fs::read_to_string(task.join("schedstat")).unwrap();
            Duration::from_nanos(schedstat.split_whitespace().next().unwrap().parse().unwrap())
        };
        self.threads(thread).iter().map(time).sum()
    }

    /// How often the first thread of that name asked the system to write something, and how many bytes that were.
    pub fn written_by(&self, thread: &str) -> (u64, u64) {
        let io = std::fs::read_to_string(self.threads(thread).remove(0).join("io")).unwrap();
        let number = |name: &str| io.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().parse().unwrap();
        (number("syscw:"), number("wchar:"))
    }

    /// The threads of that name, the oldest one first: a thread without a name of its own has the one of its parent.
    fn threads(&self, name: &str) -> Vec<PathBuf> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.pid)).unwrap();
        let tasks = tasks.map(|task| task.unwrap().path());
        let is_it = |task: &PathBuf| std::fs::read_to_string(task.join("comm")).is_ok_and(|comm| comm.trim() == name);
        let mut found: Vec<PathBuf> = tasks.filter(is_it).collect();
        assert!(!found.is_empty(), "there is no thread {name}");
        found.sort_by_key(|task| task.file_name().unwrap().to_str().unwrap().parse::<u32>().unwrap());
        found
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        if self.ended().is_none() {
            self.signal(Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

/// A process that is no child of this one, and is killed when nobody looks any more.
pub struct Stray(pub Pid);

impl Stray {
    /// It has ended, and its number may be that of another one by now.
    pub fn has_ended(self) {
        std::mem::forget(self);
    }
}

impl Drop for Stray {
    fn drop(&mut self) {
        let _ = kill_process(self.0, Signal::KILL);
    }
}

fn read(mut from: Box<dyn Read + Send>, into: Arc<Shown>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut bytes = [0; 64 << 10];
        loop {
            let read = from.read(&mut bytes).unwrap_or(0);
            let mut picture = into.picture.lock();
            if read == 0 || into.is_closing.load(Ordering::Acquire) {
                picture.is_over = true;
                into.changed.notify_all();
                return;
            }
            picture.take(&bytes[..read]);
            into.changed.notify_all();
        }
    })
}

/// All lines of a screen, from edge to edge.
pub fn lines(screen: &Screen) -> Vec<String> {
    screen.rows(0, screen.size().1.get()).collect()
}

/// The line that has this text.
pub fn line(screen: &Screen, text: &str) -> String {
    lines(screen).into_iter().find(|line| line.contains(text)).unwrap_or_default()
}

/// The line of a stage, on a screen with boxes. Alerts above it may name the stage, too, and so may the log below it.
pub fn stage(screen: &Screen, name: &str) -> String {
    let is_it = |line: &String| line.starts_with('│') && line.contains(&format!(" {name} "));
    lines(screen).into_iter().find(is_it).unwrap_or_default()
}

fn modes(tty: &Path) -> String {
    let stty = Command::new("stty").arg("-F").arg(tty).arg("-g").output().unwrap();
    assert!(stty.status.success(), "{stty:?}");
    String::from_utf8(stty.stdout).unwrap().trim().to_owned()
}

/// Time that it was on a processor, in user and system mode.
fn cpu(stat: &Path) -> Duration {
    let stat = std::fs::read_to_string(stat).unwrap();
    // The second field is a name in parentheses, and there may be anything in a name.
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks = fields[11].parse::<u32>().unwrap() + fields[12].parse::<u32>().unwrap();
    TICK * ticks
}

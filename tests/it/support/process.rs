//! The binary, as a user starts it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

/// A directory with a configuration and a store, and runs of the binary in it.
pub struct Workplace {
    dir: TempDir,
    bug: Option<&'static str>,
    dies_at: Option<u64>,
    binary: PathBuf,
}

/// How a run ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Workplace {
    pub fn new(config: &str) -> Self {
        let dir = TempDir::new().unwrap();
        fs::write(dir.path().join("config.toml"), config).unwrap();
        Self { dir, bug: None, dies_at: None, binary: binary() }
    }

    /// Another place with the same configuration, as on another machine.
    pub fn another(&self) -> Self {
        let config = fs::read_to_string(self.dir.path().join("config.toml")).unwrap();
        Self { bug: self.bug, ..Self::new(&config) }
    }

    /// With another binary than the one under test.
    pub fn with_binary(mut self, binary: &Path) -> Self {
        binary.clone_into(&mut self.binary);
        self
    }

    /// With a planted bug, which must show.
    pub fn with_bug(mut self, bug: Option<&'static str>) -> Self {
        self.bug = bug;
        self
    }

    /// From the next start on the program dies at this step on the way of a batch.
    pub const fn dies_at(&mut self, step: Option<u64>) {
        self.dies_at = step;
    }

    /// Another configuration, from the next start on.
    pub fn configure(&self, config: &str) {
        fs::write(self.dir.path().join("config.toml"), config).unwrap();
    }

    pub fn config_file(&self) -> PathBuf {
        self.dir.path().join("config.toml")
    }

    pub fn data_dir(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// The command with its configuration and data directory, and nothing of the environment that is not meant for it.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = bare_command_of(&self.binary);
        // A subcommand comes before its flags.
        command.args(arguments);
        command.arg("--config").arg(self.config_file()).arg("--data-dir").arg(self.data_dir());
        if let Some(bug) = self.bug {
            command.env("POLYTAPE_PLANTED_BUG", bug);
        }
        if let Some(step) = self.dies_at {
            command.env("POLYTAPE_DIES_AT", step.to_string());
        }
        command
    }

    /// Starts it in the background.
    pub fn start(&self, arguments: &[&str]) -> Running {
        Running::start(self.command(arguments), self.dir.path())
    }

    /// Runs it to its end.
    pub fn run(&self, arguments: &[&str], within: Duration) -> Ended {
        self.start(arguments).wait(within)
    }

    /// The store, to be read while a process writes it.
    pub fn store(&self) -> Option<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let store = Connection::open_with_flags(self.data_dir().join("polytape.db"), flags).ok()?;
        store.busy_timeout(Duration::from_secs(10)).unwrap();
        Some(store)
    }

    /// Rows of a table; none where there is no table yet.
    pub fn count(&self, table: &str) -> u64 {
        let count = |store: Connection| store.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0));
        self.store().and_then(|store| count(store).ok()).unwrap_or(0)
    }
}

/// The binary under test: the one that was built with the tests, or the one that `POLYTAPE_TEST_BINARY` names
/// (`scripts/against`).
pub fn binary() -> PathBuf {
    std::env::var_os("POLYTAPE_TEST_BINARY").map_or_else(|| env!("CARGO_BIN_EXE_polytape").into(), PathBuf::from)
}

/// The binary without arguments.
pub fn bare_command() -> Command {
    bare_command_of(&binary())
}

fn bare_command_of(binary: &Path) -> Command {
    let mut command = Command::new(binary);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("POLYTAPE_")) {
        command.env_remove(name);
    }
    command
}

/// A process that is killed when nobody waits for it any more.
pub struct Running {
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Running {
    /// Starts a command whose output goes to files, so that it never waits for a reader.
    pub fn start(mut command: Command, dir: &Path) -> Self {
        let (stdout, stderr) = (dir.join("stdout"), dir.join("stderr"));
        let child = command
            .stdin(Stdio::null())
            .stdout(File::create(&stdout).unwrap())
            .stderr(File::create(&stderr).unwrap())
            .spawn()
            .unwrap();
        Self { child, stdout, stderr }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn stderr(&self) -> String {
        fs::read_to_string(&self.stderr).unwrap()
    }

    pub fn stdout(&self) -> String {
        fs::read_to_string(&self.stdout).unwrap()
    }

    /// kill -9.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    /// A signal, by its name.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.id().to_string()).status().unwrap();
        assert!(sent.success());
    }

    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    pub fn wait(mut self, within: Duration) -> Ended {
        let begin = Instant::now();
        let status = loop {
            if let Some(status) = self.ended() {
                break status;
            }
            assert!(begin.elapsed() < within, "the process has not ended within {within:?}:\n{}", self.stderr());
            std::thread::sleep(Duration::from_millis(10));
        };
        let code = status.code();
        Ended { code, stdout: self.stdout(), stderr: self.stderr() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until something is so.
pub fn until(within: Duration, what: &str, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < within, "{what}: not within {within:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

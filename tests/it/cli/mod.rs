//! The program as its user meets it: exit codes, the last line on stderr, signals, pipes.

mod check;
mod config;
mod config_command;
mod demo;
mod demo_world;
mod environment;
mod keymap;
mod logs;
mod output;
mod proxies;
mod secrets;
mod source;
mod stop;
mod store;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use polytape::demo::{DemoServer, World, WorldConfig};
use tempfile::TempDir;

use crate::support::process::{Ended, Running, Workplace};

/// How long anything may take that is expected to happen at once. Tests run beside each other.
const SOON: Duration = Duration::from_secs(30);

/// Time between two blocks of the worlds here.
const BLOCK_TIME: Duration = Duration::from_millis(20);

const UNTIL_CAUGHT_UP: [&str; 2] = ["--no-tui", "--until-caught-up"];

impl Ended {
    /// The line that says why it failed: the last one on stderr, and the only one of its kind.
    fn complaint(&self) -> &str {
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        let ours: Vec<&str> = self.stderr.lines().filter(|line| line.starts_with("polytape: ")).collect();
        assert_eq!(ours.len(), 1, "one line says why: {}", self.stderr);
        assert_eq!(self.stderr.lines().last(), Some(ours[0]), "and it is the last one: {}", self.stderr);
        ours[0]
    }

    /// Fails unless it ended with a code and a line that says all of this.
    #[track_caller]
    pub fn failed_with(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        let complaint = self.complaint();
        for word in words {
            assert!(complaint.contains(word), "{word:?} is not in {complaint:?}");
        }
    }

    #[track_caller]
    pub fn succeeded(&self) {
        assert_eq!(self.code, Some(0), "{self:?}");
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
    }
}

/// A world that began so many blocks ago and goes on.
pub fn world(seed: u64, blocks: u32) -> Arc<World> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let genesis_ms = i64::try_from((now - BLOCK_TIME * blocks).as_millis()).unwrap();
    Arc::new(World::new(WorldConfig {
        seed,
        rate: 1_000.0,
        block_time: BLOCK_TIME,
        genesis_ms,
        ..WorldConfig::default()
    }))
}

pub async fn serve(world: &Arc<World>) -> DemoServer {
    DemoServer::start(Arc::clone(world), SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap()
}

/// A place that reads the worlds of these tests from their first block.
pub fn place(url: &str) -> Workplace {
    let first_block = WorldConfig::default().first_block;
    Workplace::new(&format!(
        r#"
        pipeline.start = "{first_block}"
        sources.polygon = {{ urls = ["{url}"], poll_interval = "10ms", timeout = "2s" }}
        sources.gamma = {{ url = "{url}", poll_interval = "100ms", timeout = "2s", max_rate = 10000 }}
        sources.data_api = {{ url = "{url}", timeout = "2s", max_rate = 10000 }}
        writer.linger = "10ms"
        storage.min_free = "0B"
        "#
    ))
}

/// Runs a command to its end, its output in a directory of its own.
fn run(command: Command) -> Ended {
    let output = TempDir::new().unwrap();
    Running::start(command, output.path()).wait(SOON)
}

/// Keeps the configuration and the directories of whoever runs the tests out of it.
fn at_home(mut command: Command, home: &Path) -> Command {
    command.env("HOME", home);
    for name in ["XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"] {
        command.env_remove(name);
    }
    command
}

//! The handle for the outside: the socket and its commands, the screen over it, metrics and health, the service manager.

mod attach;
mod ctl;
mod deploy;
mod service;
mod socket;
mod web;

use std::sync::Arc;
use std::time::Duration;

use polytape::demo::{DemoServer, World};
use serde_json::Value;

use crate::support::outside;
use crate::support::process::{Ended, Running, Workplace, bare_command, until};

/// How long anything may take that is expected to happen at once. Tests run beside each other.
const SOON: Duration = Duration::from_secs(30);

/// Fills a second.
const RATE: u32 = 400;

/// A pipeline that runs headless on the embedded store and reads a world that goes on.
struct Headless {
    world: Arc<World>,
    server: DemoServer,
    place: Workplace,
    running: Running,
}

impl Headless {
    async fn start(more: &str) -> Self {
        Self::of(outside::busy(11, f64::from(RATE)).await, more)
    }

    /// One of a world with so much time between two blocks.
    async fn at(block_time: Duration, more: &str) -> Self {
        Self::of(outside::busy_at(11, f64::from(RATE), block_time).await, more)
    }

    fn of((world, server): (Arc<World>, DemoServer), more: &str) -> Self {
        let place = Workplace::new(&outside::config(&world, &server, &format!("writer.linger = \"10ms\"\n{more}")));
        let running = place.start(&["--no-tui"]);
        until(SOON, "rows arrive", || place.count("trades") > 0);
        until(SOON, "the socket is there", || place.data_dir().join("polytape.sock").exists());
        Self { world, server, place, running }
    }

    /// What a command says that is given from elsewhere.
    fn ask(&self, words: &[&str]) -> Ended {
        ask(&self.place, words)
    }

    /// What `status --json` has.
    fn snapshot(&self) -> Value {
        let ended = self.ask(&["status", "--json"]);
        let mut status: Value = serde_json::from_str(&ended.stdout).unwrap();
        assert_eq!(status["version"], 1);
        status["snapshot"].take()
    }

    /// The chain.
    fn found_source(&self) -> Value {
        self.snapshot()["source"].take()
    }

    /// One thing among others of its kind.
    fn found(&self, kind: &str, name: &str) -> Value {
        let all = self.snapshot()[kind].as_array().unwrap().clone();
        all.into_iter().find(|found| found["name"] == name).unwrap()
    }

    /// The state of a stage.
    fn state(&self, stage: &str) -> String {
        self.found("stages", stage)["state"].as_str().unwrap().to_owned()
    }

    /// Events that the live group of a stream has not acknowledged.
    fn unread(&self, stream: &str) -> u64 {
        let group = &self.found("streams", stream)["groups"][0];
        ["pending", "lag"].iter().map(|name| group[name].as_u64().unwrap_or(0)).sum()
    }
}

/// What a command says to the pipeline of a place.
fn ask(place: &Workplace, words: &[&str]) -> Ended {
    let dir = tempfile::TempDir::new().unwrap();
    let mut command = bare_command();
    command.args(words).arg("--data-dir").arg(place.data_dir());
    Running::start(command, dir.path()).wait(SOON)
}

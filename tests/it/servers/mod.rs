//! The program on Redis and ClickHouse: chosen by configuration, checked, and robbed of either of them while it runs.

mod address;
mod backup;
mod check;
mod costs;
mod joining;
mod lagging;
mod lost;
mod names;
mod outage;
mod redis_releases;
mod refused;
mod releases;
mod restricted;
mod rolling;
mod subgraph;
mod unfit_redis;

use std::sync::Arc;
use std::time::{Duration, Instant};

use polytape::demo::{DemoServer, World};
use polytape::planted::Bug;

use crate::support::clickhouse::Database;
use crate::support::outside;
use crate::support::process::{Ended, Running, Workplace, until};
use crate::support::redis::Redis;
use crate::support::tables::{Difference, compare_fills, compare_whole};
use crate::warehouse::clickhouse::mirror;

pub const SOON: Duration = Duration::from_secs(60);

/// A world that goes on, and a program that reads it into servers.
pub struct Setting {
    pub world: Arc<World>,
    pub server: DemoServer,
    pub redis: Redis,
    pub database: Database,
    pub place: Workplace,
}

impl Setting {
    pub async fn new(seed: u64) -> Self {
        Self::on(seed, 1_000.0, Redis::new(), Database::empty(), "").await
    }

    /// One with so many fills a second, on these servers, and with more lines in its configuration.
    pub async fn on(seed: u64, rate: f64, redis: Redis, database: Database, more: &str) -> Self {
        let url = database.config().url;
        Self::behind(seed, rate, redis, database, &url, more).await
    }

    /// The same, with ClickHouse at another address: that of something in front of it.
    pub async fn behind(seed: u64, rate: f64, redis: Redis, database: Database, url: &str, more: &str) -> Self {
        let (world, server) = outside::busy(seed, rate).await;
        let linger = if more.contains("linger") { "" } else { r#"writer.linger = "10ms""# };
        let more = [linger, more, &redis.section(), &database.section_at(url)].join("\n");
        let place = Workplace::new(&outside::config(&world, &server, &more));
        Self { world, server, redis, database, place }
    }

    pub fn with_bug(mut self, bug: Option<Bug>) -> Self {
        self.place = self.place.with_bug(bug.map(Bug::name));
        self
    }

    pub fn start(&self) -> Running {
        self.place.start(&["--no-tui"])
    }

    /// Runs it to an end that it finds by itself.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        tokio::task::block_in_place(|| self.place.run(arguments, SOON * 2))
    }

    /// Waits until the program has said something so many times.
    pub fn says(&self, running: &Running, words: &str, times: usize) {
        let begin = Instant::now();
        while running.stderr().matches(words).count() < times {
            assert!(begin.elapsed() < SOON, "{words:?} was not said {times} times:\n{}", running.stderr());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// How many trades there are; none where there is no table, or nobody who has one.
    pub fn trades(&self) -> u64 {
        self.database.ask("SELECT count() FROM trades FINAL").map_or(0, |count| count.trim().parse().unwrap())
    }

    /// Up to where everything is in the tables, as it is written down there; nothing before it has moved.
    pub fn watermark(&self) -> String {
        let sql = "SELECT watermark FROM checkpoints FINAL WHERE source = 'polygon' AND watermark <> start";
        self.database.ask(sql).unwrap_or_default()
    }

    /// Waits until some more trades have come, and the watermark has moved.
    pub fn let_it_flow(&self) {
        let (before, watermark) = (self.trades(), self.watermark());
        until(SOON * 2, "rows flow", || self.trades() > before + 300 && self.watermark() != watermark);
    }

    /// Waits until the running program has brought everything of the chain into the tables, up to the end of the world
    /// as it is now; then ends it.
    pub fn lands(&self, running: Running) -> Ended {
        let end = self.server.head();
        self.server.freeze_at(end);
        let blocks = || self.world.config().first_block..=self.world.finalized(end);
        let truth = self.world.truth(blocks());
        let (trades, letters) = (truth.trades.len() as u64, truth.dead_letters.len() as u64);
        let of_chain = "SELECT count() FROM dead_letters FINAL WHERE source = 'polygon'";
        let begin = Instant::now();
        while (self.trades() < trades || self.database.number(of_chain) < letters) && begin.elapsed() < SOON {
            std::thread::sleep(Duration::from_millis(100));
        }
        let difference = compare_fills(&mirror(&self.database), &self.world, blocks());
        assert_none(&difference);
        running.terminate();
        let ended = running.wait(SOON);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        ended
    }

    /// Reads to the end of the world as it is now, on a bad day, and compares.
    pub fn difference(&self) -> Difference {
        self.server.faults().set(outside::last_storm());
        self.difference_as_it_is()
    }

    /// The same on a day like this.
    pub fn difference_as_it_is(&self) -> Difference {
        self.difference_within("60s")
    }

    /// The same with more or less time.
    pub fn difference_within(&self, timeout: &str) -> Difference {
        let end = self.catch_up(timeout);
        self.difference_to(end)
    }

    /// Reads to the end of the world as it is now, which is told.
    fn catch_up(&self, timeout: &str) -> u64 {
        let end = self.server.head();
        self.server.freeze_at(end);
        let ended = self.run(&["--no-tui", "--until-caught-up", "--timeout", timeout]);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        end
    }

    /// Compares the tables with the world up to there.
    fn difference_to(&self, end: u64) -> Difference {
        let blocks = self.world.config().first_block..=self.world.finalized(end);
        let truth = self.world.oracle(blocks.clone(), end).trades.len();
        assert!(truth > 500, "only {truth} rows");
        println!("{truth} rows");
        compare_whole(&mirror(&self.database), &self.world, blocks, end)
    }

    /// The same, and nothing may differ.
    pub fn finish(&self) {
        assert_none(&self.difference());
    }
}

pub fn assert_none(difference: &Difference) {
    let [missing, altered, extra] = [&difference.missing, &difference.altered, &difference.extra].map(Vec::len);
    let first = [&difference.missing, &difference.altered, &difference.extra].map(|rows| {
        // A dead letter holds all of its bytes.
        rows.first().map(|row| row.chars().take(1_000).collect::<String>())
    });
    assert!(difference.is_none(), "{missing} missing, {altered} altered, {extra} extra: {first:#?}");
}

//! A program beside nodes that lie, and its tables compared with the truth.

use std::sync::Arc;
use std::time::{Duration, Instant};

use polytape::demo::{DemoServer, Faults, World};
use polytape::model::ChainPosition;

use super::outside;
use super::process::{Running, Workplace};
use super::tables::{Difference, compare_fills};

/// How long the program has from the last block on.
const AT_LAST: Duration = Duration::from_secs(60);

/// A world whose nodes lie, and a place where a program reads it.
pub struct Lying {
    pub world: Arc<World>,
    pub server: DemoServer,
    pub place: Workplace,
}

/// What the tables hold, up to the watermark.
#[derive(Debug)]
pub struct Tables {
    /// The block of the watermark: all before it is said to be there.
    pub watermark: u64,
    /// How many rows there should be.
    pub rows: usize,
    pub difference: Difference,
}

impl Lying {
    /// With so many nodes, each of an operator of its own.
    pub async fn new(nodes: usize, faults: Faults) -> Self {
        let (world, server) = outside::busy(20_261_128, 1_000.0).await;
        let urls = server.urls(nodes);
        Self::reading(world, server, &urls, faults)
    }

    /// With these nodes of a world.
    pub fn reading(world: Arc<World>, server: DemoServer, urls: &[String], faults: Faults) -> Self {
        server.faults().set(faults);
        let start = world.config().first_block.to_string();
        let place = Workplace::new(&config(&server, urls, &start, ""));
        Self { world, server, place }
    }

    /// Begins at the newest block.
    pub async fn from_latest(nodes: usize, faults: Faults) -> Self {
        Self::new(nodes, faults).await.configured(nodes, "latest", "")
    }

    /// The same world, with another start and more lines of configuration.
    pub fn configured(mut self, nodes: usize, start: &str, more: &str) -> Self {
        self.place = Workplace::new(&config(&self.server, &self.server.urls(nodes), start, more));
        self
    }

    /// A configuration that reads from other nodes.
    pub fn config(&self, urls: &[String], start: &str) -> String {
        config(&self.server, urls, start, "")
    }

    /// Starts the program.
    pub fn start(&self) -> Running {
        self.place.start(&["--no-tui"])
    }

    /// Lets the program follow the chain for a while and then come to its end; says what the tables hold.
    pub async fn follow(&self, live: Duration) -> Tables {
        let mut running = self.start();
        self.go_on(&mut running, live).await;
        self.come_to_the_end(&mut running).await
    }

    /// The chain goes on for a while.
    pub async fn go_on(&self, running: &mut Running, live: Duration) {
        let until = Instant::now() + live;
        while Instant::now() < until && running.ended().is_none() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The chain stands still, and the program has some time to come to its end.
    pub async fn come_to_the_end(&self, running: &mut Running) -> Tables {
        let head = self.server.head();
        self.server.freeze_at(head);
        let (last, begin) = (self.world.finalized(head), Instant::now());
        while self.watermark() <= last && begin.elapsed() < AT_LAST && running.ended().is_none() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.tables()
    }

    /// Where the watermark is; 0 where there is none.
    pub fn watermark(&self) -> u64 {
        let read = |store: rusqlite::Connection| {
            let sql = "SELECT watermark FROM checkpoints WHERE source = 'polygon'";
            store.query_row(sql, [], |row| row.get::<_, String>(0)).ok()
        };
        let text = self.place.store().and_then(read);
        text.map_or(0, |text| serde_json::from_str::<ChainPosition>(&text).unwrap().block)
    }

    /// Up to the watermark.
    pub fn tables(&self) -> Tables {
        let watermark = self.watermark();
        let blocks = self.world.config().first_block..=watermark.saturating_sub(1);
        let rows = self.world.truth(blocks.clone()).trades.len();
        let mut difference = match self.place.store() {
            Some(store) if watermark > 0 => compare_fills(&store, &self.world, blocks),
            _ => Difference::default(),
        };
        // What is above the watermark may be there already.
        let above = |row: &String| {
            let number = row.split("block_number: ").nth(1).and_then(|rest| rest.split(',').next()?.parse().ok());
            number.is_some_and(|block: u64| block >= watermark)
        };
        difference.extra.retain(|row| !above(row));
        // A dead letter holds what the node said, the wrong time, too.
        if self.server.faults().get().lies.block_timestamp.is_some() {
            difference.altered.retain(|row| !row.starts_with("DeadLetterRow"));
        }
        Tables { watermark, rows, difference }
    }

    /// The last final block.
    pub fn last(&self) -> u64 {
        self.world.finalized(self.server.head())
    }
}

impl Tables {
    /// Nothing is lost, doubled or altered below the watermark, and that is behind the last block.
    pub fn assert_whole(&self, last: u64, what: &str) {
        let Difference { missing, extra, altered } = &self.difference;
        let wrong = [("lost", missing), ("too many", extra), ("altered", altered)];
        for (how, rows) in wrong {
            let first: String = rows.first().map_or("", String::as_str).chars().take(400).collect();
            assert!(rows.is_empty(), "{what}: {how} {} of {} rows below the watermark: {first}", rows.len(), self.rows);
        }
        let watermark = self.watermark;
        assert!(watermark > last, "{what}: stuck at block {watermark}, {} blocks before the end", last - watermark);
        assert!(self.rows > 1_000, "{what}: {} rows prove little", self.rows);
    }
}

/// The configuration of a program that reads from these nodes.
fn config(server: &DemoServer, urls: &[String], start: &str, more: &str) -> String {
    let url = server.url();
    format!(
        r#"
        pipeline.start = "{start}"
        sources.polygon = {{ urls = {urls:?}, poll_interval = "50ms", timeout = "5s" }}
        sources.gamma = {{ url = "{url}", poll_interval = "1s", max_rate = 10000 }}
        sources.data_api = {{ url = "{url}", max_rate = 10000 }}
        writer.linger = "50ms"
        storage.min_free = "0B"
        {more}
        "#
    )
}

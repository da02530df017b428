//! Where the killed program keeps its rows, and how they are seen from outside.

use std::ops::Range;
use std::time::Duration;

use rusqlite::Connection;

use crate::support::clickhouse::Database;
use crate::support::process::Workplace;
use crate::support::redis::Redis;
use crate::warehouse::clickhouse::mirror;

/// A row's block and place in it, and how much it knows of its token.
pub type Seen = ((u64, u64), u8);

/// A broker and a warehouse that outlive the program.
pub trait Backend: Sized {
    /// One with nothing in it.
    fn new() -> Self;

    /// What selects it in the configuration.
    fn config(&self) -> String;

    /// How long a program lives, in milliseconds: long enough to get to work, and no longer than that it is mostly at
    /// something when it dies.
    const LIFE: Range<u64>;

    /// How long to wait between two looks at all rows.
    const LOOK_EVERY: Duration;

    /// How many kills stand for `kills` on the embedded store, where each takes less time.
    fn fewer(kills: usize) -> usize;

    /// All rows, also while somebody writes them; none where there is no table yet.
    fn look(&mut self, place: &Workplace) -> Vec<Seen>;

    /// How many trades there are.
    fn trades(&mut self, place: &Workplace) -> usize {
        self.look(place).len()
    }

    /// The tables, to be compared.
    fn store(&self, place: &Workplace) -> Connection;
}

/// The file in the data directory.
pub struct Embedded {
    file: Option<Connection>,
}

impl Backend for Embedded {
    fn new() -> Self {
        Self { file: None }
    }

    fn config(&self) -> String {
        String::new()
    }

    // Nobody writes before a node has told its chain, which takes a program of a debug build some of it.
    const LIFE: Range<u64> = 60..800;

    const LOOK_EVERY: Duration = Duration::from_millis(5);

    fn fewer(kills: usize) -> usize {
        kills
    }

    fn look(&mut self, place: &Workplace) -> Vec<Seen> {
        self.file = self.file.take().or_else(|| place.store());
        let Some(file) = &self.file else { return Vec::new() };
        let Ok(mut select) = file.prepare("SELECT block_number, log_index, version FROM trades") else {
            return Vec::new();
        };
        let rows = select.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?))).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }

    fn store(&self, place: &Workplace) -> Connection {
        place.store().unwrap()
    }
}

/// Redis and ClickHouse.
pub struct Servers {
    redis: Redis,
    database: Database,
}

impl Backend for Servers {
    fn new() -> Self {
        Self { redis: Redis::new(), database: Database::empty() }
    }

    fn config(&self) -> String {
        format!("{}\n{}", self.redis.section(), self.database.section())
    }

    // Both must be reached, asked what they are, and looked over.
    const LIFE: Range<u64> = 200..900;

    // ClickHouse reads all parts for it.
    const LOOK_EVERY: Duration = Duration::from_millis(60);

    fn fewer(kills: usize) -> usize {
        (kills * 3).div_ceil(5)
    }

    fn look(&mut self, _: &Workplace) -> Vec<Seen> {
        let sql = "SELECT block_number, log_index, version FROM trades FINAL";
        let Ok(rows) = self.database.ask(sql) else { return Vec::new() };
        let number = |text: Option<&str>| text.unwrap().parse::<u64>().unwrap();
        let row = |line: &str| {
            let mut columns = line.split('\t');
            let key = (number(columns.next()), number(columns.next()));
            (key, u8::try_from(number(columns.next())).unwrap())
        };
        rows.lines().map(row).collect()
    }

    fn store(&self, _: &Workplace) -> Connection {
        mirror(&self.database)
    }
}

//! Trades that stand under two times, or under a time that cannot be: a time is a part of a row's key, so that rows of a log whose
//! own time was believed once stay beside those with the time of their block.
//!
//! Looks only, and never for long: what it did not get to is said. A range of tokens costs at least a granule of each day, so that over
//! years of days it gets to a part only. Parts are taken in an order that differs each time.

use std::time::{Duration, Instant};

use clickhouse::Row;
use rand::RngExt;
use serde::Deserialize;

use super::{connection::Connection, error::Result, statement::Statement};
use crate::warehouse::unresolved::ListScan;

const TWO_TIMES: &str = include_str!("../../../schema/clickhouse/queries/two_times.sql");
const IMPOSSIBLE: &str = include_str!("../../../schema/clickhouse/queries/impossible_times.sql");
const REMOVE: &str = include_str!("../../../schema/clickhouse/queries/remove_trades.sql");

/// How long all of it may take, about.
const BUDGET: Duration = Duration::from_secs(10);

/// Rows that one query may read: above what a few tokens cost in a table of many parts, below what their trades need of memory.
const MOST_ROWS: u64 = 8_000_000;

/// Memory that one query may take.
const MOST_BYTES: u64 = 1_000_000_000;

/// A query that ran out of its time.
const TIMEOUT_EXCEEDED: u32 = 159;

/// What was found of the times of trades.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TradeTimes {
    /// Trades that stand under more than one time.
    pub doubled: u64,
    /// Rows from before 2020 or from the future; `None` where there was no time to look.
    pub impossible: Option<u64>,
    /// The lowest and the highest block of both.
    pub blocks: Option<(u64, u64)>,
    /// Rows that were looked at for trades under two times.
    pub looked_at: u64,
    /// Rows that there are.
    pub rows: u64,
    /// Whether all of them were looked at.
    pub is_whole: bool,
}

impl TradeTimes {
    /// The statement that takes away what has a wrong time, with everything of those blocks: a row that stands under a wrong time
    /// alone is seen by nobody, and a statement that looks for trades under two times while it removes them may find the wrong ones
    /// alone.
    pub fn removal(&self, database: &str) -> Option<String> {
        let (lowest, highest) = self.blocks?;
        let database = format!("`{}`", database.replace('\\', "\\\\").replace('`', "\\`"));
        let sql = REMOVE.trim_end().replace("{lowest}", &lowest.to_string()).replace("{highest}", &highest.to_string());
        Some(sql.replace("{database}", &database))
    }

    fn add(&mut self, found: &Found) {
        if found.trades > 0 {
            let (lowest, highest) = self.blocks.unwrap_or((found.lowest, found.highest));
            self.blocks = Some((lowest.min(found.lowest), highest.max(found.highest)));
        }
    }
}

#[derive(Row, Deserialize)]
struct Found {
    rows: u64,
    trades: u64,
    lowest: u64,
    highest: u64,
}

/// How much time is left.
struct Left(Instant);

impl Left {
    fn time(&self) -> Duration {
        BUDGET.saturating_sub(self.0.elapsed())
    }

    /// In whole seconds, as ClickHouse wants it, where 0 would be no limit.
    fn seconds(&self) -> u64 {
        self.time().as_secs().max(1)
    }
}

/// Looks at the times of trades for a while.
pub(super) async fn look(connection: &Connection) -> Result<TradeTimes> {
    let left = Left(Instant::now());
    let rows: Vec<u64> = connection.rows(connection.query("SELECT count() FROM trades")).await?;
    let mut times = TradeTimes { rows: rows.first().copied().unwrap_or(0), ..TradeTimes::default() };
    if let Some(found) = one(connection, connection.query(IMPOSSIBLE), &left).await? {
        times.impossible = Some(found.rows);
        times.add(&found);
    }
    times.is_whole = true;
    let mut parts = vec![ListScan::of(String::new(), false)];
    while let Some(part) = parts.pop() {
        if left.time().is_zero() {
            times.is_whole = false;
            break;
        }
        let query = connection.query(TWO_TIMES).bind(part.from.to_string()).bind(part.until.to_string());
        let query = if part.from < part.until { query.wish("max_rows_to_read", MOST_ROWS) } else { query };
        match one(connection, query, &left).await {
            Ok(Some(found)) => {
                times.looked_at += found.rows;
                times.doubled += found.trades;
                times.add(&found);
            }
            Ok(None) => times.is_whole = false,
            Err(error) if error.asks_for_less() => match part.halves() {
                Some([one, other]) if rand::rng().random() => parts.extend([one, other]),
                Some([one, other]) => parts.extend([other, one]),
                None => times.is_whole = false,
            },
            Err(error) => return Err(error),
        }
    }
    Ok(times)
}

/// The row of a query; none where there was no time for it.
async fn one(connection: &Connection, query: Statement, left: &Left) -> Result<Option<Found>> {
    // It ends by itself; this is for one that does not look at its clock.
    let most = left.time() + Duration::from_secs(2);
    let query = query.wish("max_execution_time", left.seconds()).wish("max_memory_usage", MOST_BYTES);
    match tokio::time::timeout(most, connection.rows::<Found>(query)).await {
        Ok(Ok(rows)) => Ok(rows.into_iter().next()),
        Ok(Err(error)) if error.code() == Some(TIMEOUT_EXCEEDED) => Ok(None),
        Ok(Err(error)) => Err(error),
        Err(_) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_statement_is_about_the_blocks_of_all_that_was_found() {
        let mut times = TradeTimes::default();
        assert_eq!(times.removal("polymarket"), None);
        for (trades, lowest, highest) in [(2, 70, 90), (0, 0, 0), (1, 80, 95)] {
            times.add(&Found { rows: 100, trades, lowest, highest });
        }
        let expected = "ALTER TABLE `a\\`b`.trades DELETE WHERE source_id = '' AND block_number BETWEEN 70 AND 95 \
                        SETTINGS mutations_sync = 2";
        assert_eq!(times.removal("a`b").as_deref(), Some(expected));
    }
}

//! The warehouse inside `polytape.db`: the tables of `schema/embedded/0002_warehouse.sql`.

use alloy_primitives::hex;
use async_trait::async_trait;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Transaction, params};

use super::{Checkpoint, RowCounts, TapeLine, Warehouse, WarehouseError};
use crate::clock::unix_ms;
use crate::embedded::{Database, StorageError, off_thread};
use crate::model::{DeadLetter, Trade};

/// Rows in one transaction: large enough to pay for its commit, small enough that others get their turn.
const ROWS_PER_TRANSACTION: usize = 5_000;

const INSERT_TRADE: &str = include_str!("../../schema/embedded/queries/insert_trade.sql");
const UPDATE_TRADE: &str = include_str!("../../schema/embedded/queries/update_trade.sql");

const NEWEST_TRADES: &str = include_str!("../../schema/embedded/queries/newest_trades.sql");

/// Tables in the embedded store.
#[derive(Clone)]
pub struct EmbeddedWarehouse {
    database: Database,
}

impl EmbeddedWarehouse {
    /// The warehouse of a store.
    pub const fn new(database: Database) -> Self {
        Self { database }
    }

    /// Reads on a connection of its own, off the async threads.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, rusqlite::Error> + Send + 'static,
    ) -> Result<T, WarehouseError> {
        let database = self.database.clone();
        off_thread(move || Ok(work(&database.reader()?)?)).await
    }
}

#[async_trait]
impl Warehouse for EmbeddedWarehouse {
    async fn write_trades(&self, rows: &[Trade]) -> Result<(), WarehouseError> {
        for rows in rows.chunks(ROWS_PER_TRANSACTION) {
            let rows = rows.to_vec();
            self.database
                .write(move |tx| {
                    let new = upsert_trades(tx, &rows)?;
                    count(tx, "trades", new)
                })
                .await?;
        }
        Ok(())
    }

    async fn write_dead_letters(&self, rows: &[DeadLetter]) -> Result<(), WarehouseError> {
        for rows in rows.chunks(ROWS_PER_TRANSACTION) {
            let rows = rows.to_vec();
            self.database
                .write(move |tx| {
                    let sql = "INSERT INTO dead_letters VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
                    let mut insert = tx.prepare_cached(sql)?;
                    let mut new = 0;
                    for row in &rows {
                        let DeadLetter { source, position, stage, reason, raw, first_seen } = row;
                        new += insert.execute(params![source, position, stage, reason, raw, first_seen])?;
                    }
                    count(tx, "dead_letters", new)
                })
                .await?;
        }
        Ok(())
    }

    async fn checkpoint(&self, pipeline: &str, source: &str) -> Result<Option<Checkpoint>, WarehouseError> {
        let key = [pipeline.to_owned(), source.to_owned()];
        self.read(move |connection| {
            let sql = "SELECT world, start, watermark FROM checkpoints WHERE pipeline = ? AND source = ?";
            let read = |row: &rusqlite::Row<'_>| {
                Ok(Checkpoint { world: row.get(0)?, start: row.get(1)?, watermark: row.get(2)? })
            };
            connection.query_row(sql, key, read).optional()
        })
        .await
    }

    async fn set_checkpoint(&self, pipeline: &str, source: &str, to: &Checkpoint) -> Result<(), WarehouseError> {
        let (pipeline, source, to) = (pipeline.to_owned(), source.to_owned(), to.clone());
        self.database
            .write(move |tx| {
                let sql = "INSERT OR REPLACE INTO checkpoints (pipeline, source, world, start, watermark)
                           VALUES (?, ?, ?, ?, ?)";
                tx.prepare_cached(sql)?.execute([pipeline, source, to.world, to.start, to.watermark])?;
                Ok(())
            })
            .await
    }

    async fn newest_trades(&self, limit: u32) -> Result<Vec<TapeLine>, WarehouseError> {
        self.read(move |connection| connection.prepare(NEWEST_TRADES)?.query_map([limit], tape_line)?.collect()).await
    }

    async fn row_counts(&self) -> Result<RowCounts, WarehouseError> {
        self.read(|connection| {
            let rows = |name| {
                connection.query_row("SELECT rows FROM row_counts WHERE name = ?", [name], |row| row.get::<_, u64>(0))
            };
            Ok(RowCounts { trades: rows("trades")?, dead_letters: rows("dead_letters")? })
        })
        .await
    }
}

fn tape_line(row: &rusqlite::Row<'_>) -> rusqlite::Result<TapeLine> {
    Ok(TapeLine {
        timestamp: row.get("timestamp")?,
        block_number: row.get("block_number")?,
        log_index: row.get("log_index")?,
        exchange: row.get("exchange")?,
        maker_direction: row.get("maker_direction")?,
        token_amount: row.get("token_amount")?,
        usd_amount: row.get("usd_amount")?,
        price: row.get("price")?,
        token_id: row.get("token_id")?,
        outcome: row.get("outcome")?,
        is_taker_row: row.get("is_taker_row")?,
    })
}

/// Lower-case `0x…` text of `N` bytes.
type HexBuffer<const N: usize> = hex::Buffer<N, true>;

/// Inserts what is new and updates what was poorer. Says how many rows are new.
fn upsert_trades(tx: &Transaction<'_>, rows: &[Trade]) -> Result<usize, WarehouseError> {
    let mut insert = tx.prepare_cached(INSERT_TRADE)?;
    let mut update = tx.prepare_cached(UPDATE_TRADE)?;
    let mut new = 0;
    let ingested_at = unix_ms();
    let (mut transaction_hash, mut order_hash) = (HexBuffer::<32>::new(), HexBuffer::<32>::new());
    let (mut maker, mut taker) = (HexBuffer::<20>::new(), HexBuffer::<20>::new());
    for Trade { fill, resolution } in rows {
        let price = fill.price();
        let token_id = fill.token_id.to_string();
        let [usd, shares, fee] = [fill.usd, fill.shares, fill.fee].map(|amount| amount.to_string());
        let nonusdc_side = resolution.nonusdc_side();
        let transaction_hash = transaction_hash.format(&fill.transaction_hash.0);
        let order_hash = order_hash.format(&fill.order_hash.0);
        let maker = maker.format(&fill.maker.0.0);
        let taker = taker.format(&fill.taker.0.0);
        let (fee_unit, is_taker_row, version) = (fill.fee_unit().label(), fill.is_taker_row(), resolution.version());
        let values = params![
            fill.timestamp,
            fill.block_number,
            fill.log_index,
            &*transaction_hash,
            &*order_hash,
            fill.source_id,
            fill.exchange.label(),
            token_id,
            resolution.condition_id(),
            resolution.market_id(),
            resolution.outcome(),
            nonusdc_side,
            &*maker,
            &*taker,
            fill.side.label(),
            fill.side.opposite().label(),
            price,
            usd,
            shares,
            fee,
            fee_unit,
            is_taker_row,
            version,
            ingested_at,
        ];
        if insert.execute(values)? == 1 {
            new += 1;
        } else {
            update.execute(values)?;
        }
    }
    Ok(new)
}

/// Counts new rows, so that nobody has to count the table.
fn count(tx: &Transaction<'_>, table: &str, new: usize) -> Result<(), WarehouseError> {
    tx.prepare_cached("UPDATE row_counts SET rows = rows + ? WHERE name = ?")?.execute(params![new as u64, table])?;
    Ok(())
}

/// What a row may be refused for is the row's fault; all else is the store's.
impl From<rusqlite::Error> for WarehouseError {
    fn from(error: rusqlite::Error) -> Self {
        let refused = matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::TooBig)
        ) || matches!(error, rusqlite::Error::ToSqlConversionFailure(_));
        if refused { Self::Rows(error.to_string()) } else { Self::Storage(StorageError::from(error)) }
    }
}

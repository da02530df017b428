//! The table `trades`.

use rusqlite::Transaction;

use crate::warehouse::table::cells::{Column, columns};
use crate::warehouse::table::declaration::{OUTCOME_SLOT, Table};
use crate::warehouse::unresolved::{UnresolvedEntry, entries_of};
use crate::warehouse::{embedded::rows, error::Result, table::row::TableRow};
use crate::{flow::TableId, model::Fill, model::Trade};

/// Seconds.
const DAY: u64 = 24 * 3_600;

const KEY: &[&str] = &["token_id", "timestamp", "transaction_hash", "log_index", "source_id"];

const TABLE: Table = Table {
    id: TableId::Trades,
    key: KEY,
    sorting: &["toDate(timestamp)", "token_id", "timestamp", "transaction_hash", "log_index", "source_id"],
    former_sorting: KEY,
    added: &["match_log_index", OUTCOME_SLOT],
    embedded_key: &["block_number", "log_index", "transaction_hash", "source_id"],
    partition: "toYYYYMM(timestamp)",
    has_trades: true,
    // Of version 2 there are rows with an outcome, written before version 3 meant that.
    replaced_if: Some("NOT (old.version = excluded.version AND old.outcome <> '' AND excluded.outcome = '')"),
    kept: &["match_log_index", OUTCOME_SLOT],
    of_predecessor: &["transactionHash"],
    read_back: "trades: read back",
    ..Table::USUAL
};

impl TableRow for Trade {
    columns! { row;
        timestamp: second(row.fill.timestamp),
        block_number: u64(row.fill.block_number),
        log_index: u32(row.fill.log_index),
        transaction_hash: hex(&row.fill.transaction_hash.0),
        order_hash: hex(&row.fill.order_hash.0),
        source_id: text(&row.fill.source_id),
        exchange: word(row.fill.exchange_label()),
        token_id: token(row.fill.token_id),
        condition_id: text(row.resolution.condition_id()),
        market_id: text(row.resolution.market_id()),
        outcome: text(row.resolution.outcome()),
        nonusdc_side: word(&row.resolution.nonusdc_side()),
        maker: hex(&row.fill.maker.0.0),
        taker: hex(&row.fill.taker.0.0),
        maker_direction: word(row.fill.side.label()),
        taker_direction: word(row.fill.side.opposite().label()),
        price: price(row.fill.price()),
        usd_amount: amount(row.fill.usd),
        token_amount: amount(row.fill.shares),
        fee_amount: amount(row.fill.fee),
        fee_unit: word(row.fill.fee_unit().label()),
        is_taker_row: flag(row.fill.is_taker_row()),
        version: u8(row.resolution.version()),
        ingested_at: now(),
        match_log_index: u32_if_known(row.fill.match_log_index),
        outcome_slot: u8_if_known(row.outcome_slot()),
    }

    fn place(&self) -> [u64; 4] {
        let begin = |bytes: &[u8]| bytes.iter().take(8).fold(0, |begin, byte| begin << 8 | u64::from(*byte));
        let Fill { timestamp, token_id, transaction_hash, .. } = &self.fill;
        // The first eight bytes tell tokens and transactions of a day apart. Logs of a transaction come in their order.
        [timestamp / DAY, begin(&token_id.0.to_be_bytes::<32>()), *timestamp, begin(&transaction_hash.0)]
    }

    fn position(&self) -> String {
        format!("{:#x}:{}", self.fill.transaction_hash, self.fill.log_index)
    }

    fn entries(rows: &[Self]) -> Vec<UnresolvedEntry> {
        entries_of(rows)
    }

    fn upsert(tx: &Transaction<'_>, rows: &[Self]) -> Result<usize> {
        rows::upsert(tx, rows)
    }
}

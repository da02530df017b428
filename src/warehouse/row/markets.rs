//! The table `markets`.

use rusqlite::Transaction;

use crate::warehouse::table::cells::{Column, columns};
use crate::warehouse::{embedded::markets, error::Result, table::declaration::Table, table::row::TableRow};
use crate::{flow::TableId, model::Market};

const TABLE: Table = Table {
    id: TableId::Markets,
    key: &["id"],
    embedded_key: &["id"],
    of_predecessor: &["createdAt", "market_slug"],
    // Their JSON makes them large.
    most_bytes: 16 << 20,
    // Their tokens are all over the index, so each costs as much as many trades.
    per_transaction: 500,
    read_back: "markets: read back",
    ..Table::USUAL
};

impl TableRow for Market {
    columns! { row;
        id: text(&row.id),
        condition_id: text(&row.condition_id.map(|id| id.to_string()).unwrap_or_default()),
        question: text(&row.question),
        slug: text(&row.slug),
        outcomes: texts(&row.outcomes),
        token_ids: tokens(&row.token_ids),
        position_ids: tokens(&row.position_ids),
        neg_risk: flag(row.neg_risk),
        event_id: text(&row.event.id),
        event_slug: text(&row.event.slug),
        event_title: text(&row.event.title),
        tags: texts(&row.tags),
        created_at: second_if_any(row.created_at),
        end_at: second_if_any(row.end_at),
        closed_at: second_if_any(row.closed_at),
        active: flag(row.active),
        closed: flag(row.closed),
        volume: text(&row.volume),
        liquidity: text(&row.liquidity),
        raw: json(&row.raw),
        version: u64(row.version),
        lasting_hash: hash(row.lasting_hash()),
        ingested_at: now(),
    }

    fn position(&self) -> String {
        self.id.clone()
    }

    fn words(&self) -> String {
        format!("market {}", self.id)
    }

    /// With the tokens that it lists.
    fn upsert(tx: &Transaction<'_>, rows: &[Self]) -> Result<usize> {
        markets::upsert(tx, rows)
    }
}

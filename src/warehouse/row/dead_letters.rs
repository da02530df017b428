//! The table `dead_letters`. The earliest sight of one stays.

use rusqlite::Transaction;

use crate::warehouse::table::cells::{Column, columns};
use crate::warehouse::{embedded::rows, error::Result, table::declaration::Table, table::row::TableRow};
use crate::{flow::TableId, model::DeadLetter};

const TABLE: Table = Table {
    id: TableId::DeadLetters,
    computed: &[Column::u64("version")],
    key: &["source", "position", "stage"],
    embedded_key: &["source", "position", "stage"],
    read_back: "dead letters: read back",
    ..Table::USUAL
};

impl TableRow for DeadLetter {
    columns! { row;
        source: text(&row.source),
        position: text(&row.position),
        stage: text(&row.stage),
        reason: text(&row.reason),
        raw: bytes(&row.raw),
        first_seen: millis(row.first_seen),
    }

    fn position(&self) -> String {
        self.position.clone()
    }

    fn of_letter(letter: DeadLetter) -> Option<Self> {
        Some(letter)
    }

    fn upsert(tx: &Transaction<'_>, rows: &[Self]) -> Result<usize> {
        rows::upsert(tx, rows)
    }
}

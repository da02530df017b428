//! The table `trades_goldsky`: the columns of `trades`, of rows that have no place on chain.

use rusqlite::Transaction;

use crate::flow::TableId;
use crate::model::{GoldskyTrade, Trade};
use crate::warehouse::embedded::rows;
use crate::warehouse::error::WarehouseError;
use crate::warehouse::table::cells::Cells;
use crate::warehouse::table::declaration::Table;
use crate::warehouse::table::row::TableRow;
use crate::warehouse::unresolved::{UnresolvedEntry, entries_of};

impl TableRow for GoldskyTrade {
    const TABLE: Table = Table {
        id: TableId::TradesGoldsky,
        // The source's id is all of it; its time in front makes most inserts appends.
        embedded_key: &["timestamp", "source_id"],
        former_sorting: &[],
        added: &[],
        of_predecessor: &[],
        read_back: "trades goldsky: read back",
        ..Trade::TABLE
    };

    fn cells(&self, cells: &mut impl Cells) {
        self.0.cells(cells);
    }

    fn place(&self) -> [u64; 4] {
        self.0.place()
    }

    fn position(&self) -> String {
        self.0.fill.source_id.clone()
    }

    fn entries(rows: &[Self]) -> Vec<UnresolvedEntry> {
        entries_of(rows.iter().map(|row| &row.0))
    }

    fn upsert(tx: &Transaction<'_>, rows: &[Self]) -> Result<usize, WarehouseError> {
        rows::upsert(tx, rows)
    }
}

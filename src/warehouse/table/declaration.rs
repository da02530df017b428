//! A table as it is declared, once for both stores.

use super::cells::Column;
use crate::flow::TableId;

/// A table, as it is declared.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub id: TableId,
    /// What is written, in the order in which the embedded store holds it.
    pub columns: &'static [Column],
    /// What ClickHouse adds by itself.
    pub computed: &'static [Column],
    /// What identifies a row in ClickHouse …
    pub key: &'static [&'static str],
    /// … and in the embedded store.
    pub embedded_key: &'static [&'static str],
    /// What ClickHouse sorts it by, where that is more than its key.
    pub sorting: &'static [&'static str],
    /// What tables of older releases are sorted by, which are gone on with.
    pub former_sorting: &'static [&'static str],
    /// Columns that tables of older releases lack, which are added.
    pub added: &'static [&'static str],
    /// How ClickHouse partitions it.
    pub partition: &'static str,
    /// Whether its rows are trades, which the resolver completes.
    pub has_trades: bool,
    /// Another condition on which the embedded store replaces a row `old` by `excluded`.
    pub replaced_if: Option<&'static str>,
    /// Columns that a row may lack because what it came from did not carry them, though they never change: the embedded store keeps
    /// those of `old`.
    pub kept: &'static [&'static str],
    /// How it is called what it costs to look for rows of it again.
    pub read_back: &'static str,
    /// Columns by which a table of the Python pipeline is known that had the same name.
    pub of_predecessor: &'static [&'static str],
    /// Bytes that are sent at once, about.
    pub most_bytes: usize,
    /// Rows in one transaction of the embedded store: enough to pay for its commit, few enough that others get their turn.
    pub per_transaction: usize,
}

impl Table {
    /// What most tables have in common.
    pub(in crate::warehouse) const USUAL: Self = Self {
        id: TableId::Trades,
        columns: &[],
        computed: &[],
        key: &[],
        embedded_key: &[],
        sorting: &[],
        former_sorting: &[],
        added: &[],
        partition: "",
        has_trades: false,
        replaced_if: None,
        kept: &[],
        read_back: "",
        of_predecessor: &[],
        most_bytes: usize::MAX,
        per_transaction: 5_000,
    };

    /// A statement about any table of trades as one about this.
    pub(in crate::warehouse) fn statement(&self, sql: &str) -> String {
        sql.replace("{table}", self.id.as_str())
    }

    /// The places of columns of these names.
    pub(in crate::warehouse) fn places(&self, names: &[&str]) -> Vec<usize> {
        let place = |name: &&str| self.columns.iter().position(|column| column.name == *name);
        names.iter().filter_map(place).collect()
    }

    /// What a row is found by in ClickHouse, however the table is sorted: its key, and what else it may be sorted by.
    pub(in crate::warehouse) fn found_by(&self) -> String {
        let more = self.sorting.iter().filter(|expression| !self.key.contains(expression));
        self.key.iter().chain(more).copied().collect::<Vec<_>>().join(", ")
    }

    /// Whether rows say which of two with one key is the better one; else the first stays.
    pub(in crate::warehouse) fn is_versioned(&self) -> bool {
        self.columns.iter().any(|column| column.name == VERSION)
    }

    /// The names of its columns, as they stand in a statement.
    pub(in crate::warehouse) fn names(&self) -> String {
        listed(self.columns, |column| column.name.to_owned())
    }
}

/// The column that decides between two rows with one key.
pub(in crate::warehouse) const VERSION: &str = "version";

/// Which outcome a row's token is on chain: what the resolver finds out and no row loses.
pub(in crate::warehouse) const OUTCOME_SLOT: &str = "outcome_slot";

/// When a row was written: no part of what it says.
pub(in crate::warehouse) const WRITTEN_AT: &str = "ingested_at";

/// Pieces of a statement, with commas between them.
pub(in crate::warehouse) fn listed<T>(items: &[T], piece: impl FnMut(&T) -> String) -> String {
    items.iter().map(piece).collect::<Vec<_>>().join(", ")
}

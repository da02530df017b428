//! The tables as they must be: those of rows, as they are declared, and what polytape keeps for itself.

use crate::warehouse::table::declaration::{Table, VERSION};
use crate::{flow::TableId, warehouse::table::cells::Column};

/// A table as it must be.
pub(super) struct Expected {
    pub(super) name: &'static str,
    /// The column that decides between two rows of one key, and that which says that there is none, where there is such.
    pub(super) version: Option<&'static str>,
    /// What it is sorted by, …
    pub(super) sorting: &'static [&'static str],
    /// … or was in older releases.
    pub(super) former_sorting: &'static [&'static str],
    pub(super) partition: &'static str,
    pub(super) columns: &'static [Column],
    pub(super) computed: &'static [Column],
    /// Columns that are added where they are missing.
    pub(super) added: &'static [&'static str],
    pub(super) of_predecessor: &'static [&'static str],
}

/// What polytape keeps for itself.
const OWN: [Expected; 7] = [
    Expected::own(
        "market_tokens",
        None,
        &["token_id", "market_id"],
        &[Column::token("token_id"), Column::text("market_id")],
    ),
    Expected::own(
        "unresolved_tokens",
        Some("version, removed"),
        &["token_id", "insert_id"],
        &[
            Column::token("token_id"),
            Column::text("insert_id"),
            Column::second("first_time"),
            Column::second("last_time"),
            Column::u8("version"),
            Column::u8("removed"),
            Column::second("written_at"),
        ],
    ),
    Expected::own(
        "unresolved_scans",
        Some(VERSION),
        &["partition"],
        &[Column::text("partition"), Column::second("scanned_at"), Column::u64("found"), Column::u64(VERSION)],
    ),
    Expected::own(
        "checkpoints",
        Some(VERSION),
        &["pipeline", "source"],
        &[
            Column::text("pipeline"),
            Column::text("source"),
            Column::text("world"),
            Column::text("start"),
            Column::text("watermark"),
            Column::u64(VERSION),
        ],
    ),
    Expected::own(
        "desired_states",
        Some(VERSION),
        &["pipeline", "stage"],
        &[Column::text("pipeline"), Column::text("stage"), Column::text("state"), Column::u64(VERSION)],
    ),
    Expected::own(
        "jobs",
        Some(VERSION),
        &["pipeline", "id"],
        &[
            Column::text("pipeline"),
            Column::text("id"),
            Column::text("stage"),
            Column::text("begin"),
            Column::text("until"),
            Column::text("cursor"),
            Column::u64("total"),
            Column::u64("done"),
            Column::u64("moved"),
            Column::text("state"),
            Column::text("reason"),
            Column::millis("started_at"),
            Column::millis_if_any("ended_at"),
            Column::u64(VERSION),
        ],
    ),
    Expected::own(
        "commands",
        None,
        &["pipeline", "at", "id"],
        &[
            Column::text("pipeline"),
            Column::millis("at"),
            Column::text("id"),
            Column::text("user"),
            Column::text("tty"),
            Column::u32("pid"),
            Column::text("command"),
            Column::text("outcome"),
            Column::text("said"),
        ],
    ),
];

/// All tables that must be there.
pub(super) fn expected() -> impl Iterator<Item = Expected> {
    TableId::ALL.into_iter().map(Table::of).map(Expected::declared).chain(OWN)
}

impl Expected {
    /// A table of rows.
    fn declared(table: &'static Table) -> Self {
        let Table { id, columns, computed, key, sorting, former_sorting, added, partition, of_predecessor, .. } = table;
        let sorting = if sorting.is_empty() { key } else { sorting };
        let (name, version) = (id.as_str(), Some(VERSION));
        Self { name, version, sorting, former_sorting, partition, columns, computed, added, of_predecessor }
    }

    const fn own(
        name: &'static str,
        version: Option<&'static str>,
        sorting: &'static [&'static str],
        columns: &'static [Column],
    ) -> Self {
        let (former_sorting, computed, added, of_predecessor): (_, _, _, &[&str]) = (&[], &[], &[], &[]);
        Self { name, version, sorting, former_sorting, partition: "", columns, computed, added, of_predecessor }
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::replaces_by;
    use super::super::schema::{FILES, FIRST};
    use super::*;

    /// A table of the numbered files: what is said of its columns, and of the table behind them.
    fn made(name: &str) -> (Vec<(&'static str, &'static str)>, &'static str) {
        let begin = format!("CREATE TABLE IF NOT EXISTS {name} (\n");
        let (_, text) = [FIRST].iter().chain(FILES).find_map(|file| file.split_once(begin.as_str())).expect(name);
        let (columns, rest) = text.split_once("\n)\n").unwrap();
        let column = |line: &'static str| {
            let (name, rest) = line.trim().trim_end_matches(',').split_once(' ').unwrap();
            let ends = [" COMMENT ", " CODEC(", " DEFAULT ", " MATERIALIZED "].map(|word| rest.find(word));
            (name, rest[..ends.into_iter().flatten().min().unwrap_or(rest.len())].trim())
        };
        let columns = columns.lines().map(column).filter(|(name, _)| *name != "INDEX").collect();
        (columns, rest.split_once(";\n").map_or(rest, |(rest, _)| rest))
    }

    #[test]
    fn the_files_make_what_is_expected() {
        for expected in expected() {
            let (columns, rest) = made(expected.name);
            let of = |column: &Column| (column.name, column.clickhouse);
            let all: Vec<_> = expected.columns.iter().chain(expected.computed).map(of).collect();
            assert_eq!(columns, all, "{}", expected.name);
            let has = |line: &str| rest.lines().any(|found| found == line);
            let key = expected.sorting.join(", ");
            assert!(has(&format!("ORDER BY ({key})")) || has(&format!("ORDER BY {key}")), "{rest}");
            assert!(has(&format!("PARTITION BY {}", expected.partition)) != expected.partition.is_empty(), "{rest}");
            assert!(expected.version.is_none_or(|version| replaces_by(rest, version)), "{rest}");
        }
    }
}

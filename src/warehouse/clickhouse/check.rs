//! What is wrong with tables that are there already, in words.

use std::collections::HashMap;

use clickhouse::Row;
use serde::Deserialize;

use super::expected::{Expected, expected};
use super::{connection::Connection, error::Result};
use crate::warehouse::table::cells::Column;

const TABLES: &str = include_str!("../../../schema/clickhouse/queries/tables.sql");
const COLUMNS: &str = include_str!("../../../schema/clickhouse/queries/columns.sql");

/// What is wrong with a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableFault {
    /// Its name.
    pub table: String,
    /// Whether it or a column of it is merely not there, so that applying the schema makes it.
    pub is_missing: bool,
    /// Whether it is there and merely lacks columns, which applying the schema adds.
    pub lacks_columns: bool,
    /// In words, with what to do.
    pub text: String,
}

/// What else must be there, of which only the name counts. All but the first are for readers.
const VIEWS: [&str; 6] =
    ["market_tokens_of_markets", "trades_final", "markets_final", "volume_by_market_day", "candles_1m", "trades_all"];

/// Whether it is a view that a run does without.
pub(super) fn is_for_readers(table: &str) -> bool {
    VIEWS[1..].contains(&table)
}

#[derive(Row, Deserialize)]
struct FoundTable {
    name: String,
    engine: String,
    engine_full: String,
    sorting_key: String,
    partition_key: String,
}

#[derive(Row, Deserialize)]
struct FoundColumn {
    table: String,
    name: String,
    r#type: String,
}

/// What is wrong with the tables; nothing where all is well. Also where the database is not there.
pub(super) async fn check(connection: &Connection) -> Result<Vec<TableFault>> {
    let database = &connection.config().database;
    let tables: Vec<FoundTable> = connection.rows(connection.query_outside(TABLES).bind(database)).await?;
    let columns: Vec<FoundColumn> = connection.rows(connection.query_outside(COLUMNS).bind(database)).await?;
    let mut types: HashMap<String, HashMap<String, String>> = HashMap::new();
    for FoundColumn { table, name, r#type } in columns {
        types.entry(table).or_default().insert(name, r#type);
    }
    let nothing = HashMap::new();
    let missing = |name: &str| TableFault {
        table: name.to_owned(),
        is_missing: true,
        lacks_columns: false,
        text: format!("{name}: is not there; polytape schema apply makes it"),
    };
    let mut faults = Vec::new();
    for expected in expected() {
        match tables.iter().find(|table| table.name == expected.name) {
            None => faults.push(missing(expected.name)),
            Some(table) => {
                let types = types.get(expected.name).unwrap_or(&nothing);
                let of = |is_missing, text| {
                    let table = expected.name.to_owned();
                    TableFault { table, is_missing, lacks_columns: is_missing, text }
                };
                let wrong = expected.fault(table, types).map(|text| of(false, text));
                faults.extend(wrong.or_else(|| expected.lacking(types).map(|text| of(true, text))));
            }
        }
    }
    let is_there = |name: &&&str| tables.iter().any(|table| table.name == **name);
    faults.extend(VIEWS.iter().filter(|name| !is_there(name)).map(|name| missing(name)));
    Ok(faults)
}

impl Expected {
    /// Whether it is a table of the predecessor, which spelled its columns as the APIs do.
    fn is_of_predecessor(&self, types: &HashMap<String, String>) -> bool {
        !self.of_predecessor.is_empty() && self.of_predecessor.iter().all(|column| types.contains_key(*column))
    }

    /// Which columns are still to be added, if any are.
    fn lacking(&self, types: &HashMap<String, String>) -> Option<String> {
        let lacking: Vec<&str> = self.added.iter().filter(|column| !types.contains_key(**column)).copied().collect();
        let (name, columns) = (self.name, lacking.join(" and "));
        (!lacking.is_empty()).then(|| format!("{name}: has no {columns} yet; polytape schema apply adds it"))
    }

    /// What is wrong with a table and its columns, if anything is.
    fn fault(&self, table: &FoundTable, types: &HashMap<String, String>) -> Option<String> {
        let name = self.name;
        if self.is_of_predecessor(types) {
            return Some(format!(
                "{name}: is a table of the Python pipeline that polytape replaces; move it away \
                 (RENAME TABLE {name} TO {name}_old) or choose another database under [clickhouse]"
            ));
        }
        let mut wrong = Vec::new();
        // Replicated and Shared stand in front where the server keeps copies.
        if !table.engine.ends_with("ReplacingMergeTree") {
            wrong.push(format!("its engine is {}, which keeps rows twice: ReplacingMergeTree is needed", table.engine));
        } else if let Some(version) = self.version
            && !replaces_by(&table.engine_full, version)
        {
            wrong.push(format!("its engine does not decide by {version}: ReplacingMergeTree({version}) is needed"));
        }
        let key = self.sorting.join(", ");
        if ![&key, &self.former_sorting.join(", ")].contains(&&table.sorting_key) {
            wrong.push(format!("it is sorted by ({}), which must be ({key})", table.sorting_key));
        }
        if table.partition_key != self.partition {
            let or_nothing = |key: &str| if key.is_empty() { "nothing".to_owned() } else { key.to_owned() };
            let (is, must_be) = (or_nothing(&table.partition_key), or_nothing(self.partition));
            wrong.push(format!("it is partitioned by {is}, which must be {must_be}"));
        }
        for Column { name: column, clickhouse: expected, .. } in self.columns.iter().chain(self.computed) {
            match types.get(*column) {
                None if self.added.contains(column) => {}
                None => wrong.push(format!("it has no column {column} {expected}")),
                Some(found) if found != expected => {
                    wrong.push(format!("its column {column} is {found}, which must be {expected}"));
                }
                Some(_) => {}
            }
        }
        let advice = "; move it away, or choose another database under [clickhouse]";
        (!wrong.is_empty()).then(|| format!("{name}: {}{advice}", wrong.join(", ")))
    }
}

/// Whether `ReplacingMergeTree(…, version)` is what the engine's definition begins with. What decides may be two columns.
pub(super) fn replaces_by(definition: &str, version: &str) -> bool {
    let Some((_, arguments)) = definition.split_once("ReplacingMergeTree(") else { return false };
    let arguments = arguments.split(')').next().unwrap_or_default();
    let found = arguments.rsplit(',').map(str::trim);
    version.rsplit(',').map(str::trim).eq(found.take(version.split(',').count()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_found_in_every_kind_of_definition() {
        let yes = [
            "ReplacingMergeTree(version) ORDER BY id SETTINGS index_granularity = 8192",
            "ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', version) ORDER BY id",
        ];
        let no = [
            "ReplacingMergeTree ORDER BY id",
            "ReplacingMergeTree(ingested_at) ORDER BY (version)",
            "MergeTree ORDER BY id",
        ];
        assert!(replaces_by("ReplacingMergeTree(version, removed) ORDER BY id", "version, removed"));
        assert!(!replaces_by("ReplacingMergeTree(version) ORDER BY id", "version, removed"));
        assert!(!replaces_by("ReplacingMergeTree(version, removed) ORDER BY id", "version"));
        assert!(yes.iter().all(|definition| replaces_by(definition, "version")));
        assert!(no.iter().all(|definition| !replaces_by(definition, "version")));
    }
}

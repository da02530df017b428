//! What is wrong with tables that are there already, in words.

use std::collections::HashMap;

use clickhouse::Row;
use serde::Deserialize;

use super::ClickhouseError;
use super::connection::Connection;
use crate::planted::{Bug, planted};

const TABLES: &str = include_str!("../../../schema/clickhouse/queries/tables.sql");
const COLUMNS: &str = include_str!("../../../schema/clickhouse/queries/columns.sql");

/// What is wrong with a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableFault {
    /// Its name.
    pub table: String,
    /// Whether it is merely not there, so that applying the schema makes it.
    pub is_missing: bool,
    /// In words, with what to do.
    pub text: String,
}

/// A table as it must be.
struct Expected {
    name: &'static str,
    /// The column that decides between two rows of one key, and that which says that there is none, where there is such.
    version: Option<&'static str>,
    key: &'static str,
    partition: &'static str,
    columns: &'static [(&'static str, &'static str)],
}

const EXPECTED: [Expected; 9] = [
    Expected {
        name: "trades",
        version: Some("version"),
        key: "token_id, timestamp, transaction_hash, log_index, source_id",
        partition: "toYYYYMM(timestamp)",
        columns: &[
            ("timestamp", "DateTime('UTC')"),
            ("block_number", "UInt64"),
            ("log_index", "UInt32"),
            ("transaction_hash", "String"),
            ("order_hash", "String"),
            ("source_id", "String"),
            ("exchange", "LowCardinality(String)"),
            ("token_id", "UInt256"),
            ("condition_id", "String"),
            ("market_id", "String"),
            ("outcome", "String"),
            ("nonusdc_side", "LowCardinality(String)"),
            ("maker", "String"),
            ("taker", "String"),
            ("maker_direction", "LowCardinality(String)"),
            ("taker_direction", "LowCardinality(String)"),
            ("price", "Nullable(Float64)"),
            ("usd_amount", "Decimal(38, 6)"),
            ("token_amount", "Decimal(38, 6)"),
            ("fee_amount", "Decimal(38, 6)"),
            ("fee_unit", "LowCardinality(String)"),
            ("is_taker_row", "Bool"),
            ("version", "UInt8"),
            ("ingested_at", "DateTime64(3, 'UTC')"),
        ],
    },
    Expected {
        name: "markets",
        version: Some("version"),
        key: "id",
        partition: "",
        columns: &[
            ("id", "String"),
            ("condition_id", "String"),
            ("question", "String"),
            ("slug", "String"),
            ("outcomes", "Array(String)"),
            ("token_ids", "Array(UInt256)"),
            ("position_ids", "Array(UInt256)"),
            ("neg_risk", "Bool"),
            ("event_id", "String"),
            ("event_slug", "String"),
            ("event_title", "String"),
            ("tags", "Array(String)"),
            ("created_at", "Nullable(DateTime64(0, 'UTC'))"),
            ("end_at", "Nullable(DateTime64(0, 'UTC'))"),
            ("closed_at", "Nullable(DateTime64(0, 'UTC'))"),
            ("active", "Bool"),
            ("closed", "Bool"),
            ("volume", "String"),
            ("liquidity", "String"),
            ("raw", "String"),
            ("version", "UInt64"),
            ("lasting_hash", "UInt64"),
            ("ingested_at", "DateTime64(3, 'UTC')"),
        ],
    },
    Expected {
        name: "market_tokens",
        version: None,
        key: "token_id, market_id",
        partition: "",
        columns: &[("token_id", "UInt256"), ("market_id", "String")],
    },
    Expected {
        name: "unresolved_tokens",
        version: Some("version, removed"),
        key: "token_id, insert_id",
        partition: "",
        columns: &[
            ("token_id", "UInt256"),
            ("insert_id", "String"),
            ("first_time", "DateTime('UTC')"),
            ("last_time", "DateTime('UTC')"),
            ("version", "UInt8"),
            ("removed", "UInt8"),
            ("written_at", "DateTime('UTC')"),
        ],
    },
    Expected {
        name: "unresolved_scans",
        version: Some("version"),
        key: "partition",
        partition: "",
        columns: &[
            ("partition", "String"),
            ("scanned_at", "DateTime('UTC')"),
            ("found", "UInt64"),
            ("version", "UInt64"),
        ],
    },
    Expected {
        name: "dead_letters",
        version: Some("version"),
        key: "source, position, stage",
        partition: "",
        columns: &[
            ("source", "String"),
            ("position", "String"),
            ("stage", "String"),
            ("reason", "String"),
            ("raw", "String"),
            ("first_seen", "DateTime64(3, 'UTC')"),
            ("version", "UInt64"),
        ],
    },
    Expected {
        name: "checkpoints",
        version: Some("version"),
        key: "pipeline, source",
        partition: "",
        columns: &[
            ("pipeline", "String"),
            ("source", "String"),
            ("world", "String"),
            ("start", "String"),
            ("watermark", "String"),
            ("version", "UInt64"),
        ],
    },
    Expected {
        name: "desired_states",
        version: Some("version"),
        key: "pipeline, stage",
        partition: "",
        columns: &[("pipeline", "String"), ("stage", "String"), ("state", "String"), ("version", "UInt64")],
    },
    Expected {
        name: "jobs",
        version: Some("version"),
        key: "pipeline, id",
        partition: "",
        columns: &[
            ("pipeline", "String"),
            ("id", "String"),
            ("stage", "String"),
            ("begin", "String"),
            ("until", "String"),
            ("cursor", "String"),
            ("total", "UInt64"),
            ("done", "UInt64"),
            ("moved", "UInt64"),
            ("state", "String"),
            ("reason", "String"),
            ("started_at", "DateTime64(3, 'UTC')"),
            ("ended_at", "Nullable(DateTime64(3, 'UTC'))"),
            ("version", "UInt64"),
        ],
    },
];

/// What else must be there, of which only the name counts.
const VIEWS: [&str; 5] =
    ["market_tokens_of_markets", "trades_final", "markets_final", "volume_by_market_day", "candles_1m"];

#[derive(Row, Deserialize)]
struct Table {
    name: String,
    engine: String,
    engine_full: String,
    sorting_key: String,
    partition_key: String,
}

#[derive(Row, Deserialize)]
struct Column {
    table: String,
    name: String,
    r#type: String,
}

/// What is wrong with the tables; nothing where all is well. Also where the database is not there.
pub(super) async fn check(connection: &Connection) -> Result<Vec<TableFault>, ClickhouseError> {
    let database = &connection.config().database;
    let tables: Vec<Table> = connection.rows(connection.query_outside(TABLES).bind(database)).await?;
    let columns: Vec<Column> = connection.rows(connection.query_outside(COLUMNS).bind(database)).await?;
    let mut types: HashMap<String, HashMap<String, String>> = HashMap::new();
    for Column { table, name, r#type } in columns {
        types.entry(table).or_default().insert(name, r#type);
    }
    let nothing = HashMap::new();
    let missing = |name: &str| TableFault {
        table: name.to_owned(),
        is_missing: true,
        text: format!("{name}: is not there; polytape schema apply makes it"),
    };
    let mut faults = Vec::new();
    for expected in &EXPECTED {
        match tables.iter().find(|table| table.name == expected.name) {
            None => faults.push(missing(expected.name)),
            Some(table) => {
                let types = types.get(expected.name).unwrap_or(&nothing);
                let fault = |text| TableFault { table: expected.name.to_owned(), is_missing: false, text };
                faults.extend(expected.fault(table, types).map(fault));
            }
        }
    }
    let is_there = |name: &&&str| tables.iter().any(|table| table.name == **name);
    faults.extend(VIEWS.iter().filter(|name| !is_there(name)).map(|name| missing(name)));
    Ok(faults)
}

impl Expected {
    /// What is wrong with a table and its columns, if anything is.
    fn fault(&self, table: &Table, types: &HashMap<String, String>) -> Option<String> {
        let name = self.name;
        if is_of_predecessor(name, types) {
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
            && !planted(Bug::VersionByClock)
        {
            wrong.push(format!("its engine does not decide by {version}: ReplacingMergeTree({version}) is needed"));
        }
        if table.sorting_key != self.key && !planted(Bug::KeyWithoutLogIndex) {
            wrong.push(format!("it is sorted by ({}), which must be ({})", table.sorting_key, self.key));
        }
        if table.partition_key != self.partition {
            let or_nothing = |key: &str| if key.is_empty() { "nothing".to_owned() } else { key.to_owned() };
            let (is, must_be) = (or_nothing(&table.partition_key), or_nothing(self.partition));
            wrong.push(format!("it is partitioned by {is}, which must be {must_be}"));
        }
        for (column, expected) in self.columns {
            match types.get(*column) {
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
fn replaces_by(definition: &str, version: &str) -> bool {
    let Some((_, arguments)) = definition.split_once("ReplacingMergeTree(") else { return false };
    let arguments = arguments.split(')').next().unwrap_or_default();
    let found = arguments.rsplit(',').map(str::trim);
    version.rsplit(',').map(str::trim).eq(found.take(version.split(',').count()))
}

/// The predecessor spelled its columns as the APIs do.
fn is_of_predecessor(table: &str, types: &HashMap<String, String>) -> bool {
    match table {
        "trades" => types.contains_key("transactionHash"),
        "markets" => types.contains_key("createdAt") && types.contains_key("market_slug"),
        _ => false,
    }
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

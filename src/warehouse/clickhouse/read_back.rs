//! Whether rows are there: asked where something between takes out of the answers what proves an insert.
//!
//! What is found counts as ClickHouse's word for it: rows that are not found are written again, which changes nothing of those that
//! are there. The price is one read by key for each batch.

use super::{connection::Connection, error::ClickhouseError, error::Result};
use crate::model::Trade;
use crate::warehouse::{table::cells::Column, table::declaration::Table, table::row::TableRow};

const THERE: &str = include_str!("../../../schema/clickhouse/queries/rows_there.sql");

/// Identities that one query asks about.
const AT_ONCE: usize = 2_000;

/// Whether rows are there, each at least as complete or new as here.
pub(super) async fn rows(connection: &Connection, table: &Table, identities: &[Vec<String>]) -> Result<()> {
    let sql = question(table);
    let query = |items: &[Vec<String>]| connection.query(&sql).bind(items);
    let found = connection.count_in_parts(table.read_back, identities, AT_ONCE, query).await?;
    check(&table.id.as_str().replace('_', " "), identities.len(), found, connection)
}

/// Whether it can be asked at all, of a trade that nobody has.
pub(super) async fn try_out(connection: &Connection) -> Result<()> {
    let nobody = [vec!["0".to_owned(); Trade::TABLE.key.len() + 1]];
    connection.rows::<u64>(connection.query(&question(&Trade::TABLE)).bind(&nobody[..])).await.map(|_| ())
}

/// How many of some rows a reader sees.
fn question(table: &Table) -> String {
    let sent = |(place, column): (usize, &Column)| {
        let (name, text) = (column.name, format!("item[{}]", place + 1));
        match column.clickhouse {
            "String" => format!("{text} AS {name}"),
            "DateTime('UTC')" => format!("toDateTime(toUInt32({text}), 'UTC') AS {name}"),
            number => format!("to{number}({text}) AS {name}"),
        }
    };
    let key = table.places(table.key).into_iter().map(|at| &table.columns[at]);
    let sent: Vec<String> = key.enumerate().map(sent).collect();
    THERE
        .replace("{sent}", &sent.join(", "))
        .replace("{version}", &format!("item[{}]", sent.len() + 1))
        .replace("{found_by}", &table.found_by())
        .replace("{key}", &table.key.join(", "))
        .replace("{table}", table.id.as_str())
}

/// Whether what was kept is what is there: of checkpoints and the like.
pub(super) fn check_kept(what: &str, is_there: bool, connection: &Connection) -> Result<()> {
    check(what, 1, u64::from(is_there), connection)
}

fn check(what: &str, expected: usize, found: u64, connection: &Connection) -> Result<()> {
    if found >= expected as u64 {
        return Ok(());
    }
    let text = format!("of {expected} {what} that were sent {found} are there");
    Err(ClickhouseError::Unconfirmed { at: connection.address(), text })
}

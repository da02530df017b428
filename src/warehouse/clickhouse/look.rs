//! What a run finds before it begins, and `polytape check` says: the server, what the user may do, the tables.
//!
//! Looks only. What is wrong is told in the words in which a run fails for it.

use super::server::{ClickhouseServer, OLDEST_CLICKHOUSE};
use super::{check, check::TableFault, connection::Connection, error::ClickhouseError, error::Result, rights, schema};
use crate::warehouse::error::WarehouseError;

/// What is there, where a run can begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    /// Tables and views that the run makes first.
    pub missing: Vec<TableFault>,
    /// Views for readers that are not there, where the user may not make them.
    pub left_out: Vec<TableFault>,
    /// Whether files of the schema are still to be applied.
    pub(super) is_older: bool,
    /// Whether the database is there.
    pub(super) has_database: bool,
}

impl Looked {
    /// Whether nothing has to be made.
    pub(super) fn is_whole(&self) -> bool {
        self.missing.is_empty() && !self.is_older
    }
}

/// Whether a run can begin on this server.
pub(super) async fn look(connection: &Connection, server: &ClickhouseServer) -> Result<Looked, WarehouseError> {
    refuse_too_old(connection, server)?;
    // Side by side, since a server may be far away. What is said first is said as if one had come after the other.
    let (rights, missing, is_older, has_database) = tokio::join!(
        rights::to_run(connection),
        schema::missing(connection),
        schema::is_older(connection),
        schema::has_database(connection)
    );
    rights?;
    let (missing, is_older) = (missing?, is_older?);
    let mut looked = Looked { missing, left_out: Vec::new(), is_older, has_database: true };
    if !looked.is_whole() {
        looked.has_database = has_database?;
        let adds_columns = schema::adds_columns(&looked.missing);
        match rights::to_make(connection, looked.has_database, adds_columns).await {
            Ok(()) => {}
            // Who reads by them has to ask who makes them; a run does without.
            Err(ClickhouseError::Rights { .. } | ClickhouseError::Settings { .. })
                if !looked.is_older && looked.missing.iter().all(|fault| check::is_for_readers(&fault.table)) =>
            {
                looked.left_out = std::mem::take(&mut looked.missing);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(looked)
}

/// Fails where a server is older than all that is used here.
pub(super) fn refuse_too_old(connection: &Connection, server: &ClickhouseServer) -> Result<()> {
    if !server.is_too_old() {
        return Ok(());
    }
    let (at, found) = (connection.address(), server.version.clone());
    Err(ClickhouseError::TooOld { at, found, oldest: OLDEST_CLICKHOUSE })
}

//! Connections for reading, kept for the next who reads.

use std::sync::Arc;

use parking_lot::Mutex;
use rusqlite::Connection;

use crate::{sqlite::Database, warehouse::error::Result};

/// Idle connections that are kept, at most.
const IDLE: usize = 4;

/// Reading connections of a store. Clones share them.
#[derive(Clone)]
pub(super) struct Readers {
    database: Database,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Readers {
    pub(super) fn new(database: Database) -> Self {
        Self { database, idle: Arc::default() }
    }

    /// Reads on some connection, which is kept where nothing went wrong with it.
    pub(super) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>) -> Result<T> {
        let idle = self.idle.lock().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.database.reader()?,
        };
        let value = work(&connection)?;
        let mut idle = self.idle.lock();
        if idle.len() < IDLE {
            idle.push(connection);
        }
        Ok(value)
    }
}

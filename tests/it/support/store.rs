//! An embedded store in a directory of its own.

use std::sync::Arc;

use polytape::broker::EmbeddedBroker;
use polytape::sqlite::{DataDir, Database};
use polytape::warehouse::EmbeddedWarehouse;
use rusqlite::Connection;
use tempfile::TempDir;

/// A store, open or closed.
pub struct Store {
    dir: TempDir,
    open: Option<(DataDir, Database)>,
}

impl Store {
    pub fn new() -> Self {
        let mut store = Self { dir: TempDir::new().unwrap(), open: None };
        store.open();
        store
    }

    fn open(&mut self) {
        let data_dir = DataDir::lock(self.dir.path()).unwrap();
        let database = Database::open(&data_dir).unwrap();
        self.open = Some((data_dir, database));
    }

    /// As a new process finds it: nothing but the file.
    pub fn reopen(&mut self) {
        self.open = None;
        self.open();
    }

    fn database(&self) -> Database {
        self.open.as_ref().unwrap().1.clone()
    }

    pub fn broker(&self) -> Arc<EmbeddedBroker> {
        Arc::new(EmbeddedBroker::new(self.database()))
    }

    pub fn warehouse(&self) -> Arc<EmbeddedWarehouse> {
        Arc::new(EmbeddedWarehouse::new(self.database()))
    }

    pub fn path(&self) -> &std::path::Path {
        self.dir.path()
    }

    /// The file behind the store's back.
    pub fn file(&self) -> Connection {
        let connection = Connection::open(self.dir.path().join("polytape.db")).unwrap();
        connection.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
        connection
    }
}

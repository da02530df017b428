//! The two clients of a ClickHouse, and where they lead: one for reads, and one for writes, which shows whose answer it was.

use std::{sync::Arc, time::Duration};

use clickhouse::{Client, Compression};

use super::{
    config::ClickhouseConfig, error::ClickhouseError, error::Result, port::Port, post::Post, statement::Statement,
    transport::Transport,
};

/// How long one read may take.
pub(super) const READ: Duration = Duration::from_secs(60);

/// Where one is that needs no database of polytape's: no server is without it.
pub(super) const OUTSIDE: &str = "system";

/// Both of them. Clones share them.
#[derive(Clone)]
pub(super) struct Clients {
    reads: Client,
    /// Or why ClickHouse cannot be spoken to as it is configured.
    writes: Result<Post, Arc<str>>,
    config: Arc<ClickhouseConfig>,
    /// What is known of its address.
    pub(super) port: Port,
}

impl Clients {
    /// Nobody is asked yet.
    pub(super) fn new(config: ClickhouseConfig) -> Self {
        let config = config.settled();
        let transport = Transport::of(&config);
        let port = Port::of(&config.url, transport.as_ref().is_ok_and(Transport::is_straight));
        let reads = transport.as_ref().map_or_else(|_| Client::default(), Transport::for_reads);
        let writes = transport.and_then(|transport| Post::new(&config, &transport)).map_err(Into::into);
        let reads = reads
            .with_url(&config.url)
            .with_user(&config.user)
            .with_password(&config.password)
            .with_database(&config.database)
            .with_compression(Compression::Lz4)
            .with_product_info("polytape", env!("CARGO_PKG_VERSION"));
        Self { reads, writes, config: Arc::new(config), port }
    }

    pub(super) fn config(&self) -> &ClickhouseConfig {
        &self.config
    }

    /// Where they lead, as it is shown.
    pub(super) fn address(&self) -> String {
        self.config.address()
    }

    /// A statement in the database. Its `?` are to be bound.
    pub(super) fn query(&self, sql: &str) -> Statement {
        Statement::new(self.reads.query(sql))
    }

    /// One that needs no database to be there.
    pub(super) fn query_outside(&self, sql: &str) -> Statement {
        Statement::new(self.reads.clone().with_database(OUTSIDE).query(sql))
    }

    /// The client for writes. Where there is none, reads have none either.
    pub(super) fn post(&self) -> Result<&Post> {
        self.writes.as_ref().map_err(|text| self.unusable(text))
    }

    pub(super) fn unusable(&self, text: &str) -> ClickhouseError {
        ClickhouseError::Unusable { at: self.address(), text: text.to_owned() }
    }
}

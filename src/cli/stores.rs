//! The streams and tables of a configuration.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rand::RngExt;

use super::CliError;
use crate::broker::{Broker, EmbeddedBroker, RedisBroker, RedisConfig};
use crate::config::{ClickhouseSection, Config, RedisSection};
use crate::embedded::{DataDir, Database};
use crate::stage::Limits;
use crate::warehouse::{ClickhouseConfig, ClickhouseWarehouse, EmbeddedWarehouse, Guarded, Warehouse};

/// What a pipeline writes to.
pub(super) struct Stores {
    pub(super) broker: Arc<dyn Broker>,
    pub(super) warehouse: Arc<dyn Warehouse>,
    /// What that is, in words.
    pub(super) name: &'static str,
    /// The file, where it is both.
    pub(super) database: Option<Database>,
}

/// Redis and ClickHouse where they are configured, which need not be up yet; else the embedded store.
pub(super) fn open(config: &Config, data_dir: &DataDir) -> Result<Stores, CliError> {
    if let (Some(redis_section), Some(clickhouse_section)) = (&config.redis, &config.clickhouse) {
        let broker = redis(redis_section, consumer(data_dir.path())?)?;
        let name = format!("ClickHouse at {}", clickhouse_section.place());
        let warehouse = Guarded::new(Arc::new(clickhouse(clickhouse_section)), name);
        let (broker, warehouse) = (Arc::new(broker), Arc::new(warehouse));
        return Ok(Stores { broker, warehouse, name: "redis+clickhouse", database: None });
    }
    let database = Database::open(data_dir)?;
    let broker = Arc::new(EmbeddedBroker::new(database.clone()));
    let warehouse = Arc::new(EmbeddedWarehouse::new(database.clone()));
    Ok(Stores { broker, warehouse, name: "embedded", database: Some(database) })
}

/// Ends the writing of a store, so that its one file is all of it.
pub(super) async fn close(database: Option<Database>) {
    let Some(database) = database else { return };
    match database.close().await {
        Ok(true) => {}
        Ok(false) => tracing::warn!(
            "somebody reads polytape.db, so a part of it is still in polytape.db-wal: a copy needs both files"
        ),
        Err(error) => tracing::warn!("polytape.db could not be closed, a copy needs polytape.db-wal, too: {error}"),
    }
}

/// The bounds of a pipeline of a configuration.
pub(super) fn limits(config: &Config, data_dir: &Path) -> Limits {
    Limits {
        max_rows: config.writer.max_rows,
        max_batch_bytes: config.writer.max_bytes,
        linger: config.writer.linger,
        max_stream_bytes: config.streams.max_bytes,
        keep: config.streams.keep,
        data_dir: data_dir.to_owned(),
        min_free: config.storage.min_free,
    }
}

/// Streams in Redis.
pub(super) fn redis(section: &RedisSection, consumer: String) -> Result<RedisBroker, CliError> {
    let config = RedisConfig { url: section.url.clone(), key_prefix: section.key_prefix.clone(), consumer };
    let broker = match section.ca.as_str() {
        "" => RedisBroker::connect(config),
        file => {
            let authority = fs::read(file).map_err(|cause| CliError::Source("redis.ca", cause.to_string()))?;
            RedisBroker::connect_trusting(config, authority)
        }
    };
    broker.map_err(|error| CliError::Source("redis.url", error.to_string()))
}

/// Tables in ClickHouse.
pub(super) fn clickhouse(section: &ClickhouseSection) -> ClickhouseWarehouse {
    let ClickhouseSection { url, database, user, password, ca } = section.clone();
    let ca = Some(ca).filter(|ca| !ca.is_empty()).map(Into::into);
    ClickhouseWarehouse::new(ClickhouseConfig { url, database, user, password, ca })
}

/// Who this process is in every group: its host, and an id that its data directory keeps. The directory is locked, so that
/// no two that live share it.
fn consumer(data_dir: &Path) -> Result<String, CliError> {
    let file = data_dir.join("instance");
    let id = match fs::read_to_string(&file) {
        Ok(id) if !id.trim().is_empty() => id.trim().to_owned(),
        _ => {
            let id = format!("{:08x}", rand::rng().random::<u32>());
            fs::write(&file, format!("{id}\n")).map_err(CliError::Start)?;
            id
        }
    };
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    Ok(format!("{host}-{id}"))
}

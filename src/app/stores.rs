//! The streams and tables of a configuration.

use std::{fs, path::Path, sync::Arc};

use rand::RngExt;

#[cfg(feature = "planted-bugs")]
use self::defective::{as_broker, as_warehouse};
use super::AppError;
use crate::broker::{Broker, EmbeddedBroker, RedisBroker, RedisConfig};
use crate::config::{ClickhouseSection, Config, RedisSection};
use crate::sqlite::{DataDir, DataDirError, Database};
use crate::warehouse::{ClickhouseConfig, ClickhouseWarehouse, EmbeddedWarehouse, Guarded, Warehouse};
use crate::{control::Limits, io_words::why};

/// With the defect that a test has planted in this process.
#[cfg(feature = "planted-bugs")]
mod defective {
    use std::sync::Arc;

    use crate::broker::{self, Broker};
    use crate::warehouse::{self, Retract, Warehouse};

    pub(super) fn as_broker(broker: impl Broker + 'static) -> Arc<dyn Broker> {
        Arc::new(broker::Defective::new(Arc::new(broker)))
    }

    pub(super) fn as_warehouse(store: impl Retract + 'static) -> Arc<dyn Warehouse> {
        Arc::new(warehouse::Defective::new(store))
    }
}

#[cfg(not(feature = "planted-bugs"))]
fn as_broker(broker: impl Broker + 'static) -> Arc<dyn Broker> {
    Arc::new(broker)
}

#[cfg(not(feature = "planted-bugs"))]
fn as_warehouse(store: impl Warehouse + 'static) -> Arc<dyn Warehouse> {
    Arc::new(store)
}

/// What a pipeline writes to.
pub(crate) struct Stores {
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) warehouse: Arc<dyn Warehouse>,
    /// What that is, in words.
    pub(crate) name: &'static str,
    /// The file, where it is both.
    pub(crate) database: Option<Database>,
}

/// Redis and ClickHouse where they are configured, which need not be up yet; else the embedded store.
pub(crate) fn open(config: &Config, data_dir: &DataDir) -> Result<Stores, AppError> {
    if let (Some(redis_section), Some(clickhouse_section)) = (&config.redis, &config.clickhouse) {
        let broker = as_broker(redis(redis_section, consumer(data_dir.path())?)?);
        let name = format!("ClickHouse at {}", clickhouse_section.place());
        let warehouse = Arc::new(Guarded::new(as_warehouse(clickhouse(clickhouse_section)), name));
        return Ok(Stores { broker, warehouse, name: "redis+clickhouse", database: None });
    }
    let database = Database::open(data_dir)?;
    let broker = as_broker(EmbeddedBroker::new(database.clone()));
    let warehouse = as_warehouse(EmbeddedWarehouse::new(database.clone()));
    Ok(Stores { broker, warehouse, name: "embedded", database: Some(database) })
}

/// Ends the writing of a store, so that its one file is all of it.
pub(crate) async fn close(database: Option<Database>) {
    let Some(database) = database else { return };
    match database.close().await {
        Ok(true) => {}
        Ok(false) => tracing::warn!(
            "another process has polytape.db open, so a part of it is still in polytape.db-wal: a copy needs both files"
        ),
        Err(error) => tracing::warn!("polytape.db could not be closed, a copy needs polytape.db-wal, too: {error}"),
    }
}

/// The bounds of a pipeline of a configuration.
pub(crate) fn limits(config: &Config, data_dir: &Path) -> Limits {
    Limits {
        max_rows: config.writer.max_rows,
        max_batch_bytes: config.writer.max_bytes,
        linger: config.writer.linger,
        max_stream_bytes: config.streams.max_bytes,
        batch: config.streams.batch,
        keep: config.streams.keep,
        data_dir: data_dir.to_owned(),
        min_free: config.storage.min_free,
    }
}

/// Streams in Redis.
pub(crate) fn redis(section: &RedisSection, consumer: String) -> Result<RedisBroker, AppError> {
    let config = RedisConfig { url: section.url.clone(), key_prefix: section.key_prefix.clone(), consumer };
    let broker = match section.ca.as_str() {
        "" => RedisBroker::connect(config),
        file => {
            let authority =
                fs::read(file).map_err(|cause| AppError::Setting("redis.ca", format!("{file}: {}", why(&cause))))?;
            RedisBroker::connect_trusting(config, authority)
        }
    };
    broker.map_err(|error| AppError::Setting("redis.url", error.to_string()))
}

/// Tables in ClickHouse.
pub(crate) fn clickhouse(section: &ClickhouseSection) -> ClickhouseWarehouse {
    let ClickhouseSection { url, database, user, password, ca } = section.clone();
    let ca = Some(ca).filter(|ca| !ca.is_empty()).map(Into::into);
    ClickhouseWarehouse::new(ClickhouseConfig { url, database, user, password, ca })
}

/// Who this process is in every group: its host, and an id that its data directory keeps. The directory is locked, so that
/// no two that live share it.
fn consumer(data_dir: &Path) -> Result<String, AppError> {
    let file = data_dir.join("instance");
    let id = match fs::read_to_string(&file) {
        Ok(id) if !id.trim().is_empty() => id.trim().to_owned(),
        _ => {
            let id = format!("{:08x}", rand::rng().random::<u32>());
            fs::write(&file, format!("{id}\n")).map_err(|cause| DataDirError::of(data_dir, &cause))?;
            id
        }
    };
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    Ok(format!("{host}-{id}"))
}

//! `check --flow`: sends one marked fill through both hops into the table, and removes it.
//!
//! It takes a pipeline of its own, with a name of its own and in Redis a prefix of its own, beside whatever runs: so the way
//! is the real one, and nobody's streams, cursors or groups are touched. In ClickHouse the row is in the real table, in
//! a month where no trade is, for as long as the check takes. The embedded store is one file of one process: there the
//! probe goes through a store beside it.

use std::{path::Path, sync::Arc, time::Duration};

use rand::RngExt;
use tokio_util::sync::CancellationToken;

use super::{line::Line, probe::Probe};
use crate::app::{signals, stores};
use crate::broker::{Broker, EmbeddedBroker, Group, RedisBroker, Stream};
use crate::config::{ClickhouseSection, Config, RedisSection};
use crate::control::{Limits, Parts, Pipeline};
use crate::flow::{StageId, StreamId, TableId};
use crate::model::{DeadLetter, entry::Entry};
use crate::source::{FillSource, Start};
use crate::sqlite::{DataDir, Database};
use crate::streams::Fills;
use crate::warehouse::{ClickhouseWarehouse, EmbeddedWarehouse, Inspection, Warehouse};

const FLOW: &str = "flow";

/// How long the probe may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long it may take to remove it.
const REMOVAL: Duration = Duration::from_secs(30);

/// How often to look for it.
const POLL: Duration = Duration::from_millis(5);

/// Sends a probe through what is configured.
pub(super) async fn flow(config: &Config, data_dir: &Path) -> Result<Line, Line> {
    let id = format!("check-{:08x}", rand::rng().random::<u32>());
    let stop = CancellationToken::new();
    signals::watch(stop.clone(), || {}).map_err(|cause| Line::failed(FLOW, cause))?;
    match (&config.redis, &config.clickhouse) {
        (Some(redis), Some(clickhouse)) => through_servers(config, redis, clickhouse, data_dir, &id, &stop).await,
        _ => Ok(through_file(config, data_dir, &id, &stop).await),
    }
}

async fn through_servers(
    config: &Config,
    redis: &RedisSection,
    clickhouse: &ClickhouseSection,
    data_dir: &Path,
    id: &str,
    stop: &CancellationToken,
) -> Result<Line, Line> {
    let redis = RedisSection { key_prefix: format!("{}{id}:", redis.key_prefix), ..redis.clone() };
    let broker = stores::redis(&redis, id.to_owned()).map_err(|error| Line::failed(FLOW, error))?;
    let warehouse = stores::clickhouse(clickhouse);
    warehouse.may_remove_probe().await.map_err(|error| {
        Line::failed(FLOW, format_args!("no probe was sent, since it could not be removed again: {error}"))
    })?;
    let rows = async || warehouse.probe_rows(id).await.map_err(|error| error.to_string());
    let sent =
        send(limits(config, data_dir), id, Arc::new(broker.clone()), Arc::new(warehouse.clone()), rows, stop).await;
    let removed = tokio::time::timeout(REMOVAL, remove(&broker, &warehouse, id)).await;
    let removed = removed.unwrap_or_else(|_| Err(format!("not within {} s", REMOVAL.as_secs())));
    let line = line(sent, "Redis and ClickHouse");
    Ok(match removed {
        Ok(()) => line.and("removed"),
        Err(cause) => line.fail(format_args!(
            "the probe could not be removed ({cause}): it is the row with source_id {id} in trades, the checkpoint of \
             pipeline {id}, and the keys {}*",
            redis.key_prefix
        )),
    })
}

/// Takes away everything of a probe, as far as it came.
async fn remove(broker: &RedisBroker, warehouse: &ClickhouseWarehouse, id: &str) -> Result<(), String> {
    let (streams, rows) = tokio::join!(broker.remove(), warehouse.remove_probe(id, id));
    rows.map_err(|error| error.to_string())?;
    streams.map_err(|error| error.to_string())
}

async fn through_file(config: &Config, data_dir: &Path, id: &str, stop: &CancellationToken) -> Line {
    let (place, is_new) = (data_dir.join(id), !data_dir.exists());
    let opened = DataDir::lock(&place).map_err(|error| error.to_string()).and_then(|place| {
        let database = Database::open(&place).map_err(|error| error.to_string())?;
        Ok((place, database))
    });
    let line = match opened {
        Err(cause) => Line::failed(FLOW, cause),
        Ok((_place, database)) => {
            let broker = Arc::new(EmbeddedBroker::new(database.clone()));
            let warehouse = Arc::new(EmbeddedWarehouse::new(database));
            let counted = Arc::clone(&warehouse);
            let rows = async || {
                counted.row_counts().await.map(|rows| rows[TableId::Trades].rows).map_err(|error| error.to_string())
            };
            let sent = send(limits(config, &place), id, broker, warehouse, rows, stop).await;
            line(sent, "a store beside the one in use")
        }
    };
    let removed = std::fs::remove_dir_all(&place);
    if is_new {
        // It was made for the probe, and there is nothing else in it.
        let _ = std::fs::remove_dir(data_dir);
    }
    match removed {
        Ok(()) => line.and("removed"),
        Err(cause) => line.fail(format_args!("{} could not be removed: {cause}", place.display())),
    }
}

/// The bounds of a run, but for the disk: that is another line's matter.
fn limits(config: &Config, data_dir: &Path) -> Limits {
    Limits { min_free: bytesize::ByteSize::b(0), ..stores::limits(config, data_dir) }
}

fn line(sent: Result<Duration, String>, through: &str) -> Line {
    match sent {
        Ok(took) => Line::ok(
            FLOW,
            format!(
                "one probe through {through}: read, processed, written and seen by a reader in {} ms",
                took.as_millis()
            ),
        ),
        Err(cause) => Line::failed(FLOW, format_args!("the probe did not arrive: {cause}")),
    }
}

/// Runs a pipeline until its one fill is seen by a reader and the watermark has passed it. Says how long it took from when it
/// was read until it was seen.
async fn send(
    limits: Limits,
    id: &str,
    broker: Arc<dyn Broker>,
    warehouse: Arc<dyn Warehouse>,
    rows: impl AsyncFn() -> Result<u64, String>,
    stop: &CancellationToken,
) -> Result<Duration, String> {
    let probe = Arc::new(Probe::new(id.to_owned()));
    let pipeline = Pipeline::start(Parts {
        name: id.to_owned(),
        chain: Fills {
            source: probe.clone(),
            stage: StageId::IngestFills,
            start: Start::Genesis,
            poll_interval: Duration::from_secs(1),
        },
        beside: vec![],
        markets: None,
        broker: Arc::clone(&broker),
        warehouse: Arc::clone(&warehouse),
        limits,
        // Nobody writes dead letters: what is refused stays in the probe's own stream, and says why.
        only: Some(vec![StageId::IngestFills, StageId::ProcessTrades, StageId::WriteTrades]),
    });
    let seen = async {
        loop {
            // Before it was read nobody needs to look: the tables may still have to be made.
            if let Some(read) = probe.read() {
                match rows().await? {
                    0 => {}
                    1 => break Ok(read.elapsed()),
                    rows => return Err(format!("{rows} rows instead of one")),
                }
            }
            tokio::time::sleep(POLL).await;
        }
    };
    let arrived = async {
        let took = seen.await?;
        // Behind the watermark nothing of it is written any more: what is removed now stays away.
        let has_passed = async || match warehouse.checkpoint(id, probe.name()).await {
            Ok(checkpoint) => Ok(checkpoint.is_some_and(|checkpoint| checkpoint.watermark != checkpoint.start)),
            Err(error) => Err(error.to_string()),
        };
        while !has_passed().await? {
            tokio::time::sleep(POLL).await;
        }
        Ok(took)
    };
    let observer = pipeline.observer();
    let sent = tokio::select! {
        arrived = arrived => arrived,
        why = refused(&*broker) => Err(why),
        failed = pipeline.failed() => Err(failed.to_string()),
        () = stop.cancelled() => Err("interrupted".into()),
        () = tokio::time::sleep(PATIENCE) => {
            let waits = |(stage, status): (_, crate::control::StageStatus)| Some(format!(": {stage}: {}", status.state.cause()?));
            let cause = observer.stages().into_iter().find_map(waits).unwrap_or_default();
            Err(format!("not within {} s{cause}", PATIENCE.as_secs()))
        }
    };
    match (pipeline.drain(Duration::from_secs(5)).await, sent) {
        (false, Err(cause)) => Err(format!("{cause}; what was under way may still arrive")),
        (_, sent) => sent,
    }
}

/// Waits until the probe has become a dead letter, and says why it did.
async fn refused(broker: &dyn Broker) -> String {
    let letters = Stream::of(StreamId::DeadLetters);
    // Before the streams are there, and where they cannot be looked at, somebody else says so.
    while !broker.stream(&letters).await.is_ok_and(|state| state.events > 0) {
        tokio::time::sleep(POLL).await;
    }
    let letter = async {
        let mut reader = broker.reader(&Group::of(StreamId::DeadLetters)).await.ok()?;
        let read = reader.read(1, usize::MAX, POLL).await.ok()?;
        DeadLetter::decode(&read.first()?.body).ok()
    };
    letter
        .await
        .map_or("it became a dead letter".into(), |letter| format!("it became a dead letter: {}", letter.reason))
}

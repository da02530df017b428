//! `polytape run`: puts a pipeline together and runs it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use directories::ProjectDirs;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::{CliError, RunArgs, logging, signals};
use crate::broker::EmbeddedBroker;
use crate::config::{Config, StartSpec, default_file, load};
use crate::demo::{DemoServer, World, WorldConfig};
use crate::embedded::{DataDir, Database};
use crate::headless::{self, Options};
use crate::monitor::Collector;
use crate::source::polygon::{Polygon, PolygonConfig};
use crate::stage::{Limits, Parts, Pipeline};
use crate::warehouse::EmbeddedWarehouse;

/// How far back a demo without end begins, so that there is something to catch up with.
const DEMO_BACKLOG: Duration = Duration::from_secs(120);

pub(super) async fn run(args: RunArgs) -> Result<(), CliError> {
    let mut config = load(file(&args).as_deref(), std::env::vars_os())?;
    let _log = logging::init(config.log.level);
    let demo = if args.demo { Some(demo(&args, &mut config).await?) } else { None };
    let source = polygon(&config)?;

    let data_dir = DataDir::lock(&data_dir(&args)?)?;
    if args.demo && args.data_dir.is_none() {
        data_dir.wipe()?;
    }
    let database = Database::open(&data_dir)?;
    let broker = Arc::new(EmbeddedBroker::new(database.clone()));
    let warehouse = Arc::new(EmbeddedWarehouse::new(database));
    if let Some(demo) = &demo {
        tracing::info!(
            "demo world with seed {} at {}; its store is {}",
            args.seed,
            demo.url(),
            data_dir.database().display()
        );
    }

    let stop = CancellationToken::new();
    signals::watch(stop.clone()).map_err(CliError::Start)?;
    let pipeline = Pipeline::start(Parts {
        name: config.pipeline.name,
        source: Arc::new(source),
        markets: None,
        broker: broker.clone(),
        warehouse: warehouse.clone(),
        start: config.pipeline.start.at(Timestamp::now()),
        poll_interval: config.sources.polygon.poll_interval,
        limits: Limits {
            max_rows: config.writer.max_rows,
            max_batch_bytes: config.writer.max_bytes,
            linger: config.writer.linger,
            max_stream_bytes: config.streams.max_bytes,
            keep: config.streams.keep,
            data_dir: data_dir.path().to_owned(),
            min_free: config.storage.min_free,
        },
    });
    let collector = Collector::new(pipeline.observer(), broker, warehouse.clone());
    let options =
        Options { until_caught_up: args.until_caught_up.then_some(args.timeout), show_rows: args.demo && !args.no_tui };
    Ok(headless::run(pipeline, collector, warehouse, options, stop).await?)
}

/// The file to read: as told, or the one in its usual place, but for the demo, which is the same for everybody.
fn file(args: &RunArgs) -> Option<PathBuf> {
    args.config.clone().or_else(|| if args.demo { None } else { default_file().filter(|file| file.exists()) })
}

/// Starts the demo world and points the configuration at it.
async fn demo(args: &RunArgs, config: &mut Config) -> Result<DemoServer, CliError> {
    let world =
        World::new(WorldConfig { seed: args.seed, fills: args.fills, rate: args.rate, ..WorldConfig::default() });
    config.pipeline.start = match args.fills {
        // A world that ends is read from its beginning, all of it.
        Some(_) => StartSpec::Block(world.config().first_block),
        None => StartSpec::Age(DEMO_BACKLOG),
    };
    let server = DemoServer::start(Arc::new(world), SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let server = server.await.map_err(CliError::Demo)?;
    config.sources.polygon.urls = vec![server.url()];
    Ok(server)
}

fn polygon(config: &Config) -> Result<Polygon, CliError> {
    let section = &config.sources.polygon;
    let config = PolygonConfig { urls: section.urls.clone(), timeout: section.timeout, ..PolygonConfig::default() };
    Ok(Polygon::new(config)?)
}

/// Where the store is kept: as told, or in the place that the system has for it. The demo has its own.
fn data_dir(args: &RunArgs) -> Result<PathBuf, CliError> {
    if let Some(dir) = &args.data_dir {
        return Ok(dir.clone());
    }
    let dirs = ProjectDirs::from("", "", "polytape").ok_or(CliError::NoHome)?;
    Ok(if args.demo { dirs.cache_dir().join("demo") } else { dirs.data_dir().to_owned() })
}

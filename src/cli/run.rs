//! `polytape run`: puts a pipeline together and runs it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::{CliError, RunArgs, logging, places, signals, sources};
use crate::broker::EmbeddedBroker;
use crate::config::{Config, GammaSection, Scan, StartSpec, load};
use crate::demo::{DemoServer, World, WorldConfig};
use crate::embedded::{DataDir, Database};
use crate::headless::{self, Options};
use crate::monitor::Collector;
use crate::stage::{Limits, Markets, Parts, Pipeline};
use crate::warehouse::EmbeddedWarehouse;

/// How far back a demo without end begins, so that there is something to catch up with.
const DEMO_BACKLOG: Duration = Duration::from_secs(120);

/// How often the demo's markets are asked for: a new one shall show soon.
const DEMO_POLL: Duration = Duration::from_secs(5);

pub(super) async fn run(args: RunArgs) -> Result<(), CliError> {
    let mut config = load(file(&args).as_deref(), std::env::vars_os())?;
    let data_dir = DataDir::lock(&data_dir(&args)?)?;
    if args.demo && args.data_dir.is_none() {
        data_dir.wipe()?;
    }
    let _logs = logging::init(&config.log, &config.log.dir_for(data_dir.path()));
    let demo = if args.demo { Some(demo(&args, &mut config).await?) } else { None };
    let polygon = sources::polygon(&config.sources.polygon, config.sources.polygon.urls.clone())?;
    let markets = Markets {
        source: Arc::new(sources::gamma(&config)?),
        tokens: Arc::new(sources::data_api(&config)?),
        poll_interval: config.sources.gamma.poll_interval,
        history: config.sources.gamma.scan == Scan::All,
    };

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

    let history = markets.history;
    let stop = CancellationToken::new();
    signals::watch(stop.clone()).map_err(CliError::Start)?;
    let pipeline = Pipeline::start(Parts {
        name: config.pipeline.name,
        source: Arc::new(polygon),
        markets: Some(markets),
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
    let options = Options {
        until_caught_up: args.until_caught_up.then_some(args.timeout),
        history,
        show_rows: args.demo && !args.no_tui,
    };
    Ok(headless::run(pipeline, collector, warehouse, options, stop).await?)
}

/// The configuration to read. The demo is the same for everybody, unless it is told otherwise.
fn file(args: &RunArgs) -> Option<PathBuf> {
    if args.demo { args.config.clone() } else { places::config_file(args.config.as_deref()) }
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
    config.sources.gamma = GammaSection { url: server.url(), poll_interval: DEMO_POLL, ..config.sources.gamma.clone() };
    config.sources.data_api.url = server.url();
    Ok(server)
}

/// The demo has a store of its own.
fn data_dir(args: &RunArgs) -> Result<PathBuf, CliError> {
    match &args.data_dir {
        None if args.demo => places::demo_data_dir(),
        told => places::data_dir(told.as_deref()),
    }
}

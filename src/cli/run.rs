//! `polytape run`: puts a pipeline together and runs it.

use std::{path::PathBuf, sync::Arc};

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::{args::RunArgs, demo, environment, error::CliError, logging, origin, paths, screen, screen::TerminalMode};
use crate::app::http::{HttpServer, Told};
use crate::app::socket::{Greeting, PROTOCOL, Served, Server};
use crate::app::stores::{self, Stores};
use crate::app::{AppError, HangUp, Running, service, signals, sources};
use crate::config::{Scan, load};
use crate::flow::{Input, StageId};
use crate::headless::{self, Options, Progress};
use crate::monitor::{About, LogCounts, LogView};
use crate::source::{CHAIN, Guarded};
use crate::streams::{Fills, Markets};
use crate::{control::Parts, logs::Logs, sqlite::DataDir, tui::Exits, tui::Leave};

pub(super) async fn run(args: RunArgs) -> Result<(), CliError> {
    screen::leave_session();
    let environment = if args.demo { environment::without_stores() } else { environment::all()? };
    let mut config = load(file(&args).as_deref(), &environment)?;
    if args.demo {
        (config.redis, config.clickhouse) = (None, None);
    }
    let wanted = screen::wanted(args.no_tui || args.until_caught_up || service::is_managed());
    // What is wrong with it is told to everybody, as a check tells it.
    let look = Some(screen::look(&config.ui)?).filter(|_| wanted == TerminalMode::Yes);
    let data_dir = DataDir::lock(&data_dir(&args)?)?;
    let mut is_new_demo = false;
    if args.demo {
        is_new_demo = origin::check_demo(&data_dir)?;
        if args.data_dir.is_none() {
            data_dir.wipe()?;
            is_new_demo = true;
        }
    } else {
        origin::check_real(&data_dir)?;
    }
    let progress = Progress::new(args.progress);
    let logs = Arc::new(logging::init(&config.log, &config.log.dir_for(data_dir.path()), &progress));
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    for was_open in data_dir.was_open() {
        tracing::warn!("{was_open}");
    }
    let demo = if args.demo { Some(demo::start(&args, &mut config).await?) } else { None };
    let (chain, gamma, data_api) = sources::all(&config)?;
    let markets = config.sources.gamma.enabled.then(|| Markets {
        source: Arc::new(gamma),
        tokens: Arc::new(data_api),
        poll_interval: config.sources.gamma.poll_interval,
        history: config.sources.gamma.scan == Scan::All,
    });

    let starting = service::Starting::begin();
    let Stores { broker, warehouse, name: store, database } = stores::open(&config, &data_dir)?;
    if let (Some(demo), Some(database)) = (&demo, &database) {
        if is_new_demo {
            database.mark_as_demo()?;
        }
        tracing::info!(
            "demo world with seed {} at {}; its store is {}",
            args.seed,
            demo.url(),
            data_dir.database().display()
        );
    }

    if let Some(only) = &args.only {
        if let (Some(stage), None) = (only.iter().find(|stage| stage.declared().input == Input::Markets), &markets) {
            let why = format!("false, and {stage} reads markets");
            return Err(AppError::Setting("sources.gamma.enabled", why).into());
        }
        let stages: Vec<&str> = only.iter().map(|stage| stage.as_str()).collect();
        tracing::info!("only {} here", stages.join(", "));
        if config.redis.is_none() {
            tracing::warn!("the embedded store belongs to one process: no other process can run the other stages");
        }
    }
    let hang_up = HangUp::listen().map_err(AppError::Start)?;
    let (history, name) = (markets.as_ref().is_some_and(|markets| markets.history), config.pipeline.name.clone());
    let stop = CancellationToken::new();
    signals::watch(stop.clone(), crate::tui::restore_modes).map_err(AppError::Start)?;
    let now = Timestamp::now();
    let beside = sources::beside(&config, now)?;
    let told_broker = Arc::clone(&broker);
    let parts = Parts {
        name: name.clone(),
        chain: Fills {
            source: Arc::new(Guarded::new(Arc::new(chain))),
            stage: StageId::IngestFills,
            start: config.pipeline.start.at(now),
            poll_interval: config.sources.polygon.poll_interval,
        },
        beside,
        markets,
        broker,
        warehouse,
        limits: stores::limits(&config, data_dir.path()),
        only: args.only.clone(),
    };
    let about = About {
        name,
        version: env!("CARGO_PKG_VERSION").into(),
        store: store.into(),
        demo: args.demo,
        source: CHAIN.into(),
        max_stream_bytes: config.streams.max_bytes.as_u64(),
    };
    let about_this = about.clone();
    let running = Running::start(parts, about, log_counts(&logs), service::watchdog());
    let _service = service::tell(running.pipeline.observer(), running.publisher.snapshots(), starting);
    let served = Served {
        greeting: Greeting {
            protocol: PROTOCOL,
            version: about_this.version.clone(),
            pid: std::process::id(),
            pipeline: about_this.name.clone(),
            demo: args.demo,
        },
        snapshots: running.publisher.snapshots(),
        control: running.pipeline.control(),
        ring: Arc::clone(&logs.ring),
        stop: stop.clone(),
    };
    let socket = Server::start(data_dir.path(), served);
    if let Err(error) = &socket {
        tracing::warn!(
            "the socket in {} cannot be served, so that nothing can be asked of this process: {error}",
            data_dir.path().display()
        );
    }
    let told = Told { snapshots: running.publisher.snapshots(), broker: told_broker, config: config.http.clone() };
    let web = HttpServer::start(told)
        .await
        .map_err(|error| AppError::Setting("http.listen", format!("{:?}: {error}", config.http.listen)))?;
    if let Some(web) = &web {
        tracing::info!("listening for HTTP at {}: /metrics, /health/ready, /health/live, /status.json", web.address);
    }
    let mut options = Options {
        until_caught_up: args.until_caught_up.then_some(args.timeout),
        history,
        // Rows and a bar on one terminal would get into each other.
        show_rows: args.demo && !args.no_tui && !progress.has_bar(),
        progress,
        ends_on_failure: true,
        hang_up,
    };
    if let TerminalMode::Unable(term) = wanted {
        tracing::info!("this terminal (TERM={term}) cannot show the screen: continuing as with --no-tui");
    }
    if let Some(look) = look {
        let exits = if args.demo { Exits::Stop } else { Exits::StopOrDetach };
        let leave = screen::show(&running, &logs, look, &config.log.dir_for(data_dir.path()), exits, &stop).await;
        if let Some(leave) = leave {
            let failed = running.has_failed();
            running.drain().await;
            // Before the directory is another process's.
            drop(socket);
            stores::close(database).await;
            let path = data_dir.path().to_owned();
            drop(data_dir);
            return match (leave, failed) {
                (Leave::Detach, _) => screen::detach(&path, args.data_dir.is_some()),
                (Leave::Stop, Some(failed)) => Err(headless::HeadlessError::from(failed).into()),
                (Leave::Stop, None) => Ok(()),
            };
        }
        (options.show_rows, options.ends_on_failure) = (false, false);
    }
    let ended = headless::run(running, options, stop).await;
    stores::close(database).await;
    Ok(ended?)
}

/// Tells how the log fares.
fn log_counts(logs: &Arc<Logs>) -> LogCounts {
    let logs = Arc::clone(logs);
    Arc::new(move || {
        let counts = logs.ring.counts();
        LogView { seen: counts.seen, kept: counts.kept, dropped: logs.file_dropped() }
    })
}

/// The configuration to read. The demo is the same for everybody, unless it is told otherwise.
fn file(args: &RunArgs) -> Option<PathBuf> {
    if args.demo { args.config.clone() } else { paths::config_file(args.config.as_deref()) }
}

/// The demo has a store of its own.
fn data_dir(args: &RunArgs) -> Result<PathBuf, CliError> {
    match &args.data_dir {
        None if args.demo => paths::demo_data_dir(),
        told => paths::data_dir(told.as_deref()),
    }
}

//! The demo world of `run --demo`: a server on this machine, and a configuration that points at it.

use std::net::{Ipv4Addr, SocketAddr};
use std::{sync::Arc, time::Duration};

use super::{args::RunArgs, error::CliError};
use crate::config::{Config, GammaSection, StartSpec};
use crate::demo::{DemoServer, World, WorldConfig};

/// How far back a demo without end begins, so that there is something to catch up with.
const DEMO_BACKLOG: Duration = Duration::from_secs(120);

/// How often the demo's markets are asked for: a new one shall show soon.
const DEMO_POLL: Duration = Duration::from_secs(5);

/// Starts the demo world and points the configuration at it.
pub(super) async fn start(args: &RunArgs, config: &mut Config) -> Result<DemoServer, CliError> {
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
    config.sources.goldsky.url = server.goldsky_url();
    // It knows no blocks.
    config.sources.goldsky.start = args.fills.map(|_| StartSpec::Genesis);
    Ok(server)
}

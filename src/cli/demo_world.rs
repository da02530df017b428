//! `polytape demo-world`: the demo world alone, until it is told to stop.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{args::DemoWorldArgs, error::CliError, print::print};
use crate::app::{AppError, signals};
use crate::demo::{DemoServer, World, WorldConfig};

pub(super) async fn run(args: DemoWorldArgs) -> Result<(), CliError> {
    let DemoWorldArgs { port, seed, fills, rate } = args;
    let world = World::new(WorldConfig { seed, fills, rate, ..WorldConfig::default() });
    let (chain, first) = (world.chain_id(), world.config().first_block);
    let stop = CancellationToken::new();
    signals::watch(stop.clone(), || {}).map_err(AppError::Start)?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let server = DemoServer::start(Arc::new(world), address).await.map_err(CliError::Demo)?;
    let url = server.url();
    print(&format!(
        "# the demo world of seed {seed}, chain {chain}, from block {first} on; GET {url}/demo tells more
# a configuration that reads it:
[sources]
polygon.urls = [\"{url}\"]
gamma.url = \"{url}\"
data_api.url = \"{url}\"
"
    ));
    stop.cancelled().await;
    Ok(())
}

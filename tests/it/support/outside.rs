//! An outside that goes on, with so much in it that there is always something to do, and a program that reads all of it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use polytape::demo::{DemoServer, Fault, Faults, World, WorldConfig};
use polytape::flow::StageId;

/// Time between two blocks: so short that there is always something to do, and many blocks share a second.
const BLOCK_TIME: Duration = Duration::from_millis(20);

/// Blocks between two markets of the world's series: a second.
const MARKET_PERIOD: u64 = 50;

/// A world that began a while ago, and goes on.
pub async fn busy(seed: u64, rate: f64) -> (Arc<World>, DemoServer) {
    begun(seed, rate, None, BLOCK_TIME).await
}

/// The same, with so much time between two blocks.
pub async fn busy_at(seed: u64, rate: f64, block_time: Duration) -> (Arc<World>, DemoServer) {
    begun(seed, rate, None, block_time).await
}

/// The same, whose blocks stay empty after so many fills.
pub async fn busy_until(seed: u64, rate: f64, fills: u64) -> (Arc<World>, DemoServer) {
    begun(seed, rate, Some(fills), BLOCK_TIME).await
}

async fn begun(seed: u64, rate: f64, fills: Option<u64>, block_time: Duration) -> (Arc<World>, DemoServer) {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let backlog = block_time * 100;
    let world = Arc::new(World::new(WorldConfig {
        seed,
        rate,
        fills,
        block_time,
        market_period: MARKET_PERIOD,
        genesis_ms: i64::try_from((now - backlog).as_millis()).unwrap(),
        ..WorldConfig::default()
    }));
    let server = DemoServer::start(Arc::clone(&world), SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
    (world, server)
}

/// The configuration of a program that reads all of it, with more lines.
pub fn config(world: &World, server: &DemoServer, more: &str) -> String {
    let (urls, url, first_block) = (server.urls(3), server.url(), world.config().first_block);
    format!(
        r#"
        pipeline.start = "{first_block}"
        sources.polygon = {{ urls = {urls:?}, poll_interval = "10ms", timeout = "2s" }}
        sources.gamma = {{ url = "{url}", poll_interval = "20ms", scan = "all", timeout = "2s", max_rate = 10000 }}
        sources.data_api = {{ url = "{url}", timeout = "2s", max_rate = 10000 }}
        storage.min_free = "0B"
        {more}
        "#
    )
}

/// The stages that run where no subgraph is read.
pub fn stages() -> impl Iterator<Item = StageId> {
    let reads_none = |stage: &StageId| !matches!(stage, StageId::IngestGoldsky | StageId::WriteGoldskyTrades);
    StageId::ALL.into_iter().filter(reads_none)
}

/// A bad day, but for what nobody can know: what is stale at the very end no later answer puts right.
pub fn last_storm() -> Faults {
    let mut faults = Faults::storm();
    faults.rates.remove(&Fault::Stale);
    faults
}

//! The embedded pipeline end to end, from pages that are rendered ahead, beside its ceilings in the same run.
//!
//! `cargo bench --bench pipeline` prints fills a second for each part alone and for the program as a whole, and the
//! program's peak memory. `POLYTAPE_BENCH_FILLS` sets how many fills (300,000).

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use polytape::broker::EmbeddedBroker;
use polytape::demo::{DemoServer, World};
use polytape::model::{ORDER_FILLED_V1, ORDER_FILLED_V2};
use polytape::warehouse::EmbeddedWarehouse;
use tempfile::TempDir;

use crate::common::{Run, broker_alone, from_environment, past_world, read_all, report, run, store, warehouse_alone};

#[tokio::main]
async fn main() {
    let fills = from_environment("POLYTAPE_BENCH_FILLS", 300_000);
    let world = Arc::new(World::new(past_world(fills)));
    let blocks = world.config().first_block..=world.last_fill_block().unwrap();
    let server = DemoServer::start(Arc::clone(&world), SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
    server.prerender(blocks.clone());
    println!("{fills} fills in {} blocks, rendered ahead", blocks.end() - blocks.start() + 1);

    let start = Instant::now();
    let bytes = drain(&server.url(), *blocks.start(), *blocks.end()).await;
    report("generator alone: pages over loopback, unread", fills, "fills", start.elapsed());
    println!("    {:.0} MB of JSON", bytes as f64 / 1e6);

    let start = Instant::now();
    let read = read_all(&server.url(), *blocks.start(), *blocks.end()).await;
    report("source alone: fetch, check, decode", fills, "fills", start.elapsed());
    assert_eq!(read.len() as u64, fills);

    let (_dir, _lock, database) = store();
    broker_alone(&EmbeddedBroker::new(database), &read).await;
    let (_dir, _lock, database) = store();
    warehouse_alone(&EmbeddedWarehouse::new(database), &read).await;
    drop(read);

    let dir = TempDir::new().unwrap();
    let Run { elapsed, peak, busy } = run(&server.url(), *blocks.start(), fills, dir.path());
    report("the program: node to table, --until-caught-up", fills, "fills", elapsed);
    println!("    peak memory {:.0} MB, {:.2} cores busy", peak as f64 / 1024.0, busy / elapsed.as_secs_f64());
}

/// Asks for all pages, forty blocks at a time, and throws them away.
async fn drain(url: &str, first: u64, last: u64) -> usize {
    let client = reqwest::Client::new();
    let mut bytes = 0;
    for from in (first..=last).step_by(40) {
        let to = last.min(from + 39);
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"eth_getLogs","params":[{{"fromBlock":"{from:#x}","toBlock":"{to:#x}",
            "topics":[["{ORDER_FILLED_V1:#x}","{ORDER_FILLED_V2:#x}"]]}}]}}"#
        );
        bytes += client.post(url).body(body).send().await.unwrap().bytes().await.unwrap().len();
    }
    bytes
}

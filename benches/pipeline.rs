//! The embedded pipeline end to end, from pages that are rendered ahead, beside its ceilings in the same run.
//!
//! `cargo bench --bench pipeline` prints fills a second for each part alone and for the program as a whole, and the
//! program's peak memory. `POLYTAPE_BENCH_FILLS` sets how many fills (300,000).

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use polytape::broker::{Advance, Broker, EmbeddedBroker, Handover, Layout, NewEntry, Stream};
use polytape::demo::{DemoServer, World};
use polytape::model::entry::Entry;
use polytape::model::{Fill, Resolution, Trade};
use polytape::source::polygon::{Polygon, PolygonConfig};
use polytape::source::{FillSource, Start};
use polytape::warehouse::{EmbeddedWarehouse, Warehouse};
use tempfile::TempDir;

use crate::common::{Run, from_environment, past_world, report, run, store};

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

    broker_alone(&read).await;
    warehouse_alone(&read).await;
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
            r#"{{"jsonrpc":"2.0","id":1,"method":"eth_getLogs","params":[{{"fromBlock":"{from:#x}","toBlock":"{to:#x}"}}]}}"#
        );
        bytes += client.post(url).body(body).send().await.unwrap().bytes().await.unwrap().len();
    }
    bytes
}

async fn read_all(url: &str, first: u64, last: u64) -> Vec<Fill> {
    let source = Polygon::new(PolygonConfig { urls: vec![url.to_owned()], ..PolygonConfig::default() }).unwrap();
    source.world().await.unwrap();
    let mut position = source.resolve(&Start::Block(first)).await.unwrap();
    let mut fills = Vec::new();
    while position.block <= last {
        let page = source.page(position, last).await.unwrap();
        position = page.next;
        fills.extend(page.events.into_iter().filter_map(|event| event.fill.ok()));
    }
    fills
}

/// Two hops: append, read, forward, read, acknowledge.
async fn broker_alone(fills: &[Fill]) {
    let (_dir, _lock, database) = store();
    let broker = EmbeddedBroker::new(database);
    let (input, output) = (Stream::order_events().group("in"), Stream::trades().group("out"));
    let layout = Layout { groups: vec![input.clone(), output.clone()], cursors: vec!["cursor".into()] };
    broker.begin(&layout, &[("cursor".into(), "0".into())]).await.unwrap();
    let (mut inputs, mut outputs) = (broker.reader(&input).await.unwrap(), broker.reader(&output).await.unwrap());
    let start = Instant::now();
    for (at, fills) in fills.chunks(1_000).enumerate() {
        let entries =
            fills.iter().map(|fill| NewEntry { stream: Stream::order_events(), body: fill.encode() }).collect();
        let advance = Advance { key: "cursor".into(), expected: at.to_string(), next: (at + 1).to_string() };
        broker.append(entries, advance).await.unwrap();
        let read = inputs.read(1_000, usize::MAX, Duration::ZERO).await.unwrap();
        let handover = |entry: polytape::broker::Delivery| Handover {
            id: entry.id,
            outputs: vec![NewEntry { stream: Stream::trades(), body: entry.body }],
        };
        broker.forward(&input, read.into_iter().map(handover).collect()).await.unwrap();
        let read = outputs.read(1_000, usize::MAX, Duration::ZERO).await.unwrap();
        broker.acknowledge(&output, read.iter().map(|entry| entry.id).collect()).await.unwrap();
    }
    report("broker alone: two hops of encoded fills", fills.len() as u64, "fills", start.elapsed());
}

async fn warehouse_alone(fills: &[Fill]) {
    let (_dir, _lock, database) = store();
    let warehouse = EmbeddedWarehouse::new(database);
    let start = Instant::now();
    for fills in fills.chunks(50_000) {
        let trade = |fill: &Fill| Trade { resolution: Resolution::of_fill(fill), fill: fill.clone() };
        let trades: Vec<Trade> = fills.iter().map(trade).collect();
        warehouse.write_trades(&trades).await.unwrap();
    }
    report("warehouse alone: rows into the table", fills.len() as u64, "fills", start.elapsed());
}

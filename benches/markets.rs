//! 1,500,000 markets in the warehouse: what a lookup costs, and what the program does beside an empty one.
//!
//! `cargo bench --bench markets` fills a store with markets, and then runs the program on the same fills with that store
//! and with an empty one, turn by turn. `POLYTAPE_BENCH_MARKETS` sets how many markets, `POLYTAPE_BENCH_FILLS` how many
//! fills (500,000), `POLYTAPE_BENCH_TURNS` how many turns (3).

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use alloy_primitives::{B256, U256, keccak256};
use polytape::demo::{DemoServer, World};
use polytape::model::{ConditionId, Event, Market, RawJson, TokenId};
use polytape::sqlite::{DataDir, Database};
use polytape::warehouse::{EmbeddedWarehouse, TokenIndex, WriteRows};
use tempfile::TempDir;

use crate::common::{Run, from_environment, past_world, report, run, store};

/// Bytes of a market's JSON, packed: the mean of recorded ones is 1,494.
const RAW: usize = 1_500;

/// Tokens of one batched lookup.
const LOOKED_UP: u64 = 1_000;

#[tokio::main]
async fn main() {
    let markets = from_environment("POLYTAPE_BENCH_MARKETS", 1_500_000);
    let fills = from_environment("POLYTAPE_BENCH_FILLS", 500_000);
    let turns = from_environment("POLYTAPE_BENCH_TURNS", 3);

    let (full, lock, database) = store();
    fill(&database, markets).await;
    look_up(&database, markets).await;
    drop((database, lock));

    let world = Arc::new(World::new(past_world(fills)));
    let blocks = world.config().first_block..=world.last_fill_block().unwrap();
    let server = DemoServer::start(Arc::clone(&world), SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
    server.prerender(blocks.clone());
    for _ in 0..turns {
        for (what, with) in
            [("the program, no markets before", None), ("the program, all markets there", Some(full.path()))]
        {
            let dir = TempDir::new().unwrap();
            if let Some(full) = with {
                copy(full, dir.path());
            }
            let Run { elapsed, peak, busy } = run(&server.url(), *blocks.start(), fills, dir.path());
            report(what, fills, "fills", elapsed);
            println!("    peak memory {:.0} MB, {:.2} cores busy", peak as f64 / 1024.0, busy / elapsed.as_secs_f64());
        }
    }
}

fn token(market: u64, outcome: u8) -> TokenId {
    let name = [market.to_be_bytes().as_slice(), &[outcome]].concat();
    TokenId(U256::from_be_bytes(keccak256(name).0))
}

/// A market as large as real ones, whose packed JSON cannot be packed further.
fn market(number: u64) -> Market {
    let noise: Vec<u8> =
        (0..RAW / 32).flat_map(|at| keccak256([number.to_be_bytes(), (at as u64).to_be_bytes()].concat())).collect();
    Market {
        id: number.to_string(),
        condition_id: Some(ConditionId::Ctf(B256::from(U256::from(number)))),
        question: format!("Bitcoin Up or Down - July 23, number {number}, 7:55PM-8:00PM ET"),
        slug: format!("bitcoin-up-or-down-july-23-{number}"),
        outcomes: vec!["Up".into(), "Down".into()],
        token_ids: vec![token(number, 0), token(number, 1)],
        position_ids: vec![],
        neg_risk: false,
        event: Event { id: number.to_string(), slug: format!("event-{number}"), title: format!("Event {number}") },
        tags: vec!["Crypto".into(), "Up or Down".into()],
        created_at: Some(1_784_764_928),
        end_at: Some(1_784_851_200),
        closed_at: Some(1_784_851_216),
        active: true,
        closed: true,
        volume: "79945.98005599984".into(),
        liquidity: "0".into(),
        raw: RawJson::from_packed(noise),
        version: Market::version_of(Some(1_784_851_216), 1_784_851_300),
    }
}

async fn fill(database: &Database, markets: u64) {
    let warehouse = EmbeddedWarehouse::new(database.clone());
    let start = Instant::now();
    for from in (0..markets).step_by(5_000) {
        // Ids above those of the demo world, so that no market is in both.
        let rows: Vec<Market> =
            (from..markets.min(from + 5_000)).map(|number| market(1_000_000_000 + number)).collect();
        warehouse.write_rows(&rows).await.unwrap();
    }
    report(&format!("{markets} markets into the table"), markets, "markets", start.elapsed());
}

async fn look_up(database: &Database, markets: u64) {
    let warehouse = EmbeddedWarehouse::new(database.clone());
    let batch = |round: u64, offset: u64| -> Vec<TokenId> {
        // Spread over all of them, each once.
        (0..LOOKED_UP)
            .map(|n| token(1_000_000_000 + offset + (round * LOOKED_UP + n) * 7_919 % markets, (n % 2) as u8))
            .collect()
    };
    for (what, offset, expected) in [("there", 0, true), ("not there", markets, false)] {
        let (mut found, start) = (0, Instant::now());
        for round in 0..20 {
            found += warehouse.resolutions(&batch(round, offset)).await.unwrap().len() as u64;
        }
        assert_eq!(found > 0, expected);
        report(&format!("lookups of tokens that are {what}, 1,000 at once"), 20 * LOOKED_UP, "tokens", start.elapsed());
    }
}

/// The store without its lock.
fn copy(from: &Path, to: &Path) {
    let lock = DataDir::lock(from).unwrap();
    // Opened and closed once, so that all of it is in the one file.
    drop(Database::open(&lock).unwrap());
    for file in ["polytape.db", "polytape.db-wal"] {
        if from.join(file).exists() {
            fs::copy(from.join(file), to.join(file)).unwrap();
            // Or the program's first sync would write all of the copy to the disk.
            fs::File::open(to.join(file)).unwrap().sync_all().unwrap();
        }
    }
}

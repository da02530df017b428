//! What an older version left is opened and gone on with, in the middle of a kill loop, too: nothing of it is lost, doubled or
//! altered, no row knows less than it did, and what it had read but not written lands.
//!
//! The stores are in `tests/fixtures/stores`, made once by the binary of that revision (`make.py` there), with entries in its
//! streams when it was killed. What it had read of its world is kept beside them; from its cursor on this version's world
//! of the same seed goes on.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use flate2::read::GzDecoder;
use polytape::demo::{DemoServer, Faults, World, WorldConfig};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rusqlite::Connection;
use serde_json::Value;

use crate::support::clickhouse::Database;
use crate::support::length::short_or_long;
use crate::support::outside;
use crate::support::process::{Workplace, until};
use crate::support::redis::Redis;
use crate::support::tables;
use crate::warehouse::clickhouse::mirror;

const SOON: Duration = Duration::from_secs(120);

/// How many blocks of this version's world are read behind the older version's cursor.
const FURTHER: u64 = 60;

const TABLES: [&str; 10] = [
    "schema_files",
    "trades",
    "markets",
    "market_tokens",
    "dead_letters",
    "checkpoints",
    "desired_states",
    "jobs",
    "unresolved_tokens",
    "unresolved_scans",
];

/// The tables that a revision had.
fn tables_of(revision: &str) -> impl Iterator<Item = &'static str> {
    TABLES.into_iter().filter(move |table| path(revision, &format!("{table}.rowbinary")).exists())
}

fn path(revision: &str, name: &str) -> PathBuf {
    let dir = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/stores"));
    dir.join(revision).join(format!("{name}.gz"))
}

/// A file of the fixture, unpacked.
fn fixture(revision: &str, name: &str) -> Vec<u8> {
    let packed = fs::read(path(revision, name)).unwrap();
    let mut bytes = Vec::new();
    GzDecoder::new(&packed[..]).read_to_end(&mut bytes).unwrap();
    bytes
}

/// What the older version had read.
struct Facts {
    cursor: u64,
    world: WorldConfig,
    trades: Vec<Value>,
    dead_letters: Vec<Value>,
}

impl Facts {
    fn of(revision: &str, name: &str) -> Self {
        let facts: Value = serde_json::from_slice(&fixture(revision, name)).unwrap();
        let (world, list) = (&facts["world"], |name: &str| facts[name].as_array().unwrap().clone());
        let config = WorldConfig {
            seed: world["seed"].as_u64().unwrap(),
            rate: world["rate"].as_f64().unwrap(),
            ..WorldConfig::default()
        };
        assert_eq!(World::new(config.clone()).chain_id(), world["chain"].as_u64().unwrap(), "the store's own chain");
        let cursor = world["cursor"].as_u64().unwrap();
        Self { cursor, world: config, trades: list("trades"), dead_letters: list("dead_letters") }
    }
}

/// Where the older version's store is.
#[allow(clippy::large_enum_variant, reason = "there is one of them in a test")]
enum Store {
    File,
    Servers { _redis: Redis, database: Database },
}

impl Store {
    fn tables(&self, place: &Workplace) -> Connection {
        match self {
            Self::File => place.store().unwrap(),
            Self::Servers { database, .. } => mirror(database),
        }
    }
}

/// The file of an older version in a data directory.
fn file(revision: &str, world: &World, server: &DemoServer) -> (Workplace, Store) {
    let place = Workplace::new(&outside::config(world, server, r#"writer.linger = "10ms""#));
    fs::create_dir_all(place.data_dir()).unwrap();
    fs::write(place.data_dir().join("polytape.db"), fixture(revision, "polytape.db")).unwrap();
    (place, Store::File)
}

/// The dump of an older version in a Redis, and its rows in its tables.
fn servers(revision: &str, world: &World, server: &DemoServer) -> (Workplace, Store) {
    let mut redis = Redis::own(&[]).without_prefix();
    redis.kill();
    redis.put("dump.rdb", &fixture(revision, "dump.rdb"));
    redis.start();
    let database = Database::empty();
    let schema = String::from_utf8(fixture(revision, "schema.sql")).unwrap();
    let schema = schema.replace("`polymarket`", &format!("`{}`", database.name()));
    database.script(&schema);
    for table in tables_of(revision) {
        database.execute(&format!("TRUNCATE TABLE {table}"));
    }
    for table in tables_of(revision) {
        let rows = fixture(revision, &format!("{table}.rowbinary"));
        database.insert(&format!("INSERT INTO {table} FORMAT RowBinaryWithNamesAndTypes"), &rows);
    }
    let more = format!("writer.linger = \"10ms\"\n{}\n{}", redis.section(), database.section());
    let place = Workplace::new(&outside::config(world, server, &more));
    (place, Store::Servers { _redis: redis, database })
}

type Key = (String, u64);

fn key(row: &Value) -> Key {
    (row["transaction_hash"].as_str().unwrap().to_owned(), row["log_index"].as_u64().unwrap())
}

/// What the chain alone tells of a row: what is known of its market depends on when that is asked.
fn of_chain(row: &Value) -> Value {
    let mut row = row.clone();
    // The older version had neither of the last two.
    let of_market = ["condition_id", "market_id", "outcome", "nonusdc_side", "version"];
    for name in of_market.into_iter().chain(["match_log_index", "outcome_slot"]) {
        row.as_object_mut().unwrap().remove(name);
    }
    row
}

/// A row as the fixture holds its rows: a number that went through text may differ in its last bit.
fn as_kept(row: &impl serde::Serialize) -> Value {
    serde_json::from_str(&serde_json::to_string(row).unwrap()).unwrap()
}

fn trades(store: &Connection) -> BTreeMap<Key, Value> {
    let rows = tables::trades(store);
    let count = rows.len();
    let rows = rows.iter().map(as_kept);
    let rows: BTreeMap<_, _> = rows.map(|row| (key(&row), row)).collect();
    assert_eq!(rows.len(), count, "no row is there twice");
    rows
}

async fn is_gone_on_with(
    revision: &str,
    name: &str,
    make: impl FnOnce(&str, &World, &DemoServer) -> (Workplace, Store),
    kills: usize,
) {
    let facts = Facts::of(revision, name);
    let world = Arc::new(World::new(facts.world.clone()));
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let server = DemoServer::start(Arc::clone(&world), address).await.unwrap();
    let end = facts.cursor + FURTHER;
    server.freeze_at(end);
    let (place, store) = make(revision, &world, &server);
    let before = trades(&store.tables(&place));
    assert!(before.len() > 100 && before.len() < facts.trades.len(), "{} rows, some are in the streams", before.len());

    let mut random = ChaCha8Rng::seed_from_u64(7);
    for kill in 0..kills {
        server.faults().set(Faults::storm());
        // The world comes to its end over the kills, so that there is always something to do.
        server.freeze_at(facts.cursor + FURTHER * kill as u64 / kills as u64);
        let running = place.start(&["--no-tui"]);
        tokio::time::sleep(Duration::from_millis(random.random_range(50..900))).await;
        running.kill();
    }
    server.freeze_at(end);
    server.faults().calm();
    let truth = world.truth(facts.cursor..=world.finalized(end));
    let further = truth.trades.iter().map(as_kept);
    let expected: BTreeMap<_, _> = facts.trades.into_iter().chain(further).map(|row| (key(&row), row)).collect();
    // The world stands still since the store was made, so nothing proves that it is caught up with: its rows do.
    let running = place.start(&["--no-tui"]);
    until(SOON, "all rows land", || tables::trades(&store.tables(&place)).len() >= expected.len());
    running.terminate();
    let ended = tokio::task::block_in_place(|| running.wait(SOON));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);

    let store = store.tables(&place);
    let found = trades(&store);
    let missing: Vec<_> = expected.keys().filter(|key| !found.contains_key(key)).collect();
    let extra: Vec<_> = found.keys().filter(|key| !expected.contains_key(key)).collect();
    let altered: Vec<_> = expected
        .iter()
        .filter(|(key, row)| found.get(key).is_some_and(|found| of_chain(found) != of_chain(row)))
        .collect();
    assert!(
        missing.is_empty() && extra.is_empty() && altered.is_empty(),
        "missing {missing:?}, extra {extra:?}, altered {altered:?}"
    );
    let poorer: Vec<_> =
        before.iter().filter(|(key, row)| found[*key]["version"].as_u64() < row["version"].as_u64()).collect();
    assert!(poorer.is_empty(), "rows that know less than before: {poorer:?}");

    let letters = tables::dead_letters(&store);
    let of = |letters: Vec<Value>| -> Vec<String> {
        let chain = letters.into_iter().filter(|letter| letter["source"] == "polygon");
        let mut chain: Vec<String> = chain.map(|letter| letter["position"].as_str().unwrap().to_owned()).collect();
        chain.sort();
        chain
    };
    let found = of(letters.iter().map(as_kept).collect());
    let further = truth.dead_letters.iter().map(as_kept);
    assert_eq!(found, of(facts.dead_letters.into_iter().chain(further).collect()), "dead letters of the chain");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_7f898ea_is_gone_on_with() {
    is_gone_on_with("7f898ea", "polytape.json", file, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_7f898ea_is_gone_on_with_between_kills() {
    is_gone_on_with("7f898ea", "polytape.json", file, short_or_long(10, 80)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_of_7f898ea_are_gone_on_with() {
    is_gone_on_with("7f898ea", "servers.json", servers, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_of_7f898ea_are_gone_on_with_between_kills() {
    is_gone_on_with("7f898ea", "servers.json", servers, short_or_long(6, 40)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_3baf3b9_is_gone_on_with() {
    is_gone_on_with("3baf3b9", "polytape.json", file, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_3baf3b9_is_gone_on_with_between_kills() {
    is_gone_on_with("3baf3b9", "polytape.json", file, short_or_long(10, 80)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_of_3baf3b9_are_gone_on_with() {
    is_gone_on_with("3baf3b9", "servers.json", servers, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_of_3baf3b9_are_gone_on_with_between_kills() {
    is_gone_on_with("3baf3b9", "servers.json", servers, short_or_long(6, 40)).await;
}

//! Fills of a subgraph beside the chain: their stream, their table, and what completes them.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use polytape::control::{Answer, Command, Pipeline, Point, Replay};
use polytape::demo::{DemoServer, Fault, Faults, SubgraphFaults, World, WorldConfig};
use polytape::flow::{GOLDSKY, StageId, StreamId, TableId};
use polytape::model::{Fill, GoldskyTrade};
use polytape::monitor::{About, Collector, LogView, Publisher};
use polytape::warehouse::{Control as _, Inspection as _, JobState};

use crate::kill::backend::{Backend, Embedded, Servers};
use crate::kill::from_environment;
use crate::pipeline::{Setting, eventually};
use crate::sources::{Feed, fills};
use crate::support::length::short_or_long;
use crate::support::outside;
use crate::support::process::Workplace;
use crate::support::tables::{Difference, compare_fills, compare_goldsky};

/// Fills that are shown, every seventh of which is none.
const SHOWN: usize = 40;

/// What of it lands.
const ROWS: u64 = 35;

/// The first fills of the chain, as a subgraph tells them.
async fn feed(setting: &Setting) -> Arc<Feed> {
    let own = |(at, fill): (usize, Fill)| Fill {
        block_number: 0,
        log_index: 0,
        source_id: format!("{}{:#x}_{at}", GoldskyTrade::PREFIX, fill.transaction_hash),
        ..fill
    };
    let (world, fills) = (format!("chain:{}", setting.world.chain_id()), fills(setting).await);
    Feed::of(GOLDSKY, StageId::IngestGoldsky, world, fills.into_iter().enumerate().map(own))
}

async fn landed(setting: &Setting, feed: &Feed, pipeline: &Pipeline) {
    let observer = pipeline.observer();
    eventually("the chain has landed", || observer.chain().watermark >= Some(setting.end().into())).await;
    eventually("the feed has landed", || observer.beside()[0].2.watermark == Some(feed.before(SHOWN))).await;
}

fn count(setting: &Setting, sql: &str) -> u64 {
    setting.file().query_row(sql, [], |row| row.get(0)).unwrap()
}

/// Fills of the feed that know less of their token than those of the chain.
fn poorer(setting: &Setting) -> u64 {
    count(
        setting,
        "SELECT count(*) FROM trades_goldsky AS own WHERE NOT EXISTS (
             SELECT 1 FROM trades
             WHERE trades.transaction_hash = own.transaction_hash AND trades.order_hash = own.order_hash
               AND (trades.token_id, trades.condition_id, trades.market_id, trades.outcome, trades.nonusdc_side,
                    trades.version, trades.usd_amount, trades.is_taker_row)
                 = (own.token_id, own.condition_id, own.market_id, own.outcome, own.nonusdc_side, own.version,
                    own.usd_amount, own.is_taker_row)
         )",
    )
}

async fn lands_apart_and_is_completed(mut setting: Setting) {
    let blocks = setting.world.config().first_block..=setting.world.last_fill_block().unwrap();
    let of_chain = setting.world.truth(blocks).trades.len() as u64;
    let feed = feed(&setting).await;
    feed.show(SHOWN);
    setting.beside = vec![feed.as_part()];
    let pipeline = setting.start_with_markets();
    landed(&setting, &feed, &pipeline).await;
    let rows = setting.warehouse.row_counts().await.unwrap();
    assert_eq!((rows[TableId::Trades].rows, rows[TableId::TradesGoldsky].rows), (of_chain, ROWS));
    assert_eq!(count(&setting, "SELECT count(*) FROM trades WHERE source_id <> ''"), 0);
    assert_eq!(count(&setting, "SELECT count(*) FROM trades_goldsky WHERE source_id NOT LIKE 'goldsky:0x%_%'"), 0);
    assert_eq!(count(&setting, "SELECT count(*) FROM dead_letters WHERE source = 'goldsky'"), SHOWN as u64 - ROWS);
    let cursor = setting.broker.cursor("state:ingest-goldsky:goldsky").await.unwrap();
    assert_eq!(cursor, Some(feed.before(SHOWN).stored()));
    eventually("its rows are as complete as those of the chain", || poorer(&setting) == 0).await;
    assert!(pipeline.drain(Duration::from_secs(10)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn its_fills_land_in_a_table_of_their_own_and_are_completed() {
    lands_apart_and_is_completed(Setting::new(500).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn its_fills_land_in_a_table_of_their_own_and_are_completed_on_servers() {
    lands_apart_and_is_completed(Setting::on_servers(500).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_of_times_is_read_again() {
    let mut setting = Setting::new(500).await;
    let feed = feed(&setting).await;
    feed.show(SHOWN);
    setting.beside = vec![feed.as_part()];
    let pipeline = setting.start();
    landed(&setting, &feed, &pipeline).await;
    assert_eq!(setting.file().execute("DELETE FROM trades_goldsky", []).unwrap() as u64, ROWS);
    let replay =
        |from, dry_run| Command::Replay(Replay { stage: StageId::IngestGoldsky, from, to: Point::Now, dry_run });
    let Answer::Plan(plan) = pipeline.control().send(replay(Point::Time(0), true)).await else { panic!("no plan") };
    assert_eq!(
        (plan.from.as_str(), plan.to.as_str(), plan.amount.as_str()),
        ("second 0, id0", "second 40, id40", "40 seconds")
    );
    let Answer::Refused(why) = pipeline.control().send(replay(Point::Block(7), false)).await else { panic!("a block") };
    assert!(why.starts_with("goldsky knows times, not blocks"), "{why}");
    let Answer::Refused(why) = pipeline.control().send(replay(Point::Now, false)).await else { panic!("nothing") };
    assert!(why.contains("goldsky can be read up to second 40"), "{why}");
    let Answer::Done(_) = pipeline.control().send(replay(Point::Time(0), false)).await else { panic!("refused") };
    let observer = pipeline.observer();
    let record = || observer.jobs().pop().unwrap().record;
    eventually("it is done", || record().state == JobState::Done).await;
    assert_eq!((record().total, record().done, record().moved), (40, 40, ROWS));
    assert_eq!(setting.warehouse.row_counts().await.unwrap()[TableId::TradesGoldsky], ROWS);
    assert!(pipeline.drain(Duration::from_secs(10)).await);
}

/// Streams of a pipeline that is older than this one are joined with it, and lost ones are noticed.
#[tokio::test(flavor = "multi_thread")]
async fn its_stream_is_added_to_older_ones_and_missed_where_it_was() {
    let mut setting = Setting::new(500).await;
    let generation = |setting: &Setting| -> String {
        setting.file().query_row("SELECT generation FROM broker", [], |row| row.get(0)).unwrap()
    };
    let forget = |setting: &mut Setting| {
        let name = StreamId::GoldskyTrades.as_str();
        let file = setting.file();
        let of = "(SELECT stream FROM streams WHERE name = ?1)";
        file.execute(&format!("DELETE FROM groups WHERE stream = {of}"), [name]).unwrap();
        let number: i64 = file.query_row(&format!("SELECT {of}"), [name], |row| row.get(0)).unwrap();
        file.execute_batch(&format!("DROP TABLE entries_{number}; DELETE FROM streams WHERE stream = {number}"))
            .unwrap();
        setting.restart();
    };
    let pipeline = setting.start();
    let observer = pipeline.observer();
    eventually("the chain has landed", || observer.chain().watermark >= Some(setting.end().into())).await;
    let shown = shown(&setting, &pipeline).await;
    assert!(!shown.contains("goldsky"), "nobody asked for it: {shown}");
    assert!(pipeline.drain(Duration::from_secs(10)).await);
    let before = generation(&setting);
    forget(&mut setting);
    let pipeline = setting.start();
    let observer = pipeline.observer();
    eventually("it goes on", || observer.chain().confirmed.is_some()).await;
    assert_eq!(generation(&setting), before, "nothing was lost");
    assert!(pipeline.drain(Duration::from_secs(10)).await);

    let feed = feed(&setting).await;
    feed.show(SHOWN);
    setting.beside = vec![feed.as_part()];
    let pipeline = setting.start();
    landed(&setting, &feed, &pipeline).await;
    let before = generation(&setting);
    let shown = self::shown(&setting, &pipeline).await;
    for name in ["ingest-goldsky", "write-goldsky-trades", "stream:goldsky_trades", "trades_goldsky"] {
        assert!(shown.contains(name), "{name} is not in {shown}");
    }
    assert!(pipeline.drain(Duration::from_secs(10)).await);
    forget(&mut setting);
    let pipeline = setting.start();
    eventually("what was in it is missed, since its source had begun", || generation(&setting) != before).await;
    landed(&setting, &feed, &pipeline).await;
    assert_eq!(setting.warehouse.row_counts().await.unwrap()[TableId::TradesGoldsky], ROWS);
    assert!(setting.warehouse.checkpoint("main", GOLDSKY).await.unwrap().is_some());
    assert!(pipeline.drain(Duration::from_secs(10)).await);
}

/// The stages, streams and tables of a snapshot that has seen them.
async fn shown(setting: &Setting, pipeline: &Pipeline) -> String {
    let collector = Collector::new(pipeline.observer(), setting.broker.clone(), setting.warehouse.clone());
    let publisher = Publisher::start(collector, About::default(), Arc::new(LogView::default));
    let mut snapshots = publisher.snapshots();
    let is_seen = |shown: &Arc<polytape::monitor::Snapshot>| {
        shown.tables.iter().all(|table| table.rows.value.is_some())
            && shown.streams.iter().all(|stream| stream.entries.value.is_some())
    };
    let seen = snapshots.wait_for(|shown| !shown.tables.is_empty() && is_seen(shown)).await.unwrap().clone();
    let stages = seen.stages.iter().map(|stage| stage.name.to_string());
    let streams = seen.streams.iter().map(|stream| stream.name.clone());
    stages.chain(streams).chain(seen.tables.iter().map(|table| table.name.clone())).collect::<Vec<_>>().join(" ")
}

/// The program beside a subgraph that fails and is malformed in some rows, with the chain's ingester beside it.
async fn the_program_reads_it_through_faults_and_kills<B: Backend>(kills: u64) {
    let (world, server) = outside::busy(20_261_129, 400.0).await;
    let subgraph = SubgraphFaults { huge_rows: Some(97), unnamed_rows: Some(89), ..SubgraphFaults::default() };
    server.faults().set(Faults { goldsky: subgraph.clone(), ..Faults::default() });
    let start = Timestamp::from_millisecond(world.config().genesis_ms).unwrap();
    let mut backend = B::new();
    let place = Workplace::new(&config(&world, &server, start, &backend.config()));
    // A time is found in the chain by many requests in a row, so that comes before the storm.
    let running = place.start(&["--no-tui"]);
    eventually("the chain has begun", || backend.trades(&place) > 0).await;
    running.kill();
    server.faults().set(Faults { goldsky: subgraph.clone(), ..outside::last_storm() });
    for kill in 0..kills {
        let mut running = place.start(&["--no-tui"]);
        tokio::time::sleep(Duration::from_millis(B::LIFE.end + 150 * (kill % 12))).await;
        assert!(running.ended().is_none(), "{}", running.stderr());
        running.kill();
    }
    let head = server.head();
    server.freeze_at(head);
    // Each used-up allowance costs ten seconds.
    let mut calmer = Faults { goldsky: subgraph.clone(), ..outside::last_storm() };
    calmer.rates.retain(|fault, _| !matches!(fault, Fault::Allowance | Fault::TooManyRequests));
    server.faults().set(calmer);
    let running = place.start(&["--no-tui"]);
    let seconds = start.as_second() - 1..=start.as_second() + 3_600;
    let compared = || {
        let store = backend.store(&place);
        let (of_subgraph, truth) = compare_goldsky(&store, &world, seconds.clone(), head, &subgraph);
        let of_chain = compare_fills(&store, &world, world.config().first_block..=world.finalized(head));
        (of_subgraph, of_chain, truth)
    };
    let begin = Instant::now();
    let mut last = compared();
    while !(last.0.is_none() && last.1.is_none()) && begin.elapsed() < Duration::from_secs(90) {
        tokio::time::sleep(Duration::from_secs(1)).await;
        last = compared();
    }
    let (of_subgraph, of_chain, truth) = last;
    let counts = |it: &Difference| [it.missing.len(), it.extra.len(), it.altered.len()];
    let first = of_subgraph.missing.iter().chain(&of_subgraph.extra).chain(&of_subgraph.altered).next();
    let rows = truth.trades.len();
    assert!(of_subgraph.is_none(), "{:?} of {rows}: {first:?}\n{}", counts(&of_subgraph), running.stderr());
    assert!(of_chain.is_none(), "the chain: {:?}", counts(&of_chain));
    println!("{rows} rows, {} collapsed, {} dead letters", truth.collapsed, truth.dead_letters.len());
    assert!(rows > 500 && truth.collapsed > 0 && !truth.dead_letters.is_empty(), "{rows}");
    running.kill();
}

/// As many as somebody says, or as a run of this length has.
fn kills(short: u64, long: u64) -> u64 {
    from_environment("POLYTAPE_KILLS", short_or_long(short, long))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_reads_it_through_faults_and_kills_into_the_embedded_store() {
    the_program_reads_it_through_faults_and_kills::<Embedded>(kills(6, 60)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_reads_it_through_faults_and_kills_into_servers() {
    the_program_reads_it_through_faults_and_kills::<Servers>(kills(4, 30)).await;
}

/// Its data has ended: that is told, and is no end of the chain; what there is counts as read.
#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_one_is_read_to_its_end_and_told() {
    // Of ten minutes, of which the subgraph has the first two.
    let genesis_ms = Timestamp::now().as_millisecond() - 600_000;
    let world = WorldConfig { seed: 20_261_130, rate: 20.0, genesis_ms, ..WorldConfig::default() };
    let world = Arc::new(World::new(world));
    let server = DemoServer::start(Arc::clone(&world), SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
    let subgraph = SubgraphFaults { frozen_at: Some(world.config().first_block + 60), ..SubgraphFaults::default() };
    server.faults().set(Faults { goldsky: subgraph.clone(), ..Faults::default() });
    server.freeze_at(server.head());
    let start = Timestamp::from_millisecond(world.config().genesis_ms).unwrap();
    let place = Workplace::new(&config(&world, &server, start, ""));
    let ended = tokio::task::block_in_place(|| {
        place.run(&["--no-tui", "--until-caught-up", "--timeout", "150s"], Duration::from_secs(180))
    });
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("frozen since"), "{}", ended.stderr);
    let seconds = start.as_second() - 1..=start.as_second() + 3_600;
    let (difference, truth) = compare_goldsky(&place.store().unwrap(), &world, seconds, server.head(), &subgraph);
    assert!(difference.missing.is_empty() && difference.extra.is_empty(), "{difference:?}");
    assert!(truth.trades.len() > 100, "{}", truth.trades.len());
}

fn config(world: &World, server: &DemoServer, start: Timestamp, store: &str) -> String {
    let first_block = world.config().first_block;
    let goldsky = server.goldsky_url();
    let more = format!(
        r#"sources.goldsky = {{ enabled = true, url = "{goldsky}", poll_interval = "50ms", settle = "1s", timeout = "2s", page = 100 }}
{store}"#
    );
    outside::config(world, server, &more)
        .replace(&format!("pipeline.start = \"{first_block}\""), &format!("pipeline.start = \"{start}\""))
}

//! The pipeline in this process: pressure, refused rows, lost streams, the watermark.
//!
//! Store, broker and source are the real ones; a warehouse in front of the real one adds what a store of this size does
//! not do by itself: be slow, be away, refuse rows.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use bytesize::ByteSize;
use parking_lot::Mutex;
use polytape::broker::{Appended, Broker, CursorCommit, NewEntry, Retention, Stream};
use polytape::control::{Answer, Command, Limits, Parts, Pipeline, PipelineFailed, StageState};
use polytape::demo::{DemoServer, World, WorldConfig};
use polytape::failure::FailureClass;
use polytape::flow::{StageId, StreamId, TableId};
use polytape::model::entry::{Entry, Packer};
use polytape::model::{ChainPosition, Fill, Market, Resolution, TokenId, Trade};
use polytape::monitor::{About, Collector, LogView, Publisher, Snapshot};
use polytape::source::data_api::DataApi;
use polytape::source::gamma::Gamma;
use polytape::source::polygon::{Polygon, PolygonConfig};
use polytape::source::{ApiConfig, Chain, ChainProvider, Start};
use polytape::streams::{Fills, Markets};
use polytape::warehouse::{
    AnyBatch, Checkpoint, CommandRecord, Control, Inspection, JobRecord, ListScan, ListState, RowCounts, Scanned,
    Tables, TapeLine, TokenIndex, UnresolvedEntry, UnresolvedPage, UnresolvedPlace, Warehouse, WarehouseError,
    WrittenMarket,
};

use crate::support::clickhouse::Database;
use crate::support::redis::Redis;
use crate::support::store::Store;
use crate::support::tables::compare;
use crate::warehouse::clickhouse::mirror;

/// The real warehouse, with difficulties.
pub struct Difficult {
    inner: Arc<dyn Warehouse>,
    /// Writes wait as long as this is set.
    pub away: AtomicBool,
    /// Trades with these log indexes are refused, and so is every batch that holds one.
    refused: Mutex<BTreeSet<u32>>,
    refuse_all: AtomicBool,
    /// Batches of more trades than this are too large; so is a trade of the refused that stands alone.
    most_trades: Mutex<Option<usize>>,
    /// Markets with these ids are refused, likewise.
    refused_markets: Mutex<BTreeSet<String>>,
    /// Trades are written, and the answer is lost, so many times more.
    lost_answers: Mutex<usize>,
    /// How long a write of trades takes longer than it would.
    slow: Mutex<Duration>,
    /// Trades that were sent to it.
    written: AtomicUsize,
}

impl Difficult {
    pub fn new(inner: Arc<dyn Warehouse>) -> Arc<Self> {
        let (away, refuse_all) = (AtomicBool::new(false), AtomicBool::new(false));
        Arc::new(Self {
            inner,
            away,
            refused: Mutex::default(),
            refuse_all,
            most_trades: Mutex::default(),
            refused_markets: Mutex::default(),
            lost_answers: Mutex::default(),
            slow: Mutex::default(),
            written: AtomicUsize::new(0),
        })
    }

    pub fn slow_down(&self, by: Duration) {
        *self.slow.lock() = by;
    }

    pub fn trades_written(&self) -> usize {
        self.written.load(Ordering::Relaxed)
    }

    async fn be_there(&self) {
        while self.away.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

#[async_trait]
impl Tables for Difficult {
    async fn write(&self, batch: AnyBatch<'_>) -> Result<(), WarehouseError> {
        self.be_there().await;
        let markets: &[Market] = batch.rows().unwrap_or_default();
        if markets.iter().any(|row| self.refused_markets.lock().contains(&row.id)) {
            return Err(WarehouseError::Rows("a market is refused".into()));
        }
        let Some(trades) = batch.rows::<Trade>() else { return self.inner.write(batch).await };
        let slow = *self.slow.lock();
        tokio::time::sleep(slow).await;
        self.written.fetch_add(trades.len(), Ordering::Relaxed);
        let most = *self.most_trades.lock();
        if most.is_some_and(|most| trades.len() > most) {
            return Err(WarehouseError::Size("413".into()));
        }
        let bad = trades.iter().any(|row| self.refused.lock().contains(&row.fill.log_index));
        if bad || self.refuse_all.load(Ordering::Relaxed) {
            let reason = "a row is refused".to_owned();
            return Err(if most.is_some() { WarehouseError::Size(reason) } else { WarehouseError::Rows(reason) });
        }
        self.inner.write(batch).await?;
        let mut lost = self.lost_answers.lock();
        if *lost == 0 {
            return Ok(());
        }
        *lost -= 1;
        Err(WarehouseError::Storage(polytape::sqlite::StorageError::ShuttingDown))
    }

    async fn written_markets(&self, ids: &[String]) -> Result<HashMap<String, WrittenMarket>, WarehouseError> {
        self.inner.written_markets(ids).await
    }
}

#[async_trait]
impl Control for Difficult {
    async fn checkpoint(&self, pipeline: &str, source: &str) -> Result<Option<Checkpoint>, WarehouseError> {
        self.inner.checkpoint(pipeline, source).await
    }

    async fn set_checkpoint(&self, pipeline: &str, source: &str, to: &Checkpoint) -> Result<(), WarehouseError> {
        self.inner.set_checkpoint(pipeline, source, to).await
    }

    async fn desired_states(&self, pipeline: &str) -> Result<HashMap<String, String>, WarehouseError> {
        self.inner.desired_states(pipeline).await
    }

    async fn set_desired_state(&self, pipeline: &str, stage: &str, state: &str) -> Result<(), WarehouseError> {
        self.inner.set_desired_state(pipeline, stage, state).await
    }

    async fn jobs(&self, pipeline: &str, ended: u32) -> Result<Vec<JobRecord>, WarehouseError> {
        self.inner.jobs(pipeline, ended).await
    }

    async fn set_job(&self, pipeline: &str, job: &JobRecord) -> Result<(), WarehouseError> {
        self.inner.set_job(pipeline, job).await
    }

    async fn commands(&self, pipeline: &str, most: u32) -> Result<Vec<CommandRecord>, WarehouseError> {
        self.inner.commands(pipeline, most).await
    }

    async fn add_commands(&self, pipeline: &str, commands: &[CommandRecord]) -> Result<(), WarehouseError> {
        self.inner.add_commands(pipeline, commands).await
    }
}

#[async_trait]
impl TokenIndex for Difficult {
    async fn resolutions(&self, tokens: &[TokenId]) -> Result<HashMap<TokenId, Resolution>, WarehouseError> {
        self.inner.resolutions(tokens).await
    }

    async fn unresolved_tokens(
        &self,
        after: Option<&UnresolvedPlace>,
        tokens: u32,
    ) -> Result<UnresolvedPage, WarehouseError> {
        self.inner.unresolved_tokens(after, tokens).await
    }

    async fn newest_unresolved(&self, tokens: u32) -> Result<Vec<UnresolvedEntry>, WarehouseError> {
        self.inner.newest_unresolved(tokens).await
    }

    async fn resolve(
        &self,
        tokens: &[(TokenId, Resolution)],
        entries: &[UnresolvedEntry],
    ) -> Result<u64, WarehouseError> {
        self.inner.resolve(tokens, entries).await
    }

    async fn still_unresolved(&self, entries: &[UnresolvedEntry]) -> Result<HashSet<TokenId>, WarehouseError> {
        self.inner.still_unresolved(entries).await
    }

    async fn remove_unresolved(&self, entries: &[UnresolvedEntry]) -> Result<(), WarehouseError> {
        self.inner.remove_unresolved(entries).await
    }

    async fn list_unresolved(&self, entries: &[UnresolvedEntry]) -> Result<(), WarehouseError> {
        self.inner.list_unresolved(entries).await
    }

    async fn list_state(&self) -> Result<ListState, WarehouseError> {
        self.inner.list_state().await
    }

    async fn scan_list(&self, part: &ListScan) -> Result<Scanned, WarehouseError> {
        self.inner.scan_list(part).await
    }

    async fn note_scan(&self, partition: Option<&str>, found: u64) -> Result<(), WarehouseError> {
        self.inner.note_scan(partition, found).await
    }
}

#[async_trait]
impl Inspection for Difficult {
    async fn newest_trades(&self, limit: u32) -> Result<Vec<TapeLine>, WarehouseError> {
        self.inner.newest_trades(limit).await
    }

    async fn row_counts(&self) -> Result<RowCounts, WarehouseError> {
        self.inner.row_counts().await
    }
}

/// What a pipeline writes to.
pub enum Stores {
    Embedded(Store),
    Servers { redis: Redis, database: Database },
}

/// A bounded world, stores, and what is needed to run a pipeline from one to the other.
pub struct Setting {
    pub world: Arc<World>,
    pub server: DemoServer,
    pub stores: Stores,
    pub broker: Arc<dyn Broker>,
    pub warehouse: Arc<Difficult>,
    max_stream_bytes: ByteSize,
    min_free: ByteSize,
    pub max_rows: usize,
    /// Events of an entry, at most.
    pub batch: usize,
    /// Sources beside the chain.
    pub beside: Vec<Fills>,
}

impl Setting {
    pub async fn new(fills: u64) -> Self {
        Self::on(fills, Stores::Embedded(Store::new())).await
    }

    /// One on Redis and ClickHouse.
    pub async fn on_servers(fills: u64) -> Self {
        Self::on(fills, Stores::Servers { redis: Redis::new(), database: Database::empty() }).await
    }

    pub async fn on(fills: u64, stores: Stores) -> Self {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let world = Arc::new(World::new(WorldConfig {
            fills: Some(fills),
            rate: 200.0,
            genesis_ms: i64::try_from((now - Duration::from_secs(86_400)).as_millis()).unwrap(),
            ..WorldConfig::default()
        }));
        let server = DemoServer::start(Arc::clone(&world), SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
        let (broker, warehouse): (Arc<dyn Broker>, Arc<dyn Warehouse>) = match &stores {
            Stores::Embedded(store) => (store.broker(), store.warehouse()),
            Stores::Servers { redis, database } => (Arc::new(redis.broker("one")), database.warehouse()),
        };
        let warehouse = Difficult::new(warehouse);
        let (max_stream_bytes, min_free) = (ByteSize::gib(1), ByteSize::b(0));
        Self {
            world,
            server,
            stores,
            broker,
            warehouse,
            max_stream_bytes,
            min_free,
            max_rows: 1_000,
            batch: 512,
            beside: vec![],
        }
    }

    /// As a new process finds the embedded store.
    pub fn restart(&mut self) {
        let Stores::Embedded(store) = &mut self.stores else { panic!("there is no embedded store") };
        store.reopen();
        (self.broker, self.warehouse) = (store.broker(), Difficult::new(store.warehouse()));
    }

    pub fn start(&self) -> Pipeline {
        self.start_with(None)
    }

    /// With the markets of the demo world.
    pub fn start_with_markets(&self) -> Pipeline {
        let api = ApiConfig { max_rate: 10_000.try_into().unwrap(), ..ApiConfig::at(self.server.url()) };
        self.start_with(Some(Markets {
            source: Arc::new(Gamma::new(&api).unwrap()),
            tokens: Arc::new(DataApi::new(&api).unwrap()),
            poll_interval: Duration::from_millis(200),
            history: false,
        }))
    }

    fn start_with(&self, markets: Option<Markets>) -> Pipeline {
        let source = PolygonConfig { urls: vec![self.server.url()], target_rows: 500, ..PolygonConfig::default() };
        Pipeline::start(Parts {
            name: "main".into(),
            chain: Fills {
                source: Arc::new(Chain::of(Polygon::new(source).unwrap())),
                stage: StageId::IngestFills,
                start: Start::Block(self.world.config().first_block),
                poll_interval: Duration::from_millis(20),
            },
            beside: self.beside.clone(),
            markets,
            broker: Arc::clone(&self.broker),
            warehouse: self.warehouse.clone(),
            limits: Limits {
                max_rows: self.max_rows,
                max_batch_bytes: ByteSize::mib(1),
                linger: Duration::from_millis(10),
                max_stream_bytes: self.max_stream_bytes,
                batch: self.batch,
                keep: Duration::from_secs(600),
                data_dir: std::env::temp_dir(),
                min_free: self.min_free,
            },
            only: None,
        })
    }

    /// From now on another world is served, where this one was.
    pub async fn show_another_world(&mut self) {
        let config = WorldConfig { seed: 4711, ..self.world.config().clone() };
        let other = Arc::new(World::new(config));
        self.server = DemoServer::start(other, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
    }

    pub fn end(&self) -> ChainPosition {
        ChainPosition::start_of(self.world.last_fill_block().unwrap() + 1)
    }

    /// Waits until everything has landed, and compares it with the truth.
    pub async fn finish(&self, pipeline: Pipeline) {
        let observer = pipeline.observer();
        eventually("everything has landed", || observer.chain().watermark >= Some(self.end().into())).await;
        assert!(pipeline.drain(Duration::from_secs(10)).await);
        self.assert_truth();
    }

    /// The embedded store.
    fn store(&self) -> &Store {
        match &self.stores {
            Stores::Embedded(store) => store,
            Stores::Servers { .. } => panic!("there is no embedded store"),
        }
    }

    /// The store's file, or what it would be if the servers' tables were in it.
    pub fn file(&self) -> rusqlite::Connection {
        match &self.stores {
            Stores::Embedded(store) => store.file(),
            Stores::Servers { database, .. } => mirror(database),
        }
    }

    /// Adds an entry that no stage wrote, as a cursor moves over it.
    pub async fn append_beside(&self, stream: Stream, body: Vec<u8>) {
        let key = "state:ingest-fills:polygon";
        loop {
            // The ingester moves the same cursor: whoever loses reads it again.
            let expected = self.broker.cursor(key).await.unwrap().unwrap();
            let position: ChainPosition = serde_json::from_str(&expected).unwrap();
            let next = serde_json::to_string(&ChainPosition::after(position.block, position.log_index)).unwrap();
            let entry = NewEntry { stream: stream.clone(), body: body.clone() };
            let advance = CursorCommit { key: key.into(), expected, next };
            if self.broker.append(vec![entry], advance).await.unwrap() == Appended::Now {
                return;
            }
        }
    }

    /// As trimming does where the stream of trades is full: only its writers are waited for.
    pub async fn make_room(&self) -> usize {
        let (trades, keep) = (Stream::of(StreamId::Trades), Retention { age: Duration::ZERO, bytes: 0, full: 0 });
        self.broker.trim(&trades, &[trades.group("trade_writers")], keep).await.unwrap()
    }

    /// The first block of the world.
    pub fn first_block(&self) -> u64 {
        self.world.config().first_block
    }

    pub fn assert_truth(&self) {
        let blocks = self.world.config().first_block..=self.world.last_fill_block().unwrap();
        let difference = compare(&self.file(), &self.world, blocks);
        assert!(difference.is_none(), "{difference:#?}");
    }
}

/// Waits until something is so.
pub async fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < Duration::from_secs(60), "{what}: not within a minute");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub fn state(pipeline: &Pipeline, stage: StageId) -> StageState {
    pipeline.observer().stages().into_iter().find(|(name, _)| *name == stage).unwrap().1.state
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_and_a_new_start_leave_no_trace() {
    let setting = Setting::new(6_000).await;
    loop {
        let pipeline = setting.start();
        let observer = pipeline.observer();
        let before = setting.warehouse.row_counts().await.unwrap()[TableId::Trades].rows;
        let progress = || observer.chain().watermark >= Some(setting.end().into());
        let wrote = async {
            while setting.warehouse.row_counts().await.unwrap()[TableId::Trades].rows < before + 500 && !progress() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), wrote).await.unwrap();
        let done = progress();
        assert!(pipeline.drain(Duration::from_secs(10)).await, "drained in time");
        if done {
            break;
        }
    }
    setting.assert_truth();
}

#[tokio::test(flavor = "multi_thread")]
async fn pressure_goes_up_to_the_ingester_and_nothing_unread_is_trimmed() {
    let mut setting = Setting::new(40_000).await;
    setting.max_stream_bytes = ByteSize::mib(1);
    setting.warehouse.away.store(true, Ordering::Relaxed);
    let pipeline = setting.start();
    let waits = |stage| matches!(state(&pipeline, stage), StageState::Wait(cause) if cause.to_string().contains("backpressure"));
    eventually("the processor waits", || waits(StageId::ProcessTrades)).await;
    eventually("the ingester waits", || waits(StageId::IngestFills)).await;
    let StageState::Wait(cause) = state(&pipeline, StageId::ProcessTrades) else { panic!("it waits no more") };
    let cause = cause.to_string();
    assert!(cause.starts_with("backpressure: stream:trades "), "{cause}");
    for stream in [Stream::of(StreamId::OrderEvents), Stream::of(StreamId::Trades)] {
        let unread = setting.broker.stream(&stream).await.unwrap().groups[0].unacknowledged_bytes;
        // Half of the stream, and one append more.
        assert!((512 << 10..900 << 10).contains(&unread), "{stream}: {unread}");
    }
    let inserts = pipeline.observer().inserts(TableId::Trades);
    assert!(inserts.median.is_none() && inserts.running.is_some(), "nothing is confirmed: {inserts:?}");
    let observer = pipeline.observer();
    let watermark = observer.chain().watermark;
    assert!(watermark <= Some(ChainPosition::start_of(setting.world.config().first_block).into()), "{watermark:?}");
    setting.warehouse.away.store(false, Ordering::Relaxed);
    setting.finish(pipeline).await;
    let done = observer.inserts(TableId::Trades);
    assert!(done.median.is_some() && done.longest >= inserts.running && done.running.is_none(), "{done:?}");
    for stream in [Stream::of(StreamId::OrderEvents), Stream::of(StreamId::Trades)] {
        let bytes = setting.broker.stream(&stream).await.unwrap().bytes;
        assert!(bytes < (1 << 20) + (300 << 10), "{stream} is bounded, but for one append: {bytes}");
    }
}

/// What is unread stays, what is read goes, and nobody is ever refused for want of memory.
#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_is_nearly_full_stops_reading_before_it_refuses() {
    let redis = Redis::own(&["--maxmemory", "6mb", "--maxmemory-policy", "noeviction"]);
    let mut setting = Setting::new(60_000).await;
    setting.broker = Arc::new(redis.broker("one"));
    let pipeline = setting.start();
    let control = pipeline.control();
    assert!(matches!(control.send(Command::Pause { stage: StageId::WriteTrades }).await, Answer::Done(_)));
    let waits = || matches!(state(&pipeline, StageId::IngestFills), StageState::Wait(cause) if cause.to_string().contains("redis"));
    eventually("the ingester waits", waits).await;
    let StageState::Wait(cause) = state(&pipeline, StageId::IngestFills) else { panic!("it waits no more") };
    let cause = cause.to_string();
    assert!(cause.starts_with("backpressure: redis ") && cause.ends_with(" of 6.0M"), "{cause}");
    // It goes on as long as what it wrote is read and goes, young as it is, and then waits for the writer.
    let (began, mut still) = (Instant::now(), 0);
    while still < 50 {
        let used = setting.broker.memory().await.unwrap().unwrap().percent().unwrap();
        assert!(used < 100, "{used} %");
        let fills = setting.broker.stream(&Stream::of(StreamId::OrderEvents)).await.unwrap();
        let is_read_gone = fills.bytes == fills.groups[0].unacknowledged_bytes;
        still = if waits() && is_read_gone && used >= 85 { still + 1 } else { 0 };
        assert!(began.elapsed() < Duration::from_secs(60), "{used} %, {fills:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Whoever watches is told the same.
    let collector = Collector::new(pipeline.observer(), Arc::clone(&setting.broker), setting.warehouse.clone());
    let publisher = Publisher::start(collector, About::default(), Arc::new(LogView::default));
    let mut snapshots = publisher.snapshots();
    let is_told = |snapshot: &Arc<Snapshot>| snapshot.alerts.iter().any(|alert| alert.rule == "memory");
    let snapshot =
        tokio::time::timeout(Duration::from_secs(10), snapshots.wait_for(is_told)).await.unwrap().unwrap().clone();
    let memory = snapshot.memory.as_ref().and_then(|seen| seen.value).unwrap();
    assert_eq!(memory.limit, Some(6 << 20));
    assert!(snapshot.tables.iter().all(|table| table.parts.is_none()), "the embedded store has no parts");
    drop(publisher);
    let held = setting.broker.stream(&Stream::of(StreamId::Trades)).await.unwrap();
    assert!(held.groups[0].unacknowledged_bytes > 1 << 20, "{held:?}");
    assert!(matches!(control.send(Command::Resume { stage: StageId::WriteTrades }).await, Answer::Done(_)));
    let observer = pipeline.observer();
    setting.finish(pipeline).await;
    for (stage, status) in observer.stages() {
        assert_eq!(status.last_failure, None, "{stage}");
    }
    let refused = format!("{:?}", redis.run(&["INFO", "errorstats"]));
    assert!(!refused.contains("OOM"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_reading_and_says_so() {
    let mut setting = Setting::new(100).await;
    setting.min_free = ByteSize::b(u64::MAX);
    let pipeline = setting.start();
    let waits = || matches!(state(&pipeline, StageId::IngestFills), StageState::Wait(cause) if cause.to_string().starts_with("disk: "));
    eventually("the ingester waits for the disk", waits).await;
    assert_eq!(setting.broker.stream(&Stream::of(StreamId::OrderEvents)).await.unwrap().events, 0);
    assert!(pipeline.drain(Duration::from_secs(10)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_changes_nothing() {
    let setting = Setting::new(4_000).await;
    *setting.warehouse.lost_answers.lock() = 5;
    let pipeline = setting.start();
    setting.finish(pipeline).await;
    assert_eq!(*setting.warehouse.lost_answers.lock(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_are_refused_become_dead_letters_and_the_rest_lands() {
    refused_rows_become_dead_letters(None).await;
}

/// Row 14: a batch that is too large is halved, and a row that is too large alone costs only itself.
#[tokio::test(flavor = "multi_thread")]
async fn rows_that_are_too_large_become_dead_letters_and_the_rest_lands() {
    refused_rows_become_dead_letters(Some(7)).await;
}

async fn refused_rows_become_dead_letters(most: Option<usize>) {
    let setting = Setting::new(3_000).await;
    let truth = setting.world.truth(setting.world.config().first_block..=setting.world.last_fill_block().unwrap());
    // An index that few rows have.
    let bad = truth.trades.iter().map(|row| row.log_index).max().unwrap();
    *setting.warehouse.most_trades.lock() = most;
    setting.warehouse.refused.lock().insert(u32::try_from(bad).unwrap());
    let pipeline = setting.start();
    let observer = pipeline.observer();
    eventually("everything has landed", || observer.chain().watermark >= Some(setting.end().into())).await;
    assert!(pipeline.drain(Duration::from_secs(10)).await);

    let file = setting.file();
    let landed: u64 = file.query_row("SELECT count(*) FROM trades", [], |row| row.get(0)).unwrap();
    let refused: Vec<_> = truth.trades.iter().filter(|row| row.log_index == bad).collect();
    assert_eq!(landed as usize, truth.trades.len() - refused.len());
    for row in refused {
        let position = format!("{}:{}", row.transaction_hash, row.log_index);
        let sql = "SELECT source, stage, reason, raw FROM dead_letters WHERE position = ?";
        let letter = file.query_row(sql, [position], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)));
        let (source, stage, reason, raw): (String, String, String, Vec<u8>) = letter.unwrap();
        assert_eq!(
            (source.as_str(), stage.as_str(), reason.as_str()),
            ("stream:trades", "write-trades", "a row is refused")
        );
        assert_eq!(Trade::decode(&raw).unwrap().fill.log_index, row.log_index as u32, "the bytes are the trade");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_market_that_is_refused_stops_nobody() {
    let setting = Setting::new(3_000).await;
    let blocks = setting.world.config().first_block..=setting.world.last_fill_block().unwrap();
    let truth = setting.world.oracle(blocks, setting.server.head());
    let refused = truth.trades.iter().find(|row| row.version == 3).unwrap().market_id.clone();
    setting.warehouse.refused_markets.lock().insert(refused.clone());
    let pipeline = setting.start_with_markets();
    let observer = pipeline.observer();
    let all_swept = || observer.progress().tokens.sweeps > 3 && observer.progress().markets.rounds > 0;
    eventually("everything has landed", || observer.chain().watermark >= Some(setting.end().into()) && all_swept())
        .await;

    let count = |sql: &str| -> u64 { setting.file().query_row(sql, [], |row| row.get(0)).unwrap() };
    let resolved = truth.trades.iter().filter(|row| row.version == 3 && row.market_id != refused).count() as u64;
    eventually("all others are resolved", || count("SELECT count(*) FROM trades WHERE version = 3") == resolved).await;
    assert_eq!(count(&format!("SELECT count(*) FROM markets WHERE id = '{refused}'")), 0);
    let letters =
        format!("SELECT count(*) FROM dead_letters WHERE position = '{refused}' AND reason = 'a market is refused'");
    assert!(count(&letters) > 0);
    assert!(pipeline.drain(Duration::from_secs(10)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_every_row_is_refused_the_stage_stops_and_nothing_is_lost() {
    let mut setting = Setting::new(2_000).await;
    // Smaller than what is too many in a row: it counts over batches.
    setting.max_rows = 5;
    setting.warehouse.refuse_all.store(true, Ordering::Relaxed);
    let pipeline = setting.start();
    let failed = tokio::time::timeout(Duration::from_secs(60), pipeline.failed()).await.unwrap();
    assert!(matches!(failed, PipelineFailed::Stage { stage: StageId::WriteTrades, .. }), "{failed}");
    assert!(failed.to_string().starts_with("write-trades failed: 16 rows in a row were refused"), "{failed}");
    assert!(matches!(state(&pipeline, StageId::WriteTrades), StageState::Fail(_)));
    pipeline.drain(Duration::from_secs(10)).await;
    assert_eq!(setting.warehouse.row_counts().await.unwrap()[TableId::Trades], 0);

    let letters =
        setting.file().query_row("SELECT count(*) FROM dead_letters WHERE stage = 'write-trades'", [], |r| r.get(0));
    assert!(letters.unwrap_or(99) < 16, "only what was refused before it was clear");
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_that_are_damaged_become_dead_letters() {
    let setting = Setting::new(1_000).await;
    let pipeline = setting.start();
    let observer = pipeline.observer();
    eventually("everything has landed", || observer.chain().watermark >= Some(setting.end().into())).await;
    // Entries that no polytape wrote, as a cursor of nobody's moves over them.
    for (at, stream) in
        [Stream::of(StreamId::OrderEvents), Stream::of(StreamId::Trades), Stream::of(StreamId::DeadLetters)]
            .into_iter()
            .enumerate()
    {
        let body = format!("damaged {at}").into_bytes();
        setting.append_beside(stream, body).await;
    }
    let letters = || {
        let file = setting.file();
        let mut select =
            file.prepare("SELECT stage, raw FROM dead_letters WHERE source LIKE 'stream:%' ORDER BY raw").unwrap();
        let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.collect::<Result<Vec<(String, Vec<u8>)>, _>>().unwrap()
    };
    eventually("all three are dead letters", || letters().len() == 3).await;
    let expected = ["process-trades", "write-trades", "write-dead-letters"];
    for (at, ((stage, raw), expected)) in letters().into_iter().zip(expected).enumerate() {
        assert_eq!((stage.as_str(), raw), (expected, format!("damaged {at}").into_bytes()));
    }
    assert!(pipeline.drain(Duration::from_secs(10)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_streams_are_filled_again_from_the_watermark() {
    let mut setting = Setting::new(30_000).await;
    setting.max_stream_bytes = ByteSize::mib(4);
    let pipeline = setting.start();
    let observer = pipeline.observer();
    let begun = Some(ChainPosition::start_of(setting.world.config().first_block).into());
    eventually("the watermark moves", || observer.chain().watermark > begun).await;
    let file = setting.file();
    for table in ["broker", "cursors", "groups", "acknowledged_ahead"] {
        file.execute(&format!("DELETE FROM {table}"), []).unwrap();
    }
    for stream in 1..=3 {
        file.execute(&format!("DELETE FROM entries_{stream}"), []).unwrap();
    }
    drop(file);
    setting.finish(pipeline).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_watermark_never_runs_ahead_of_the_tables() {
    let setting = Setting::new(60_000).await;
    let first = setting.world.config().first_block;
    let pipeline = setting.start();
    let observer = pipeline.observer();
    let (mut seen, begin) = (BTreeSet::new(), Instant::now());
    while observer.chain().watermark < Some(setting.end().into()) {
        assert!(begin.elapsed() < Duration::from_secs(60), "not everything has landed within a minute");
        let checkpoint = setting.warehouse.checkpoint("main", "polygon").await.unwrap();
        if let Some(checkpoint) = checkpoint {
            let watermark: ChainPosition = serde_json::from_str(&checkpoint.watermark).unwrap();
            if watermark.block > first && seen.insert(watermark) {
                // Asked after the watermark was read, so the tables may hold more, but never less.
                let expected = setting.world.truth(first..=watermark.block - 1).trades.len() as u64;
                let sql = "SELECT count(*) FROM trades WHERE block_number < ?";
                let found: u64 = setting.file().query_row(sql, [watermark.block], |row| row.get(0)).unwrap();
                assert_eq!(found, expected, "{watermark}");
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(seen.len() > 1, "the watermark was seen to move only {} times", seen.len());
    setting.finish(pipeline).await;
}

/// A fill as an entry of its own.
fn alone(fill: &Fill) -> Vec<u8> {
    let mut packer = Packer::new(1);
    assert_eq!(packer.push(fill), None);
    packer.finish().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_ingesters_on_one_cursor_neither_double_nor_skip() {
    let setting = Setting::new(30_000).await;
    let pipeline = setting.start();
    let source = PolygonConfig { urls: vec![setting.server.url()], target_rows: 300, ..PolygonConfig::default() };
    let other = Polygon::new(source).unwrap();
    let head = other.head().await.unwrap();
    let (mut won, mut conflicts) = (0, 0);
    while pipeline.observer().chain().cursor < Some(setting.end().into()) {
        let Ok(Some(expected)) = setting.broker.cursor("state:ingest-fills:polygon").await else { continue };
        let position: ChainPosition = serde_json::from_str(&expected).unwrap();
        let page = other.page(position, head.block).await.unwrap();
        // As much of it as one append carries.
        let events: Vec<_> = page.events.into_iter().take(700).collect();
        let next = if events.len() < 700 { page.next } else { events[events.len() - 1].next };
        let entries = events.into_iter().map(|event| match event.fill {
            Ok(fill) => NewEntry { stream: Stream::of(StreamId::OrderEvents), body: alone(&fill) },
            Err(letter) => NewEntry { stream: Stream::of(StreamId::DeadLetters), body: letter.encode() },
        });
        let next = serde_json::to_string(&next).unwrap();
        let advance =
            CursorCommit { key: "state:ingest-fills:polygon".into(), expected: expected.clone(), next: next.clone() };
        if next == expected {
            break;
        }
        match setting.broker.append(entries.collect(), advance).await.unwrap() {
            Appended::Now => won += 1,
            Appended::Conflict(_) => conflicts += 1,
            Appended::Before => {}
        }
    }
    let inputs = setting.broker.stream(&Stream::of(StreamId::OrderEvents)).await.unwrap().events;
    setting.finish(pipeline).await;
    assert!(won > 3, "the other ingester won {won} times, and lost {conflicts} times");
    let blocks = setting.world.config().first_block..=setting.world.last_fill_block().unwrap();
    assert_eq!(inputs, setting.world.truth(blocks).trades.len() as u64, "each fill was appended once");
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_of_a_newer_version_are_not_given_up() {
    let setting = Setting::new(500).await;
    let pipeline = setting.start();
    let observer = pipeline.observer();
    eventually("everything has landed", || observer.chain().watermark >= Some(setting.end().into())).await;
    assert!(pipeline.drain(Duration::from_secs(10)).await);
    let expected = setting.broker.cursor("state:ingest-fills:polygon").await.unwrap().unwrap();
    let position: ChainPosition = serde_json::from_str(&expected).unwrap();
    let next = serde_json::to_string(&ChainPosition::after(position.block, position.log_index)).unwrap();
    let advance = CursorCommit { key: "state:ingest-fills:polygon".into(), expected, next };
    let newer = NewEntry { stream: Stream::of(StreamId::Trades), body: vec![3, 7, 7] };
    assert_eq!(setting.broker.append(vec![newer], advance).await.unwrap(), Appended::Now);
    let letters = setting.warehouse.row_counts().await.unwrap()[TableId::DeadLetters];
    let pipeline = setting.start();
    let failed = tokio::time::timeout(Duration::from_secs(60), pipeline.failed()).await.unwrap();
    assert!(failed.to_string().contains("stream:trades holds entries of a newer polytape (version 3)"), "{failed}");
    pipeline.drain(Duration::from_secs(10)).await;
    let left = setting.broker.stream(&Stream::of(StreamId::Trades)).await.unwrap().groups[0].clone();
    assert_eq!(left.pending + left.undelivered, 1, "it is still there");
    assert_eq!(setting.warehouse.row_counts().await.unwrap()[TableId::DeadLetters], letters);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_query_of_somebody_else_holds_up_nobody() {
    let setting = Setting::new(100_000).await;
    let file = setting.file();
    file.execute_batch("BEGIN; SELECT count(*) FROM trades").unwrap();
    let pipeline = setting.start();
    let observer = pipeline.observer();
    let (mut rows, mut moved, mut longest) = (0, Instant::now(), Duration::ZERO);
    eventually("everything has landed", || {
        let found = setting.file().query_row("SELECT rows FROM row_counts WHERE name = 'trades'", [], |r| r.get(0));
        if found != Ok(rows) {
            (rows, moved) = (found.unwrap(), Instant::now());
        }
        longest = longest.max(moved.elapsed());
        observer.chain().watermark >= Some(setting.end().into())
    })
    .await;
    let log = std::fs::metadata(setting.store().path().join("polytape.db-wal")).unwrap().len();
    assert!(log > 64 << 20, "the log of {log} bytes was to be moved, and could not be");
    assert!(longest < Duration::from_secs(5), "nothing moved for {longest:?}");
    file.execute_batch("COMMIT").unwrap();
    setting.finish(pipeline).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_pipeline_on_the_same_streams_is_refused() {
    let setting = Setting::new(100).await;
    let pipeline = setting.start();
    setting.finish(pipeline).await;
    let file = setting.file();
    file.execute("UPDATE checkpoints SET pipeline = 'other'", []).unwrap();
    let pipeline = setting.start();
    let failed = tokio::time::timeout(Duration::from_secs(60), pipeline.failed()).await.unwrap();
    assert!(failed.to_string().contains("belong to another pipeline than \"main\""), "{failed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_for_good_is_told_by_its_class() {
    let setting = Setting::new(10).await;
    let checkpoint = Checkpoint { world: "chain:137".into(), start: "{}".into(), watermark: "{}".into() };
    setting.warehouse.set_checkpoint("main", "polygon", &checkpoint).await.unwrap();
    let pipeline = setting.start();
    let failed = tokio::time::timeout(Duration::from_secs(60), pipeline.failed()).await.unwrap();
    assert!(matches!(failed, PipelineFailed::Stage { .. }), "one refusal refuses all stages: {failed}");
    let expected = format!("this store holds chain:137, but polygon serves chain:{}", setting.world.chain_id());
    assert!(failed.to_string().contains(&expected), "{failed}");
    let source = Polygon::new(PolygonConfig { urls: vec![setting.server.url()], ..PolygonConfig::default() }).unwrap();
    assert_eq!(source.world().await.unwrap(), format!("chain:{}", setting.world.chain_id()));
    let refused = WarehouseError::Rows("r".into());
    assert_eq!(refused.class(), FailureClass::Deterministic);
}

//! Two sources side by side: the chain, and one that is no chain, with positions of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use parking_lot::Mutex;
use polytape::flow::{StageId, StreamId};
use polytape::model::{ChainPosition, DeadLetter, Fill};
use polytape::monitor::Collector;
use polytape::source::polygon::{Polygon, PolygonConfig};
use polytape::source::{
    ChainProvider, Evidence, FillSource, Frontier, Page, Position, SourceError, SourceEvent, Start,
};
use polytape::streams::Fills;
use polytape::warehouse::Control as _;

use crate::pipeline::{Setting, eventually};

/// Its name.
const NAME: &str = "feed";

/// A stage that does nothing else here, where no markets are read.
const STAGE: StageId = StageId::IngestMarkets;

/// A feed of fills, ordered by second and id, of which more and more can be read.
pub struct Feed {
    name: &'static str,
    stage: StageId,
    world: String,
    fills: Vec<Fill>,
    shown: AtomicUsize,
    asked: Mutex<Vec<Position>>,
}

impl Feed {
    /// Of some fills, each a second after the one before.
    fn new(world: String, fills: impl IntoIterator<Item = Fill>) -> Arc<Self> {
        let own = |fill: Fill| Fill { source_id: NAME.into(), ..fill };
        Self::of(NAME, STAGE, world, fills.into_iter().map(own))
    }

    /// One of another name, which another stage reads.
    pub fn of(name: &'static str, stage: StageId, world: String, fills: impl Iterator<Item = Fill>) -> Arc<Self> {
        let fills = fills.collect();
        Arc::new(Self { name, stage, world, fills, shown: AtomicUsize::new(0), asked: Mutex::default() })
    }

    pub fn show(&self, fills: usize) {
        self.shown.store(fills, Ordering::Relaxed);
    }

    /// The position before a fill. Texts of all lengths are ordered as numbers are.
    pub fn before(&self, at: usize) -> Position {
        Position::own(format!("{at:020}:id{at}"), format!("second {at}, id{at}"))
    }

    fn at(&self, position: &Position) -> usize {
        let stored = position.stored();
        stored.split_once(':').and_then(|(at, _)| at.parse().ok()).unwrap()
    }

    pub fn as_part(self: &Arc<Self>) -> Fills {
        let source: Arc<dyn FillSource> = Arc::clone(self) as _;
        Fills { source, stage: self.stage, start: Start::Genesis, poll_interval: Duration::from_millis(10) }
    }
}

impl Evidence for Feed {}

#[async_trait]
impl FillSource for Feed {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn world(&self) -> Result<String, SourceError> {
        Ok(self.world.clone())
    }

    fn position(&self, stored: &str) -> Option<Position> {
        let at: usize = stored.split_once(':')?.0.parse().ok()?;
        Some(self.before(at)).filter(|position| position.stored() == stored)
    }

    async fn frontier(&self) -> Result<Frontier, SourceError> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let end = self.before(self.shown.load(Ordering::Relaxed));
        Ok(Frontier { end, timestamp: now.as_secs(), subgraph: None })
    }

    async fn resolve(&self, start: &Start) -> Result<Position, SourceError> {
        let Start::Time(time) = start else { return Ok(self.before(0)) };
        let first = self.fills.iter().position(|fill| fill.timestamp >= *time);
        Ok(self.before(first.unwrap_or(self.fills.len())))
    }

    fn measure(&self, position: &Position) -> u64 {
        self.at(position) as u64
    }

    /// Two events a page; every seventh is none.
    async fn page(&self, from: &Position, end: &Position) -> Result<Page, SourceError> {
        assert!(from < end);
        self.asked.lock().push(from.clone());
        let (from, end) = (self.at(from), self.at(end));
        let to = end.min(from + 2);
        let event = |at: usize| {
            let letter = || DeadLetter {
                source: self.name.into(),
                position: at.to_string(),
                stage: self.stage.to_string(),
                reason: "every seventh".into(),
                raw: vec![7],
                first_seen: 1,
            };
            let fill = if at % 7 == 6 { Err(letter()) } else { Ok(self.fills[at].clone()) };
            SourceEvent { next: self.before(at + 1), fill }
        };
        Ok(Page { events: (from..to).map(event).collect(), next: self.before(to) })
    }
}

/// The first fills of the chain, which the feed tells once more as its own.
pub async fn fills(setting: &Setting) -> Vec<Fill> {
    let urls = vec![setting.server.url()];
    let chain = Polygon::new(PolygonConfig { urls, target_rows: 500, ..PolygonConfig::default() }).unwrap();
    let from = ChainPosition::start_of(setting.world.config().first_block);
    let page = chain.page(from, chain.head().await.unwrap().block).await.unwrap();
    page.events.into_iter().filter_map(|event| event.fill.ok()).take(40).collect()
}

fn count(setting: &Setting, sql: &str) -> u64 {
    setting.file().query_row(sql, [], |row| row.get(0)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sources_side_by_side_share_tables_and_nothing_else() {
    let mut setting = Setting::new(2_000).await;
    let blocks = setting.world.config().first_block..=setting.world.last_fill_block().unwrap();
    let truth = setting.world.truth(blocks);
    let feed = Feed::new(format!("chain:{}", setting.world.chain_id()), fills(&setting).await);
    feed.show(15);
    setting.beside = vec![feed.as_part()];
    let pipeline = setting.start();
    let observer = pipeline.observer();
    let of_feed = || observer.beside().remove(0).2;
    eventually("the feed has landed", || of_feed().watermark == Some(feed.before(15))).await;
    eventually("the chain has landed", || observer.chain().watermark >= Some(setting.end().into())).await;
    assert_eq!(of_feed().cursor, Some(feed.before(15)));
    assert!(of_feed().confirmed.is_some() && of_feed().frontier.is_some());

    let of_chain = setting.warehouse.checkpoint("main", "polygon").await.unwrap().unwrap();
    let own = setting.warehouse.checkpoint("main", NAME).await.unwrap().unwrap();
    assert_eq!((own.start.as_str(), own.watermark.as_str()), ("00000000000000000000:id0", "00000000000000000015:id15"));
    assert!(own.world == of_chain.world && of_chain.watermark.starts_with("{\"block\":"));
    let cursor = setting.broker.cursor("state:ingest-markets:feed").await.unwrap();
    assert_eq!(cursor.as_deref(), Some("00000000000000000015:id15"));
    assert_eq!(count(&setting, "SELECT count(*) FROM trades WHERE source_id = 'feed'"), 13);
    assert_eq!(count(&setting, "SELECT count(*) FROM dead_letters WHERE source = 'feed'"), 2);
    assert_eq!(count(&setting, "SELECT count(*) FROM trades"), 13 + truth.trades.len() as u64);
    let collector = Collector::new(observer.clone(), setting.broker.clone(), setting.warehouse.clone());
    assert_eq!(collector.beside()[0].2.watermark.as_ref().unwrap().to_string(), "second 15, id15");
    assert!(pipeline.drain(Duration::from_secs(10)).await);

    // The next process goes on where each source was, and the chain does not notice.
    feed.asked.lock().clear();
    feed.show(40);
    let pipeline = setting.start();
    let observer = pipeline.observer();
    eventually("the rest has landed", || observer.beside()[0].2.watermark == Some(feed.before(40))).await;
    assert_eq!(feed.asked.lock().first(), Some(&feed.before(15)));
    assert_eq!(count(&setting, "SELECT count(*) FROM trades WHERE source_id = 'feed'"), 35);
    assert_eq!(count(&setting, "SELECT count(*) FROM trades"), 35 + truth.trades.len() as u64);
    assert!(pipeline.drain(Duration::from_secs(10)).await);
    let streams = setting.broker.stream(&polytape::broker::Stream::of(StreamId::OrderEvents)).await.unwrap();
    assert!(streams.groups.iter().all(|group| group.pending + group.undelivered == 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_of_another_world_costs_only_itself() {
    let mut setting = Setting::new(500).await;
    let feed = Feed::new("chain:1".into(), []);
    setting.beside = vec![feed.as_part()];
    let pipeline = setting.start();
    let observer = pipeline.observer();
    eventually("the chain has landed", || observer.chain().watermark >= Some(setting.end().into())).await;
    let failed = tokio::time::timeout(Duration::from_secs(30), pipeline.failed()).await.unwrap().to_string();
    assert!(failed.starts_with("ingest-markets failed: ") && failed.contains("feed serves chain:1"), "{failed}");
    assert_eq!(setting.warehouse.checkpoint("main", NAME).await.unwrap(), None);
    assert!(pipeline.drain(Duration::from_secs(10)).await);
}

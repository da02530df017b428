//! Several processes are one pipeline: they share the work, one that dies is followed, and what is paused is paused everywhere.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytesize::ByteSize;
use polytape::control::{Answer, Command, JobStatus, Limits, Parts, Pipeline, Point, Replay, StageState};
use polytape::flow::StageId;
use polytape::source::polygon::{Polygon, PolygonConfig};
use polytape::source::{Chain, Start};
use polytape::streams::Fills;
use polytape::warehouse::{JobState, Warehouse};
use redis::Value;

use super::{SOON, Setting};
use crate::pipeline::{Difficult, eventually, state};
use crate::support::clickhouse::Database;
use crate::support::process::{Workplace, until};
use crate::support::redis::Redis;

/// The two hops behind the stream of fills.
const SHARED: [(&str, &str); 2] = [("stream:order_events", "trade_processors"), ("stream:trades", "trade_writers")];

/// The name of a process in its groups.
fn consumer(place: &Workplace) -> String {
    let id = std::fs::read_to_string(place.data_dir().join("instance")).unwrap();
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    format!("{}-{}", host.trim(), id.trim())
}

/// How many entries each process holds, by its name.
fn held(redis: &Redis, stream: &str, group: &str) -> Vec<(String, usize)> {
    let mut command = redis::cmd("XINFO");
    command.arg("CONSUMERS").arg(redis.key(stream)).arg(group);
    let found: Result<Vec<HashMap<String, Value>>, _> = command.query(&mut redis.client());
    let consumer = |mut fields: HashMap<String, Value>| {
        let mut field = |name: &str| fields.remove(name).unwrap();
        let name = redis::from_redis_value(field("name")).unwrap();
        (name, redis::from_redis_value(field("pending")).unwrap())
    };
    // Nothing where there is no stream yet.
    found.unwrap_or_default().into_iter().map(consumer).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_takes_its_share_and_one_that_is_killed_is_followed() {
    let more = r#"writer.linger = "300ms""#;
    let setting = Setting::on(21, 1_000.0, Redis::own(&[]), Database::empty(), more).await;
    let helper = setting.place.another();
    let first = setting.start();
    let second = helper.start(&["--no-tui", "--only", "process-trades,write-trades"]);
    let names = || [&setting.place, &helper].map(consumer);
    // Both of them work at both hops.
    let mut worked = BTreeSet::new();
    until(SOON, "both take a share of both hops", || {
        for (stream, group) in SHARED {
            let busy = held(&setting.redis, stream, group).into_iter().filter(|(_, pending)| *pending > 0);
            worked.extend(busy.map(|(name, _)| (stream, name)));
        }
        worked.len() == 4
    });
    assert!(worked.iter().all(|(_, name)| names().contains(name)), "{worked:?}");
    let markets = || held(&setting.redis, "stream:markets", "market_writers");
    until(SOON, "markets are written, too", || !markets().is_empty());
    assert!(markets().iter().all(|(name, _)| *name == names()[0]), "only what it was told to run: {:?}", markets());

    // It dies with entries in its hands, and they are with the other soon.
    let name = consumer(&helper);
    let holds = || -> usize {
        let all = SHARED.iter().flat_map(|(stream, group)| held(&setting.redis, stream, group));
        all.filter(|(consumer, _)| *consumer == name).map(|(_, pending)| pending).sum()
    };
    let mut died_holding = 0;
    until(SOON, "it holds something when it stands still", || {
        second.signal("STOP");
        died_holding = holds();
        if died_holding == 0 {
            second.signal("CONT");
        }
        died_holding > 0
    });
    second.kill();
    let died = Instant::now();
    until(SOON, "its entries are with another", || holds() == 0);
    let followed = died.elapsed();
    println!("{died_holding} entries were taken over after {followed:?}");
    assert!(followed < Duration::from_secs(15), "{followed:?}");
    setting.lands(first);
    setting.finish();
}

/// A pipeline in this process, which is one of its own to Redis, and only writes trades.
fn join(setting: &Setting, consumer: &str) -> Pipeline {
    join_with(setting, consumer, setting.database.warehouse())
}

pub fn join_with(setting: &Setting, consumer: &str, warehouse: Arc<dyn Warehouse>) -> Pipeline {
    let source = PolygonConfig { urls: vec![setting.server.url()], ..PolygonConfig::default() };
    Pipeline::start(Parts {
        name: "main".into(),
        chain: Fills {
            source: Arc::new(Chain::of(Polygon::new(source).unwrap())),
            stage: StageId::IngestFills,
            start: Start::Block(setting.world.config().first_block),
            poll_interval: Duration::from_millis(20),
        },
        beside: vec![],
        markets: None,
        broker: Arc::new(setting.redis.broker(consumer)),
        warehouse,
        limits: Limits {
            max_rows: 200,
            max_batch_bytes: ByteSize::mib(1),
            linger: Duration::from_millis(10),
            max_stream_bytes: ByteSize::gib(1),
            batch: 512,
            keep: Duration::from_secs(600),
            data_dir: Path::new("/").to_owned(),
            min_free: ByteSize::b(0),
        },
        only: Some(vec![StageId::WriteTrades]),
    })
}

pub async fn ask(pipeline: &Pipeline, command: Command) -> String {
    match pipeline.control().send(command.clone()).await {
        Answer::Done(said) => said,
        other => panic!("{command}: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_paused_in_one_process_is_paused_in_all() {
    let setting = Setting::new(22).await;
    let program = setting.start();
    setting.let_it_flow();
    let (one, other) = (join(&setting, "one"), join(&setting, "other"));
    for (command, reached) in [
        (Command::Pause { stage: StageId::WriteTrades }, StageState::Pause),
        (Command::Stop { stage: StageId::WriteTrades }, StageState::Stop),
    ] {
        ask(&one, command).await;
        let asked = Instant::now();
        eventually("it holds in both", || {
            [&one, &other].iter().all(|pipeline| state(pipeline, StageId::WriteTrades) == reached)
        })
        .await;
        assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
        setting.says(&program, "as requested in another process", 1);
        setting.says(&program, &format!(r#""to":"{}""#, reached.word()), 1);
        let before = setting.trades();
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(setting.trades(), before, "not one row more, whoever writes");
        let refused = one.control().send(Command::Pause { stage: StageId::IngestFills }).await;
        assert!(matches!(&refused, Answer::Refused(why) if why.contains("does not run here")), "{refused:?}");
        // Who resumes it need not be who paused it.
        ask(&other, Command::Resume { stage: StageId::WriteTrades }).await;
        setting.let_it_flow();
        eventually("it runs in both", || {
            [&one, &other].iter().all(|pipeline| state(pipeline, StageId::WriteTrades) != reached)
        })
        .await;
    }
    for pipeline in [one, other] {
        assert!(pipeline.drain(Duration::from_secs(10)).await);
    }
    setting.lands(program);
    setting.finish();
}

const FILLS: &str =
    "SELECT * EXCEPT (condition_id, market_id, outcome, outcome_slot, nonusdc_side, version, ingested_at)
    FROM trades FINAL ORDER BY ALL";

/// The newest replay as a process sees it.
fn job(pipeline: &Pipeline) -> Option<JobStatus> {
    pipeline.observer().jobs().pop()
}

/// Whether a process leaves the newest replay to another.
fn stands_by(pipeline: &Pipeline) -> bool {
    job(pipeline).is_some_and(|job| job.status.state.cause().as_deref() == Some("another process runs it"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_is_done_by_one_process_and_goes_on_in_another() {
    let setting = Setting::new(23).await;
    let program = setting.start();
    setting.let_it_flow();
    setting.lands(program);
    // What the resolver adds to them comes by itself, later.
    let fills = || setting.database.execute(FILLS);
    let before = fills();
    setting.database.execute("ALTER TABLE trades DELETE WHERE log_index % 2 = 0 SETTINGS mutations_sync = 2");
    assert!(setting.trades() > 0);
    let slow = Difficult::new(setting.database.warehouse());
    slow.slow_down(Duration::from_millis(500));
    let one = join_with(&setting, "one", slow);
    let all = Replay {
        stage: StageId::WriteTrades,
        from: Point::Age(Duration::from_secs(3600)),
        to: Point::Now,
        dry_run: false,
    };
    ask(&one, Command::Replay(all.clone())).await;
    eventually("one does it", || job(&one).is_some_and(|job| job.status.moved > 0)).await;
    let other = join(&setting, "other");
    eventually("the other stands by", || stands_by(&other)).await;
    let again = other.control().send(Command::Replay(all)).await;
    assert!(matches!(&again, Answer::Refused(why) if why.contains("is under way")), "{again:?}");
    eventually("it comes further", || job(&one).is_some_and(|job| job.record.done > 600)).await;
    assert!(stands_by(&other));
    // As a process that is gone.
    drop(one);
    let ended = || job(&other).filter(|job| job.record.state != JobState::Running);
    eventually("the other brings it to its end", || ended().is_some()).await;
    let ended = ended().unwrap();
    assert_eq!(ended.record.state, JobState::Done, "{}", ended.record.reason);
    assert!(ended.status.moved > 0 && ended.record.done == ended.record.total, "{ended:?}");
    assert!(fills() == before);
    let groups = format!("{:?}", setting.redis.run(&["XINFO", "GROUPS", &setting.redis.key("stream:trades")]));
    assert!(!groups.contains("replay:"), "{groups}");
    assert!(other.drain(Duration::from_secs(10)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_is_cancelled_from_another_process() {
    let setting = Setting::new(24).await;
    let program = setting.start();
    setting.let_it_flow();
    setting.lands(program);
    let slow = Difficult::new(setting.database.warehouse());
    slow.slow_down(Duration::from_secs(2));
    let (one, other) = (join_with(&setting, "one", slow), join(&setting, "other"));
    let all = Replay {
        stage: StageId::WriteTrades,
        from: Point::Age(Duration::from_secs(3600)),
        to: Point::Now,
        dry_run: false,
    };
    ask(&one, Command::Replay(all)).await;
    eventually("the other stands by", || stands_by(&other)).await;
    let said = ask(&other, Command::Cancel { id: job(&other).unwrap().record.id }).await;
    assert!(said.contains("ends where it runs"), "{said}");
    for pipeline in [&one, &other] {
        eventually("it is cancelled", || job(pipeline).is_some_and(|job| job.record.state == JobState::Cancelled))
            .await;
    }
    for pipeline in [one, other] {
        assert!(pipeline.drain(Duration::from_secs(10)).await);
    }
}

//! Trades that an older polytape has left under two times.

use polytape::control::{Answer, Command, Point, Replay};
use polytape::flow::StageId;
use polytape::warehouse::JobState;

use crate::pipeline::{Setting, Stores, eventually};
use crate::servers::SOON;
use crate::support::outside;
use crate::support::process::Workplace;

/// What `check` says of ClickHouse.
fn check(place: &Workplace) -> String {
    let ended = tokio::task::block_in_place(|| place.run(&["check"], SOON));
    ended.stdout.lines().find(|line| line.contains(" clickhouse ")).unwrap_or_else(|| panic!("{ended:?}")).to_owned()
}

/// What stands between two words.
fn between<'a>(line: &'a str, begin: &str, end: &str) -> &'a str {
    let found = line.split_once(begin).and_then(|(_, rest)| rest.split_once(end));
    found.unwrap_or_else(|| panic!("{begin:?} and {end:?}: {line}")).0
}

/// Row 5: they are counted, and what `check` says mends them, as it stands there: also a trade of the same blocks that is under a wrong
/// time alone, and one from 1970.
#[tokio::test(flavor = "multi_thread")]
async fn trades_under_two_times_are_counted_and_mended_by_what_check_says() {
    let setting = Setting::on_servers(3_000).await;
    let Stores::Servers { redis, database } = &setting.stores else { panic!("on servers") };
    let more = [redis.section(), database.section()].join("\n");
    let place = Workplace::new(&outside::config(&setting.world, &setting.server, &more));
    let pipeline = setting.start();
    let observer = pipeline.observer();
    eventually("everything has landed", || observer.chain().watermark >= Some(setting.end().into())).await;
    let whole = check(&place);
    assert!(whole.starts_with("ok ") && !whole.contains("times"), "{whole}");

    let trades = || database.number("SELECT count() FROM trades FINAL");
    let bounds = ["min", "max"]
        .map(|of| database.number(&format!("SELECT {of}(block_number) FROM trades FINAL WHERE log_index % 7 = 0")));
    let [lowest, highest] = bounds;
    let (all, begin) = (trades(), database.number("SELECT toUnixTimestamp(min(timestamp)) FROM trades"));
    let alone = format!("log_index % 7 = 3 AND block_number > {lowest} AND block_number < {highest}");
    let doubled = database.number("SELECT count() FROM trades FINAL WHERE log_index % 7 = 0");
    let wrong = "INSERT INTO trades SELECT * REPLACE (timestamp - 2592000 AS timestamp) FROM trades FINAL WHERE";
    database.execute(&format!("{wrong} log_index % 7 = 0 OR ({alone})"));
    database.execute(&format!("ALTER TABLE trades DELETE WHERE {alone} AND timestamp >= {begin}"));
    let of_1970 = "INSERT INTO trades SELECT * REPLACE (toDateTime(1, 'UTC') AS timestamp) FROM trades FINAL WHERE";
    database.execute(&format!("{of_1970} log_index % 7 = 0 AND block_number = {highest}"));
    assert!(doubled > 100 && trades() > all + doubled, "{doubled} of {all}");

    let said = check(&place);
    assert!(said.starts_with("warn "), "{said}");
    assert_eq!(between(&said, "; ", " trades stand under two times,"), doubled.to_string(), "{said}");
    assert_ne!(between(&said, "two times, ", " rows before 2020"), "0", "{said}");
    let range = between(&said, "replay ingest-fills from block ", " (B");
    assert_eq!(range, format!("{lowest} to block {highest}"), "{said}");
    database.execute(between(&said, "execute \"", "\""));
    let (from, to) = (Point::Block(lowest), Point::Block(highest));
    let replay = Command::Replay(Replay { stage: StageId::IngestFills, from, to, dry_run: false });
    let answer = pipeline.control().send(replay).await;
    assert!(matches!(answer, Answer::Done(_)), "{answer:?}");
    let last = || observer.jobs().into_iter().last().expect("there is a replay").record;
    eventually("the replay has ended", || last().state != JobState::Running).await;
    assert_eq!((last().state, trades()), (JobState::Done, all), "{}", last().reason);
    let said = check(&place);
    assert!(said.starts_with("ok ") && !said.contains("times"), "{said}");
    setting.finish(pipeline).await;
}

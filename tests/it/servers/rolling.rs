//! Processes of two versions on one Redis and one ClickHouse, as in a rolling upgrade: each works beside the other, or is refused in
//! words, and whatever is killed and started in between, the tables are as the truth says.
//!
//! `scripts/beside REV` builds the older binary and runs these; `POLYTAPE_OLDER_BINARY` names it.

use std::path::PathBuf;
use std::process::Command;

use super::{SOON, Setting};
use crate::support::process::{self, Running, Workplace, until};

/// What a process says that is older than the tables, also in 7f898ea.
const REFUSED: &str = "run the newer one";

/// How often each of the two is killed and started.
const ROUNDS: usize = 3;

/// Rows that may still be completed and that no entry of the list stands for.
const UNLISTED: &str = "SELECT count() FROM trades FINAL
    WHERE (version < 2 OR (version = 2 AND outcome = '')) AND NOT (startsWith(condition_id, '0x03') AND length(condition_id) = 64)
    AND (token_id, toDate(timestamp)) NOT IN (SELECT token_id, toDate(first_time) FROM unresolved_tokens FINAL)";

/// An older version, and what it is to be asked for.
struct Older {
    place: Workplace,
    /// Whether it knows all of this version's tables. One that does not may not start where they are.
    knows_tables: bool,
    /// Whether it puts incomplete tokens on the list.
    knows_list: bool,
}

impl Older {
    fn beside(setting: &Setting) -> Self {
        let binary = std::env::var_os("POLYTAPE_OLDER_BINARY").map(PathBuf::from);
        let binary = binary.expect("POLYTAPE_OLDER_BINARY names an older binary: see scripts/beside");
        let place = setting.place.another().with_binary(&binary);
        let [older, newer] = [&binary, &process::binary()].map(|binary| {
            let printed = Command::new(binary).args(["schema", "print"]).output().unwrap();
            String::from_utf8(printed.stdout).unwrap()
        });
        let files = |schema: &str| schema.matches("INSERT INTO schema_files (number) VALUES").count();
        assert!(files(&older) > 0 && files(&older) <= files(&newer), "{older}");
        let (knows_tables, knows_list) = (files(&older) == files(&newer), older.contains("unresolved_tokens"));
        Self { place, knows_tables, knows_list }
    }

    fn start(&self, more: &[&str]) -> Running {
        self.place.start(&[&["--no-tui"], more].concat())
    }

    /// Starts it where the tables are this version's. Nothing of it runs if it does not know them.
    fn start_again(&self) -> Option<Running> {
        let running = self.start(&[]);
        if self.knows_tables {
            return Some(running);
        }
        let ended = running.wait(SOON);
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        assert!(ended.stderr.contains(REFUSED), "{}", ended.stderr);
        None
    }
}

/// The next scan of the list puts on it what is missing: rows that came lately are from an hour ago, and the partitions have not been
/// compared for two days.
fn scan(setting: &Setting) {
    let database = &setting.database;
    database.execute(
        "INSERT INTO trades SELECT * REPLACE (ingested_at - INTERVAL 1 HOUR AS ingested_at) FROM trades FINAL WHERE version < 3",
    );
    database.execute(
        "INSERT INTO unresolved_scans SELECT * REPLACE (scanned_at - 200000 AS scanned_at, version + 1 AS version)
         FROM unresolved_scans FINAL WHERE partition <> ''",
    );
    let running = setting.start();
    until(SOON, "all open rows are on the list", || database.number(UNLISTED) == 0);
    running.kill();
}

/// Compares all with the truth. An older one may have known no version 3: its 2 with an outcome says as much.
fn finish(setting: &Setting) {
    setting.database.execute(
        "INSERT INTO trades SELECT * REPLACE (toUInt8(3) AS version) FROM trades FINAL WHERE market_id <> '' AND outcome <> ''",
    );
    setting.finish();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs an older binary: scripts/beside REV"]
async fn an_upgrade_and_the_way_back_lose_nothing() {
    let setting = Setting::new(61).await;
    let older = Older::beside(&setting);
    let mut old = Some(older.start(&[]));
    setting.let_it_flow();
    let mut new = setting.start();
    setting.let_it_flow();
    for round in 0..ROUNDS {
        // The upgrade: the old one goes, the new one goes on.
        if let Some(old) = old.take() {
            old.kill();
        }
        setting.let_it_flow();
        // The way back: an old one comes beside the new one, and then is alone.
        old = older.start_again();
        setting.let_it_flow();
        new.kill();
        if old.is_some() {
            setting.let_it_flow();
        }
        println!("round {round}: the older one {}", if old.is_some() { "works" } else { "is refused" });
        new = setting.start();
        setting.let_it_flow();
    }
    if let Some(old) = old.take() {
        old.kill();
    }
    setting.lands(new);
    println!("{} open rows are not on the list", setting.database.number(UNLISTED));
    scan(&setting);
    finish(&setting);
}

/// An older one knows no list of unresolved tokens, or its entries are lost with it.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs an older binary: scripts/beside REV"]
async fn what_an_older_one_leaves_incomplete_is_found_by_the_next_scan() {
    let setting = Setting::new(62).await;
    let older = Older::beside(&setting);
    // It looks for no markets, and for no rows that have none.
    let old = older.start(&["--only", "ingest-fills,process-trades,write-trades,write-dead-letters"]);
    setting.let_it_flow();
    // This version makes its list while the old one goes on writing.
    let new = setting.place.start(&["--no-tui", "--only", "resolver"]);
    let filled = "SELECT count() FROM unresolved_scans FINAL WHERE partition = ''";
    until(SOON, "the list is filled", || setting.database.ask(filled).is_ok_and(|count| count.trim() == "1"));
    new.kill();
    setting.let_it_flow();
    old.kill();
    let unlisted = setting.database.number(UNLISTED);
    println!("{unlisted} open rows are not on the list");
    assert!(older.knows_list || unlisted > 100, "{unlisted} open rows are not on the list");
    scan(&setting);
    finish(&setting);
}

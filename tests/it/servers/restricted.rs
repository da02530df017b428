//! What production restricts of ClickHouse: `check` says what a run does, in the same words, and nothing is written before.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use polytape::flow::TableId;

use super::{SOON, Setting, assert_none};
use crate::support::clickhouse::{Database, wait};
use crate::support::gateway::{Gate, Gateway};
use crate::support::outside;
use crate::support::redis::Redis;
use crate::support::restriction::Restriction;

/// One that may do what README says that a run needs.
pub const TO_RUN: &str = "SELECT, INSERT ON polymarket.*";

/// What is found to be said by `check` of ClickHouse.
pub fn checked(setting: &Setting) -> (Option<i32>, String) {
    let ended = setting.run(&["check"]);
    let line = ended.stdout.lines().find(|line| line.contains(" clickhouse ")).unwrap_or_else(|| panic!("{ended:?}"));
    (ended.code, line.to_owned())
}

/// Why a run ends at once.
fn refusal(setting: &Setting) -> String {
    let begun = Instant::now();
    let ended = setting.run(&["--no-tui"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}: {}", begun.elapsed(), ended.stderr);
    let said: Vec<&str> = ended.stderr.lines().filter(|line| !line.starts_with('{')).collect();
    assert_eq!(said.len(), 1, "{}", ended.stderr);
    said[0].to_owned()
}

/// Check fails with these words, and so does a run.
pub fn is_refused(setting: &Setting, what: &str, words: &[&str]) {
    let (code, line) = checked(setting);
    assert_eq!(code, Some(1), "{what}: {line}");
    assert!(line.starts_with("FAIL "), "{what}: {line}");
    let said = refusal(setting);
    let (_, cause) = said.split_once(" failed: ").unwrap_or_else(|| panic!("{what}: {said}"));
    assert!(line.contains(cause), "{what}: check says {line}, run says {said}");
    for words in words {
        assert!(cause.contains(words), "{what}: {words:?} is not in {cause}");
    }
    println!("{what} | {cause}");
}

/// Check finds nothing wrong, and a run brings all of the world into the tables.
fn runs(setting: &Setting, what: &str, verdict: &str) {
    let (_, line) = checked(setting);
    assert!(line.starts_with(verdict), "{what}: {line}");
    let end = setting.catch_up("60s");
    setting.database.engine().lift();
    assert_none(&setting.difference_to(end));
    println!("{what} | {line}");
}

/// A world before an engine of its own, with the schema applied or without.
async fn setting(seed: u64, with_schema: bool) -> Setting {
    let database = Database::own();
    if with_schema {
        wait(database.warehouse().apply_schema()).unwrap();
    }
    Setting::on(seed, 1_000.0, Redis::new(), database, "").await
}

/// One right less than all that a run needs.
pub fn without(table: &str, right: &str) -> Restriction {
    let own = [
        "unresolved_tokens",
        "unresolved_scans",
        "checkpoints",
        "desired_states",
        "jobs",
        "commands",
        "market_tokens",
        "market_tokens_of_markets",
        "schema_files",
    ];
    let rights = |of: &str| {
        if of != table {
            "SELECT, INSERT"
        } else if right == "SELECT" {
            "INSERT"
        } else {
            "SELECT"
        }
    };
    let tables = TableId::ALL.map(TableId::as_str).into_iter().chain(own);
    let grants: Vec<String> = tables.map(|of| format!("{} ON polymarket.{of}", rights(of))).collect();
    Restriction::to(&grants.iter().map(String::as_str).collect::<Vec<_>>())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stops_a_run_check_says_in_the_same_words() {
    let setting = setting(31, true).await;
    let fixed = |name: &str, value: &str| Restriction::fixed(&[(name, value)]);
    let not_changed = "and may not be changed, but";
    let cases: [(&str, Restriction, &[&str]); 15] = [
        (
            "no SELECT on one table",
            without("jobs", "SELECT"),
            &["user default lacks rights that a run needs: GRANT SELECT, INSERT ON polymarket.jobs TO default"],
        ),
        (
            "no INSERT on one table",
            without("dead_letters", "INSERT"),
            &["user default lacks rights that a run needs: GRANT SELECT, INSERT ON polymarket.dead_letters TO default"],
        ),
        (
            "no right to write",
            Restriction::to(&["SELECT ON polymarket.*"]),
            &["lacks rights that a run needs: GRANT SELECT, INSERT ON polymarket.* TO default"],
        ),
        ("readonly = 1", Restriction::profile(&[("readonly", "1")]), &["readonly is 1", "a profile with readonly = 0"]),
        ("readonly = 2", Restriction::profile(&[("readonly", "2")]), &["readonly is 2", "a profile with readonly = 0"]),
        ("async_insert fixed", fixed("async_insert", "1"), &["setting async_insert is 1", not_changed, "0 is needed"]),
        (
            "max_rows_to_read fixed",
            fixed("max_rows_to_read", "1000"),
            &["setting max_rows_to_read is 1000", not_changed, "0 (no limit), or at least 10000000, is needed"],
        ),
        ("max_result_rows fixed", fixed("max_result_rows", "50"), &["setting max_result_rows is 50", not_changed]),
        (
            "max_execution_time fixed",
            fixed("max_execution_time", "5"),
            &["setting max_execution_time is 5", not_changed],
        ),
        ("read_overflow_mode fixed", fixed("read_overflow_mode", "break"), &["read_overflow_mode is break", "throw"]),
        (
            "aggregate_functions_null_for_empty fixed",
            fixed("aggregate_functions_null_for_empty", "1"),
            &["setting aggregate_functions_null_for_empty is 1", not_changed],
        ),
        ("limit fixed", fixed("limit", "3"), &["Setting limit should not be changed", "take the constraint away"]),
        ("offset fixed", fixed("offset", "2"), &["system.settings cannot be read", "offset"]),
        ("use_query_cache fixed", fixed("use_query_cache", "1"), &["system.settings cannot be read", "query_cache"]),
        (
            "deduplicate_insert fixed",
            fixed("deduplicate_insert", "enable"),
            &["setting deduplicate_insert is enable", not_changed, "disable is needed"],
        ),
    ];
    for (what, restriction, words) in cases {
        setting.database.engine().restrict(&restriction);
        is_refused(&setting, what, words);
    }
    setting.database.engine().lift();
    setting.database.execute("INSERT INTO schema_files (number) VALUES (9)");
    is_refused(&setting, "tables of a newer polytape", &["have schema 9", "run the newer one"]);
    let section = setting.database.section().replace(r#"password = """#, r#"password = "wrong""#);
    let more = [setting.redis.section(), section].join("\n");
    setting.place.configure(&outside::config(&setting.world, &setting.server, &more));
    is_refused(&setting, "wrong password", &["check user and password under [clickhouse]"]);
    let rows =
        "SELECT sum(rows) FROM system.parts WHERE database = 'polymarket' AND table <> 'schema_files' AND active";
    assert_eq!(setting.database.number(rows), 0, "nothing was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_cannot_be_made_are_told_before_any_is_made() {
    let setting = setting(32, false).await;
    let make = "CREATE DATABASE, CREATE TABLE, CREATE VIEW";
    let grant = format!(
        "lacks rights to make the tables (or have somebody else execute what polytape schema print shows): GRANT {make}"
    );
    let all = format!("{make}, SELECT, INSERT ON polymarket.*");
    for (what, restriction, words) in [
        ("no database, and no right to make it", Restriction::to(&[TO_RUN]), grant.as_str()),
        ("allow_ddl = 0", Restriction::fixed(&[("allow_ddl", "0")]), "setting allow_ddl is 0"),
        (
            "data_type_default_nullable fixed",
            Restriction::fixed(&[("data_type_default_nullable", "1")]),
            "setting data_type_default_nullable is 1",
        ),
    ] {
        setting.database.engine().restrict(&restriction);
        is_refused(&setting, what, &[words]);
    }
    setting.database.engine().restrict(&Restriction::to(&[&all]));
    runs(&setting, "no more than what makes the tables", "ok ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_needs_no_more_than_select_and_insert() {
    let setting = setting(33, true).await;
    setting.database.engine().restrict(&Restriction::to(&[TO_RUN]));
    let flow = setting.run(&["check", "--flow"]);
    let said = flow.stdout.lines().last().unwrap();
    let words = "no probe was sent, since it could not be removed again: ClickHouse at ";
    assert!(said.starts_with("FAIL  flow ") && said.contains(words), "{said}");
    for table in ["trades", "checkpoints"] {
        assert!(said.contains(&format!("GRANT ALTER DELETE ON polymarket.{table} TO default")), "{said}");
    }
    runs(&setting, "SELECT and INSERT on the database", "ok ");
    assert_eq!(setting.database.number("SELECT count() FROM trades WHERE source_id LIKE 'check-%'"), 0);
    assert_eq!(setting.database.number("SELECT count() FROM system.mutations WHERE database = 'polymarket'"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn views_for_readers_are_not_needed() {
    let setting = setting(34, true).await;
    setting.database.engine().restrict(&without("", ""));
    let (_, line) = checked(&setting);
    assert!(
        line.contains(
            "trades_final, markets_final, volume_by_market_day, candles_1m, trades_all are not there, or this user"
        ),
        "{line}"
    );
    runs(&setting, "SELECT and INSERT on each table", "warn ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_that_changes_meanings_changes_nothing() {
    let setting = setting(35, false).await;
    setting.database.engine().restrict(&Restriction::profile(&[
        ("limit", "3"),
        ("offset", "1"),
        ("max_result_rows", "7"),
        ("max_result_bytes", "700"),
        ("result_overflow_mode", "break"),
        ("max_rows_to_read", "100"),
        ("read_overflow_mode", "break"),
        ("max_rows_in_set", "5"),
        ("set_overflow_mode", "break"),
        ("max_rows_to_group_by", "3"),
        ("group_by_overflow_mode", "any"),
        ("timeout_overflow_mode", "break"),
        ("max_query_size", "5000"),
        ("aggregate_functions_null_for_empty", "1"),
        ("empty_result_for_aggregation_by_empty_set", "1"),
        ("data_type_default_nullable", "1"),
        ("join_use_nulls", "1"),
        ("join_default_strictness", "ANY"),
        ("force_primary_key", "1"),
        ("final", "1"),
        ("async_insert", "1"),
        ("max_partitions_per_insert_block", "1"),
    ]));
    runs(&setting, "settings that change what is meant", "ok ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_of_other_habits_holds() {
    let setting = setting(36, false).await;
    setting.database.engine().restrict(&Restriction::profile(&[
        // Not beside overflow modes, with which the engine refuses what the tests' front asks of it.
        ("use_query_cache", "1"),
        ("compatibility", "22.8"),
        ("allow_experimental_analyzer", "0"),
        ("session_timezone", "Asia/Tokyo"),
        ("transform_null_in", "1"),
        ("insert_quorum", "0"),
        ("prefer_column_name_to_alias", "0"),
        ("max_threads", "1"),
        ("extremes", "1"),
        ("optimize_on_insert", "0"),
        ("do_not_merge_across_partitions_select_final", "1"),
    ]));
    runs(&setting, "settings that are pinned or change nothing", "ok ");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_fixed_as_it_must_be_is_left_alone() {
    let setting = setting(37, true).await;
    setting.database.engine().restrict(&Restriction::fixed(&[
        ("async_insert", "0"),
        ("limit", "0"),
        ("max_rows_to_read", "50000000"),
        ("max_execution_time", "300"),
        ("max_query_size", "262144"),
        ("use_skip_indexes_if_final", "0"),
        ("max_memory_usage", "4000000000"),
        ("max_block_size", "8192"),
        ("max_partitions_per_insert_block", "100"),
        // Only who makes tables minds.
        ("data_type_default_nullable", "1"),
        ("allow_ddl", "0"),
    ]));
    runs(&setting, "settings that are fixed and good", "ok ");
}

/// Behind something that takes small bodies, with a server that does not know `CHECK GRANT`, and one that hides `system.parts`.
#[tokio::test(flavor = "multi_thread")]
async fn what_stands_between() {
    let database = Database::own();
    wait(database.warehouse().apply_schema()).unwrap();
    let gateway = Gateway::to(&database.config().url).await;
    let setting = Setting::behind(38, 1_000.0, Redis::new(), database, &gateway.url(), "").await;
    gateway.set(Gate::NoParts);
    is_refused(&setting, "no SELECT on system.parts", &["that a run needs: GRANT SELECT ON system.parts TO default"]);
    gateway.set(Gate::NoCheckGrant);
    setting.database.engine().restrict(&without("jobs", "INSERT"));
    let grant = "that a run needs: GRANT SELECT, INSERT ON polymarket.jobs TO default";
    is_refused(&setting, "no INSERT on one table, no CHECK GRANT", &[grant]);
    let grants = ["SELECT, INSERT ON polymarket.*", "ALTER DELETE ON polymarket.trades"];
    setting.database.engine().restrict(&Restriction::to(&grants));
    let flow = setting.run(&["check", "--flow"]).stdout;
    let said = flow.lines().last().unwrap();
    assert!(said.contains("no probe was sent") && said.contains("ALTER DELETE ON polymarket.checkpoints"), "{said}");
    setting.database.engine().lift();
    assert!(setting.run(&["check", "--flow"]).stdout.contains("; removed"));
    gateway.set(Gate::NoLongerThan(64 << 10));
    runs(&setting, "bodies of 64 KiB at most", "ok ");
    assert!(gateway.spoiled() > 0, "nothing was too large: the test shows nothing");
}

/// The statements of README, as they stand there, are enough for what they are said to be for.
#[tokio::test(flavor = "multi_thread")]
async fn the_grants_of_the_readme_are_enough() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let grants: Vec<&str> = readme.lines().filter_map(|line| line.strip_prefix("GRANT ")).collect();
    let grants: Vec<&str> = grants.iter().map(|grant| grant.split(" TO ").next().unwrap()).collect();
    let [run, parts, make, flow @ ..] = grants.as_slice() else { panic!("{grants:?}") };
    let setting = setting(39, false).await;
    setting.database.engine().restrict(&Restriction::to(&[&[*run, *parts, *make], flow].concat()));
    assert!(setting.run(&["check", "--flow"]).stdout.contains("; removed"), "{grants:?}");
    setting.database.engine().restrict(&Restriction::to(&[run, parts]));
    let running = setting.start();
    setting.let_it_flow();
    running.terminate();
    assert_eq!(running.wait(SOON).code, Some(0));
}

//! Something in front of ClickHouse answers for it, and nothing of an insert has arrived.

use std::time::{Duration, Instant};

use crate::servers::{SOON, Setting};
use crate::support::clickhouse::Database;
use crate::support::gateway::{Gate, Gateway};
use crate::support::process::until;
use crate::support::redis::Redis;

/// For how long writes are answered falsely, and how many at least: who is answered so asks less and less often.
const FALSE_FOR: Duration = Duration::from_secs(4);
const FALSE_ANSWERS: usize = 5;

fn answers_falsely(gateway: &Gateway, gate: Gate) {
    gateway.set(gate);
    let began = Instant::now();
    until(SOON, "writes are answered falsely", || gateway.spoiled() >= FALSE_ANSWERS && began.elapsed() >= FALSE_FOR);
}

async fn behind_gateway(seed: u64) -> (Setting, Gateway) {
    let database = Database::empty();
    let gateway = Gateway::to(&database.config().url).await;
    let setting = Setting::behind(seed, 1_000.0, Redis::new(), database, &gateway.url(), "").await;
    (setting, gateway)
}

/// Row 6: a page of its own instead of an insert's answer, with status 200, for a while.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_with_status_200_confirms_no_insert() {
    let (setting, gateway) = behind_gateway(61).await;
    let running = setting.start();
    setting.let_it_flow();
    answers_falsely(&gateway, Gate::Page);
    gateway.set(Gate::Open);
    setting.lands(running);
    assert_eq!(gateway.read_backs(), 0, "what ClickHouse confirms is not read back");
}

/// Row 6: a gateway that lets no id of a query through: rows are read back before they are acknowledged, also those that it
/// has swallowed with status 200 and an empty body.
#[tokio::test(flavor = "multi_thread")]
async fn an_empty_answer_without_the_id_confirms_no_insert() {
    let (setting, gateway) = behind_gateway(62).await;
    gateway.set(Gate::StripId);
    let running = setting.start();
    setting.let_it_flow();
    answers_falsely(&gateway, Gate::Swallow);
    gateway.set(Gate::ReplaceId);
    let ended = setting.lands(running);
    assert!(gateway.read_backs() > 0 && ended.stderr.contains("read back"), "{}", ended.stderr);
}

/// Row 6: status 200 beside the code of an exception (ClickHouse issue 65117).
#[tokio::test(flavor = "multi_thread")]
async fn an_exception_beside_status_200_confirms_no_insert() {
    let (setting, gateway) = behind_gateway(63).await;
    let running = setting.start();
    setting.let_it_flow();
    answers_falsely(&gateway, Gate::Exception(209));
    gateway.set(Gate::Open);
    setting.lands(running);
}

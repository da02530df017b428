//! The names that others build on: streams, groups, cursors, tables and views, and what they hold after a run.

use std::collections::{BTreeMap, BTreeSet};

use redis::Value;
use serde_json::Value as Json;

use super::Setting;
use crate::support::clickhouse::Database;
use crate::support::redis::Redis;

/// A decimal with six places as the number of its last one.
fn micro(text: &str) -> u128 {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{rest:0<6}").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_outside_sees_after_a_run() {
    // Without a prefix, and in the database of this name.
    let redis = Redis::own(&[]).without_prefix();
    let setting = Setting::on(31, 1_000.0, redis, Database::own(), "").await;
    let end = setting.server.head();
    setting.server.freeze_at(end);
    let ended = setting.run(&["--no-tui", "--until-caught-up", "--timeout", "60s"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let blocks = setting.world.config().first_block..=setting.world.finalized(end);
    let truth = setting.world.oracle(blocks.clone(), end).trades;
    assert!(truth.len() > 500, "{}", truth.len());

    // Nothing is old enough to be trimmed, and nothing is left to be done.
    let (redis, database) = (&setting.redis, &setting.database);
    let rows = truth.len() as u64;
    for stream in ["stream:order_events", "stream:trades"] {
        assert_eq!(redis.events(stream), rows, "{stream}");
        let Value::Int(entries) = redis.run(&["XLEN", stream]) else { panic!("{stream}") };
        assert!((1..truth.len() as i64 / 2).contains(&entries), "{stream} holds {entries} entries");
    }
    for (stream, group) in [
        ("stream:order_events", "trade_processors"),
        ("stream:trades", "trade_writers"),
        ("stream:markets", "market_writers"),
        ("stream:goldsky_trades", "goldsky_trade_writers"),
        ("stream:dead_letters", "dead_letter_writers"),
    ] {
        let groups: Vec<BTreeMap<String, Value>> =
            redis::cmd("XINFO").arg(&["GROUPS", stream]).query(&mut redis.client()).unwrap();
        let names: Vec<&Value> = groups.iter().map(|found| &found["name"]).collect();
        assert_eq!(names, [&Value::BulkString(group.into())]);
        assert_eq!(groups[0]["pending"], Value::Int(0), "{stream}");
        let newest: Vec<(String, Value)> =
            redis::cmd("XREVRANGE").arg(&[stream, "+", "-", "COUNT", "1"]).query(&mut redis.client()).unwrap();
        let delivered = redis::from_redis_value::<String>(groups[0]["last-delivered-id"].clone()).unwrap();
        assert!(newest.first().is_none_or(|(id, _)| *id == delivered), "{stream}: {newest:?}, {delivered}");
    }
    let cursor: Json = serde_json::from_str(&redis.text("state:ingest-fills:polygon")).unwrap();
    assert_eq!(cursor, serde_json::json!({ "block": blocks.end() + 1, "log_index": 0 }));
    assert!(!redis.text("state:generation").is_empty());

    assert_eq!(database.number("SELECT count() FROM polymarket.trades_final"), truth.len() as u64);
    let takers: Vec<_> = truth.iter().filter(|row| row.is_taker_row).collect();
    assert!(takers.len() > 100 && takers.len() < truth.len() / 2 + 1, "{} of {}", takers.len(), truth.len());
    let usd: u128 = takers.iter().map(|row| micro(&row.usd_amount)).sum();
    let volume = "SELECT sum(trades), toDecimalString(sum(usd_volume), 6) FROM polymarket.volume_by_market_day";
    let found = database.execute(volume);
    let (trades, found) = found.trim().split_once('\t').unwrap();
    assert_eq!((trades.parse().unwrap(), micro(found)), (takers.len(), usd), "each match is counted once");
    let priced: Vec<_> = takers.iter().filter(|row| row.price.is_some()).collect();
    let candles = "SELECT sum(trades), count(), toDecimalString(sum(usd_volume), 6) FROM polymarket.candles_1m";
    let found = database.execute(candles);
    let found: Vec<&str> = found.trim().split('\t').collect();
    let minutes: BTreeSet<_> = priced.iter().map(|row| (row.timestamp / 60, row.token_id.clone())).collect();
    let usd: u128 = priced.iter().map(|row| micro(&row.usd_amount)).sum();
    assert_eq!(found[0].parse::<usize>().unwrap(), priced.len());
    assert_eq!(found[1].parse::<usize>().unwrap(), minutes.len(), "one for each token and minute");
    assert_eq!(micro(found[2]), usd);
}

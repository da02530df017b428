//! What is found of Redis and ClickHouse.

use std::time::Instant;

use super::line::Line;
use crate::broker::{RedisLook, RedisMode, RedisServer};
use crate::clock::unix_ms;
use crate::config::{ClickhouseSection, RedisSection};
use crate::flow::{StageId, TableId};
use crate::units::{bytes, thousands};
use crate::warehouse::{Confirmation, TradeTimes};

use crate::app::stores;

const REDIS: &str = "redis";
const CLICKHOUSE: &str = "clickhouse";

/// A clock that differs by more makes ages wrong.
const CLOCKS: i64 = 2_000;

/// Looks at Redis, as a run does before it joins the streams, and beyond that whether it takes writes now.
pub(super) async fn redis(section: &RedisSection) -> Result<Line, Line> {
    let broker = stores::redis(section, "check".into()).map_err(|error| Line::failed(REDIS, error))?;
    let began = Instant::now();
    let look = broker.look().await.map_err(|error| Line::failed(REDIS, error))?;
    let RedisLook { server, fault, warnings } = look;
    let took = began.elapsed().as_millis();
    let line = match &server {
        Some(server) => of_server(server, took),
        None => Line::ok(REDIS, format!("{took} ms")),
    };
    let line = match fault {
        Some(fault) => return Err(line.fail(fault.what())),
        None => warnings.into_iter().fold(line, Line::warn),
    };
    match broker.try_write().await {
        Ok(()) => Ok(line),
        Err(error) => Err(line.fail(error)),
    }
}

/// What a server says of itself.
fn of_server(server: &RedisServer, took: u128) -> Line {
    let name = server.name();
    match server.mode {
        RedisMode::Sentinel => return Line::ok(REDIS, format!("{name}, {took} ms")),
        RedisMode::Standalone | RedisMode::Cluster => {}
    }
    let mode = if server.mode == RedisMode::Cluster { ", a node of a cluster" } else { "" };
    let limit = if server.max_memory == 0 { "no limit".to_owned() } else { bytes(server.max_memory) };
    let saves = if server.appends_to_disk { "appends to disk" } else { "does not append to disk" };
    let (apart, clock) = clock(server.now);
    let used = bytes(server.used_memory);
    let line =
        Line::ok(REDIS, format!("{name}{mode}, {took} ms, {used} of {limit}, {}, {saves}, {clock}", server.policy));
    let line =
        if server.appends_to_disk { line } else { line.warn("what it loses is read again from the watermark on") };
    if apart > CLOCKS { line.warn("ages of entries are wrong by that much") } else { line }
}

/// By how many milliseconds a clock differs from ours, and that in words.
fn clock(now: Option<i64>) -> (i64, String) {
    match now.map(|now| now - unix_ms()) {
        Some(apart) => (apart.abs(), format!("clock {apart:+} ms")),
        None => (0, "clock unknown".into()),
    }
}

/// Looks at ClickHouse.
pub(super) async fn clickhouse(section: &ClickhouseSection) -> Result<Line, Line> {
    let warehouse = stores::clickhouse(section);
    let began = Instant::now();
    let server = warehouse.server().await.map_err(|error| Line::failed(CLICKHOUSE, error))?;
    let took = began.elapsed().as_millis();
    let (apart, clock) = clock(Some(server.now));
    let found = format!("version {}, {took} ms, {clock}, database {}", server.version, section.database);
    // What a run finds before it begins, in the same words.
    let looked = warehouse.look(&server).await;
    let looked = looked.map_err(|error| Line::failed(CLICKHOUSE, format_args!("{found}: {error}")))?;
    let line = match looked.missing.len() {
        0 => Line::ok(CLICKHOUSE, format!("{found}, all tables as they should be (columns, engines, keys)")),
        missing => Line::ok(CLICKHOUSE, format!("{found}, the next run makes {missing} tables and views")),
    };
    let left_out: Vec<&str> = looked.left_out.iter().map(|view| view.table.as_str()).collect();
    let line = match left_out.as_slice() {
        [] => line,
        views => line.warn(format_args!("{} are not there, or this user may not see them", views.join(", "))),
    };
    let line = if apart > CLOCKS { line.warn("its clock differs") } else { line };
    let line = match warehouse.has_former_trades().await {
        Ok(true) => {
            line.and("trades has the layout of an older release: polytape schema apply migrates it, while runs go on")
        }
        Ok(false) => line,
        Err(error) => line.warn(format_args!("the layout of trades is unknown: {error}")),
    };
    let line = match looked.missing.iter().any(|fault| fault.table == TableId::Trades.as_str()) {
        true => line,
        false => match warehouse.trade_times().await {
            Ok(times) => with_times(line, &times, &section.database),
            Err(error) => line.warn(format_args!("whether trades stand under two times is unknown: {error}")),
        },
    };
    Ok(match warehouse.confirmation().await {
        Ok(Confirmation::ByAnswer) => line,
        Ok(Confirmation::ByReadingBack) => line.warn(
            "something in between takes X-ClickHouse-Query-Id out of the answers, so that every batch is read back before it \
             counts as written: one more query a batch. Let the header through to be rid of it",
        ),
        Err(error) => line.fail(format_args!("inserts cannot be confirmed, neither by their answers nor by reading back: {error}")),
    })
}

/// What was found of the times of trades, with what to do about it. Nothing where all of them were looked at and are right.
fn with_times(line: Line, times: &TradeTimes, database: &str) -> Line {
    let line = match times.impossible {
        Some(_) => line,
        None => line.warn("whether trades stand before 2020 or in the future is unknown: that took too long"),
    };
    let part = match times.is_whole {
        true => String::new(),
        false => format!(" ({} of {} rows looked at)", thousands(times.looked_at), thousands(times.rows)),
    };
    let (Some(removal), Some((lowest, highest))) = (times.removal(database), times.blocks) else {
        return if part.is_empty() { line } else { line.and(format_args!("no trade seen under two times{part}")) };
    };
    let (doubled, impossible) = (thousands(times.doubled), thousands(times.impossible.unwrap_or(0)));
    line.warn(format_args!(
        "{doubled} trades stand under two times{part}, {impossible} rows before 2020 or in the future, in blocks {lowest} to \
         {highest}: an older polytape believed a time that a node told. To mend them: end every older polytape, execute \
         \"{removal}\", then replay {} from block {lowest} to block {highest} (B in the view of stages), which brings all of those \
         blocks back under the right time",
        StageId::IngestFills
    ))
}

//! The orderbook subgraph as a client reads it, and whether its truth says the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Map, json};

use super::super::{DemoServer, Fault, Faults, SubgraphFaults, SubgraphTruth, TradeRow, WorldConfig};
use super::wire::{HEAD, post, server};
use super::*;
use crate::demo::goldsky::row::FIELDS;

const EVER: std::ops::RangeInclusive<i64> = 0..=i64::MAX;

async fn text(server: &DemoServer, query: &str, variables: Value) -> String {
    let body = json!({ "query": query, "variables": variables }).to_string();
    let answer = post(&server.goldsky_url(), body).await.unwrap();
    assert_eq!(answer.status(), 200, "{query}");
    answer.text().await.unwrap()
}

async fn ask(server: &DemoServer, query: &str, variables: Value) -> Value {
    serde_json::from_str(&text(server, query, variables).await).unwrap()
}

/// The rows of a query whose arguments are given.
async fn rows(server: &DemoServer, arguments: &str) -> Vec<Map<String, Value>> {
    let query = format!("{{ orderFilledEvents({arguments}) {{ {} }} }}", FIELDS.join(" "));
    let answer = ask(server, &query, json!({})).await;
    let rows = answer["data"]["orderFilledEvents"].as_array();
    rows.unwrap_or_else(|| panic!("{arguments}: {answer}")).iter().map(|row| row.as_object().unwrap().clone()).collect()
}

fn field<'a>(row: &'a Map<String, Value>, name: &str) -> &'a str {
    row[name].as_str().unwrap()
}

/// All rows by (timestamp, id), and of how many each page was.
async fn walk(server: &DemoServer, page: usize) -> (Vec<Map<String, Value>>, usize) {
    let mut all = rows(server, &format!("first: {page}, orderBy: timestamp")).await;
    let mut pages = 1;
    while let Some(last) = all.last() {
        let (time, id) = (field(last, "timestamp"), field(last, "id"));
        let filter = format!(r#"{{ or: [{{ timestamp_gt: "{time}" }}, {{ timestamp: "{time}", id_gt: "{id}" }}] }}"#);
        let more = rows(server, &format!("first: {page}, orderBy: timestamp, where: {filter}")).await;
        if more.is_empty() {
            break;
        }
        pages += 1;
        all.extend(more);
    }
    (all, pages)
}

fn truth(server: &DemoServer) -> SubgraphTruth {
    server.world().goldsky_truth(EVER, server.head(), &server.faults().get().goldsky)
}

/// Good rows as a client makes them, in their order.
fn read(rows: &[Map<String, Value>]) -> Vec<TradeRow> {
    let good = rows.iter().filter(|row| {
        let collateral = [field(row, "makerAssetId") == "0", field(row, "takerAssetId") == "0"];
        collateral[0] != collateral[1] && field(row, "makerAmountFilled").len() < 39
    });
    good.map(|row| {
        let buys = field(row, "makerAssetId") == "0";
        let amount = |name| field(row, name).parse::<u128>().unwrap();
        let six = |micros: u128| format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
        let (give, take) = (amount("makerAmountFilled"), amount("takerAmountFilled"));
        let (usd, shares) = if buys { (give, take) } else { (take, give) };
        let taker = field(row, "taker");
        let exchange = match taker {
            "0x4bfb41d5b3570defd03c39a9a4d8de6bd8b8982e" => "ctf_v1",
            "0xc5d563a36ae78145c45a50134d48a1215220f80a" => "neg_risk_v1",
            _ => "",
        };
        let sides = if buys { ["BUY", "SELL"] } else { ["SELL", "BUY"] };
        TradeRow {
            timestamp: field(row, "timestamp").parse().unwrap(),
            block_number: 0,
            log_index: 0,
            transaction_hash: field(row, "transactionHash").into(),
            order_hash: field(row, "orderHash").into(),
            source_id: format!("goldsky:{}", field(row, "id")),
            exchange: exchange.into(),
            token_id: field(row, if buys { "takerAssetId" } else { "makerAssetId" }).into(),
            condition_id: String::new(),
            market_id: String::new(),
            outcome: String::new(),
            nonusdc_side: String::new(),
            maker: field(row, "maker").into(),
            taker: taker.into(),
            maker_direction: sides[0].into(),
            taker_direction: sides[1].into(),
            price: (shares > 0).then(|| super::super::Price::new(usd as f64 / shares as f64)),
            usd_amount: six(usd),
            token_amount: six(shares),
            fee_amount: six(amount("fee")),
            fee_unit: if buys { "shares" } else { "usd" }.into(),
            is_taker_row: !exchange.is_empty(),
            version: 0,
            match_log_index: None,
            outcome_slot: None,
        }
    })
    .collect()
}

#[tokio::test]
async fn pages_by_time_and_id_hold_every_row_once() {
    let server = server().await;
    let (walked, pages) = walk(&server, 97).await;
    assert!(pages > 10, "{pages}");
    let truth = truth(&server);
    assert_eq!(read(&walked), truth.trades);
    assert_eq!(walked.len(), truth.trades.len() + truth.dead_letters.len());
    assert!(!truth.dead_letters.is_empty(), "broken logs are broken rows");
    let order: Vec<_> = walked.iter().map(|row| (field(row, "timestamp"), field(row, "id"))).collect();
    assert!(order.is_sorted() && tally(&order, |key| **key).len() == order.len());
    let exchanges = tally(&truth.trades, |row| row.exchange.clone());
    assert_eq!(exchanges.into_keys().collect::<Vec<_>>(), ["", "ctf_v1", "neg_risk_v1"]);
}

#[tokio::test]
async fn one_second_goes_over_many_pages() {
    let config = WorldConfig {
        fills: Some(6_000),
        rate: 10_000.0,
        block_time: Duration::from_millis(100),
        ..WorldConfig::default()
    };
    let server = DemoServer::start(Arc::new(World::new(config)), ([127, 0, 0, 1], 0).into()).await.unwrap();
    server.freeze_at(FIRST + 100);
    let (walked, _) = walk(&server, 100).await;
    let truth = truth(&server);
    let seconds = tally(&truth.trades, |row| row.timestamp);
    assert!(seconds.values().any(|rows| *rows > 1_000), "{seconds:?}");
    assert_eq!(read(&walked), truth.trades);
}

/// Of the fills of one order in one transaction the last one stands.
#[tokio::test]
async fn twins_are_one_row() {
    let world = world(42, None);
    let (chain, head) = (world.truth(FIRST..=FIRST + 400), FIRST + 400);
    let faults = SubgraphFaults { lag: 0, ..SubgraphFaults::default() };
    let truth = world.goldsky_truth(EVER, head, &faults);
    let v1 = chain.trades.iter().filter(|row| row.exchange.ends_with("_v1"));
    assert_eq!(v1.clone().count() as u64, truth.trades.len() as u64 + truth.collapsed);
    assert!(truth.collapsed > 10, "{}", truth.collapsed);
    let last: BTreeMap<_, _> = v1.map(|row| ((&row.transaction_hash, &row.order_hash), row)).collect();
    for row in &truth.trades {
        let stands = last[&(&row.transaction_hash, &row.order_hash)];
        assert_eq!(
            (&row.usd_amount, &row.token_amount, &row.fee_amount),
            (&stands.usd_amount, &stands.token_amount, &stands.fee_amount)
        );
        assert_eq!((&row.taker, row.timestamp), (&stands.taker, stands.timestamp));
    }
}

#[tokio::test]
async fn markets_are_told_as_those_of_the_chain() {
    let server = server().await;
    let chain = server.world().oracle(FIRST..=HEAD, HEAD);
    let told: BTreeMap<_, _> = chain.trades.iter().map(|row| (&row.token_id, row)).collect();
    let truth = server.world().goldsky_oracle(EVER, HEAD, &SubgraphFaults::default());
    for row in &truth.trades {
        let same = told[&row.token_id];
        let of = |row: &TradeRow| (row.condition_id.clone(), row.market_id.clone(), row.outcome.clone(), row.version);
        assert_eq!(of(row), of(same));
    }
    assert!(tally(&truth.trades, |row| row.version).len() > 2);
    let url = format!("{}/demo/truth/goldsky?from={}&to={}", server.url(), 1_767_225_600, 1_767_235_600);
    let told = reqwest::get(url).await.unwrap().text().await.unwrap();
    assert!(told == serde_json::to_string(&truth).unwrap(), "{told:.500}");
}

#[tokio::test]
async fn filters_and_orders() {
    let server = server().await;
    let (all, _) = walk(&server, 1_000).await;
    let some = &all[300];
    let (time, id, maker) = (field(some, "timestamp"), field(some, "id"), field(some, "maker"));
    let number = |row: &Map<String, Value>| field(row, "timestamp").parse::<u64>().unwrap();
    let second: u64 = time.parse().unwrap();
    type Test<'a> = &'a dyn Fn(&Map<String, Value>) -> bool;
    let cases: [(String, Test<'_>); 14] = [
        ("{}".into(), &|_| true),
        (format!("{{ timestamp: {time} }}"), &|row| number(row) == second),
        (format!(r#"{{ timestamp_lt: "{time}" }}"#), &|row| number(row) < second),
        (format!(r#"{{ timestamp_lte: "{time}" }}"#), &|row| number(row) <= second),
        (format!(r#"{{ timestamp_gte: "{time}", timestamp_lt: {} }}"#, second + 9), &|row| {
            (second..second + 9).contains(&number(row))
        }),
        (format!(r#"{{ id: "{id}" }}"#), &|row| field(row, "id") == id),
        (format!(r#"{{ id_gte: "{id}" }}"#), &|row| field(row, "id") >= id),
        (format!(r#"{{ id_lt: "{id}" }}"#), &|row| field(row, "id") < id),
        (
            format!(r#"{{ transactionHash: "{}" }}"#, field(some, "transactionHash").to_uppercase().replace('X', "x")),
            &|row| row["transactionHash"] == some["transactionHash"],
        ),
        (format!(r#"{{ maker: "{maker}" }}"#), &|row| field(row, "maker") == maker),
        (format!(r#"{{ taker: "{maker}" }}"#), &|row| field(row, "taker") == maker),
        (format!(r#"{{ or: [{{ maker: "{maker}" }}, {{ taker: "{maker}" }}] }}"#), &|row| {
            field(row, "maker") == maker || field(row, "taker") == maker
        }),
        (format!(r#"{{ timestamp_gt: 0, and: [{{ id_gt: "{id}" }}, {{ timestamp: {time} }}] }}"#), &|row| {
            field(row, "id") > id && number(row) == second
        }),
        (format!(r#"{{ timestamp_gt: {time}, timestamp_lt: {time} }}"#), &|_| false),
    ];
    for (filter, test) in cases {
        let expected: Vec<_> = all.iter().filter(|row| test(row)).take(1_000).cloned().collect();
        assert_eq!(
            rows(&server, &format!("first: 1000, orderBy: timestamp, where: {filter}")).await,
            expected,
            "{filter}"
        );
    }

    let backwards: Vec<_> = all.iter().rev().skip(7).take(50).cloned().collect();
    let arguments = "first: 50, skip: 7, orderBy: timestamp, orderDirection: desc";
    assert_eq!(rows(&server, arguments).await, backwards);
    let mut by_id = all.clone();
    by_id.sort_by(|a, b| field(a, "id").cmp(field(b, "id")));
    assert_eq!(rows(&server, "skip: 40, orderBy: id").await, by_id[40..140], "a hundred where nothing is said");
    assert_eq!(rows(&server, "first: 1, orderDirection: desc").await, by_id[by_id.len() - 1..]);
    assert!(rows(&server, "first: 0").await.is_empty());
}

#[tokio::test]
async fn variables_aliases_and_several_operations() {
    let server = server().await;
    let query = "query Meta { _meta { block { number hash } } }
        query Q($first: Int!, $t: BigInt!, $id: ID, $order: OrderFilledEvent_orderBy = timestamp, $w: OrderFilledEvent_filter!) {
            page: orderFilledEvents(first: $first, where: {or: [{timestamp_gt: $t}, {timestamp: $t, id_gt: $id}]}, orderBy: $order) {
                name: id timestamp __typename
            }
            all: orderFilledEvents(first: 2, where: $w) { id }
            _meta { hasIndexingErrors deployment block { n: number timestamp hash } }
        }";
    let variables = json!({"first": 3, "t": "1767225600", "id": "0", "w": {"or": [{"timestamp_gt": "0"}]}});
    let body = json!({"query": query, "variables": variables, "operationName": "Q"});
    let answer = post(&server.goldsky_url(), body.to_string()).await.unwrap().text().await.unwrap();
    let answer: Value = answer.parse().unwrap();
    let data = &answer["data"];
    let page = data["page"].as_array().unwrap();
    assert_eq!((page.len(), data["all"].as_array().unwrap().len()), (3, 2), "{answer}");
    assert!(page[0]["name"].is_string() && page[0]["timestamp"].is_string() && page[0]["__typename"].is_string());
    let block = server.world().block(HEAD - 4);
    let expected = json!({"n": HEAD - 4, "timestamp": block.timestamp, "hash": format!("{:#x}", block.hash)});
    assert_eq!(data["_meta"]["block"], expected);
    assert_eq!(data["_meta"]["hasIndexingErrors"], json!(false));
    // The short address is the same.
    let short = post(&format!("{}/goldsky", server.url()), body.to_string()).await.unwrap().text().await.unwrap();
    assert_eq!(short.parse::<Value>().unwrap(), answer);
    assert_eq!(server.goldsky_requests(), 2);
}

#[tokio::test]
async fn what_the_schema_does_not_know_is_refused() {
    let server = server().await;
    let page = |arguments: &str| format!("{{ orderFilledEvents({arguments}) {{ id }} }}");
    for (query, said) in [
        (page("first: 1001"), "The value of the `first` argument must be between 0 and 1000, but is 1001"),
        (page("first: -1"), "The value of the `first` argument must be between 0 and 1000, but is -1"),
        (page("skip: 5001"), "The value of the `skip` argument must be between 0 and 5000, but is 5001"),
        (page("first: \"5\""), "Failed to coerce value `\"5\"` to type `Int`"),
        (page("last: 5"), "Unknown argument \"last\" on field \"Query.orderFilledEvents\"."),
        (page("orderBy: fee2"), "Value \"fee2\" does not exist in \"OrderFilledEvent_orderBy\" enum."),
        (page("orderDirection: up"), "Value \"up\" does not exist in \"OrderDirection\" enum."),
        (page("where: {nonce: 1}"), "Field \"nonce\" is not defined by type \"OrderFilledEvent_filter\"."),
        (page("where: {timestamp_gt: \"x\"}"), "Failed to coerce value `\"x\"` to type `BigInt`"),
        (page("where: {id_gt: null}"), "Filter not supported by value `null`: `id_gt`"),
        (page("where: {timestamp_gt: 1, or: [{id: \"0\"}]}"), "Cannot mix column filters with 'or' operator"),
        (page("where: {id_gt: $id}"), "Variable \"$id\" is not defined."),
        ("{ orderFilledEvents { nonce } }".into(), "Cannot query field \"nonce\" on type \"OrderFilledEvent\"."),
        ("{ orderFilledEvents { id id } }".into(), "Fields \"id\" conflict."),
        ("{ orderFilledEvents }".into(), "Field \"orderFilledEvents\" of type \"[OrderFilledEvent!]!\" must have"),
        ("{ fills { id } }".into(), "Cannot query field \"fills\" on type \"Query\"."),
        ("{ _meta { block { age } } }".into(), "Cannot query field \"age\" on type \"_Block_\"."),
        ("query Q($t: BigInt!) { _meta { deployment } }".into(), "No value provided for required variable `t`"),
        ("query Q($t: BigInt) { _meta { deployment } }".into(), "Variable \"$t\" is never used."),
        ("query Q($t: Float) { _meta { deployment } }".into(), "Unknown type \"Float\"."),
        (
            "query Q($t: BigInt = 5) { orderFilledEvents(first: $t) { id } }".into(),
            "Variable \"$t\" of type \"BigInt\" used in position expecting type \"Int\".",
        ),
        ("query A { _meta { deployment } } query B { _meta { deployment } }".into(), "Operation name required"),
        ("mutation { a }".into(), "Not supported"),
        ("{ ...Rows }".into(), "Not supported: fragments"),
    ] {
        let answer = ask(&server, &query, json!({})).await;
        let message = answer["errors"][0]["message"].as_str().unwrap_or_default();
        assert!(message.starts_with(said), "{query}: {answer}");
        assert!(answer.get("data").is_none());
    }
    let unknown = ask(&server, "{\n  orderFilledEvents {\n    nonce } }", json!({})).await;
    assert_eq!(unknown["errors"][0]["locations"], json!([{"line": 3, "column": 5}]));
    // As the recorded one: a text in the wrong quotes.
    let syntax = ask(&server, "{\n  orderFilledEvents(where: {id_gt: '0'}) { id } }", json!({})).await;
    assert_eq!(syntax["errors"][0]["locations"], json!([{"line": 2, "column": 36}]), "{syntax}");
    let message = syntax["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains("unexpected character '\\''") && message.contains("\nExpected "), "{message}");
    assert_eq!(post(&server.goldsky_url(), "nonsense".into()).await.unwrap().status(), 400);
}

fn switch(server: &DemoServer, goldsky: SubgraphFaults) {
    server.faults().set(Faults { goldsky, ..Faults::default() });
}

const META: &str = "{ _meta { block { number timestamp } hasIndexingErrors }
    orderFilledEvents(first: 1, orderBy: timestamp, orderDirection: desc) { timestamp } }";

#[tokio::test]
async fn it_can_lag_or_end_and_say_so_or_not() {
    let server = server().await;
    server.freeze_at(FIRST + 60);
    let newest = async || {
        let data = ask(&server, META, json!({})).await["data"].take();
        let newest = data["orderFilledEvents"][0]["timestamp"].as_str().unwrap().parse::<u64>().unwrap();
        (data["_meta"]["block"]["number"].as_u64().unwrap(), newest)
    };
    // Some blocks are empty, so the newest row may be of an earlier one.
    let last = |block: u64| server.world().timestamp(block) - 9..=server.world().timestamp(block);
    let (block, time) = newest().await;
    assert!(block == FIRST + 56 && last(block).contains(&time));
    switch(&server, SubgraphFaults { lag: 20, ..SubgraphFaults::default() });
    let (block, time) = newest().await;
    assert!(block == FIRST + 40 && last(block).contains(&time));
    assert_eq!(read(&walk(&server, 1_000).await.0), truth(&server).trades);
    switch(&server, SubgraphFaults { frozen_at: Some(FIRST + 20), ..SubgraphFaults::default() });
    let (block, time) = newest().await;
    assert!(block == FIRST + 56 && last(FIRST + 20).contains(&time), "its data ends, and it goes on");
    assert_eq!(read(&walk(&server, 1_000).await.0), truth(&server).trades);
    switch(&server, SubgraphFaults { has_indexing_errors: true, no_meta_timestamp: true, ..SubgraphFaults::default() });
    let meta = ask(&server, META, json!({})).await["data"]["_meta"].take();
    assert_eq!(meta, json!({"block": {"number": FIRST + 56, "timestamp": null}, "hasIndexingErrors": true}));

    server.faults().set(Faults { lag: 30, ..Faults::of(Fault::Stale, 1.0) });
    assert_eq!(newest().await.0, FIRST + 26, "a backend that is behind");
}

#[tokio::test]
async fn malformed_rows_are_dead_letters() {
    let server = server().await;
    let healthy = truth(&server);
    let by_time =
        |row: &Map<String, Value>| (row["timestamp"].to_string().replace('"', ""), field(row, "id").to_owned());
    for (faults, what) in [
        (SubgraphFaults { number_rows: Some(20), ..SubgraphFaults::default() }, "numbers"),
        (SubgraphFaults { missing_rows: Some(20), ..SubgraphFaults::default() }, "missing"),
        (SubgraphFaults { huge_rows: Some(20), ..SubgraphFaults::default() }, "huge"),
        (SubgraphFaults { unnamed_rows: Some(20), ..SubgraphFaults::default() }, "unnamed"),
    ] {
        switch(&server, faults);
        let truth = truth(&server);
        let letters = truth.dead_letters.len() - healthy.dead_letters.len();
        assert!((healthy.trades.len() / 40..healthy.trades.len() / 10).contains(&letters), "{what}: {letters}");
        assert_eq!(truth.trades.len() + letters, healthy.trades.len());
        let served = rows(&server, "first: 1000, orderBy: timestamp").await;
        let odd = served.iter().filter(|row| match what {
            "numbers" => row["makerAmountFilled"].is_number(),
            "missing" => row.len() == FIELDS.len() - 1,
            "huge" => {
                field(row, "makerAmountFilled").len() >= 39 && field(row, "makerAssetId") != field(row, "takerAssetId")
            }
            _ => !field(row, "id").contains('_'),
        });
        let odd: Vec<_> = odd.map(by_time).collect();
        assert!(!odd.is_empty() && odd.is_sorted(), "{what}");
        let known: BTreeSet<_> = truth.dead_letters.iter().map(|letter| letter.position.clone()).collect();
        assert!(odd.iter().all(|(_, id)| known.contains(id)), "{what}");
    }
    // As they are on the wire, and none is lost between pages.
    switch(&server, SubgraphFaults { unnamed_rows: Some(5), huge_rows: Some(7), ..SubgraphFaults::default() });
    let truth = truth(&server);
    let (all, _) = walk(&server, 50).await;
    assert_eq!(all.len(), truth.trades.len() + truth.dead_letters.len());
    let query = format!("{{ orderFilledEvents(first: 1000, orderBy: timestamp) {{ {} }} }}", FIELDS.join(" "));
    let served = text(&server, &query, json!({})).await;
    let first = String::from_utf8(truth.dead_letters[0].raw.clone()).unwrap();
    assert!(served.contains(&first), "{first}");
}

#[tokio::test]
async fn it_errs_in_many_ways() {
    let server = server().await;
    let query = json!({"query": META}).to_string();
    let faulty = async |fault| {
        server.faults().set(Faults { stall: Duration::from_millis(1), ..Faults::of(fault, 1.0) });
        let answer = post(&server.goldsky_url(), query.clone()).await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap_or_default())
    };
    let (_, healthy) = faulty(Fault::Stall).await;
    let errors = r#"{"errors":[{"message":"Store error: database unavailable"}]}"#;
    assert_eq!(faulty(Fault::QueryErrors).await, (200, errors.into()));
    assert_eq!(faulty(Fault::QueryTimedOut).await, (200, r#"{"errors":[{"message":"Query timed out"}]}"#.into()));
    assert_eq!(faulty(Fault::OriginTimeout).await.0, 524);
    let (status, said) = faulty(Fault::Allowance).await;
    let allowance = "Sorry, you've surpassed your query allowance. Please try again - limits reset every 10 seconds.";
    assert_eq!((status, said.as_str()), (429, allowance));
    let mut kinds = BTreeSet::new();
    for _ in 0..30 {
        let partial: Value = faulty(Fault::PartialData).await.1.parse().unwrap();
        assert!(partial["errors"][0]["message"].is_string() && partial["data"]["_meta"].is_object());
        kinds.insert(partial["data"]["orderFilledEvents"].is_null());
        assert_ne!(partial["data"].to_string(), healthy);
    }
    assert_eq!(kinds.len(), 2, "null, or a list that lacks rows");
    assert_eq!(faulty(Fault::ServerError).await.0, 500);
    assert!(faulty(Fault::Html).await.1.starts_with("<!DOCTYPE html>"));
    let cut = faulty(Fault::CutJson).await.1;
    assert!(cut.len() < healthy.len() && healthy.starts_with(&cut));
    assert_eq!(faulty(Fault::CutBody).await.1, "", "it breaks off");
    // Those of other services do not happen to it, and its own not to others.
    assert_eq!(faulty(Fault::RpcRateLimit).await, (200, healthy.clone()));
    server.faults().set(Faults::of(Fault::QueryErrors, 1.0));
    assert_eq!(super::wire::call(&server, "eth_blockNumber", json!([])).await.unwrap(), format!("{HEAD:#x}"));
    server.faults().set(Faults { goldsky_down: true, ..Faults::default() });
    assert_eq!(post(&server.goldsky_url(), query.clone()).await.unwrap().status(), 503);
}

#[tokio::test]
async fn large_pages_can_be_slow_and_strangers_refused() {
    let server = server().await;
    let page = |first: u32| format!("{{ orderFilledEvents(first: {first}) {{ id }} }}");
    switch(&server, SubgraphFaults { times_out_above: Some(250), ..SubgraphFaults::default() });
    assert!(ask(&server, &page(250), json!({})).await["data"].is_object());
    let answer = ask(&server, &page(251), json!({})).await;
    assert_eq!(answer, json!({"errors": [{"message": "Query timed out"}]}));
    switch(&server, SubgraphFaults { row_cost_us: 1_000, ..SubgraphFaults::default() });
    let begun = Instant::now();
    ask(&server, &page(300), json!({})).await;
    assert!(begun.elapsed() >= Duration::from_millis(300));

    switch(&server, SubgraphFaults { token: Some("secret".into()), ..SubgraphFaults::default() });
    let body = json!({"query": page(1)}).to_string();
    assert_eq!(post(&server.goldsky_url(), body.clone()).await.unwrap().status(), 401);
    let client = reqwest::Client::new();
    let asked = client.post(server.goldsky_url()).bearer_auth("secret").body(body).send().await.unwrap();
    assert_eq!(asked.status(), 200);
    let set: Faults =
        serde_json::from_value(json!({"goldsky": {"frozen_at": 5}, "rates": {"partial_data": 0.5}})).unwrap();
    assert_eq!((set.goldsky.frozen_at, set.goldsky.lag), (Some(5), SubgraphFaults::default().lag));
}

//! Gamma and the Data API as a client sees them, and whether the oracle says the same.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::json;

use super::super::{DemoServer, Fault, Faults, MarketRow, Oracle, TradeRow};
use super::*;
use crate::demo::fills::matching::Event;

/// The head of the servers below: late enough for a market of the series to have come and gone.
const HEAD: u64 = FIRST + 900;

async fn server() -> DemoServer {
    let server = DemoServer::start(Arc::new(world(42, None)), ([127, 0, 0, 1], 0).into()).await.unwrap();
    server.freeze_at(HEAD);
    server
}

/// The status, and the JSON if it is any.
async fn get(server: &DemoServer, path: &str) -> (u16, Value) {
    let response = reqwest::get(format!("{}{path}", server.url())).await.unwrap();
    let status = response.status().as_u16();
    // Half a character at the end of a text, as some have it, is no text for this reader.
    let text = response.text().await.unwrap().replace("\\ud83d\"", "\"");
    (status, serde_json::from_str(&text).unwrap_or_default())
}

async fn page(server: &DemoServer, query: &str) -> (Vec<Value>, Option<String>) {
    let (status, page) = get(server, &format!("/markets/keyset?{query}")).await;
    assert_eq!(status, 200, "{query}");
    let next = page["next_cursor"].as_str().filter(|next| !next.is_empty()).map(str::to_owned);
    (page["markets"].as_array().unwrap().clone(), next)
}

/// All elements of a listing.
async fn walk(server: &DemoServer, query: &str) -> Vec<Value> {
    let (mut all, mut next) = page(server, &format!("{query}&limit=100")).await;
    while let Some(after) = next {
        assert!(all.len() < 10_000, "it has no end");
        let (more, then) = page(server, &format!("{query}&limit=100&after_cursor={after}")).await;
        all.extend(more);
        next = then;
    }
    all
}

fn id(market: &Value) -> Option<u64> {
    let id = &market["id"];
    id.as_u64().or_else(|| id.as_str()?.parse().ok())
}

fn whole(server: &DemoServer) -> Oracle {
    server.world().oracle(FIRST..=HEAD - 3, HEAD)
}

fn events(world: &World) -> Vec<Event> {
    (FIRST..=HEAD).flat_map(|number| world.block(number).events).collect()
}

#[tokio::test]
async fn a_walk_sees_every_market_once_and_the_broken_ones() {
    let server = server().await;
    let truth = whole(&server);
    let listed = async |order: &str| {
        let (mut ids, mut broken) = (Vec::new(), Vec::new());
        for closed in [false, true] {
            let all = walk(&server, &format!("closed={closed}&order={order}")).await;
            assert!(all.len() > 100, "several pages: {}", all.len());
            for element in all {
                match id(&element).filter(|_| element.is_object()) {
                    Some(id) => ids.push(id),
                    None => broken.push(element.to_string()),
                }
            }
        }
        ids.sort_unstable();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "each once, by {order}");
        broken.sort();
        (ids, broken)
    };
    let (ids, broken) = listed("createdAt").await;
    for order in ["updatedAt", "id", "volumeNum"] {
        assert_eq!(listed(order).await, (ids.clone(), broken.clone()), "by {order}");
    }
    let expected: BTreeSet<u64> = truth.markets.iter().map(|row: &MarketRow| row.id.parse().unwrap()).collect();
    let listed: BTreeSet<u64> = ids.into_iter().collect();
    assert!(listed.is_subset(&expected));
    let looked_up = expected.difference(&listed).count();
    assert!((1..10).contains(&looked_up), "{looked_up} are found by a lookup only");
    let letters = truth.dead_letters.iter().filter(|letter| letter.source == "gamma");
    assert_eq!(broken.len(), letters.count());
}

#[tokio::test]
async fn listings_are_sorted_as_they_are_asked_to_be() {
    let server = server().await;
    let times = async |field: &str, query: &str| -> Vec<String> {
        let all = walk(&server, query).await;
        // Written without fractions, since texts of different lengths do not compare.
        all.iter().filter_map(|market| Some(market[field].as_str()?.get(..19)?.to_owned())).collect()
    };
    for field in ["createdAt", "updatedAt"] {
        let newest_first = times(field, &format!("closed=false&order={field}&ascending=false")).await;
        assert!(newest_first.windows(2).all(|pair| pair[0] >= pair[1]), "{field}");
    }
    let ignored = times("createdAt", "closed=false&order=created_at&ascending=false").await;
    assert!(ignored.windows(2).any(|pair| pair[0] < pair[1]), "an order that nobody knows");
    server.faults().set(Faults { ignore_order: true, ..Faults::default() });
    let by_id = times("createdAt", "closed=false&order=createdAt").await;
    assert!(by_id.windows(2).any(|pair| pair[0] < pair[1]), "and by id, where orders are ignored");
}

#[tokio::test]
async fn what_clients_trip_over() {
    let server = server().await;
    assert_eq!(page(&server, "limit=1000").await.0.len(), 100, "capped without a word");
    let (open, next) = page(&server, "limit=50&order=id&ascending=true").await;
    assert!(open.iter().all(|market| market["closed"] != json!(true)), "closed means false unless it is said");
    let next = next.unwrap();
    for wrong in ["cursor", "next_cursor"] {
        let again = page(&server, &format!("limit=50&order=id&ascending=true&{wrong}={next}")).await;
        assert_eq!(again.0, open, "{wrong} gives page 1 again");
    }
    for (query, status) in [
        ("offset=0".to_owned(), 422),
        ("after_cursor=nonsense".to_owned(), 422),
        (format!("closed=true&order=id&ascending=true&after_cursor={next}"), 422),
        ((0..60).map(|n| format!("clob_token_ids={}&", "7".repeat(70) + &n.to_string())).collect(), 414),
    ] {
        assert_eq!(get(&server, &format!("/markets/keyset?{query}")).await.0, status, "{query:.60}");
    }
    assert_eq!(get(&server, "/markets?offset=2001").await.0, 422);
    assert!(get(&server, "/markets?offset=0").await.1.is_array());
    let one = id(&open[0]).unwrap();
    assert_eq!(id(&get(&server, &format!("/markets/{one}")).await.1), Some(one));
    assert_eq!(get(&server, "/nothing").await.0, 404);
}

#[tokio::test]
async fn every_resolved_token_is_found_by_somebody() {
    let server = server().await;
    let truth = whole(&server);
    let tokens: BTreeSet<_> = truth
        .trades
        .iter()
        .map(|row| (row.version, row.market_id.clone(), row.condition_id.clone(), row.token_id.clone()))
        .collect();
    let (mut by_token, mut by_condition) = (0, 0);
    for (version, market_id, condition_id, token) in tokens {
        let kind = if condition_id.len() == 64 && !market_id.is_empty() { "position_ids" } else { "clob_token_ids" };
        let mut found = BTreeSet::new();
        for closed in [false, true] {
            for query in [format!("{kind}={token}"), format!("condition_ids={condition_id}")] {
                let markets = page(&server, &format!("{query}&closed={closed}")).await.0;
                let has = markets.iter().any(|market| id(market).map(|id| id.to_string()).as_ref() == Some(&market_id));
                found.extend(has.then_some(query.starts_with(kind)));
            }
        }
        assert_eq!(found.is_empty(), version < 2, "version {version} of {token}");
        by_token += usize::from(found.contains(&true));
        by_condition += usize::from(found == BTreeSet::from([false]));
    }
    assert!(by_token > 50 && by_condition > 2, "{by_token} by their token, {by_condition} only by their condition");
}

#[tokio::test]
async fn the_data_api_knows_tokens_and_lies_about_one() {
    let server = server().await;
    let ask = async |query: String| get(&server, &format!("/v2/tokens?{query}")).await;
    let trades = whole(&server).trades;
    let of_version = |version| -> BTreeSet<(String, String)> {
        trades
            .iter()
            .filter(|row| row.version == version)
            .map(|row| (row.token_id.clone(), row.condition_id.clone()))
            .collect()
    };
    let partly: Vec<_> = of_version(1).into_iter().collect();
    for some in partly.chunks(50) {
        let list = some.iter().map(|(token, _)| token.as_str()).collect::<Vec<_>>().join(",");
        let (_, answer) = ask(format!("token_id={list}")).await;
        let known = answer["data"].as_array().unwrap();
        assert_eq!(known.len(), some.len());
        for token in known {
            let condition = &some.iter().find(|(id, _)| token["token_id"] == json!(id)).unwrap().1;
            assert!(token["condition_id"].as_str().unwrap().starts_with(condition.as_str()), "perhaps padded");
        }
    }
    let unknown = of_version(0).into_iter().map(|(token, _)| token).collect::<Vec<_>>().join(",");
    let (_, answer) = ask(format!("token_id={unknown}")).await;
    let named = answer["data"].as_array().unwrap().iter().filter(|token| token["outcome"].is_string());
    assert_eq!(named.count(), 1, "of the tokens that stay unknown it names one: a lie");
    for (query, status) in [
        (String::new(), 400),
        ("token_id=1&condition=0x00".into(), 400),
        (format!("token_id={}", vec!["1"; 51].join(",")), 400),
        ("token_id=x".into(), 400),
        ("token_id=1".into(), 200),
    ] {
        assert_eq!(ask(query.clone()).await.0, status, "{query:.40}");
    }
}

#[test]
fn everything_that_is_odd_about_markets_is_traded() {
    let world = world(42, None);
    let fills = events(&world);
    let truth = world.oracle(FIRST..=HEAD, HEAD);
    let versions = tally(&truth.trades, |row| row.version);
    assert!(versions.len() == 4 && versions.values().all(|count| *count > 50), "{versions:?}");
    assert!(truth.trades.iter().any(|row| row.nonusdc_side == "token3"), "a third outcome");
    let by_id: BTreeMap<&str, &MarketRow> = truth.markets.iter().map(|row| (row.id.as_str(), row)).collect();
    let traded: BTreeSet<&str> =
        truth.trades.iter().map(|row| row.market_id.as_str()).filter(|id| !id.is_empty()).collect();
    let some = |what: &str, test: &dyn Fn(&MarketRow) -> bool| {
        assert!(traded.iter().any(|id| test(by_id[id])), "{what}");
    };
    some("one outcome", &|row| row.outcomes.len() == 1);
    some("both protocols", &|row| !row.token_ids.is_empty() && !row.position_ids.is_empty());
    some("protocol v2 alone", &|row| row.token_ids.is_empty() && row.condition_id.len() == 64);
    some("neg-risk", &|row| row.neg_risk);
    some("closed", &|row| row.closed);
    some("no creation time", &|row| row.created_at.is_none());
    some("unicode", &|row| !row.question.is_ascii());
    some("quotes", &|row| row.question.contains('"') || row.question.contains('\''));
    some("no outcomes", &|row| row.outcomes.is_empty());
    let unnamed: Vec<_> = truth.trades.iter().filter(|row| row.version == 2).collect();
    assert!(unnamed.iter().all(|row| row.outcome.is_empty() && by_id[&*row.market_id].outcomes.is_empty()));
    let named = |row: &&TradeRow| row.version == 3 && by_id[&*row.market_id].outcomes.is_empty();
    assert!(truth.trades.iter().filter(named).count() > 10, "the Data API names outcomes that their market does not");
    let untold: Vec<&str> =
        truth.markets.iter().filter(|row| row.condition_id.is_empty()).map(|row| row.id.as_str()).collect();
    assert!(!untold.is_empty() && !untold.iter().any(|id| traded.contains(id)), "these tell of no row: {untold:?}");
    assert!(!fills.is_empty());
}

#[tokio::test]
async fn a_market_of_the_series_trades_before_it_is_listed() {
    let server = server().await;
    let world = server.world();
    let of = |block: u64| {
        let truth = world.oracle(block..=block + 30, block + 30);
        truth.trades.into_iter().filter(|row| row.version == 0).map(|row| row.token_id).collect::<BTreeSet<_>>()
    };
    // Its first blocks, seen at once and seen from the end.
    let born = FIRST + 400;
    let later: BTreeMap<String, i64> =
        world.oracle(born..=born + 30, HEAD).trades.into_iter().map(|row| (row.token_id, row.version)).collect();
    let late = of(born).into_iter().filter(|token| later[token] == 3).count();
    assert!(late > 0, "known later, and not when it was new");
}

#[tokio::test]
async fn the_faults_of_the_apis_show() {
    let server = server().await;
    let first = async || page(&server, "closed=false&order=id&limit=10").await;
    let (_, next) = first().await;
    let next = next.unwrap();
    let behind = format!("closed=false&order=id&limit=10&after_cursor={next}");

    server.faults().set(Faults::of(Fault::LostCursor, 1.0));
    assert_eq!(get(&server, &format!("/markets/keyset?{behind}")).await.0, 422);
    assert_eq!(first().await.1.as_ref(), Some(&next), "without a cursor there is none to lose");
    server.faults().set(Faults::of(Fault::CircularCursor, 1.0));
    assert_eq!(page(&server, &behind).await.1, Some(next), "the second page leads to itself, however it does");
    server.faults().calm();
    let stale = Faults { lag: 900, ..Faults::of(Fault::Stale, 1.0) };
    let before = walk(&server, "closed=true&order=id").await.len();
    server.faults().set(stale);
    assert!(walk(&server, "closed=true&order=id").await.len() < before, "fewer had been closed");
    server.faults().set(Faults { gamma_down: true, ..Faults::default() });
    assert_eq!(get(&server, "/markets/keyset").await.0, 503);
    assert_eq!(get(&server, "/v2/tokens?token_id=1").await.0, 200);
    server.faults().set(Faults { data_api_down: true, rpc_down: true, ..Faults::default() });
    assert_eq!(get(&server, "/v2/tokens?token_id=1").await.0, 503);
    assert_eq!(get(&server, "/demo").await.1["head"], json!(HEAD), "the switches are always there");
}

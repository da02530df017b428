//! How far it can be read, and whether it goes on.

use std::time::Duration;

use serde_json::json;

use super::server::{Server, data_of, row};
use super::{at, read_all, section, source};
use crate::clock::since_epoch;
use crate::source::goldsky::{Goldsky, GoldskySection};
use crate::source::{FillSource, Frontier, SourceError};

fn meta(number: u64, timestamp: Option<u64>, errors: bool) -> serde_json::Value {
    json!({ "block": { "number": number, "timestamp": timestamp }, "hasIndexingErrors": errors })
}

async fn frontier_of(newest: u64, meta: serde_json::Value) -> (Frontier, Goldsky) {
    let server = Server::of(vec![row(newest - 9, 1), row(newest, 2)]).await;
    server.change(|subgraph| subgraph.meta = meta);
    let goldsky = source(&server);
    (goldsky.frontier().await.unwrap(), goldsky)
}

/// The predecessor took "no new rows" for "caught up".
#[tokio::test]
async fn frozen_is_not_taken_for_caught_up() {
    let (newest, now) = (1_777_374_040, since_epoch().as_secs());
    let server = Server::of(vec![row(newest, 1)]).await;
    server.change(|subgraph| subgraph.meta = meta(97_000_000, Some(now - 3), false));
    let goldsky = source(&server);
    let frontier = goldsky.frontier().await.unwrap();
    assert_eq!(frontier.frozen_since(), Some(newest));
    assert_eq!((frontier.timestamp, &frontier.end), (newest, &at(&goldsky, newest + 1, "")));
    let subgraph = frontier.subgraph.unwrap();
    assert_eq!((subgraph.block, subgraph.time), (Some(97_000_000), Some(now - 3)));
    assert!(frontier.age(since_epoch()) > crate::source::Head::FRESH && frontier.head().is_none());

    // It is asked seldom, and everything that it has is read all the same.
    for _ in 0..50 {
        assert_eq!(goldsky.frontier().await.as_ref(), Ok(&frontier));
    }
    assert_eq!(server.asked(), 1);
    let (events, _) = read_all(&goldsky, at(&goldsky, 0, ""), &frontier.end).await.unwrap();
    assert_eq!(events.len(), 1);
}

#[tokio::test]
async fn only_what_is_settled_is_read() {
    let now = since_epoch().as_secs();
    let (frontier, goldsky) = frontier_of(now - 5, meta(7, Some(now), false)).await;
    let settled = frontier.timestamp;
    assert!(settled >= now - 60 && settled <= now - 58, "{settled}");
    assert_eq!((&frontier.end, frontier.frozen_since()), (&at(&goldsky, settled + 1, ""), None));

    let (frontier, goldsky) = frontier_of(now - 90, meta(7, Some(now), false)).await;
    assert_eq!((frontier.timestamp, frontier.end), (now - 90, at(&goldsky, now - 89, "")));
    // Behind the chain: more blocks of its newest second may come.
    let (frontier, goldsky) = frontier_of(now - 5_000, meta(7, Some(now - 5_000), false)).await;
    assert_eq!((frontier.timestamp, frontier.frozen_since()), (now - 5_001, None));
    assert_eq!(frontier.end, at(&goldsky, now - 5_000, ""));
}

#[tokio::test]
async fn the_newest_second_is_over_when_nothing_has_come_for_so_long_as_fills_settle() {
    let newest = since_epoch().as_secs() - 5_000;
    let server = Server::of(vec![row(newest, 1)]).await;
    server.change(|subgraph| subgraph.meta = meta(7, Some(newest), false));
    let settle = Duration::from_millis(50);
    let goldsky = Goldsky::new(&GoldskySection { settle, ..section(&server) }).unwrap();
    assert_eq!(goldsky.frontier().await.unwrap().end, at(&goldsky, newest, ""));
    tokio::time::sleep(settle).await;
    let frontier = goldsky.frontier().await.unwrap();
    assert_eq!((frontier.end.clone(), frontier.frozen_since()), (at(&goldsky, newest + 1, ""), None));
}

#[tokio::test]
async fn meta_may_lack_its_time_or_be_absent_and_its_errors_are_told() {
    let newest = since_epoch().as_secs() - 100;
    let (frontier, _) = frontier_of(newest, meta(7, None, true)).await;
    let subgraph = frontier.subgraph.unwrap();
    assert!(subgraph.has_indexing_errors && subgraph.time.is_none() && subgraph.frozen_since.is_none());
    assert_eq!(frontier.timestamp, newest);
    let (frontier, _) = frontier_of(newest, json!(null)).await;
    assert_eq!((frontier.timestamp, frontier.subgraph.unwrap().block), (newest, None));
    for wrong in [
        json!({ "block": { "number": 1.5 }, "hasIndexingErrors": false }),
        json!({ "block": { "number": 7 } }),
        json!({ "block": null, "hasIndexingErrors": false }),
        json!({ "block": { "number": null }, "hasIndexingErrors": false }),
    ] {
        let server = Server::of(vec![row(newest, 1)]).await;
        server.change(|subgraph| subgraph.meta = wrong.clone());
        let error = source(&server).frontier().await.unwrap_err();
        assert!(matches!(error, SourceError::Untrusted { .. }), "{wrong}: {error}");
    }
    let server = Server::of(vec![]).await;
    let error = source(&server).frontier().await.unwrap_err();
    assert!(error.to_string().ends_with("it has no fills yet"), "{error}");
}

/// A replica that lags, behind the same address.
#[tokio::test]
async fn an_empty_page_where_a_fill_was_shown_is_not_believed() {
    let newest = since_epoch().as_secs() - 100;
    let nothing = json!({ "orderFilledEvents": [] });
    let server =
        Server::scripted(vec![row(newest, 1)], move |_, before| (before == 1).then(|| data_of(&nothing))).await;
    let goldsky = source(&server);
    let end = goldsky.frontier().await.unwrap().end;
    let error = goldsky.page(&at(&goldsky, 0, ""), &end).await.unwrap_err();
    assert!(error.to_string().contains("an empty page, though it showed a fill of"), "{error}");
    assert_eq!(read_all(&goldsky, at(&goldsky, 0, ""), &end).await.unwrap().0.len(), 1);
}

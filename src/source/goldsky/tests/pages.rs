//! Pages: nothing is lost at their ends.

use serde_json::{Value, json};

use super::server::{Server, data_of, row};
use super::{at, read_all, source};
use crate::model::{DeadLetter, Fill};
use crate::source::goldsky::{Goldsky, GoldskySection};
use crate::source::{FillSource, SourceError, Start};

/// The numbers by which rows are told from others.
fn numbers(events: &[Result<Fill, DeadLetter>]) -> Vec<u64> {
    events.iter().map(|event| u64::try_from(event.as_ref().unwrap().token_id.0).unwrap() - 1).collect()
}

fn with_pages_of(server: &Server, page: usize) -> Goldsky {
    Goldsky::new(&GoldskySection { page, ..super::section(server) }).unwrap()
}

/// The predecessor asked for `timestamp_gt` alone, and lost the rest of the second in which a page ended.
#[tokio::test]
async fn a_page_that_is_cut_inside_a_second_loses_nothing() {
    let seconds = [10, 11, 11, 11, 11, 11, 12, 13, 13, 13, 14];
    let rows: Vec<Value> = seconds.iter().zip(0..).map(|(second, number)| row(*second, number)).collect();
    for page in 1..=12 {
        let server = Server::of(rows.clone()).await;
        let goldsky = with_pages_of(&server, page);
        let (events, _) = read_all(&goldsky, at(&goldsky, 0, ""), &at(&goldsky, 15, "")).await.unwrap();
        assert_eq!(numbers(&events), Vec::from_iter(0..11), "pages of {page}");
    }
}

#[tokio::test]
async fn four_thousand_fills_of_one_second_are_read_over_several_pages() {
    let mut rows: Vec<Value> = (0..4_000).map(|number| row(100, number)).collect();
    rows.extend([row(99, 9_000), row(101, 9_001)]);
    // As they come into the world: in no order.
    rows.reverse();
    let server = Server::of(rows).await;
    let goldsky = source(&server);
    let (events, pages) = read_all(&goldsky, at(&goldsky, 0, ""), &at(&goldsky, 102, "")).await.unwrap();
    assert_eq!(numbers(&events), [vec![9_000], Vec::from_iter(0..4_000), vec![9_001]].concat());
    assert_eq!(pages, 6, "five with rows, and an empty one, which is the end");
}

#[tokio::test]
async fn reading_goes_on_behind_any_row_and_never_past_the_end() {
    let rows: Vec<Value> = (0..9).map(|number| row(10 + number / 3, number)).collect();
    let server = Server::of(rows.clone()).await;
    let goldsky = source(&server);
    let id = |number: usize| rows[number]["id"].as_str().unwrap();
    for (from, to, expected) in [
        (at(&goldsky, 11, ""), at(&goldsky, 12, ""), 3..6),
        (at(&goldsky, 10, id(1)), at(&goldsky, 12, ""), 2..6),
        (at(&goldsky, 10, id(2)), at(&goldsky, 11, id(4)), 3..5),
        (at(&goldsky, 11, id(3)), at(&goldsky, 11, id(4)), 4..5),
        (at(&goldsky, 9, ""), at(&goldsky, 10, ""), 0..0),
    ] {
        let (events, _) = read_all(&goldsky, from.clone(), &to).await.unwrap();
        assert_eq!(numbers(&events), Vec::from_iter(expected), "{from} to {to}");
    }
    let page = goldsky.page(&at(&goldsky, 12, ""), &at(&goldsky, 12, "")).await.unwrap();
    assert_eq!((page.events.len(), page.next), (0, at(&goldsky, 12, "")));
}

#[tokio::test]
async fn what_is_no_order_is_refused() {
    let good = [row(10, 1), row(10, 2), row(11, 3)];
    let [a, b, c] = good.clone();
    let mut without_place = a.clone();
    without_place.as_object_mut().unwrap().remove("timestamp");
    for (rows, words) in [
        (vec![b.clone(), a.clone()], "out of order"),
        (vec![a.clone(), c.clone(), b.clone()], "out of order"),
        (vec![a.clone(), a.clone()], "repeated"),
        (vec![row(9, 1)], "out of order"),
        (vec![row(12, 1)], "behind the last second"),
        (vec![a.clone(), b.clone(), c.clone(), row(11, 4)], "more than the 3 rows"),
        (vec![without_place], "timestamp is missing"),
        (vec![json!({ "id": "", "timestamp": "10" })], "empty"),
        (vec![json!({ "id": "a", "timestamp": "10.0" })], "timestamp is no whole number"),
        (vec![json!(null)], "a row that is none"),
    ] {
        let answer = json!({ "orderFilledEvents": rows });
        let server = Server::scripted(vec![], move |_, _| Some(data_of(&answer))).await;
        let goldsky = with_pages_of(&server, 3);
        let error = goldsky.page(&at(&goldsky, 10, ""), &at(&goldsky, 12, "")).await.unwrap_err();
        assert!(matches!(error, SourceError::Untrusted { .. }), "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
    // At the cursor is before it.
    let answer = json!({ "orderFilledEvents": [a] });
    let id = good[0]["id"].as_str().unwrap().to_owned();
    let server = Server::scripted(vec![], move |_, _| Some(data_of(&answer))).await;
    let goldsky = source(&server);
    assert!(goldsky.page(&at(&goldsky, 10, &id), &at(&goldsky, 12, "")).await.is_err());
}

#[tokio::test]
async fn a_start_is_a_time_or_the_first_row_and_no_block() {
    let server = Server::of(vec![row(500, 1), row(400, 2)]).await;
    let goldsky = source(&server);
    assert_eq!(goldsky.resolve(&Start::Time(450)).await, Ok(at(&goldsky, 450, "")));
    assert_eq!(goldsky.resolve(&Start::Genesis).await, Ok(at(&goldsky, 400, "")));
    assert_eq!(goldsky.resolve(&Start::Latest).await, Ok(at(&goldsky, 501, "")));
    let error = goldsky.resolve(&Start::Block(85_000_000)).await.unwrap_err();
    assert_eq!(error.class(), crate::failure::FailureClass::Deterministic);
    assert!(error.to_string().contains("goldsky knows no blocks: pipeline.start = \"85000000\""), "{error}");
}

#[tokio::test]
async fn its_world_is_that_of_the_store_since_it_tells_none() {
    let server = Server::of(vec![]).await;
    let goldsky = source(&server);
    assert_eq!(goldsky.world().await.as_deref(), Ok("chain:137"));
    goldsky.remember("chain:4242", None);
    assert_eq!(goldsky.world().await.as_deref(), Ok("chain:4242"));
    assert_eq!(server.asked(), 0);
}

//! The source against a subgraph that follows a script, over a real socket.

mod failures;
mod freshness;
mod pages;
mod rows;
mod server;

use std::time::Duration;

use self::server::Server;
use super::{Goldsky, GoldskySection};
use crate::model::{DeadLetter, Fill};
use crate::source::{FillSource, Page, Position, SourceError};

/// A token that must never be shown.
const TOKEN: &str = "tok3n-of-a-private-endpoint";

fn section(server: &Server) -> GoldskySection {
    GoldskySection {
        url: server.url(),
        token: TOKEN.into(),
        timeout: Duration::from_secs(10),
        ..GoldskySection::default()
    }
}

fn source(server: &Server) -> Goldsky {
    Goldsky::new(&section(server)).unwrap()
}

/// A place, as it is kept.
fn at(goldsky: &Goldsky, second: u64, id: &str) -> Position {
    goldsky.position(&format!("{second:020}:{id}")).unwrap()
}

/// All events from a place to the end, and in how many pages.
async fn read_all(
    goldsky: &Goldsky,
    mut from: Position,
    end: &Position,
) -> Result<(Vec<Result<Fill, DeadLetter>>, usize), SourceError> {
    let (mut events, mut pages) = (Vec::new(), 0);
    while from < *end {
        let Page { events: more, next } = goldsky.page(&from, end).await?;
        assert!(next > from && more.iter().all(|event| event.next > from && event.next <= next), "{next}");
        for event in more {
            events.push(event.fill);
        }
        (from, pages) = (next, pages + 1);
    }
    assert_eq!(from, *end);
    Ok((events, pages))
}

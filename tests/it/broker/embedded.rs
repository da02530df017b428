//! The embedded broker in the conformance suite.

use std::sync::Arc;

use async_trait::async_trait;
use polytape::broker::{Broker, Group, Stream};
use polytape::flow::StreamId;
use rusqlite::Connection;

use super::conformance::{Loss, Rig, conformance};
use crate::support::store::Store;

pub struct Embedded(pub Store);

#[async_trait]
impl Rig for Embedded {
    async fn new() -> Self {
        Self(Store::new())
    }

    fn broker(&self) -> Arc<dyn Broker> {
        self.0.broker()
    }

    async fn restart(&mut self) {
        self.0.reopen();
    }

    async fn lose(&self, loss: Loss<'_>) {
        let file = self.0.file();
        match loss {
            Loss::Everything => {
                for table in ["broker", "cursors", "groups", "acknowledged_ahead"] {
                    file.execute(&format!("DELETE FROM {table}"), []).unwrap();
                }
                for stream in [Stream::of(StreamId::OrderEvents), Stream::of(StreamId::Trades)] {
                    lose_stream(&file, &stream);
                }
            }
            Loss::Stream(stream) => lose_stream(&file, stream),
            Loss::Group(Group { name, .. }) => {
                file.execute("DELETE FROM groups WHERE name = ?", [name]).unwrap();
            }
            Loss::Cursor(key) => {
                file.execute("DELETE FROM cursors WHERE key = ?", [key]).unwrap();
            }
        }
    }
}

fn lose_stream(file: &Connection, stream: &Stream) {
    let number = file.query_row("SELECT stream FROM streams WHERE name = ?", [stream.as_str()], |row| row.get(0));
    let number: i64 = number.unwrap();
    file.execute_batch(&format!("DROP TABLE entries_{number}")).unwrap();
    file.execute("DELETE FROM streams WHERE name = ?", [stream.as_str()]).unwrap();
}

conformance!(Embedded);

/// A group has one reader at a time: the one before it is told, and takes nothing more.
#[tokio::test]
async fn a_reader_is_told_that_another_took_over() {
    let rig = Embedded::new().await;
    let broker = super::conformance::begun(&rig).await;
    let entries = vec![super::conformance::entry(Stream::of(StreamId::OrderEvents), "a")];
    broker.append(entries, super::conformance::advance("0", "1")).await.unwrap();
    let mut first = broker.reader(&super::conformance::input()).await.unwrap();
    let mut second = broker.reader(&super::conformance::input()).await.unwrap();
    let error = first.read(1, 1, std::time::Duration::ZERO).await.unwrap_err();
    assert!(matches!(error, polytape::broker::BrokerError::Superseded(_)), "{error}");
    assert_eq!(second.read(1, 1, std::time::Duration::ZERO).await.unwrap().len(), 1);
}

/// The file outlives its processes: the ledgers in memory must be the same when they are made anew.
#[tokio::test]
async fn the_ledger_is_the_same_after_a_restart() {
    let mut rig = Embedded::new().await;
    super::conformance::ledger_after_restart(&mut rig).await;
    let entries: u64 = rig.0.file().query_row("SELECT count(*) FROM entries_1", [], |row| row.get(0)).unwrap();
    let stream = rig.broker();
    stream.join(&super::conformance::layout()).await.unwrap();
    assert_eq!(stream.stream(&Stream::of(StreamId::OrderEvents)).await.unwrap().events, entries);
}

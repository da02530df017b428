//! Keeps the streams short, and never removes what a group has not acknowledged.
//!
//! A replay's group counts, too, as long as there is room: where a stream gets full, or the memory of Redis, live work goes first.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::gauge::Gauge;
use super::job::Board;
use super::life::Life;
use crate::broker::{BrokerError, Group, Keep, Memory};

const INTERVAL: Duration = Duration::from_millis(250);

/// Trims every stream now and then, until cancelled. Above `full` bytes it respects no replays. While memory is tight there is no
/// room to keep what everybody has read.
pub(super) async fn run(life: Arc<Life>, board: Arc<Board>, keep: Keep, full: u64, end: CancellationToken) {
    let mut memory = Gauge::new(Arc::clone(&life.broker));
    while end.run_until_cancelled(tokio::time::sleep(INTERVAL)).await.is_some() {
        let keep =
            if memory.from(Memory::TIGHT).await.is_some() { Keep { age: Duration::ZERO, bytes: 0 } } else { keep };
        let full = if memory.from(Memory::FULL).await.is_some() { 0 } else { full };
        for group in life.groups.all() {
            loop {
                match trim(&life, group, &board, keep, full).await {
                    Ok(0) | Err(BrokerError::Lost(_)) => break,
                    Ok(removed) => tracing::debug!("{}: {removed} old entries removed", group.stream),
                    Err(error) => {
                        tracing::warn!("{} cannot be trimmed: {error}", group.stream);
                        break;
                    }
                }
                if end.is_cancelled() {
                    return;
                }
            }
        }
    }
}

async fn trim(life: &Life, group: &Group, board: &Board, keep: Keep, full: u64) -> Result<usize, BrokerError> {
    let stream = &group.stream;
    let replays = board.groups(life).into_iter().filter(|replay| replay.stream == *stream);
    let mut required: Vec<Group> = std::iter::once(group.clone()).chain(replays).collect();
    let makes_room = required.len() > 1 && life.broker.stream(stream).await?.bytes >= full;
    if makes_room {
        required.truncate(1);
    }
    if !makes_room {
        return life.broker.trim(stream, &required, keep).await;
    }
    let before = board.left(stream, life).await;
    let removed = life.broker.trim(stream, &required, keep).await;
    if !matches!(removed, Ok(0)) {
        board.note_robbed(before, life).await;
    }
    removed
}

//! The committed watermark: every event before it is in the warehouse.
//!
//! A barrier, read downstream: the cursor and the newest input of that moment; then, once the processor is clear of
//! that input, the newest outputs; and once their writers are clear of those, the cursor of the beginning is true of
//! the tables.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::StageError;
use super::life::{Life, read_position};
use super::status::Progress;
use crate::broker::{BrokerError, EntryId, Group};

/// How often to look whether a group is clear.
const POLL: Duration = Duration::from_millis(25);

/// How often the watermark is written down, at most.
const INTERVAL: Duration = Duration::from_millis(250);

/// Moves the watermark until cancelled.
pub(super) async fn run(life: Arc<Life>, progress: Arc<watch::Sender<Progress>>, end: CancellationToken) {
    let (mut written, mut told) = (None, String::new());
    loop {
        match end.run_until_cancelled(advance(&life, &progress, &mut written)).await {
            None => return,
            Some(Ok(())) => told.clear(),
            // Whoever lost the streams puts them right, and the barrier begins anew.
            Some(Err(StageError::Broker(BrokerError::Lost(_)))) => {}
            Some(Err(error)) => {
                let error = error.to_string();
                if told != error {
                    tracing::warn!("the watermark stands: {error}");
                    told = error;
                }
            }
        }
        if end.run_until_cancelled(tokio::time::sleep(INTERVAL)).await.is_none() {
            return;
        }
    }
}

async fn advance(
    life: &Life,
    progress: &watch::Sender<Progress>,
    written: &mut Option<String>,
) -> Result<(), StageError> {
    let groups = &life.groups;
    let key = life.cursor_key();
    let mark = life.broker.mark(&key, &groups.trade_processors.stream).await?;
    let Some(cursor) = mark.cursor.clone().filter(|cursor| written.as_ref() != Some(cursor)) else { return Ok(()) };
    until_clear(life, &groups.trade_processors, mark.last_id).await?;
    for writers in [&groups.trade_writers, &groups.dead_letter_writers] {
        let output = life.broker.stream(&writers.stream).await?.last_id;
        until_clear(life, writers, output).await?;
    }
    // Where the streams began anew meanwhile, what was waited for says nothing.
    if life.broker.mark(&key, &groups.trade_processors.stream).await?.generation != mark.generation {
        return Ok(());
    }
    let Some(checkpoint) = life.checkpoint().await? else { return Ok(()) };
    let position = read_position(&key, &cursor)?;
    let before = read_position("the watermark", &checkpoint.watermark)?;
    if position > before {
        let watermark = cursor.clone();
        life.set_checkpoint(&crate::warehouse::Checkpoint { watermark, ..checkpoint }).await?;
    }
    *written = Some(cursor);
    progress.send_modify(|progress| progress.watermark = Some(position.max(before)));
    Ok(())
}

async fn until_clear(life: &Life, group: &Group, id: EntryId) -> Result<(), StageError> {
    while !life.broker.is_clear(group, id).await? {
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}

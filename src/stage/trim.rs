//! Keeps the streams short, and never removes what a group has not acknowledged.
//!
//! A replay's group counts, too, as long as there is room: where a stream gets full, or the memory of Redis, live work goes
//! first. Every process trims all streams.

use std::slice;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::gauge::Gauge;
use super::life::Life;
use crate::broker::{BrokerError, Keep, Memory};

const INTERVAL: Duration = Duration::from_millis(250);

/// Trims every stream now and then, until cancelled. While memory is tight there is no room to keep what everybody has read.
pub(super) async fn run(life: Arc<Life>, keep: Keep, end: CancellationToken) {
    let mut memory = Gauge::new(Arc::clone(&life.broker));
    while end.run_until_cancelled(tokio::time::sleep(INTERVAL)).await.is_some() {
        if !life.agreement.is_reached() {
            continue;
        }
        let is_tight = memory.from(Memory::TIGHT).await.is_some();
        let keep = if is_tight { Keep { age: Duration::ZERO, bytes: 0, ..keep } } else { keep };
        let full = if memory.from(Memory::FULL).await.is_some() { 0 } else { keep.full };
        let keep = Keep { full, ..keep };
        for group in life.groups.all() {
            loop {
                match life.broker.trim(&group.stream, slice::from_ref(group), keep).await {
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

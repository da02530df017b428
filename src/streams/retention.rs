//! Keeps the streams short, and never removes what a group has not acknowledged.
//!
//! A replay's group counts, too, as long as there is room: where a stream gets full, or the memory of Redis, live work goes
//! first. Every process trims all streams.

use std::{slice, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use crate::broker::{BrokerError, Group, Memory, Retention};
use crate::streams::{error::StageError, memory::MemoryProbe, session::Session};
use crate::{backoff::Backoff, flow::StreamId};

const INTERVAL: Duration = Duration::from_millis(250);

/// Trims every stream now and then, until cancelled. While memory is tight there is no room to keep what everybody has read.
pub(crate) async fn run(session: Arc<Session>, keep: Retention, end: CancellationToken) {
    let mut memory = MemoryProbe::new(Arc::clone(&session.broker));
    let (mut backoff, mut told) = (Backoff::default(), String::new());
    let mut failed: Option<StageError> = None;
    loop {
        let pause = session.breakers.pause(failed.as_ref(), &mut backoff, INTERVAL);
        if end.run_until_cancelled(pause).await.is_none() {
            return;
        }
        failed = None;
        if !session.agreement.is_reached() {
            continue;
        }
        let is_tight = memory.from(Memory::TIGHT).await.is_some();
        let keep = if is_tight { Retention { age: Duration::ZERO, bytes: 0, ..keep } } else { keep };
        let full = if memory.from(Memory::FULL).await.is_some() { 0 } else { keep.full };
        let keep = Retention { full, ..keep };
        'streams: for group in StreamId::ALL.map(Group::of) {
            loop {
                match session.broker.trim(&group.stream, slice::from_ref(&group), keep).await {
                    Ok(0) | Err(BrokerError::Lost(_)) => break,
                    Ok(removed) => tracing::debug!("{}: {removed} old entries removed", group.stream),
                    Err(error) => {
                        // Once, and not for every stream: what it waits for is told by others, too.
                        let error = StageError::from(error);
                        let cause = session.breakers.words(&error);
                        if told != cause {
                            tracing::warn!("{} could not be trimmed: {cause}", group.stream);
                            told = cause;
                        }
                        failed = Some(error);
                        break 'streams;
                    }
                }
                if end.is_cancelled() {
                    return;
                }
            }
        }
        if failed.is_none() {
            backoff.reset();
            told.clear();
        }
    }
}

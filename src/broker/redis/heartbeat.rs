//! The heartbeat of this process.
//!
//! `proc:<consumer>` expires unless it is renewed; then other consumers claim what this one has pending. It is renewed while a
//! writer waits for the warehouse, too, which so keeps its batch.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::{runtime::Handle, task::JoinHandle};

use super::link::Link;
use super::script::{Call, DEREGISTER, HEARTBEAT};
use crate::backoff::Backoff;

/// How long a process counts as alive after a heartbeat: less than the 15 seconds within which others have its
/// entries, so that there is time to notice.
pub(super) const TTL: Duration = Duration::from_millis(14_500);

const HEARTBEAT_EVERY: Duration = Duration::from_secs(5);

/// How long deregistering may take at the end of a process.
const DEREGISTER_WITHIN: Duration = Duration::from_secs(2);

/// Renews the key of this process until it is dropped.
pub(super) struct Heartbeat {
    link: Arc<Link>,
    key: String,
    /// Tells this process from another that has taken its name.
    process: String,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Heartbeat {
    /// Begins to beat. Within a runtime.
    pub(super) fn start(link: Arc<Link>, key: String, process: String) -> Self {
        let call = with_ttl(HEARTBEAT.call().key(key.clone()).argument(process.clone()));
        let task = {
            let link = Arc::clone(&link);
            tokio::spawn(async move {
                let mut backoff = Backoff::default();
                loop {
                    match link.run(&call).await {
                        Ok(_) => {
                            backoff.reset();
                            tokio::time::sleep(HEARTBEAT_EVERY).await;
                        }
                        Err(error) => {
                            tracing::debug!("heartbeat failed: {error}");
                            tokio::select! {
                                () = tokio::time::sleep(backoff.next().min(HEARTBEAT_EVERY)) => {}
                                () = link.breaker().worth_asking() => {}
                            }
                        }
                    }
                }
            })
        };
        Self { link, key, process, task: Mutex::new(Some(task)) }
    }

    /// Renews it no more: when this returns nothing of it is under way.
    pub(super) async fn stop(&self) {
        let task = self.task.lock().take();
        if let Some(task) = task {
            task.abort();
            let _ = task.await;
        }
    }
}

impl Drop for Heartbeat {
    /// Others need not wait for the key to expire. Where this does not succeed, they do.
    fn drop(&mut self) {
        if let Some(task) = self.task.lock().take() {
            task.abort();
        }
        let Ok(runtime) = Handle::try_current() else { return };
        let link = Arc::clone(&self.link);
        let deregister = DEREGISTER.call().key(self.key.clone()).argument(self.process.clone());
        runtime.spawn(async move {
            let _ = tokio::time::timeout(DEREGISTER_WITHIN, link.run(&deregister)).await;
        });
    }
}

/// For how long a sign of life holds, as an argument.
pub(super) fn with_ttl(call: Call) -> Call {
    call.number(TTL.as_millis())
}

//! Says that this process lives, as long as it does.
//!
//! `proc:<consumer>` expires when nobody renews it, and then others take what the consumer held. A writer that waits for
//! the warehouse goes on renewing it, and so keeps its batch.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::link::Link;
use super::script::{BEAT, Call, FAREWELL};
use crate::backoff::Backoff;

/// For how long a process is taken to live after a sign of life: less than the 15 seconds within which others have its
/// entries, so that there is time to notice.
pub(super) const LIFE: Duration = Duration::from_millis(14_500);

const BEAT_EVERY: Duration = Duration::from_secs(5);

/// How long a process that ends may take to say so.
const FAREWELL_WITHIN: Duration = Duration::from_secs(2);

/// Beats until it is dropped.
pub(super) struct Heart {
    link: Arc<Link>,
    key: String,
    /// Tells this process from another that has taken its name.
    process: String,
    beating: JoinHandle<()>,
}

impl Heart {
    /// Begins to beat. Within a runtime.
    pub(super) fn start(link: Arc<Link>, key: String, process: String) -> Self {
        let beat = with_life(BEAT.call().key(key.clone()).argument(process.clone()));
        let beating = {
            let link = Arc::clone(&link);
            tokio::spawn(async move {
                let mut backoff = Backoff::default();
                loop {
                    match link.run(&beat).await {
                        Ok(_) => {
                            backoff.reset();
                            tokio::time::sleep(BEAT_EVERY).await;
                        }
                        Err(error) => {
                            tracing::debug!("no sign of life: {error}");
                            tokio::select! {
                                () = tokio::time::sleep(backoff.next().min(BEAT_EVERY)) => {}
                                () = link.breaker().worth_asking() => {}
                            }
                        }
                    }
                }
            })
        };
        Self { link, key, process, beating }
    }
}

impl Drop for Heart {
    /// Others need not wait for the key to expire. Where this does not succeed, they do.
    fn drop(&mut self) {
        self.beating.abort();
        let Ok(runtime) = Handle::try_current() else { return };
        let link = Arc::clone(&self.link);
        let farewell = FAREWELL.call().key(self.key.clone()).argument(self.process.clone());
        runtime.spawn(async move {
            let _ = tokio::time::timeout(FAREWELL_WITHIN, link.run(&farewell)).await;
        });
    }
}

/// For how long a sign of life holds, as an argument.
pub(super) fn with_life(call: Call) -> Call {
    call.number(LIFE.as_millis())
}

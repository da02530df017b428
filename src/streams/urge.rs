//! Somebody waits for the end of what is under way: whoever rests meanwhile looks at once.
//!
//! It only cuts rests short. What is looked at, and what must be proved before it counts, is the same.

use tokio::sync::watch;

/// Clones urge the same ones.
#[derive(Clone, Debug)]
pub(crate) struct Urge(watch::Sender<()>);

impl Default for Urge {
    fn default() -> Self {
        Self(watch::Sender::new(()))
    }
}

impl Urge {
    /// Cuts all rests short that go on now. A rest that begins later takes its time.
    pub(crate) fn now(&self) {
        self.0.send_replace(());
    }

    /// Ends when somebody urges from now on.
    pub(crate) async fn come(&self) {
        // The sender is here, so it is not gone.
        let _ = self.0.subscribe().changed().await;
    }

    /// A rest, or as much of it as there is time for. Says whether it was cut short.
    pub(crate) async fn cuts(&self, rest: impl Future<Output = ()>) -> bool {
        tokio::select! {
            biased;
            () = self.come() => true,
            () = rest => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{Instant, sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_rest_ends_when_somebody_urges() {
        let urge = Urge::default();
        urge.now();
        let start = Instant::now();
        assert!(!urge.cuts(sleep(Duration::from_secs(1))).await, "what was urged before says nothing");
        assert_eq!(start.elapsed(), Duration::from_secs(1));
        let other = urge.clone();
        let rests = tokio::spawn(async move { other.cuts(std::future::pending()).await });
        tokio::task::yield_now().await;
        urge.now();
        assert!(rests.await.unwrap());
    }
}

//! Keeps in the warehouse since which block what a provider delivered rests on its word alone.
//!
//! A provider that is found to leave something out is believed nothing of that, and it is read again. What was known of it
//! must outlive a kill: it may be found after the next start.

use std::collections::{BTreeMap, HashMap};
use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::{streams::session::Session, warehouse::WarehouseError};

/// What the names begin with under which it is kept.
const PREFIX: &str = "unproved:";

/// What is kept where nothing rests on a provider any more.
const NOTHING: &str = "none";

/// A beginning that moved up is kept this often: an older one only means that more is read again.
const EVERY: Duration = Duration::from_secs(60);

/// What is kept, as far as this process knows.
pub(crate) struct Unproved {
    session: Arc<Session>,
    is_recalled: bool,
    /// What this process has kept, and when.
    kept: BTreeMap<String, (Option<u64>, Instant)>,
}

impl Unproved {
    pub(crate) fn new(session: Arc<Session>) -> Self {
        Self { session, is_recalled: false, kept: BTreeMap::new() }
    }

    /// Tells the source what earlier processes knew. Says whether it knows.
    pub(crate) async fn restore(&mut self) -> bool {
        if !self.is_recalled && self.session.agreement.is_reached() {
            match self.session.warehouse.desired_states(&self.session.pipeline).await {
                Ok(words) => {
                    self.session.chain.source.restore(&restored(&words));
                    self.is_recalled = true;
                }
                Err(error) => tracing::debug!(%error, "what rests on one provider's word alone is not known yet"),
            }
        }
        self.is_recalled
    }

    /// Keeps what has changed since the last time.
    pub(crate) async fn keep(&mut self) {
        if self.is_recalled
            && let Err(error) = self.keep_changes().await
        {
            tracing::debug!(%error, "what rests on one provider's word alone is not kept yet");
        }
    }

    async fn keep_changes(&mut self) -> Result<(), WarehouseError> {
        let Session { warehouse, pipeline, chain, .. } = &*self.session;
        // Two providers of one name are one.
        let mut all: BTreeMap<String, Option<u64>> = BTreeMap::new();
        for (name, begin) in chain.source.unproved() {
            let known = all.entry(name).or_default();
            *known = (*known).into_iter().chain(begin).min();
        }
        let now = Instant::now();
        for (name, begin) in all {
            if !is_due(self.kept.get(&name), begin, now) {
                continue;
            }
            let word = begin.map_or_else(|| NOTHING.to_owned(), |begin| begin.to_string());
            warehouse.set_desired_state(pipeline, &format!("{PREFIX}{name}"), &word).await?;
            self.kept.insert(name, (begin, now));
        }
        Ok(())
    }
}

fn restored(words: &HashMap<String, String>) -> HashMap<String, u64> {
    words.iter().filter_map(|(name, word)| Some((name.strip_prefix(PREFIX)?.to_owned(), word.parse().ok()?))).collect()
}

/// Whether a beginning is to be kept, where another one is.
fn is_due(kept: Option<&(Option<u64>, Instant)>, begin: Option<u64>, now: Instant) -> bool {
    match (kept, begin) {
        // A process that reads nothing has nothing to say of it.
        (None, begin) => begin.is_some(),
        (Some((None, _)), begin) => begin.is_some(),
        (Some((Some(kept), _)), Some(begin)) if begin < *kept => true,
        (Some((kept, at)), begin) => *kept != begin && now.duration_since(*at) >= EVERY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_earlier_is_kept_at_once_and_what_is_later_now_and_then() {
        let then = Instant::now();
        let (soon, late) = (then + Duration::from_secs(1), then + EVERY);
        let kept = |begin| Some((begin, then));
        let table = [
            (None, None, late, false),
            (None, Some(7), soon, true),
            (kept(None), None, late, false),
            (kept(None), Some(7), soon, true),
            (kept(Some(7)), Some(6), soon, true),
            (kept(Some(7)), Some(7), late, false),
            (kept(Some(7)), Some(8), soon, false),
            (kept(Some(7)), Some(8), late, true),
            (kept(Some(7)), None, soon, false),
            (kept(Some(7)), None, late, true),
        ];
        for (kept, begin, now, due) in table {
            assert_eq!(is_due(kept.as_ref(), begin, now), due, "{kept:?} {begin:?}");
        }
    }

    #[test]
    fn only_what_is_about_providers_is_read() {
        let words = [("unproved:a:80", "7"), ("unproved:b", NOTHING), ("ingest-fills", "pause"), ("c", "9")];
        let words = words.map(|(name, word)| (name.to_owned(), word.to_owned())).into();
        assert_eq!(restored(&words), HashMap::from([("a:80".to_owned(), 7)]));
    }
}

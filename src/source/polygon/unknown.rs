//! **Surprises**: at the start and once an hour some blocks are read without naming events.

use std::time::{Duration, Instant};

use super::list::{self, Said};
use super::{
    confirmed::Confirmed, endpoint::Endpoint, events, failure::Failure, failure::Result, filter, log::ReadLog,
    nodes::Polygon,
};
use crate::model::Exchange;

/// How often some blocks are read without naming events.
const EVERY: Duration = Duration::from_secs(60 * 60);

/// After a failure it is tried again.
const AGAIN: Duration = Duration::from_secs(60);

/// How many blocks are read so, up to the head.
const BLOCKS: u64 = 8;

impl Polygon {
    /// Reads some blocks without naming events, if that is due.
    pub(super) async fn look_for_unknown(&self) {
        let now = Instant::now();
        let Some(head) = self.shared.lock().head.map(Confirmed::block) else { return };
        if !self.surprises.lock().is_due(now) {
            return;
        }
        self.surprises.lock().look_at(now + AGAIN);
        let Some(endpoint) = self.endpoints.iter().find(|endpoint| endpoint.may_ask(now)) else { return };
        match self.unknown_in(endpoint, head.saturating_sub(BLOCKS - 1), head).await {
            Ok(()) => self.surprises.lock().look_at(now + EVERY),
            Err(failure) => tracing::debug!(endpoint = endpoint.name(), ?failure, "no look at all events"),
        }
    }

    async fn unknown_in(&self, endpoint: &Endpoint, from: u64, to: u64) -> Result<()> {
        self.check_chain(endpoint).await?;
        let json = endpoint.one(filter::all_events(from, to)).await?;
        let Said::Logs(logs) = list::read(&json).map_err(Failure::Untrusted)? else { return Ok(()) };
        for raw in logs.iter().filter_map(ReadLog::other) {
            let (Some(exchange), Some(signature)) = (Exchange::at(raw.address), raw.topics.first()) else { continue };
            if events::is_known(signature) {
                continue;
            }
            self.surprises.lock().note_unknown(exchange, *signature, raw.block_number);
        }
        Ok(())
    }
}

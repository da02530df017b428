//! `process-trades`: makes trades of fills, `stream:order_events` to `stream:trades`, or to the stream that their source has for its own.
//!
//! A fill whose token is unknown goes on at once, as what is known of it: nothing here waits for a market. The resolver
//! completes its row later.

use std::sync::Arc;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::broker::{AckAndForward, Delivery, EntryId, Group, MAX_BYTES, MAX_ENTRIES, NewEntry, Reader, Stream};
use crate::flow::{StageId, StreamId};
use crate::model::{Fill, GoldskyTrade, Trade, entry::Entry};
use crate::stage::step::{Stage, Step};
use crate::stage::{refusals::Refusals, write, write::READ_WAIT};
use crate::streams::token_cache::{PartialResolutions, TokenCache};
use crate::streams::{StageError, backpressure::Backpressure, session::Session};

pub(crate) struct ProcessTrades {
    session: Arc<Session>,
    group: Group,
    /// Where a replay ends.
    up_to: Option<EntryId>,
    reader: Box<dyn Reader>,
    backpressure: Backpressure,
    tokens: TokenCache,
    /// What was read and not forwarded yet.
    in_hand: Vec<Delivery>,
    /// How many entries in a row were damaged, also over reads.
    refusals: Refusals,
}

impl ProcessTrades {
    /// One that reads its stream, or for a group of its own a part of it again, up to an entry. Its trades go where all trades go.
    pub(crate) async fn open(
        session: Arc<Session>,
        backpressure: Backpressure,
        group: Group,
        up_to: Option<EntryId>,
    ) -> Result<Self, StageError> {
        session.enter().await?;
        let reader = session.broker.reader(&group).await?;
        let tokens = TokenCache::new(session.warehouse.clone());
        Ok(Self {
            session,
            group,
            up_to,
            reader,
            backpressure,
            tokens,
            in_hand: Vec::new(),
            refusals: Refusals::default(),
        })
    }
}

#[async_trait]
impl Stage for ProcessTrades {
    async fn step(&mut self, drain: &CancellationToken) -> Result<Step, StageError> {
        if self.refusals.asks_for_newest() {
            self.refusals.skip_up_to(self.session.broker.stream(&self.group.stream).await?.last_id);
        }
        if self.in_hand.is_empty() {
            // Half of what a forward carries, since a trade is larger than its fill.
            let read = self.reader.read(MAX_ENTRIES, MAX_BYTES / 2, READ_WAIT);
            let Some(read) = drain.run_until_cancelled(read).await else { return Ok(Step::Idle) };
            self.in_hand = write::within(read?, self.up_to);
        }
        if self.in_hand.is_empty() {
            // What is behind the end of a replay is left, and what is before it comes at once.
            return Ok(if self.up_to.is_some() { Step::Done } else { Step::Idle });
        }
        if let Some(cause) = self.backpressure.wait(drain).await? {
            return Ok(Step::Wait(cause));
        }
        let group = &self.group;
        let from = group.stream.as_str();
        let (mut fills, mut damaged) = (Vec::with_capacity(self.in_hand.len()), Vec::new());
        for Delivery { id, body } in &self.in_hand {
            match write::decode::<Fill>(from, body)? {
                Ok(fill) => fills.push((*id, fill)),
                Err(error) => {
                    let reason = error.to_string();
                    let letter = write::dead_letter_entry(StageId::ProcessTrades, from, None, body, &reason);
                    damaged.push(AckAndForward { id: *id, outputs: vec![letter] });
                }
            }
        }
        let refusals = write::check_damage(self.refusals, fills.len(), &damaged)?;
        self.tokens.look_up(fills.iter().map(|(_, fill)| fill)).await;
        let forward =
            |(id, fill)| AckAndForward { id, outputs: vec![trade_of(fill, &self.tokens, &self.session.partial)] };
        let mut forwards: Vec<AckAndForward> = fills.into_iter().map(forward).collect();
        forwards.append(&mut damaged);
        let forwarded = self.session.broker.forward(group, forwards).await?;
        let last = self.in_hand.iter().map(|delivery| delivery.id).max();
        self.in_hand.clear();
        self.refusals = refusals.settled(last);
        Ok(Step::Moved(forwarded as u64))
    }

    fn in_hand(&self) -> bool {
        !self.in_hand.is_empty()
    }

    fn skip_bad(&mut self) {
        self.refusals.skip();
    }
}

/// The trade of a fill, with what is known of its token.
fn trade_of(fill: Fill, tokens: &TokenCache, partial: &PartialResolutions) -> NewEntry {
    let stream = if GoldskyTrade::has(&fill) { StreamId::GoldskyTrades } else { StreamId::Trades };
    let resolution = tokens.resolution(&fill, partial);
    let fill = Fill { outcome_slot: tokens.outcome_slot(&fill, &resolution), ..fill };
    let trade = Trade { fill, resolution };
    NewEntry { stream: Stream::of(stream), body: trade.encode() }
}

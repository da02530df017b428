//! `process-trades`: makes trades of fills, `stream:order_events` to `stream:trades`.
//!
//! A fill whose token is unknown goes on at once, as what is known of it: nothing here waits for a market. The resolver
//! completes its row later.

use std::sync::Arc;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::life::Life;
use super::refusals::Refusals;
use super::room::Room;
use super::token_cache::{Partly, TokenCache};
use super::write::READ_WAIT;
use super::{Stage, StageError, StageName, Step, write};
use crate::broker::{Delivery, EntryId, Group, Handover, MAX_BYTES, MAX_ENTRIES, NewEntry, Reader, Stream};
use crate::model::entry::Entry;
use crate::model::{Fill, Trade};

pub(super) struct ProcessTrades {
    life: Arc<Life>,
    group: Group,
    /// Where a replay ends.
    up_to: Option<EntryId>,
    reader: Box<dyn Reader>,
    room: Room,
    tokens: TokenCache,
    /// What was read and not forwarded yet.
    in_hand: Vec<Delivery>,
    /// How many entries in a row were damaged, also over reads.
    refusals: Refusals,
}

impl ProcessTrades {
    pub(super) async fn open(life: Arc<Life>, room: Room) -> Result<Self, StageError> {
        let group = life.groups.trade_processors.clone();
        Self::with_group(life, room, group, None).await
    }

    /// One that does a part of the stream again, for a group of its own. Its trades go where all trades go.
    pub(super) async fn replay(life: Arc<Life>, room: Room, group: Group, up_to: EntryId) -> Result<Self, StageError> {
        Self::with_group(life, room, group, Some(up_to)).await
    }

    async fn with_group(life: Arc<Life>, room: Room, group: Group, up_to: Option<EntryId>) -> Result<Self, StageError> {
        life.enter().await?;
        let reader = life.broker.reader(&group).await?;
        let tokens = TokenCache::new(Arc::clone(&life.warehouse));
        Ok(Self { life, group, up_to, reader, room, tokens, in_hand: Vec::new(), refusals: Refusals::default() })
    }
}

#[async_trait]
impl Stage for ProcessTrades {
    async fn step(&mut self, drain: &CancellationToken) -> Result<Step, StageError> {
        if self.refusals.asks_for_newest() {
            self.refusals.skip_up_to(self.life.broker.stream(&self.group.stream).await?.last_id);
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
        if let Some(cause) = self.room.wait(drain).await? {
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
                    let letter = write::dead_letter_entry(StageName::ProcessTrades, from, None, body, &reason);
                    damaged.push(Handover { id: *id, outputs: vec![letter] });
                }
            }
        }
        let refusals = write::check_damage(self.refusals, fills.len(), &damaged)?;
        self.tokens.look_up(fills.iter().map(|(_, fill)| fill)).await;
        let handover = |(id, fill)| Handover { id, outputs: vec![trade_of(fill, &self.tokens, &self.life.partly)] };
        let mut handovers: Vec<Handover> = fills.into_iter().map(handover).collect();
        handovers.append(&mut damaged);
        let forwarded = self.life.broker.forward(group, handovers).await?;
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
fn trade_of(fill: Fill, tokens: &TokenCache, partly: &Partly) -> NewEntry {
    let trade = Trade { resolution: tokens.resolution(&fill, partly), fill };
    NewEntry { stream: Stream::trades(), body: trade.encode() }
}

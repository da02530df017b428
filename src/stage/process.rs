//! `process-trades`: makes trades of fills, `stream:order_events` to `stream:trades`, or to the stream that their source has for its own.
//!
//! A fill whose token is unknown goes on at once, as what is known of it: nothing here waits for a market. The resolver
//! completes its row later. An entry of fills becomes entries of as many trades.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::broker::{AckAndForward, Delivery, EntryId, Group, MAX_BYTES, NewEntry, Reader, Stream};
use crate::flow::{StageId, StreamId};
use crate::model::entry::{MAX_EVENTS, Packer};
use crate::model::{Fill, GoldskyTrade, Trade};
use crate::stage::step::{Stage, Step};
use crate::stage::unpack::{Unpacked, letter_entry, unpack};
use crate::stage::{portions::portions, portions::within, refusals::Refusals, write::READ_WAIT};
use crate::streams::rereads::{Damaged, read_again};
use crate::streams::token_cache::{PartialResolutions, TokenCache};
use crate::streams::{StageError, backpressure::Backpressure, session::Session};

/// Fills that are read at once, about.
const READ_EVENTS: usize = 8 * MAX_EVENTS;

pub(crate) struct ProcessTrades {
    session: Arc<Session>,
    group: Group,
    /// Where a replay ends.
    up_to: Option<EntryId>,
    reader: Box<dyn Reader>,
    backpressure: Backpressure,
    /// Events of an entry, at most.
    batch: usize,
    tokens: TokenCache,
    /// What was read and not forwarded yet.
    in_hand: Vec<Delivery>,
    /// What is read while that is forwarded.
    next: Vec<Delivery>,
    /// How many entries in a row were damaged, also over reads.
    refusals: Refusals,
}

impl ProcessTrades {
    /// One that reads its stream, or for a group of its own a part of it again, up to an entry. Its trades go where all trades go.
    pub(crate) async fn open(
        session: Arc<Session>,
        backpressure: Backpressure,
        batch: usize,
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
            batch,
            tokens,
            in_hand: Vec::new(),
            next: Vec::new(),
            refusals: Refusals::default(),
        })
    }

    /// What is in hand, unpacked, and how many in a row were no good behind it.
    fn unpack(&self) -> Result<(Vec<Unpacked<Fill>>, Refusals), StageError> {
        let stream = &self.group.stream;
        let unpack = |Delivery { id, body }: &Delivery| unpack(StageId::ProcessTrades, stream, *id, body);
        let unpacked = self.in_hand.iter().map(unpack).collect::<Result<Vec<_>, StageError>>()?;
        let good = unpacked.iter().map(|unpacked| unpacked.events.len()).sum();
        let bad = unpacked.iter().map(|unpacked| unpacked.letters.len()).sum();
        Ok((unpacked, self.refusals.counted(good, bad)?))
    }
}

#[async_trait]
impl Stage for ProcessTrades {
    async fn step(&mut self, drain: &CancellationToken) -> Result<Step, StageError> {
        if self.refusals.asks_for_newest() {
            self.refusals.skip_up_to(self.session.broker.stream(&self.group.stream).await?.last_id);
        }
        if self.in_hand.is_empty() {
            self.in_hand = std::mem::take(&mut self.next);
        }
        if self.in_hand.is_empty() {
            // Half of what a forward carries, since a trade is larger than its fill.
            let read = self.reader.read(READ_EVENTS, MAX_BYTES / 2, READ_WAIT);
            let Some(read) = drain.run_until_cancelled(read).await else { return Ok(Step::Idle) };
            self.in_hand = within(read?, self.up_to);
        }
        if self.in_hand.is_empty() {
            // What is behind the end of a replay is left, and what is before it comes at once.
            return Ok(if self.up_to.is_some() { Step::Done } else { Step::Idle });
        }
        // A trade is a fill and what is known of its token.
        let bytes = 2 * self.in_hand.iter().map(|delivery| delivery.body.len()).sum::<usize>();
        if let Some(cause) = self.backpressure.wait(drain, bytes).await? {
            return Ok(Step::Wait(cause));
        }
        let (unpacked, refusals) = self.unpack()?;
        self.tokens.look_up(unpacked.iter().flat_map(|unpacked| &unpacked.events)).await;
        let mut forwards = Vec::with_capacity(unpacked.len());
        let damaged: Vec<&Damaged> = unpacked.iter().filter_map(|unpacked| unpacked.damaged.as_ref()).collect();
        read_again(&self.session, &damaged).await?;
        for Unpacked { id, events, letters, .. } in unpacked {
            let mut outputs = trades_of(events, self.batch, &self.tokens, &self.session.partial);
            outputs.extend(letters.iter().map(letter_entry));
            forwards.push(AckAndForward { id, outputs });
        }
        let (session, group) = (&self.session, &self.group);
        let forwarding = async {
            let mut forwarded = 0;
            for portion in portions(forwards) {
                forwarded += session.broker.forward(group, portion).await?;
            }
            Ok::<_, StageError>(Step::Moved(forwarded as u64))
        };
        let moved = match drain.is_cancelled() || !self.next.is_empty() {
            true => forwarding.await?,
            false => {
                let reading = self.reader.read(READ_EVENTS, MAX_BYTES / 2, Duration::ZERO);
                let (forwarded, read) = tokio::join!(forwarding, reading);
                // What keeps it from being read is told by the next read.
                self.next = within(read.unwrap_or_default(), self.up_to);
                forwarded?
            }
        };
        self.refusals = refusals.settled(self.in_hand.iter().map(|delivery| delivery.id).max());
        self.in_hand.clear();
        Ok(moved)
    }

    fn in_hand(&self) -> bool {
        !self.in_hand.is_empty() || !self.next.is_empty()
    }

    fn skip_bad(&mut self) {
        self.refusals.skip();
    }
}

/// The trades of fills, with what is known of their tokens, as entries.
fn trades_of(fills: Vec<Fill>, batch: usize, tokens: &TokenCache, partial: &PartialResolutions) -> Vec<NewEntry> {
    let mut packers = [StreamId::Trades, StreamId::GoldskyTrades].map(|stream| (stream, Packer::new(batch)));
    let mut entries = Vec::with_capacity(1);
    let mut add = |stream, body: Option<Vec<u8>>| {
        entries.extend(body.map(|body| NewEntry { stream: Stream::of(stream), body }));
    };
    for fill in fills {
        let (stream, packer) = &mut packers[usize::from(GoldskyTrade::has(&fill))];
        let resolution = tokens.resolution(&fill, partial);
        let fill = Fill { outcome_slot: tokens.outcome_slot(&fill, &resolution), ..fill };
        add(*stream, packer.push(&Trade { fill, resolution }));
    }
    for (stream, mut packer) in packers {
        add(stream, packer.finish());
    }
    entries
}

//! What is known in memory of a stream and its groups: sizes, and what is given out.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::watch;

use crate::broker::state::{GroupState, StreamState};
use crate::broker::{entry::EntryId, error::BrokerError, error::Result, stream::Group};

/// Bits of a packed id that count within a millisecond.
const SEQ_BITS: u32 = 20;

/// An id as one number, in the same order. It fits SQLite's signed integers until the year 2248.
pub(super) const fn pack(id: EntryId) -> u64 {
    (id.ms << SEQ_BITS) | (if id.seq < 1 << SEQ_BITS { id.seq } else { (1 << SEQ_BITS) - 1 })
}

/// The id that a number stands for.
pub(super) const fn unpack(id: u64) -> EntryId {
    EntryId { ms: id >> SEQ_BITS, seq: id & ((1 << SEQ_BITS) - 1) }
}

/// One stream.
pub(super) struct Ledger {
    stream: i64,
    last_id: watch::Sender<u64>,
    entries: u64,
    bytes: u64,
    /// Entries that were added, and those that were there before.
    added: u64,
    groups: BTreeMap<String, GroupLedger>,
}

/// One group.
#[derive(Default)]
struct GroupLedger {
    /// Everything up to here is acknowledged.
    acknowledged: u64,
    /// What is acknowledged beyond that.
    ahead: BTreeSet<u64>,
    /// The newest id that was given out to the present reader.
    delivered: u64,
    /// What was given out and is not acknowledged, with its size.
    pending: BTreeMap<u64, u32>,
    unacknowledged: u64,
    unacknowledged_bytes: u64,
    /// What was trimmed before it was acknowledged …
    lost: u64,
    /// … and the newest id of it.
    evicted: u64,
    /// Which reader is the present one.
    token: u64,
}

impl GroupLedger {
    /// Up to where there is nothing left that the group has not acknowledged, in a stream that ends at `last_id`.
    fn clear_up_to(&self, last_id: u64) -> u64 {
        if self.unacknowledged == 0 {
            return last_id;
        }
        let given_out = self.pending.keys().next().map_or(self.delivered, |first| first - 1);
        given_out.max(self.acknowledged)
    }
}

impl Ledger {
    pub(super) fn new(stream: i64, last_id: u64, entries: u64, bytes: u64) -> Self {
        Self { stream, last_id: watch::Sender::new(last_id), entries, bytes, added: entries, groups: BTreeMap::new() }
    }

    /// Adds a group as the file has it.
    pub(super) fn load_group(
        &mut self,
        name: String,
        acknowledged: u64,
        ahead: BTreeSet<u64>,
        left: (u64, u64),
        lost: u64,
    ) {
        let (unacknowledged, unacknowledged_bytes) = left;
        let group =
            GroupLedger { acknowledged, ahead, unacknowledged, unacknowledged_bytes, lost, ..Default::default() };
        self.groups.insert(name, group);
    }

    pub(super) const fn stream(&self) -> i64 {
        self.stream
    }

    pub(super) fn last_id(&self) -> u64 {
        *self.last_id.borrow()
    }

    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Told whenever entries are added.
    pub(super) fn watch(&self) -> watch::Receiver<u64> {
        self.last_id.subscribe()
    }

    /// Whether there is such a group.
    pub(super) fn has(&self, group: &Group) -> bool {
        self.groups.contains_key(&group.name)
    }

    /// Forgets a group that the file has no more.
    pub(super) fn forget(&mut self, group: &Group) {
        self.groups.remove(&group.name);
    }

    pub(super) fn state(&self) -> StreamState {
        let state = |(name, group): (&String, &GroupLedger)| GroupState {
            name: name.clone(),
            pending: group.pending.len() as u64,
            undelivered: group.unacknowledged - group.pending.len() as u64,
            unacknowledged_bytes: group.unacknowledged_bytes,
            clear_up_to: unpack(group.clear_up_to(self.last_id())),
            lost: group.lost,
        };
        StreamState {
            entries: self.entries,
            bytes: self.bytes,
            added: self.added,
            last_id: unpack(self.last_id()),
            groups: self.groups.iter().map(state).collect(),
        }
    }

    /// Fences off the reader before this one: what that held is handed out again.
    pub(super) fn take_over(&mut self, group: &Group, token: u64) -> Result<()> {
        let ledger = self.group(group)?;
        ledger.token = token;
        ledger.pending.clear();
        ledger.delivered = ledger.acknowledged;
        Ok(())
    }

    /// From where the reader with this token goes on, and what it must pass over.
    pub(super) fn delivered(&mut self, group: &Group, token: u64) -> Result<(u64, BTreeSet<u64>)> {
        let ledger = self.fenced(group, token)?;
        Ok((ledger.delivered, ledger.ahead.clone()))
    }

    /// Notes what was given out to the reader with this token, up to `last`.
    pub(super) fn deliver(
        &mut self,
        group: &Group,
        token: u64,
        entries: impl Iterator<Item = (u64, u32)>,
        last: u64,
    ) -> Result<()> {
        let ledger = self.fenced(group, token)?;
        // What was trimmed while it was being read is counted as lost already.
        let evicted = ledger.evicted;
        ledger.pending.extend(entries.filter(|(id, _)| *id > evicted));
        ledger.delivered = last.max(evicted);
        Ok(())
    }

    /// Of `ids` those that are pending, and up to where everything is acknowledged once they are.
    pub(super) fn settle(&mut self, group: &Group, mut ids: BTreeSet<u64>) -> Result<(BTreeSet<u64>, u64)> {
        let ledger = self.group(group)?;
        ids.retain(|id| ledger.pending.contains_key(id));
        let first_left = ledger.pending.keys().find(|id| !ids.contains(id));
        let acknowledged = first_left.map_or(ledger.delivered, |id| id - 1);
        Ok((ids, acknowledged.max(ledger.acknowledged)))
    }

    /// Notes what was acknowledged, as [`settle`](Self::settle) said.
    pub(super) fn acknowledged(&mut self, group: &Group, ids: &BTreeSet<u64>, acknowledged: u64) {
        let Ok(ledger) = self.group(group) else { return };
        for id in ids {
            if let Some(size) = ledger.pending.remove(id) {
                ledger.unacknowledged -= 1;
                ledger.unacknowledged_bytes -= u64::from(size);
            }
        }
        ledger.ahead.extend(ids.range(acknowledged + 1..));
        ledger.ahead = ledger.ahead.split_off(&(acknowledged + 1));
        ledger.acknowledged = acknowledged;
    }

    /// Up to where all of these groups, and all others unless they are alone, have acknowledged everything; `None` if one
    /// of them is not there.
    pub(super) fn acknowledged_by_all(&self, required: &[Group], alone: bool) -> Option<u64> {
        let clear = |group: &GroupLedger| group.clear_up_to(self.last_id());
        let required = required.iter().map(|group| self.groups.get(&group.name).map(clear));
        let others = self.groups.values().filter(|_| !alone).map(|group| Some(clear(group)));
        required.chain(others).min().flatten()
    }

    pub(super) fn is_clear(&mut self, group: &Group, id: u64) -> Result<bool> {
        let last_id = self.last_id();
        Ok(self.group(group)?.clear_up_to(last_id) >= id)
    }

    /// Notes new entries and wakes who waits for them.
    pub(super) fn added(&mut self, entries: &[(u64, u32)]) {
        let Some((last, _)) = entries.last() else { return };
        let count = entries.len() as u64;
        let bytes: u64 = entries.iter().map(|(_, size)| u64::from(*size)).sum();
        self.entries += count;
        self.added += count;
        self.bytes += bytes;
        for group in self.groups.values_mut() {
            group.unacknowledged += count;
            group.unacknowledged_bytes += bytes;
        }
        self.last_id.send_replace(*last);
    }

    /// The groups that had not acknowledged everything up to an id: up to where they had, and how much they had not.
    pub(super) fn behind(&self, id: u64) -> Vec<(String, u64, u64)> {
        let last_id = self.last_id();
        let behind = self.groups.iter().filter(|(_, group)| group.clear_up_to(last_id) < id);
        behind.map(|(name, group)| (name.clone(), group.acknowledged, group.unacknowledged)).collect()
    }

    /// Takes from a group what is gone up to an id: so much is left, and so much it lost.
    pub(super) fn evicted(&mut self, name: &str, id: u64, left: (u64, u64), lost: u64) {
        let Some(group) = self.groups.get_mut(name) else { return };
        group.pending = group.pending.split_off(&(id + 1));
        group.lost += lost;
        group.evicted = id;
        (group.unacknowledged, group.unacknowledged_bytes) = left;
    }

    /// Notes that the oldest entries are gone.
    pub(super) const fn removed(&mut self, entries: u64, bytes: u64) {
        self.entries -= entries;
        self.bytes -= bytes;
    }

    fn group(&mut self, group: &Group) -> Result<&mut GroupLedger> {
        self.groups.get_mut(&group.name).ok_or_else(|| BrokerError::Lost(format!("{group} is gone")))
    }

    fn fenced(&mut self, group: &Group, token: u64) -> Result<&mut GroupLedger> {
        let ledger = self.group(group)?;
        if ledger.token == token { Ok(ledger) } else { Err(BrokerError::Superseded(group.clone())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{broker::Stream, flow::StreamId};

    #[test]
    fn what_is_trimmed_while_it_is_read_is_lost_and_not_pending() {
        let group = Stream::of(StreamId::Trades).group("replay:x");
        let mut ledger = Ledger::new(1, 0, 0, 0);
        ledger.load_group(group.name.clone(), 0, BTreeSet::new(), (0, 0), 0);
        ledger.added(&[(1, 10), (2, 10), (3, 10)]);
        ledger.take_over(&group, 7).unwrap();
        assert_eq!(ledger.delivered(&group, 7).unwrap().0, 0);
        ledger.removed(2, 20);
        ledger.evicted(&group.name, 2, (1, 10), 2);
        ledger.deliver(&group, 7, [(1, 10), (2, 10), (3, 10)].into_iter(), 3).unwrap();
        let state = ledger.state().groups.remove(0);
        assert_eq!((state.pending, state.undelivered, state.lost), (1, 0, 2));
        let (ids, acknowledged) = ledger.settle(&group, [1, 2, 3].into()).unwrap();
        ledger.acknowledged(&group, &ids, acknowledged);
        let state = ledger.state().groups.remove(0);
        assert_eq!((state.pending, state.undelivered, state.unacknowledged_bytes), (0, 0, 0));

        // All of it.
        ledger.added(&[(4, 10)]);
        ledger.removed(1, 10);
        ledger.evicted(&group.name, 4, (0, 0), 1);
        ledger.deliver(&group, 7, [(4, 10)].into_iter(), 4).unwrap();
        assert_eq!(ledger.state().groups[0].pending, 0);
        assert!(ledger.is_clear(&group, 4).unwrap());
    }
}

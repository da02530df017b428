//! What is known in memory of a stream and its groups: sizes, and what is given out.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::watch;

use crate::broker::state::{GroupState, StreamState};
use crate::broker::{entry::EntryId, entry::Size, error::BrokerError, error::Result, stream::Group};

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
    size: Size,
    /// Events that were added, and those that were there before.
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
    pending: BTreeMap<u64, Size>,
    unacknowledged: Size,
    /// Events that were trimmed before they were acknowledged …
    lost: u64,
    /// … and the newest id of it.
    evicted: u64,
    /// Which reader is the present one.
    token: u64,
}

impl GroupLedger {
    /// Up to where there is nothing left that the group has not acknowledged, in a stream that ends at `last_id`.
    fn clear_up_to(&self, last_id: u64) -> u64 {
        if self.unacknowledged.events == 0 {
            return last_id;
        }
        let given_out = self.pending.keys().next().map_or(self.delivered, |first| first - 1);
        given_out.max(self.acknowledged)
    }
}

impl Ledger {
    pub(super) fn new(stream: i64, last_id: u64, size: Size) -> Self {
        Self { stream, last_id: watch::Sender::new(last_id), size, added: size.events, groups: BTreeMap::new() }
    }

    /// Adds a group as the file has it.
    pub(super) fn load_group(&mut self, name: String, acknowledged: u64, ahead: BTreeSet<u64>, left: Size, lost: u64) {
        let group = GroupLedger { acknowledged, ahead, unacknowledged: left, lost, ..Default::default() };
        self.groups.insert(name, group);
    }

    pub(super) const fn stream(&self) -> i64 {
        self.stream
    }

    pub(super) fn last_id(&self) -> u64 {
        *self.last_id.borrow()
    }

    pub(super) const fn bytes(&self) -> u64 {
        self.size.bytes
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
        let state = |(name, group): (&String, &GroupLedger)| {
            let pending: Size = group.pending.values().copied().sum();
            GroupState {
                name: name.clone(),
                pending: pending.events,
                undelivered: (group.unacknowledged - pending).events,
                unacknowledged_bytes: group.unacknowledged.bytes,
                clear_up_to: unpack(group.clear_up_to(self.last_id())),
                lost: group.lost,
            }
        };
        StreamState {
            events: self.size.events,
            bytes: self.size.bytes,
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
        entries: impl Iterator<Item = (u64, Size)>,
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

    /// Notes what was acknowledged, as [`settle`](Self::settle) said. Says how many events that were.
    pub(super) fn acknowledged(&mut self, group: &Group, ids: &BTreeSet<u64>, acknowledged: u64) -> u64 {
        let Ok(ledger) = self.group(group) else { return 0 };
        let done: Size = ids.iter().filter_map(|id| ledger.pending.remove(id)).sum();
        ledger.unacknowledged = ledger.unacknowledged - done;
        ledger.ahead.extend(ids.range(acknowledged + 1..));
        ledger.ahead = ledger.ahead.split_off(&(acknowledged + 1));
        ledger.acknowledged = acknowledged;
        done.events
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
    pub(super) fn added(&mut self, entries: &[(u64, Size)]) {
        let Some((last, _)) = entries.last() else { return };
        let added: Size = entries.iter().map(|(_, size)| *size).sum();
        self.added += added.events;
        self.size = self.size + added;
        for group in self.groups.values_mut() {
            group.unacknowledged = group.unacknowledged + added;
        }
        self.last_id.send_replace(*last);
    }

    /// The groups that had not acknowledged everything up to an id: up to where they had, and how many events they had not.
    pub(super) fn behind(&self, id: u64) -> Vec<(String, u64, u64)> {
        let last_id = self.last_id();
        let behind = self.groups.iter().filter(|(_, group)| group.clear_up_to(last_id) < id);
        behind.map(|(name, group)| (name.clone(), group.acknowledged, group.unacknowledged.events)).collect()
    }

    /// Takes from a group what is gone up to an id: so much is left, and so many events it lost.
    pub(super) fn evicted(&mut self, name: &str, id: u64, left: Size, lost: u64) {
        let Some(group) = self.groups.get_mut(name) else { return };
        group.pending = group.pending.split_off(&(id + 1));
        group.lost += lost;
        group.evicted = id;
        group.unacknowledged = left;
    }

    /// Notes that the oldest entries are gone.
    pub(super) fn removed(&mut self, size: Size) {
        self.size = self.size - size;
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
        let ten = |events| Size { events, bytes: 10 * events };
        let each = |ids: &[u64]| ids.iter().map(|id| (*id, ten(1))).collect::<Vec<_>>();
        let mut ledger = Ledger::new(1, 0, ten(0));
        ledger.load_group(group.name.clone(), 0, BTreeSet::new(), ten(0), 0);
        ledger.added(&each(&[1, 2, 3]));
        ledger.take_over(&group, 7).unwrap();
        assert_eq!(ledger.delivered(&group, 7).unwrap().0, 0);
        ledger.removed(ten(2));
        ledger.evicted(&group.name, 2, ten(1), 2);
        ledger.deliver(&group, 7, each(&[1, 2, 3]).into_iter(), 3).unwrap();
        let state = ledger.state().groups.remove(0);
        assert_eq!((state.pending, state.undelivered, state.lost), (1, 0, 2));
        let (ids, acknowledged) = ledger.settle(&group, [1, 2, 3].into()).unwrap();
        ledger.acknowledged(&group, &ids, acknowledged);
        let state = ledger.state().groups.remove(0);
        assert_eq!((state.pending, state.undelivered, state.unacknowledged_bytes), (0, 0, 0));

        // All of it.
        ledger.added(&each(&[4]));
        ledger.removed(ten(1));
        ledger.evicted(&group.name, 4, ten(0), 1);
        ledger.deliver(&group, 7, each(&[4]).into_iter(), 4).unwrap();
        assert_eq!(ledger.state().groups[0].pending, 0);
        assert!(ledger.is_clear(&group, 4).unwrap());
    }
}

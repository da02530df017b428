//! The broker against a model of it, with replies that are lost, calls that are repeated, and kills.
//!
//! The model knows every entry ever appended by its number and what must have become of it. After each action: nothing
//! unacknowledged is gone, outputs are there exactly once for each input that was forwarded, and the counters agree. Entries hold
//! 1, 7 or 512 events, and everything is counted in those.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use polytape::broker::{AckAndForward, Appended, Broker, EntryId, NewEntry, Reader, Retention, Stream};
use polytape::flow::StreamId;
use proptest::prelude::*;

use super::conformance::{KEY, Rig, advance, batch, begun, entry, input, layout, output};
use super::embedded::Embedded;
use super::redis::{RedisRig, Successors};

#[derive(Clone, Debug)]
enum Action {
    /// So many entries; whether the reply is lost, and the call repeated.
    Append {
        entries: u8,
        reply_lost: bool,
    },
    /// By somebody whose cursor is old.
    StaleAppend,
    Read {
        most: u8,
    },
    /// Those of what is in hand whose place has its bit set.
    Forward {
        which: u16,
        reply_lost: bool,
    },
    /// What was forwarded long ago, once more.
    ForwardAgain,
    /// Reads outputs and acknowledges those whose place has its bit set.
    Drain {
        which: u16,
        reply_lost: bool,
    },
    Trim {
        bytes: u8,
    },
    NewReader,
    Kill,
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        4 => (0u8..6, any::<bool>()).prop_map(|(entries, reply_lost)| Action::Append { entries, reply_lost }),
        1 => Just(Action::StaleAppend),
        4 => (1u8..6).prop_map(|most| Action::Read { most }),
        4 => (any::<u16>(), any::<bool>()).prop_map(|(which, reply_lost)| Action::Forward { which, reply_lost }),
        1 => Just(Action::ForwardAgain),
        3 => (any::<u16>(), any::<bool>()).prop_map(|(which, reply_lost)| Action::Drain { which, reply_lost }),
        3 => (0u8..40).prop_map(|bytes| Action::Trim { bytes }),
        1 => Just(Action::NewReader),
        1 => Just(Action::Kill),
    ]
}

#[derive(Default)]
struct Model {
    appended: u64,
    forwarded: BTreeSet<u64>,
    written: BTreeSet<u64>,
}

struct Run<R> {
    rig: R,
    broker: Arc<dyn Broker>,
    inputs: Box<dyn Reader>,
    outputs: Box<dyn Reader>,
    /// What was read and not forwarded, in order.
    in_hand: BTreeMap<EntryId, u64>,
    /// What readers before this one had in hand and has not come again: some brokers still call it given out.
    left_behind: BTreeSet<u64>,
    done: Vec<(EntryId, u64)>,
    model: Model,
}

fn number(body: &[u8]) -> u64 {
    let text = if body[0] == 2 { &body[3..] } else { body };
    std::str::from_utf8(text).unwrap().parse().unwrap()
}

/// How many events an entry holds.
fn weight(number: u64) -> u16 {
    [1, 7, 512, 1][usize::try_from(number % 4).unwrap()]
}

fn weights(numbers: impl Iterator<Item = u64>) -> u64 {
    numbers.map(|number| u64::from(weight(number))).sum()
}

fn numbered(stream: StreamId, number: u64) -> NewEntry {
    batch(Stream::of(stream), weight(number), &number.to_string())
}

fn chosen<T: Clone>(items: impl Iterator<Item = T>, which: u16) -> Vec<T> {
    items.enumerate().filter(|(place, _)| which & (1 << (place % 16)) != 0).map(|(_, item)| item).collect()
}

impl<R: Rig> Run<R> {
    async fn new() -> Self {
        let rig = R::new().await;
        let broker = begun(&rig).await;
        let (inputs, outputs) = (broker.reader(&input()).await.unwrap(), broker.reader(&output()).await.unwrap());
        Self {
            rig,
            broker,
            inputs,
            outputs,
            in_hand: BTreeMap::new(),
            left_behind: BTreeSet::new(),
            done: Vec::new(),
            model: Model::default(),
        }
    }

    async fn act(&mut self, action: Action) {
        match action {
            Action::Append { entries, reply_lost } => {
                let first = self.model.appended;
                let next = first + u64::from(entries);
                let call = || {
                    let entries = (first..next).map(|n| numbered(StreamId::OrderEvents, n)).collect();
                    self.broker.append(entries, advance(&first.to_string(), &next.to_string()))
                };
                let expected = if entries == 0 { Appended::Before } else { Appended::Now };
                assert_eq!(call().await.unwrap(), expected);
                if reply_lost {
                    assert_eq!(call().await.unwrap(), Appended::Before);
                }
                self.model.appended = next;
            }
            Action::StaleAppend => {
                let entries = vec![entry(Stream::of(StreamId::OrderEvents), "999999")];
                let stale = self.broker.append(entries, advance("stale", "elsewhere")).await.unwrap();
                assert_eq!(stale, Appended::Conflict(Some(self.model.appended.to_string())));
            }
            Action::Read { most } => {
                for delivery in self.inputs.read(most.into(), 1 << 20, Duration::ZERO).await.unwrap() {
                    let number = number(&delivery.body);
                    assert!(!self.model.forwarded.contains(&number), "{number} was given out again after it was done");
                    self.left_behind.remove(&number);
                    assert!(self.in_hand.insert(delivery.id, number).is_none(), "{number} was in hand already");
                }
            }
            Action::Forward { which, reply_lost } => {
                let chosen = chosen(self.in_hand.clone().into_iter(), which);
                assert_eq!(self.forward(&chosen).await as u64, weights(chosen.iter().map(|(_, number)| *number)));
                if reply_lost {
                    assert_eq!(self.forward(&chosen).await, 0);
                }
                for (id, number) in chosen {
                    self.in_hand.remove(&id);
                    self.model.forwarded.insert(number);
                    self.done.push((id, number));
                }
            }
            Action::ForwardAgain => {
                let done = self.done.clone();
                assert_eq!(self.forward(&done).await, 0);
            }
            Action::Drain { which, reply_lost } => {
                // What is not chosen stays pending, and comes again only with a new reader.
                let read = self.outputs.read(50, 1 << 20, Duration::ZERO).await.unwrap();
                let chosen = chosen(read.into_iter(), which);
                let ids: Vec<EntryId> = chosen.iter().map(|delivery| delivery.id).collect();
                let events = weights(chosen.iter().map(|delivery| number(&delivery.body)));
                assert_eq!(self.broker.acknowledge(&output(), ids.clone()).await.unwrap() as u64, events);
                if reply_lost {
                    assert_eq!(self.broker.acknowledge(&output(), ids).await.unwrap(), 0);
                }
                for delivery in chosen {
                    let new = self.model.written.insert(number(&delivery.body));
                    assert!(new, "an output came again after it was acknowledged");
                }
            }
            Action::Trim { bytes } => {
                let keep = Retention { age: Duration::ZERO, bytes: bytes.into(), full: 0 };
                for group in [input(), output()] {
                    self.broker.trim(&group.stream, std::slice::from_ref(&group), keep).await.unwrap();
                }
            }
            Action::NewReader => self.read_anew().await,
            Action::Kill => {
                self.rig.restart().await;
                self.broker = self.rig.broker();
                self.broker.join(&layout()).await.unwrap();
                self.read_anew().await;
            }
        }
        self.check().await;
    }

    async fn forward(&self, which: &[(EntryId, u64)]) -> usize {
        let handover = |(id, number): &(EntryId, u64)| AckAndForward {
            id: *id,
            outputs: vec![numbered(StreamId::Trades, *number)],
        };
        self.broker.forward(&input(), which.iter().map(handover).collect()).await.unwrap()
    }

    async fn read_anew(&mut self) {
        self.inputs = self.broker.reader(&input()).await.unwrap();
        self.outputs = self.broker.reader(&output()).await.unwrap();
        self.left_behind.extend(std::mem::take(&mut self.in_hand).into_values());
    }

    /// What the broker says of itself is what must be.
    async fn check(&self) {
        assert_eq!(self.broker.cursor(KEY).await.unwrap(), Some(self.model.appended.to_string()));
        let inputs = self.broker.stream(&Stream::of(StreamId::OrderEvents)).await.unwrap();
        let of = |numbers: &BTreeSet<u64>| weights(numbers.iter().copied());
        let [appended, forwarded, written] =
            [weights(0..self.model.appended), of(&self.model.forwarded), of(&self.model.written)];
        let open = appended - forwarded;
        assert_eq!(inputs.groups[0].pending + inputs.groups[0].undelivered, open);
        let in_hand = weights(self.in_hand.values().copied());
        let given_out = in_hand..=in_hand + of(&self.left_behind);
        assert!(given_out.contains(&inputs.groups[0].pending), "{} of {given_out:?}", inputs.groups[0].pending);
        assert!(inputs.events >= open, "an entry is gone that nobody acknowledged");
        let outputs = self.broker.stream(&Stream::of(StreamId::Trades)).await.unwrap();
        let open = forwarded - written;
        assert_eq!(outputs.groups[0].pending + outputs.groups[0].undelivered, open);
        assert!(outputs.events >= open, "an output is gone that nobody acknowledged");
        let clear = self.broker.is_clear(&input(), inputs.last_id).await.unwrap();
        assert!(!clear || self.model.forwarded.len() as u64 == self.model.appended);
    }

    /// Whatever has happened: in the end every entry was forwarded once and every output written once.
    async fn finish(mut self) {
        self.act(Action::Kill).await;
        let mut turns = 0;
        let mut turn = || {
            turns += 1;
            assert!(turns < 2_000, "an entry never comes");
        };
        while self.model.forwarded.len() as u64 != self.model.appended {
            turn();
            self.act(Action::Read { most: 5 }).await;
            self.act(Action::Forward { which: u16::MAX, reply_lost: false }).await;
        }
        while self.model.written.len() as u64 != self.model.appended {
            turn();
            self.act(Action::Drain { which: u16::MAX, reply_lost: false }).await;
        }
        assert_eq!(self.model.written, (0..self.model.appended).collect());
        let inputs = self.broker.stream(&Stream::of(StreamId::OrderEvents)).await.unwrap();
        assert!(self.broker.is_clear(&input(), inputs.last_id).await.unwrap());
        self.act(Action::Trim { bytes: 0 }).await;
        assert_eq!(self.broker.stream(&Stream::of(StreamId::OrderEvents)).await.unwrap().events, 0);
    }
}

/// Does what the actions say, and brings it to its end.
fn play<R: Rig>(actions: Vec<Action>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let mut run = Run::<R>::new().await;
        for action in actions {
            run.act(action).await;
        }
        run.finish().await;
    });
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    proptest::collection::vec(action(), 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, max_shrink_iters: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn behaves_as_its_model(actions in actions()) {
        play::<Embedded>(actions);
    }
}

// Each case starts a server.
proptest! {
    #![proptest_config(ProptestConfig { cases: 16, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn redis_behaves_as_its_model(actions in actions()) {
        play::<RedisRig>(actions);
    }

    #[test]
    fn redis_behaves_as_its_model_with_successors(actions in actions()) {
        play::<Successors>(actions);
    }
}

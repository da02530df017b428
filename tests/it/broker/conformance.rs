//! The conformance suite of brokers.
//!
//! A broker joins it by a [`Rig`] and a line `conformance!(TheRig);`. Nothing here knows what is behind the trait.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use polytape::broker::{
    AckAndForward, Appended, Broker, BrokerError, CursorCommit, Delivery, EntryId, Group, Layout, MAX_BYTES,
    MAX_ENTRIES, NewEntry, Reader, Retention, Stream,
};
use polytape::failure::FailureClass;
use polytape::flow::StreamId;

/// A broker and what can happen to it.
#[async_trait]
pub trait Rig: Sized + Send {
    /// One with nothing in it.
    async fn new() -> Self;
    /// Another handle to it, as another process would have.
    fn broker(&self) -> Arc<dyn Broker>;
    /// All processes are gone; what they held is given out again at once.
    async fn restart(&mut self);
    /// Something is lost behind everybody's back.
    async fn lose(&self, loss: Loss<'_>);
}

pub enum Loss<'a> {
    Everything,
    Stream(&'a Stream),
    Group(&'a Group),
    Cursor(&'a str),
}

pub const KEY: &str = "state:ingest-fills:test";

pub fn input() -> Group {
    Stream::of(StreamId::OrderEvents).group("trade_processors")
}

pub fn output() -> Group {
    Stream::of(StreamId::Trades).group("trade_writers")
}

pub fn layout() -> Layout {
    Layout { groups: vec![input(), output()], cursors: vec![KEY.into()] }
}

pub fn entry(stream: Stream, text: &str) -> NewEntry {
    NewEntry { stream, body: text.as_bytes().to_vec() }
}

/// An entry that says that it holds so many events.
pub fn batch(stream: Stream, events: u16, text: &str) -> NewEntry {
    match events {
        1 => entry(stream, text),
        _ => {
            let [high, low] = events.to_be_bytes();
            NewEntry { stream, body: [&[2, high, low], text.as_bytes()].concat() }
        }
    }
}

pub fn advance(expected: &str, next: &str) -> CursorCommit {
    CursorCommit { key: KEY.into(), expected: expected.into(), next: next.into() }
}

/// A broker whose cursor stands at `0`.
pub async fn begun(rig: &impl Rig) -> Arc<dyn Broker> {
    let broker = rig.broker();
    broker.begin(&layout(), &[(KEY.into(), "0".into())]).await.unwrap();
    broker
}

/// Appends entries to the input stream and moves the cursor.
async fn append(broker: &dyn Broker, texts: &[&str], expected: &str, next: &str) -> Appended {
    let entries = texts.iter().map(|text| entry(Stream::of(StreamId::OrderEvents), text)).collect();
    broker.append(entries, advance(expected, next)).await.unwrap()
}

/// Everything that a reader is given until nothing comes any more.
pub async fn read_all(reader: &mut dyn Reader) -> Vec<Delivery> {
    let mut all = Vec::new();
    loop {
        let some = reader.read(3, 1 << 20, Duration::from_millis(20)).await.unwrap();
        if some.is_empty() {
            return all;
        }
        assert!(some.len() <= 3);
        all.extend(some);
    }
}

pub fn texts(deliveries: &[Delivery]) -> Vec<String> {
    deliveries.iter().map(|delivery| String::from_utf8(delivery.body.clone()).unwrap()).collect()
}

fn ids(deliveries: &[Delivery]) -> Vec<EntryId> {
    deliveries.iter().map(|delivery| delivery.id).collect()
}

/// Hands each delivery over with one output that carries its text in capitals.
fn capitals(deliveries: &[Delivery]) -> Vec<AckAndForward> {
    let output = |delivery: &Delivery| {
        let text = String::from_utf8(delivery.body.clone()).unwrap().to_uppercase();
        AckAndForward { id: delivery.id, outputs: vec![entry(Stream::of(StreamId::Trades), &text)] }
    };
    deliveries.iter().map(output).collect()
}

pub const KEEP_NOTHING: Retention = Retention { age: Duration::ZERO, bytes: 0, full: 0 };

async fn is_lost<T: std::fmt::Debug>(result: Result<T, BrokerError>) {
    let error = result.unwrap_err();
    assert!(matches!(error, BrokerError::Lost(_)), "{error}");
    assert_eq!(error.class(), FailureClass::Repair);
}

pub async fn entries_flow_in_order<R: Rig>() {
    let rig = R::new().await;
    let broker = begun(&rig).await;
    assert_eq!(append(&*broker, &["a", "b"], "0", "2").await, Appended::Now);
    assert_eq!(append(&*broker, &["c", "d", "e"], "2", "5").await, Appended::Now);
    let mut reader = broker.reader(&input()).await.unwrap();
    let read = read_all(&mut *reader).await;
    assert_eq!(texts(&read), ["a", "b", "c", "d", "e"]);
    assert!(read.is_sorted_by(|a, b| a.id < b.id), "{read:?}");
    assert_eq!(broker.forward(&input(), capitals(&read)).await.unwrap(), 5);
    let mut reader = broker.reader(&output()).await.unwrap();
    let read = read_all(&mut *reader).await;
    assert_eq!(texts(&read), ["A", "B", "C", "D", "E"]);
    assert_eq!(broker.acknowledge(&output(), ids(&read)).await.unwrap(), 5);
}

pub async fn an_append_whose_reply_was_lost_is_not_doubled<R: Rig>() {
    let rig = R::new().await;
    let broker = begun(&rig).await;
    assert_eq!(append(&*broker, &["a"], "0", "1").await, Appended::Now);
    assert_eq!(append(&*broker, &["a"], "0", "1").await, Appended::Before);
    assert_eq!(append(&*broker, &["b"], "1", "2").await, Appended::Now);
    assert_eq!(append(&*broker, &["a"], "0", "1").await, Appended::Conflict(Some("2".into())));
    let mut reader = broker.reader(&input()).await.unwrap();
    assert_eq!(texts(&read_all(&mut *reader).await), ["a", "b"]);
    assert_eq!(broker.cursor(KEY).await.unwrap().as_deref(), Some("2"));
}

pub async fn a_group_of_its_own_is_given_what_is_behind_its_begin<R: Rig>() {
    let mut rig = R::new().await;
    let broker = begun(&rig).await;
    append(&*broker, &["a"], "0", "1").await;
    append(&*broker, &["b", "c"], "1", "3").await;
    let stream = Stream::of(StreamId::OrderEvents);
    let mut live = broker.reader(&input()).await.unwrap();
    let read = ids(&read_all(&mut *live).await);
    broker.acknowledge(&input(), read.clone()).await.unwrap();
    assert_eq!(broker.oldest(&stream, EntryId::default()).await.unwrap(), Some(read[0]));
    assert_eq!(broker.oldest(&stream, read[0]).await.unwrap(), Some(read[1]));
    assert_eq!(broker.oldest(&stream, read[2]).await.unwrap(), None);
    assert_eq!(broker.count(&stream, read[0], read[2]).await.unwrap(), 2);
    assert_eq!(broker.count(&stream, read[2], EntryId::last_of(read[2].ms + 1)).await.unwrap(), 0);
    assert_eq!(broker.count(&stream, EntryId::before(read[0].ms), EntryId::last_of(read[2].ms)).await.unwrap(), 3);

    let replay = stream.group("replay:x");
    broker.open_group(&replay, read[0]).await.unwrap();
    let mut reader = broker.reader(&replay).await.unwrap();
    let again = read_all(&mut *reader).await;
    assert_eq!(texts(&again), ["b", "c"]);
    broker.acknowledge(&replay, vec![again[0].id]).await.unwrap();
    broker.open_group(&replay, EntryId::default()).await.unwrap();
    let of_replay = |state: polytape::broker::StreamState| {
        state.groups.into_iter().find(|group| group.name == "replay:x").expect("it is there")
    };
    let state = of_replay(broker.stream(&stream).await.unwrap());
    assert_eq!((state.pending, state.undelivered), (1, 0), "one that is there stays as it is");
    assert_eq!(state.clear_up_to.max(again[0].id), state.clear_up_to);
    assert!(state.clear_up_to < again[1].id);

    // Who is live goes on as ever, and trimming respects who is told to be required.
    append(&*broker, &["d"], "3", "4").await;
    let more = read_all(&mut *live).await;
    assert_eq!(texts(&more), ["d"]);
    broker.acknowledge(&input(), ids(&more)).await.unwrap();
    assert_eq!(broker.trim(&stream, &[input(), replay.clone()], KEEP_NOTHING).await.unwrap(), 2);

    rig.restart().await;
    let broker = rig.broker();
    broker.join(&layout()).await.unwrap();
    let mut reader = broker.reader(&replay).await.unwrap();
    assert_eq!(texts(&read_all(&mut *reader).await), ["c", "d"], "it outlives the process");
    broker.close_group(&replay).await.unwrap();
    broker.close_group(&replay).await.unwrap();
    assert!(broker.stream(&stream).await.unwrap().groups.iter().all(|group| group.name != "replay:x"));
    is_lost(broker.reader(&replay).await.map(|_| ())).await;
    assert_eq!(broker.trim(&stream, &[input()], KEEP_NOTHING).await.unwrap(), 2);
}

pub async fn what_is_trimmed_over_the_head_of_a_group_is_no_lag_of_it<R: Rig>() {
    let mut rig = R::new().await;
    let broker = begun(&rig).await;
    append(&*broker, &["a", "b", "c"], "0", "3").await;
    let stream = Stream::of(StreamId::OrderEvents);
    let replay = stream.group("replay:x");
    broker.open_group(&replay, EntryId::default()).await.unwrap();
    let mut slow = broker.reader(&replay).await.unwrap();
    let first = slow.read(1, 1 << 20, Duration::from_millis(20)).await.unwrap();
    assert_eq!(texts(&first), ["a"]);
    let mut live = broker.reader(&input()).await.unwrap();
    let read = ids(&read_all(&mut *live).await);
    broker.acknowledge(&input(), read).await.unwrap();
    append(&*broker, &["d"], "3", "4").await;
    assert_eq!(broker.trim(&stream, &[input()], KEEP_NOTHING).await.unwrap(), 3, "it was not asked");
    for _ in 0..2 {
        let state = rig.broker();
        state.join(&layout()).await.unwrap();
        let state = state.stream(&stream).await.unwrap();
        let state = state.groups.into_iter().find(|group| group.name == "replay:x").expect("it is there");
        assert_eq!((state.pending + state.undelivered, state.unacknowledged_bytes), (1, 1));
        assert_eq!(state.lost, 3, "and what it lost is known");
        rig.restart().await;
    }
    let broker = rig.broker();
    broker.join(&layout()).await.unwrap();
    let mut reader = broker.reader(&replay).await.unwrap();
    assert_eq!(texts(&read_all(&mut *reader).await), ["d"]);
}

pub async fn every_group_is_respected_until_the_stream_is_full<R: Rig>() {
    let rig = R::new().await;
    let broker = begun(&rig).await;
    append(&*broker, &["a", "b", "c"], "0", "3").await;
    let stream = Stream::of(StreamId::OrderEvents);
    let replay = stream.group("replay:x");
    broker.open_group(&replay, EntryId::default()).await.unwrap();
    let mut live = broker.reader(&input()).await.unwrap();
    let read = ids(&read_all(&mut *live).await);
    broker.acknowledge(&input(), read).await.unwrap();
    let room = Retention { full: 4, ..KEEP_NOTHING };
    assert_eq!(broker.trim(&stream, &[input()], room).await.unwrap(), 0, "there is room: 3 bytes of 4");
    let mut reader = broker.reader(&replay).await.unwrap();
    let first = ids(&reader.read(1, 1 << 20, Duration::ZERO).await.unwrap());
    broker.acknowledge(&replay, first).await.unwrap();
    assert_eq!(broker.trim(&stream, &[input()], room).await.unwrap(), 1, "what both have read");
    append(&*broker, &["dd"], "3", "4").await;
    assert_eq!(broker.trim(&stream, &[input()], room).await.unwrap(), 2, "full: 4 bytes of 4");
    let state = broker.stream(&stream).await.unwrap();
    let lost = |name: &str| state.groups.iter().find(|group| group.name == name).expect("it is there").lost;
    assert_eq!((lost("replay:x"), lost(&input().name)), (2, 0));
    assert_eq!((state.events, state.bytes), (1, 2));
}

pub async fn batches_are_counted_in_events<R: Rig>() {
    let mut rig = R::new().await;
    let broker = begun(&rig).await;
    let (stream, replay) = (input().stream, input().stream.group("replay:x"));
    let before = broker.stream(&stream).await.unwrap().added;
    let entries = [1, 7, 512, 1, 40].map(|events| batch(stream.clone(), events, "e")).to_vec();
    assert_eq!(broker.append(entries, advance("0", "1")).await.unwrap(), Appended::Now);
    let counts = async |broker: &dyn Broker| {
        let state = broker.stream(&stream).await.unwrap();
        let groups = state.groups.into_iter().map(|group| (group.name, group.pending, group.undelivered, group.lost));
        (state.events, groups.collect::<Vec<_>>())
    };
    let of = |name: &str, pending: u64, undelivered: u64, lost: u64| (name.to_owned(), pending, undelivered, lost);
    assert_eq!(counts(&*broker).await, (561, vec![of("trade_processors", 0, 561, 0)]));
    assert_eq!(broker.stream(&stream).await.unwrap().added - before, 561);

    let mut reader = broker.reader(&input()).await.unwrap();
    let mut read = Vec::new();
    while read.len() < 3 {
        read.extend(reader.read(1, 1 << 20, Duration::from_millis(20)).await.unwrap());
    }
    assert_eq!(ids(&read).len(), 3, "an entry comes whatever its size, and no other beside it");
    assert_eq!(counts(&*broker).await.1, [of("trade_processors", 520, 41, 0)]);
    let first = broker.oldest(&stream, EntryId::default()).await.unwrap().unwrap();
    assert_eq!(broker.count(&stream, first, read[2].id).await.unwrap(), 519);
    broker.open_group(&replay, first).await.unwrap();
    assert_eq!(counts(&*broker).await.1[0], of("replay:x", 0, 560, 0));

    assert_eq!(broker.acknowledge(&input(), vec![read[2].id]).await.unwrap(), 512);
    let outputs = vec![batch(Stream::of(StreamId::Trades), 7, "o")];
    assert_eq!(broker.forward(&input(), vec![AckAndForward { id: read[1].id, outputs }]).await.unwrap(), 7);
    assert_eq!(counts(&*broker).await.1[1], of("trade_processors", 1, 41, 0));
    assert_eq!(broker.stream(&Stream::of(StreamId::Trades)).await.unwrap().events, 7);

    // Those who come after it are told the same.
    drop(reader);
    rig.restart().await;
    let broker = rig.broker();
    broker.join(&layout()).await.unwrap();
    let mut reader = broker.reader(&input()).await.unwrap();
    let again = read_all(&mut *reader).await;
    assert_eq!(again.len(), 3);
    assert_eq!(counts(&*broker).await.1[1], of("trade_processors", 42, 0, 0));
    assert_eq!(broker.acknowledge(&input(), ids(&again)).await.unwrap(), 42);
    while broker.trim(&stream, &[input()], KEEP_NOTHING).await.unwrap() > 0 {}
    assert_eq!(counts(&*broker).await, (0, vec![of("replay:x", 0, 0, 560), of("trade_processors", 0, 0, 0)]));
}

pub async fn what_was_added_is_counted<R: Rig>() {
    let rig = R::new().await;
    let broker = begun(&rig).await;
    let added = async || broker.stream(&Stream::of(StreamId::OrderEvents)).await.unwrap().added;
    let before = added().await;
    append(&*broker, &["a", "b", "c"], "0", "3").await;
    let mut live = broker.reader(&input()).await.unwrap();
    let read = ids(&read_all(&mut *live).await);
    broker.acknowledge(&input(), read).await.unwrap();
    assert_eq!(broker.trim(&Stream::of(StreamId::OrderEvents), &[input()], KEEP_NOTHING).await.unwrap(), 3);
    append(&*broker, &["d"], "3", "4").await;
    assert_eq!(added().await - before, 4, "whatever was trimmed meanwhile");
}

pub async fn one_process_holds_a_name<R: Rig>() {
    let mut rig = R::new().await;
    let broker = begun(&rig).await;
    for _ in 0..2 {
        assert!(broker.acquire_lease("replay:x").await.unwrap(), "and it goes on holding it");
    }
    broker.release_lease("replay:x").await.unwrap();
    assert!(broker.acquire_lease("replay:x").await.unwrap());
    drop(broker);
    rig.restart().await;
    let broker = rig.broker();
    broker.join(&layout()).await.unwrap();
    assert!(broker.acquire_lease("replay:x").await.unwrap(), "whoever held it is dead");
}

pub async fn two_ingesters_neither_double_nor_skip<R: Rig>() {
    let rig = R::new().await;
    let one = begun(&rig).await;
    assert_eq!(append(&*one, &["a"], "0", "1").await, Appended::Now);
    assert_eq!(append(&*one, &["x"], "0", "9").await, Appended::Conflict(Some("1".into())));
    assert_eq!(one.stream(&Stream::of(StreamId::OrderEvents)).await.unwrap().events, 1);
}

pub async fn an_empty_page_moves_the_cursor<R: Rig>() {
    let rig = R::new().await;
    let broker = begun(&rig).await;
    assert_eq!(append(&*broker, &[], "0", "7").await, Appended::Now);
    assert_eq!(broker.cursor(KEY).await.unwrap().as_deref(), Some("7"));
    assert_eq!(broker.stream(&Stream::of(StreamId::OrderEvents)).await.unwrap().last_id, EntryId::default());
}

pub async fn a_missing_cursor_is_a_conflict<R: Rig>() {
    let rig = R::new().await;
    let broker = begun(&rig).await;
    rig.lose(Loss::Cursor(KEY)).await;
    assert_eq!(append(&*broker, &["a"], "0", "1").await, Appended::Conflict(None));
    assert_eq!(broker.stream(&Stream::of(StreamId::OrderEvents)).await.unwrap().events, 0);
}

pub async fn a_page_may_go_to_several_streams_at_once<R: Rig>() {
    let rig = R::new().await;
    let broker = begun(&rig).await;
    let entries = vec![
        entry(Stream::of(StreamId::OrderEvents), "a"),
        entry(Stream::of(StreamId::Trades), "b"),
        entry(Stream::of(StreamId::OrderEvents), "c"),
    ];
    assert_eq!(broker.append(entries, advance("0", "1")).await.unwrap(), Appended::Now);
    let mut first = broker.reader(&input()).await.unwrap();
    let mut second = broker.reader(&output()).await.unwrap();
    assert_eq!(texts(&read_all(&mut *first).await), ["a", "c"]);
    assert_eq!(texts(&read_all(&mut *second).await), ["b"]);
}

pub async fn what_is_too_large_for_one_call_is_refused<R: Rig>() {
    let rig = R::new().await;
    let broker = begun(&rig).await;
    let many = vec![entry(Stream::of(StreamId::OrderEvents), "a"); MAX_ENTRIES + 1];
    let large = vec![NewEntry { stream: Stream::of(StreamId::OrderEvents), body: vec![0; MAX_BYTES + 1] }];
    for entries in [many, large] {
        let error = broker.append(entries, advance("0", "1")).await.unwrap_err();
        assert!(matches!(error, BrokerError::TooLarge { .. }), "{error}");
    }
    assert_eq!(broker.cursor(KEY).await.unwrap().as_deref(), Some("0"));
    let most = vec![
        NewEntry { stream: Stream::of(StreamId::OrderEvents), body: vec![7; MAX_BYTES / MAX_ENTRIES] };
        MAX_ENTRIES
    ];
    assert_eq!(broker.append(most, advance("0", "1")).await.unwrap(), Appended::Now);
}

pub async fn outputs_come_only_with_the_first_acknowledgement<R: Rig>() {
    let rig = R::new().await;
    let broker = begun(&rig).await;
    append(&*broker, &["a", "b", "c"], "0", "3").await;
    let mut reader = broker.reader(&input()).await.unwrap();
    let read = read_all(&mut *reader).await;
    assert_eq!(broker.forward(&input(), capitals(&read[..2])).await.unwrap(), 2);
    assert_eq!(broker.forward(&input(), capitals(&read)).await.unwrap(), 1, "only c is new");
    assert_eq!(broker.forward(&input(), capitals(&read)).await.unwrap(), 0);
    let twice = [capitals(&read), capitals(&read)].concat();
    assert_eq!(broker.forward(&input(), twice).await.unwrap(), 0);
    let mut reader = broker.reader(&output()).await.unwrap();
    assert_eq!(texts(&read_all(&mut *reader).await), ["A", "B", "C"]);
}

pub async fn one_input_named_twice_in_a_call_counts_once<R: Rig>() {
    let rig = R::new().await;
    let broker = begun(&rig).await;
    append(&*broker, &["a"], "0", "1").await;
    let mut reader = broker.reader(&input()).await.unwrap();
    let read = read_all(&mut *reader).await;
    let twice = [capitals(&read), capitals(&read)].concat();
    assert_eq!(broker.forward(&input(), twice).await.unwrap(), 1);
    assert_eq!(broker.stream(&Stream::of(StreamId::Trades)).await.unwrap().events, 1);
}

pub async fn an_acknowledgement_counts_once<R: Rig>() {
    let rig = R::new().await;
    let broker = begun(&rig).await;
    append(&*broker, &["a", "b"], "0", "2").await;
    let mut reader = broker.reader(&input()).await.unwrap();
    let read = ids(&read_all(&mut *reader).await);
    assert_eq!(broker.acknowledge(&input(), vec![read[1]]).await.unwrap(), 1);
    assert_eq!(broker.acknowledge(&input(), read.clone()).await.unwrap(), 1);
    assert_eq!(broker.acknowledge(&input(), read).await.unwrap(), 0);
    assert_eq!(broker.acknowledge(&input(), vec![EntryId { ms: 1, seq: 1 }]).await.unwrap(), 0);
}

pub async fn what_was_not_acknowledged_is_given_out_again<R: Rig>() {
    let mut rig = R::new().await;
    let broker = begun(&rig).await;
    append(&*broker, &["a", "b", "c", "d"], "0", "4").await;
    let mut reader = broker.reader(&input()).await.unwrap();
    let read = read_all(&mut *reader).await;
    assert!(read_all(&mut *reader).await.is_empty(), "what is in hand is not given out again");
    // Out of order, with a hole in front and one in the middle.
    broker.acknowledge(&input(), vec![read[1].id, read[3].id]).await.unwrap();
    drop((reader, broker));
    rig.restart().await;
    let broker = rig.broker();
    broker.join(&layout()).await.unwrap();
    append(&*broker, &["e"], "4", "5").await;
    let mut reader = broker.reader(&input()).await.unwrap();
    let again = read_all(&mut *reader).await;
    assert_eq!(texts(&again), ["a", "c", "e"]);
    assert_eq!(ids(&again)[..2], [read[0].id, read[2].id], "ids are for ever");
    assert_eq!(broker.acknowledge(&input(), ids(&again)).await.unwrap(), 3);
}

pub async fn what_was_acknowledged_ahead_counts_without_being_read_again<R: Rig>() {
    let mut rig = R::new().await;
    let broker = begun(&rig).await;
    append(&*broker, &["a", "b", "c"], "0", "3").await;
    let mut reader = broker.reader(&input()).await.unwrap();
    let read = read_all(&mut *reader).await;
    broker.acknowledge(&input(), vec![read[1].id, read[2].id]).await.unwrap();
    drop((reader, broker));
    rig.restart().await;
    let broker = rig.broker();
    broker.join(&layout()).await.unwrap();
    let mut reader = broker.reader(&input()).await.unwrap();
    assert_eq!(texts(&reader.read(1, 1 << 20, Duration::ZERO).await.unwrap()), ["a"]);
    assert!(!broker.is_clear(&input(), read[2].id).await.unwrap());
    broker.acknowledge(&input(), vec![read[0].id]).await.unwrap();
    assert!(broker.is_clear(&input(), read[2].id).await.unwrap(), "b and c were done before");
    assert_eq!(broker.trim(&Stream::of(StreamId::OrderEvents), &[input()], KEEP_NOTHING).await.unwrap(), 3);
    assert!(read_all(&mut *reader).await.is_empty());
}

pub async fn a_zombie_and_its_successor_do_the_work_once<R: Rig>() {
    let mut rig = R::new().await;
    let broker = begun(&rig).await;
    append(&*broker, &["a", "b"], "0", "2").await;
    let mut reader = broker.reader(&input()).await.unwrap();
    let held = read_all(&mut *reader).await;
    drop((reader, broker));
    rig.restart().await;
    let broker = rig.broker();
    broker.join(&layout()).await.unwrap();
    let mut successor = broker.reader(&input()).await.unwrap();
    let again = read_all(&mut *successor).await;
    assert_eq!(texts(&again), ["a", "b"]);
    let first = broker.forward(&input(), capitals(&again[..1])).await.unwrap();
    let zombie = broker.forward(&input(), capitals(&held)).await.unwrap();
    let second = broker.forward(&input(), capitals(&again)).await.unwrap();
    assert_eq!(first + zombie + second, 2);
    let mut reader = broker.reader(&output()).await.unwrap();
    assert_eq!(texts(&read_all(&mut *reader).await), ["A", "B"]);
}

pub async fn a_new_group_member_takes_over<R: Rig>() {
    let rig = R::new().await;
    let broker = begun(&rig).await;
    append(&*broker, &["a", "b"], "0", "2").await;
    let mut reader = broker.reader(&input()).await.unwrap();
    assert_eq!(texts(&read_all(&mut *reader).await), ["a", "b"]);
    drop(reader);
    broker.join(&layout()).await.unwrap();
    let mut reader = broker.reader(&input()).await.unwrap();
    assert_eq!(texts(&read_all(&mut *reader).await), ["a", "b"]);
}

pub async fn joining_again_disturbs_nobody<R: Rig>() {
    let rig = R::new().await;
    let broker = begun(&rig).await;
    append(&*broker, &["a"], "0", "1").await;
    let mut reader = broker.reader(&input()).await.unwrap();
    let read = read_all(&mut *reader).await;
    broker.join(&layout()).await.unwrap();
    append(&*broker, &["b"], "1", "2").await;
    assert_eq!(texts(&read_all(&mut *reader).await), ["b"]);
    assert_eq!(broker.acknowledge(&input(), ids(&read)).await.unwrap(), 1);
}

pub async fn a_waiting_reader_is_woken<R: Rig>() {
    let rig = R::new().await;
    let broker = begun(&rig).await;
    let mut reader = broker.reader(&input()).await.unwrap();
    let waiting = tokio::spawn(async move { reader.read(10, 1 << 20, Duration::from_secs(30)).await.unwrap() });
    let asked = std::time::Instant::now();
    append(&*broker, &["a"], "0", "1").await;
    assert_eq!(texts(&waiting.await.unwrap()), ["a"]);
    assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
}

pub async fn a_read_is_bounded_by_bytes<R: Rig>() {
    let rig = R::new().await;
    let broker = begun(&rig).await;
    let body = "x".repeat(1000);
    append(&*broker, &[&body[..]; 10], "0", "1").await;
    let mut reader = broker.reader(&input()).await.unwrap();
    let read = reader.read(100, 3_000, Duration::ZERO).await.unwrap();
    assert!((1..=4).contains(&read.len()), "{}", read.len());
    let first = reader.read(100, 1, Duration::ZERO).await.unwrap();
    assert_eq!(first.len(), 1, "an entry that is larger than the bound still comes, alone");
}

pub async fn nothing_unacknowledged_is_trimmed<R: Rig>() {
    let rig = R::new().await;
    let broker = begun(&rig).await;
    let stream = Stream::of(StreamId::OrderEvents);
    append(&*broker, &["a", "b", "c", "d"], "0", "4").await;
    assert_eq!(broker.trim(&stream, &[input()], KEEP_NOTHING).await.unwrap(), 0, "nothing is read");
    let mut reader = broker.reader(&input()).await.unwrap();
    let read = read_all(&mut *reader).await;
    assert_eq!(broker.trim(&stream, &[input()], KEEP_NOTHING).await.unwrap(), 0, "read is not acknowledged");
    broker.acknowledge(&input(), vec![read[0].id, read[2].id]).await.unwrap();
    assert_eq!(broker.trim(&stream, &[input()], KEEP_NOTHING).await.unwrap(), 1, "b holds up what is behind it");
    let missing = stream.group("nobody");
    assert_eq!(broker.trim(&stream, &[input(), missing], KEEP_NOTHING).await.unwrap(), 0, "a group is missing");
    broker.acknowledge(&input(), vec![read[1].id]).await.unwrap();
    let keep = Retention { age: Duration::from_secs(3600), bytes: 1 << 20, full: 0 };
    assert_eq!(broker.trim(&stream, &[input()], keep).await.unwrap(), 0, "young, and there is room");
    let keep = Retention { age: Duration::from_secs(3600), bytes: 2, full: 0 };
    assert_eq!(
        broker.trim(&stream, &[input()], keep).await.unwrap(),
        1,
        "young, but only two bytes of three have room"
    );
    assert_eq!(broker.trim(&stream, &[input()], KEEP_NOTHING).await.unwrap(), 1);
    assert_eq!(broker.stream(&stream).await.unwrap().events, 1, "d is not acknowledged");
    broker.acknowledge(&input(), vec![read[3].id]).await.unwrap();
    assert_eq!(broker.trim(&stream, &[input()], KEEP_NOTHING).await.unwrap(), 1);
    let state = broker.stream(&stream).await.unwrap();
    assert_eq!((state.events, state.bytes, state.last_id), (0, 0, read[3].id), "the newest id is remembered");
}

pub async fn sizes_are_honest<R: Rig>() {
    let rig = R::new().await;
    let broker = begun(&rig).await;
    append(&*broker, &["aa", "bbb", "c"], "0", "3").await;
    let numbers = |state: polytape::broker::StreamState| {
        let group = &state.groups[0];
        (state.events, state.bytes, group.pending, group.undelivered, group.unacknowledged_bytes)
    };
    let stream = Stream::of(StreamId::OrderEvents);
    assert_eq!(numbers(broker.stream(&stream).await.unwrap()), (3, 6, 0, 3, 6));
    let mut reader = broker.reader(&input()).await.unwrap();
    let read = reader.read(2, 1 << 20, Duration::ZERO).await.unwrap();
    assert_eq!(numbers(broker.stream(&stream).await.unwrap()), (3, 6, 2, 1, 6));
    broker.acknowledge(&input(), vec![read[1].id]).await.unwrap();
    assert_eq!(numbers(broker.stream(&stream).await.unwrap()), (3, 6, 1, 1, 3));
}

pub async fn a_barrier_sees_what_is_left<R: Rig>() {
    let rig = R::new().await;
    let broker = begun(&rig).await;
    append(&*broker, &["a", "b"], "0", "2").await;
    let barrier = broker.barrier(KEY, &Stream::of(StreamId::OrderEvents)).await.unwrap();
    let last = barrier.last_id;
    assert_eq!(barrier.cursor.as_deref(), Some("2"));
    assert!(!broker.is_clear(&input(), last).await.unwrap(), "nothing is given out");
    let mut reader = broker.reader(&input()).await.unwrap();
    let read = read_all(&mut *reader).await;
    assert_eq!(last, read[1].id);
    assert!(!broker.is_clear(&input(), last).await.unwrap(), "given out is not acknowledged");
    broker.acknowledge(&input(), vec![read[1].id]).await.unwrap();
    assert!(!broker.is_clear(&input(), last).await.unwrap(), "a is open");
    append(&*broker, &["c"], "2", "3").await;
    broker.acknowledge(&input(), vec![read[0].id]).await.unwrap();
    assert!(broker.is_clear(&input(), last).await.unwrap(), "c came later");
    assert!(broker.is_clear(&output(), EntryId::default()).await.unwrap(), "an empty stream is clear");
    let new = begun(&rig).await.barrier(KEY, &Stream::of(StreamId::OrderEvents)).await.unwrap();
    assert_ne!(new.generation, barrier.generation, "a new life is told apart");
}

pub async fn entries_need_a_cursor_that_moves<R: Rig>() {
    let rig = R::new().await;
    let broker = begun(&rig).await;
    let error = broker.append(vec![entry(Stream::of(StreamId::Trades), "a")], advance("0", "0")).await.unwrap_err();
    assert!(matches!(error, BrokerError::NoMove { .. }), "{error}");
    assert_eq!(broker.stream(&Stream::of(StreamId::Trades)).await.unwrap().events, 0);
}

pub async fn what_is_old_is_trimmed_though_there_is_room<R: Rig>() {
    let rig = R::new().await;
    let broker = begun(&rig).await;
    append(&*broker, &["a"], "0", "1").await;
    let mut reader = broker.reader(&input()).await.unwrap();
    let first = read_all(&mut *reader).await;
    let age = Duration::from_millis(300);
    while first[0].id.ms + 300 > now_ms() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    append(&*broker, &["b"], "1", "2").await;
    let second = read_all(&mut *reader).await;
    broker.acknowledge(&input(), vec![first[0].id, second[0].id]).await.unwrap();
    let keep = Retention { age, bytes: u64::MAX, full: 0 };
    assert_eq!(broker.trim(&Stream::of(StreamId::OrderEvents), &[input()], keep).await.unwrap(), 1, "b is young");
}

fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH);
    u64::try_from(since.unwrap().as_millis()).unwrap()
}

/// Readers, forwards, acknowledgements, take-overs and trims at once: each entry goes on once, and the counters end
/// at zero.
pub async fn everything_at_once<R: Rig>() {
    let rig = R::new().await;
    let broker = begun(&rig).await;
    let entries = 4_000;
    let appending = {
        let broker = Arc::clone(&broker);
        tokio::spawn(async move {
            for at in (0..entries).step_by(50) {
                let texts: Vec<String> = (at..at + 50).map(|n| n.to_string()).collect();
                let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
                append(&*broker, &texts, &at.to_string(), &(at + 50).to_string()).await;
            }
        })
    };
    let trimming = {
        let broker = Arc::clone(&broker);
        tokio::spawn(async move {
            loop {
                for group in [input(), output()] {
                    broker.trim(&group.stream, std::slice::from_ref(&group), KEEP_NOTHING).await.unwrap();
                }
                tokio::task::yield_now().await;
            }
        })
    };
    let forwarding = {
        let broker = Arc::clone(&broker);
        tokio::spawn(async move {
            let mut forwarded = 0;
            while forwarded < entries {
                // A reader that is given up with entries in hand, now and then with one call of it still under way.
                let mut reader = broker.reader(&input()).await.unwrap();
                for _ in 0..5 {
                    let read = reader.read(37, 1 << 20, Duration::from_millis(5)).await.unwrap();
                    let (done, late) = read.split_at(read.len() - read.len() / 10);
                    forwarded += broker.forward(&input(), capitals(done)).await.unwrap();
                    let (straggler, late) = (Arc::clone(&broker), capitals(late));
                    let straggler = tokio::spawn(async move { straggler.forward(&input(), late).await.unwrap() });
                    reader = broker.reader(&input()).await.unwrap();
                    forwarded += straggler.await.unwrap();
                }
            }
            assert_eq!(forwarded, entries, "each was forwarded once");
        })
    };
    let mut seen = std::collections::BTreeSet::new();
    let mut reader = broker.reader(&output()).await.unwrap();
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    while seen.len() < entries {
        assert!(std::time::Instant::now() < deadline, "{} of {entries}", seen.len());
        let read = reader.read(100, 1 << 20, Duration::from_millis(20)).await.unwrap();
        for text in texts(&read) {
            assert!(seen.insert(text.clone()), "{text} came twice");
        }
        assert_eq!(broker.acknowledge(&output(), ids(&read)).await.unwrap(), read.len());
    }
    appending.await.unwrap();
    forwarding.await.unwrap();
    trimming.abort();
    for group in [input(), output()] {
        let state = broker.stream(&group.stream).await.unwrap();
        let left = state.groups.iter().find(|state| state.name == group.name).unwrap();
        assert_eq!((left.pending, left.undelivered, left.unacknowledged_bytes), (0, 0, 0), "{group}");
        assert!(broker.is_clear(&group, state.last_id).await.unwrap());
    }
}

pub async fn a_loss_is_noticed<R: Rig>() {
    let mut rig = R::new().await;
    is_lost(rig.broker().join(&layout()).await).await;
    let broker = begun(&rig).await;
    rig.broker().join(&layout()).await.unwrap();
    drop(broker);
    for loss in
        [Loss::Cursor(KEY), Loss::Group(&output()), Loss::Stream(&Stream::of(StreamId::Trades)), Loss::Everything]
    {
        rig.lose(loss).await;
        rig.restart().await;
        is_lost(rig.broker().join(&layout()).await).await;
        begun(&rig).await;
        rig.broker().join(&layout()).await.unwrap();
    }
}

pub async fn a_stream_can_be_added_to_a_session<R: Rig>() {
    let rig = R::new().await;
    let broker = rig.broker();
    let older = Layout { groups: vec![input()], cursors: vec![KEY.into()] };
    broker.begin(&older, &[(KEY.into(), "0".into())]).await.unwrap();
    append(&*broker, &["a"], "0", "1").await;
    is_lost(broker.join(&layout()).await).await;
    broker.join(&older).await.unwrap();
    for _ in 0..2 {
        broker.add_stream(&output()).await.unwrap();
        broker.join(&layout()).await.unwrap();
    }
    let read = read_all(&mut *broker.reader(&input()).await.unwrap()).await;
    assert_eq!(texts(&read), ["a"], "what was there stays");
    assert_eq!(broker.forward(&input(), capitals(&read)).await.unwrap(), 1);
    broker.add_stream(&output()).await.unwrap();
    assert_eq!(texts(&read_all(&mut *broker.reader(&output()).await.unwrap()).await), ["A"]);
    rig.lose(Loss::Group(&output())).await;
    broker.add_stream(&output()).await.unwrap();
    is_lost(broker.join(&layout()).await).await;
}

pub async fn a_life_that_has_ended_takes_nothing_more<R: Rig>() {
    let rig = R::new().await;
    let old = begun(&rig).await;
    append(&*old, &["a"], "0", "1").await;
    let mut reader = old.reader(&input()).await.unwrap();
    let read = read_all(&mut *reader).await;
    let new = begun(&rig).await;
    is_lost(old.append(vec![], advance("0", "1")).await).await;
    is_lost(old.forward(&input(), capitals(&read)).await).await;
    is_lost(old.acknowledge(&input(), ids(&read)).await).await;
    assert_eq!(new.cursor(KEY).await.unwrap().as_deref(), Some("0"));
    let mut reader = new.reader(&input()).await.unwrap();
    assert_eq!(texts(&read_all(&mut *reader).await), ["a"], "what the streams still hold is given out again");
    old.join(&layout()).await.unwrap();
    assert_eq!(old.cursor(KEY).await.unwrap().as_deref(), Some("0"));
}

pub async fn a_new_life_over_trimmed_streams_gets_clear<R: Rig>() {
    let rig = R::new().await;
    let broker = begun(&rig).await;
    append(&*broker, &["a"], "0", "1").await;
    let mut reader = broker.reader(&input()).await.unwrap();
    let read = ids(&read_all(&mut *reader).await);
    broker.acknowledge(&input(), read.clone()).await.unwrap();
    assert_eq!(broker.trim(&Stream::of(StreamId::OrderEvents), &[input()], KEEP_NOTHING).await.unwrap(), 1);
    let broker = begun(&rig).await;
    let mut reader = broker.reader(&input()).await.unwrap();
    assert!(read_all(&mut *reader).await.is_empty());
    assert!(broker.is_clear(&input(), read[0]).await.unwrap());
}

/// Leaves a group with holes behind and compares what is known before and after.
pub async fn ledger_after_restart(rig: &mut impl Rig) {
    let broker = begun(rig).await;
    append(&*broker, &["a", "bb", "ccc", "dddd", "eeeee"], "0", "5").await;
    let mut reader = broker.reader(&input()).await.unwrap();
    let read = read_all(&mut *reader).await;
    broker.acknowledge(&input(), vec![read[0].id, read[2].id, read[4].id]).await.unwrap();
    broker.trim(&Stream::of(StreamId::OrderEvents), &[input()], KEEP_NOTHING).await.unwrap();
    let before = broker.stream(&Stream::of(StreamId::OrderEvents)).await.unwrap();
    drop((reader, broker));
    rig.restart().await;
    let broker = rig.broker();
    broker.join(&layout()).await.unwrap();
    let after = broker.stream(&Stream::of(StreamId::OrderEvents)).await.unwrap();
    assert_eq!((after.events, after.bytes, after.last_id), (before.events, before.bytes, before.last_id));
    let (before, after) = (&before.groups[0], &after.groups[0]);
    assert_eq!(after.pending + after.undelivered, before.pending + before.undelivered);
    assert_eq!(after.unacknowledged_bytes, before.unacknowledged_bytes);
}

/// Every test of the suite, on one rig: each by itself, or one behind the other in a single test.
macro_rules! conformance {
    (in turn $rig:ty) => {
        conformance!(@all turn $rig);
    };
    (@each $rig:ty: $($test:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                crate::broker::conformance::$test::<$rig>().await;
            }
        )*
    };
    (@turn $rig:ty: $($test:ident)*) => {
        async fn all_in_turn() {
            $(
                println!(stringify!($test));
                crate::broker::conformance::$test::<$rig>().await;
            )*
        }
    };
    (@all $how:ident $rig:ty) => {
        conformance!(@$how $rig:
            entries_flow_in_order
            an_append_whose_reply_was_lost_is_not_doubled
            a_group_of_its_own_is_given_what_is_behind_its_begin
            what_is_trimmed_over_the_head_of_a_group_is_no_lag_of_it
            every_group_is_respected_until_the_stream_is_full
            batches_are_counted_in_events
            what_was_added_is_counted
            one_process_holds_a_name
            two_ingesters_neither_double_nor_skip
            an_empty_page_moves_the_cursor
            a_missing_cursor_is_a_conflict
            a_page_may_go_to_several_streams_at_once
            what_is_too_large_for_one_call_is_refused
            outputs_come_only_with_the_first_acknowledgement
            one_input_named_twice_in_a_call_counts_once
            an_acknowledgement_counts_once
            what_was_not_acknowledged_is_given_out_again
            what_was_acknowledged_ahead_counts_without_being_read_again
            a_zombie_and_its_successor_do_the_work_once
            a_new_group_member_takes_over
            joining_again_disturbs_nobody
            a_waiting_reader_is_woken
            a_read_is_bounded_by_bytes
            nothing_unacknowledged_is_trimmed
            sizes_are_honest
            a_barrier_sees_what_is_left
            a_loss_is_noticed
            a_stream_can_be_added_to_a_session
            a_life_that_has_ended_takes_nothing_more
            a_new_life_over_trimmed_streams_gets_clear
            entries_need_a_cursor_that_moves
            what_is_old_is_trimmed_though_there_is_room
            everything_at_once
        );
    };
    ($rig:ty) => {
        conformance!(@all each $rig);
    };
}
pub(crate) use conformance;

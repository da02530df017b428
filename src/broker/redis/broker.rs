//! The broker itself: each operation as the call of its script.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use parking_lot::Mutex;
use redis::Value;

use super::reply::{count, entry_id, group_state, list, many, optional_text, text, whole};
use super::script::{self, Call, Script};
use super::{
    config::RedisConfig, heartbeat::Heartbeat, holding::Holding, inner::Inner, keys::Keys, link::Link, random::random,
    reader::RedisReader,
};
use crate::broker::contract::{Broker, Reader};
use crate::broker::entry::{EntryId, NewEntry, Size};
use crate::broker::limits::{check_append, check_size};
use crate::broker::operation::{AckAndForward, Appended, CursorCommit, Layout, Retention};
use crate::broker::state::{Barrier, StreamState};
use crate::broker::stream::{Group, Stream};
use crate::broker::{error::BrokerError, error::Result, memory::Memory};
use crate::{breaker::Breaker, clock::unix_ms};

/// Entries that one script acknowledges, counts or trims, at most: so that it never holds the server for long.
const PORTION: usize = 2_000;

/// How often to count anew what is behind the begin of a group, when a trim comes in between.
const COUNT_AGAIN: usize = 5;

/// Streams in Redis.
#[derive(Clone)]
pub struct RedisBroker {
    pub(super) inner: Arc<Inner>,
}

impl RedisBroker {
    /// The broker of a server, which need not be there yet: the first call connects.
    pub fn connect(config: RedisConfig) -> Result<Self> {
        let link = Link::new(&config.url, None)?;
        Ok(Self::with_link(config, link))
    }

    /// The same over TLS (`rediss://`), where only who has a certificate of this authority, as PEM, is believed.
    pub fn connect_trusting(config: RedisConfig, authority: Vec<u8>) -> Result<Self> {
        let link = Link::new(&config.url, Some(authority))?;
        Ok(Self::with_link(config, link))
    }

    fn with_link(config: RedisConfig, link: Link) -> Self {
        let RedisConfig { url: _, key_prefix, consumer } = config;
        let inner = Inner {
            link: Arc::new(link),
            keys: Keys::new(key_prefix),
            consumer,
            process: random(),
            generation: Mutex::default(),
            found: Mutex::default(),
            layout: Mutex::default(),
            holdings: Mutex::default(),
            heartbeat: OnceLock::new(),
            checked: tokio::sync::OnceCell::new(),
            may_not_ask: AtomicBool::new(false),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Removes all streams and cursors of the session that was joined, and the sign of life of this process. Whoever uses them
    /// has lost them.
    pub async fn remove(&self) -> Result<()> {
        if let Some(heartbeat) = self.inner.heartbeat.get() {
            heartbeat.stop().await;
        }
        let call = script::REMOVE.call().keys(self.inner.layout.lock().clone());
        let call = call.key(self.inner.keys.process(&self.inner.consumer));
        self.ask(call, "a count", whole).await.map(|_| ())
    }

    fn joined(&self) -> Result<String> {
        let generation = self.inner.generation.lock().clone();
        generation.ok_or_else(|| BrokerError::Lost("they were not joined".into()))
    }

    /// A call within the session that was joined.
    fn call(&self, script: &'static Script) -> Result<Call> {
        Ok(script.call().key(self.inner.keys.generation()).argument(self.joined()?))
    }

    /// A call about a stream.
    fn call_on(&self, script: &'static Script, stream: &Stream) -> Result<Call> {
        Ok(self.call(script)?.keys(self.inner.keys.stream(stream)))
    }

    /// A call about what the present reader of a group has in hand. Its ids are of the session that the reader joined: where
    /// another stage of this process has joined a new one meanwhile, they may be those of other entries.
    fn call_for(&self, script: &'static Script, group: &Group) -> Result<Call> {
        let held = self.inner.holdings.lock().get(group).map(|holding| holding.generation().to_owned());
        let generation = held.map_or_else(|| self.joined(), Ok)?;
        let call = script.call().key(self.inner.keys.generation()).argument(generation);
        Ok(call.keys(self.inner.keys.stream(&group.stream)).argument(group.name.clone()))
    }

    /// Runs a call and reads its answer; `what` names that where it is garbled.
    pub(super) async fn ask<T>(&self, call: Call, what: &str, read: impl FnOnce(Value) -> Option<T>) -> Result<T> {
        let value = self.inner.link.run(&call).await?;
        read(value).ok_or_else(|| self.inner.link.garbled(what))
    }

    fn layout_keys(&self, layout: &Layout) -> Vec<String> {
        let keys = &self.inner.keys;
        let streams = layout.groups.iter().flat_map(|group| keys.stream(&group.stream));
        std::iter::once(keys.generation())
            .chain(streams)
            .chain(layout.cursors.iter().map(|key| keys.named(key)))
            .collect()
    }

    /// Takes part in a session.
    fn enter(&self, generation: String) {
        let inner = &self.inner;
        *inner.generation.lock() = Some(generation);
        *inner.found.lock() = None;
        inner.heartbeat.get_or_init(|| {
            Heartbeat::start(Arc::clone(&inner.link), inner.keys.process(&inner.consumer), inner.process.clone())
        });
    }

    /// Counts entries from one id to another: a page of them, their bytes, the first and the last.
    async fn page(&self, stream: &Stream, from: &str, to: &str) -> Result<Page> {
        let call = self.call_on(&script::MEASURE, stream)?;
        let call = call.argument(from).argument(to).number(PORTION);
        let read = |value| {
            let [entries, bytes, first, last, events] = list(value)?;
            let size = Size { events: count(&events)?, bytes: count(&bytes)? };
            Some(Page { entries: count(&entries)?, size, first: text(first)?, last: text(last)? })
        };
        self.ask(call, "a count", read).await
    }

    /// Counts all entries from one id to another, page by page.
    async fn pages(&self, stream: &Stream, after: EntryId, to: &str) -> Result<Page> {
        let mut all = Page::default();
        let mut from = format!("({after}");
        loop {
            let page = self.page(stream, &from, to).await?;
            let is_last = page.entries < PORTION as u64;
            if page.entries > 0 {
                all.entries += page.entries;
                all.size = all.size + page.size;
                if all.first.is_empty() {
                    all.first = page.first;
                }
                from = format!("({}", page.last);
                all.last = page.last;
            }
            if is_last {
                return Ok(all);
            }
        }
    }

    fn holding(&self, group: &Group) -> Option<Arc<Holding>> {
        self.inner.holdings.lock().get(group).cloned()
    }

    fn note_done(&self, group: &Group, ids: impl Iterator<Item = EntryId>) {
        if let Some(holding) = self.holding(group) {
            holding.done(ids);
        }
    }
}

/// The streams that a call adds entries to: each is named once, and by its number from there on.
#[derive(Default)]
struct Streams(Vec<Stream>);

impl Streams {
    fn add(&mut self, call: Call, entry: NewEntry) -> Call {
        let at = match self.0.iter().position(|stream| *stream == entry.stream) {
            Some(at) => at,
            None => {
                self.0.push(entry.stream);
                self.0.len() - 1
            }
        };
        call.number(at + 1).argument(entry.body)
    }

    fn finish(&self, call: Call, keys: &Keys) -> Call {
        call.keys(self.0.iter().flat_map(|stream| keys.stream(stream)))
    }
}

/// An entry that is acknowledged, with its size where its reader knows it: the server would have to look for it.
fn acknowledged(call: Call, id: EntryId, holding: Option<&Arc<Holding>>) -> Call {
    let call = call.number(id);
    match holding.and_then(|holding| holding.size(id)) {
        Some(Size { events, bytes }) => call.number(bytes).number(events),
        None => call.argument("").argument(""),
    }
}

/// Entries that were counted.
#[derive(Default)]
struct Page {
    entries: u64,
    size: Size,
    /// The first and the last id; empty if there are none.
    first: String,
    last: String,
}

#[async_trait]
impl Broker for RedisBroker {
    fn breaker(&self) -> Option<Breaker> {
        Some(self.inner.link.breaker().clone())
    }

    async fn join(&self, layout: &Layout) -> Result<()> {
        self.check_server().await?;
        let keys = self.layout_keys(layout);
        *self.inner.layout.lock() = keys.clone();
        // Before it is joined: whoever finds it incomplete and begins anew must not end what another began meanwhile.
        let found = script::GENERATION.call().key(self.inner.keys.generation());
        let found = self.ask(found, "a generation", text).await?;
        let mut call = script::JOIN.call().keys(keys);
        for group in &layout.groups {
            call = call.argument(group.name.clone());
        }
        match self.ask(call, "a generation", text).await {
            Ok(generation) => self.enter(generation),
            Err(error) => {
                *self.inner.found.lock() = Some(found);
                return Err(error);
            }
        }
        Ok(())
    }

    async fn begin(&self, layout: &Layout, cursors: &[(String, String)]) -> Result<()> {
        let generation = random();
        let mut keys = self.layout_keys(layout);
        keys.extend(
            cursors.iter().filter(|(key, _)| !layout.cursors.contains(key)).map(|(key, _)| self.inner.keys.named(key)),
        );
        *self.inner.layout.lock() = keys.clone();
        // Whatever there is, where nobody has looked.
        let found = self.inner.found.lock().clone().unwrap_or_else(|| "*".into());
        let mut call = script::BEGIN.call().keys(keys).argument(generation).argument(found).number(layout.groups.len());
        for group in &layout.groups {
            call = call.argument(group.name.clone());
        }
        let value = |key: &String| cursors.iter().find(|(named, _)| named == key).map(|(_, value)| value.clone());
        for key in &layout.cursors {
            call = call.argument(value(key).unwrap_or_default());
        }
        for (_, value) in cursors.iter().filter(|(key, _)| !layout.cursors.contains(key)) {
            call = call.argument(value.clone());
        }
        let generation = self.ask(call, "a generation", text).await?;
        self.enter(generation);
        Ok(())
    }

    async fn cursor(&self, key: &str) -> Result<Option<String>> {
        let call = self.call(&script::CURSOR)?.key(self.inner.keys.named(key));
        self.ask(call, "a cursor", optional_text).await
    }

    async fn append(&self, entries: Vec<NewEntry>, advance: CursorCommit) -> Result<Appended> {
        check_append(&entries, &advance)?;
        let mut streams = Streams::default();
        let mut call = self.call(&script::APPEND)?.key(self.inner.keys.named(&advance.key));
        call = call.argument(advance.expected).argument(advance.next);
        for entry in entries {
            call = streams.add(call, entry);
        }
        let call = streams.finish(call, &self.inner.keys);
        let read = |value| {
            let mut values = many(value)?.into_iter();
            match text(values.next()?)?.as_str() {
                "now" => Some(Appended::Now),
                "before" => Some(Appended::Before),
                "conflict" => Some(Appended::Conflict(values.next().and_then(text))),
                _ => None,
            }
        };
        self.ask(call, "an outcome", read).await
    }

    async fn forward(&self, group: &Group, forwards: Vec<AckAndForward>) -> Result<usize> {
        check_size(forwards.iter().flat_map(|forward| &forward.outputs))?;
        let ids: Vec<EntryId> = forwards.iter().map(|forward| forward.id).collect();
        let mut streams = Streams::default();
        let mut call = self.call_for(&script::FORWARD, group)?;
        let holding = self.holding(group);
        for AckAndForward { id, outputs } in forwards {
            call = acknowledged(call, id, holding.as_ref()).number(outputs.len());
            for output in outputs {
                call = streams.add(call, output);
            }
        }
        let forwarded = self.ask(streams.finish(call, &self.inner.keys), "a count", whole).await?;
        self.note_done(group, ids.into_iter());
        Ok(forwarded)
    }

    async fn acknowledge(&self, group: &Group, ids: Vec<EntryId>) -> Result<usize> {
        let (mut events, holding) = (0, self.holding(group));
        // Without ids it is asked, too, whether the session goes on.
        let portions = ids.chunks(PORTION).chain(ids.is_empty().then_some(&[][..]));
        for portion in portions {
            let mut call = self.call_for(&script::ACKNOWLEDGE, group)?;
            for id in portion {
                call = acknowledged(call, *id, holding.as_ref());
            }
            events += self.ask(call, "a count", whole).await?;
            self.note_done(group, portion.iter().copied());
        }
        Ok(events)
    }

    async fn reader(&self, group: &Group) -> Result<Box<dyn Reader>> {
        let reader = RedisReader::open(Arc::clone(&self.inner), self.joined()?, group.clone()).await?;
        Ok(Box::new(reader))
    }

    async fn add_stream(&self, group: &Group) -> Result<()> {
        let call = self.call_on(&script::ADD_STREAM, &group.stream)?.argument(group.name.clone());
        self.ask(call, "a word", whole).await.map(|_| ())
    }

    async fn open_group(&self, group: &Group, after: EntryId) -> Result<()> {
        for attempt in 0.. {
            // Counted page by page beside all else; in one script, which holds up the server, only in the end.
            let counted =
                if attempt < COUNT_AGAIN { self.pages(&group.stream, after, "+").await? } else { Page::default() };
            let call = self.call_on(&script::OPEN_GROUP, &group.stream)?.argument(group.name.clone()).number(after);
            let call = call.number(counted.entries).number(counted.size.bytes);
            let call = call.argument(counted.first).argument(counted.last).number(counted.size.events);
            if self.ask(call, "a word", whole).await? == 1 {
                break;
            }
        }
        Ok(())
    }

    async fn close_group(&self, group: &Group) -> Result<()> {
        let call = self.call_on(&script::CLOSE_GROUP, &group.stream)?.argument(group.name.clone());
        self.ask(call, "a word", whole).await.map(|_| ())
    }

    async fn oldest(&self, stream: &Stream, after: EntryId) -> Result<Option<EntryId>> {
        let call = self.call_on(&script::MEASURE, stream)?;
        let call = call.argument(format!("({after}")).argument("+").number(1);
        let read = |value| {
            let [_, _, first, _, _] = list(value)?;
            match text(first)?.as_str() {
                "" => Some(None),
                first => entry_id(first).map(Some),
            }
        };
        self.ask(call, "an id", read).await
    }

    async fn count(&self, stream: &Stream, after: EntryId, up_to: EntryId) -> Result<u64> {
        Ok(self.pages(stream, after, &up_to.to_string()).await?.size.events)
    }

    async fn trim(&self, stream: &Stream, required: &[Group], keep: Retention) -> Result<usize> {
        let call = self.call_on(&script::TRIM, stream)?;
        let call = call.number(keep.age.as_millis()).number(keep.bytes).number(keep.full).number(PORTION);
        let mut call = call.number(unix_ms());
        for group in required {
            call = call.argument(group.name.clone());
        }
        self.ask(call, "a count", whole).await
    }

    async fn stream(&self, stream: &Stream) -> Result<StreamState> {
        let read = |value| {
            let [events, bytes, added, last_id, groups] = list(value)?;
            let mut groups = many(groups)?.into_iter().map(group_state).collect::<Option<Vec<_>>>()?;
            groups.sort_by(|a, b| a.name.cmp(&b.name));
            let last_id = entry_id(&text(last_id)?)?;
            let [events, bytes, added] = [count(&events)?, count(&bytes)?, count(&added)?];
            Some(StreamState { events, bytes, added, last_id, groups })
        };
        self.ask(self.call_on(&script::STATE, stream)?, "the state of a stream", read).await
    }

    async fn barrier(&self, key: &str, stream: &Stream) -> Result<Barrier> {
        let generation = self.joined()?;
        let call = self.call_on(&script::BARRIER, stream)?.key(self.inner.keys.named(key));
        // A server that comes back as it was some time ago has the same generation, but not the same connections.
        let (connection, value) = self.inner.link.run_numbered(&call).await?;
        let generation = format!("{generation} by connection {connection}");
        let read = |value| {
            let [last_id, cursor] = list(value)?;
            Some(Barrier { generation, cursor: optional_text(cursor)?, last_id: entry_id(&text(last_id)?)? })
        };
        read(value).ok_or_else(|| self.inner.link.garbled("a barrier"))
    }

    async fn is_clear(&self, group: &Group, id: EntryId) -> Result<bool> {
        let call = self.call_on(&script::GROUP_STATE, &group.stream)?.argument(group.name.clone());
        let state = self.ask(call, "the state of a group", group_state).await?;
        Ok(state.clear_up_to >= id)
    }

    async fn acquire_lease(&self, name: &str) -> Result<bool> {
        let keys = &self.inner.keys;
        let call = self.call(&script::ACQUIRE_LEASE)?.key(keys.lease(name));
        let call = call.argument(self.inner.consumer.clone()).argument(keys.process(""));
        Ok(self.ask(call, "a word", whole).await? == 1)
    }

    async fn release_lease(&self, name: &str) -> Result<()> {
        let call = self.call(&script::RELEASE_LEASE)?.key(self.inner.keys.lease(name));
        self.ask(call.argument(self.inner.consumer.clone()), "a word", whole).await.map(|_| ())
    }

    async fn memory(&self) -> Result<Option<Memory>> {
        self.server_memory().await
    }
}

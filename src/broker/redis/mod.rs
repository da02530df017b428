//! The broker on Redis Streams.
//!
//! Every operation is one script in `lua/`: all of its checks, then its writes. Each names the life that it belongs to
//! (`state:generation`), so that whatever happens to Redis is noticed by the next call, whoever makes it.
//!
//! | key (behind the prefix) | |
//! |---|---|
//! | `stream:…` | a stream; an entry is one field, `v` |
//! | `state:<stage>:<source>` | a cursor, as it comes in |
//! | `state:generation` | which life it is |
//! | `tally:<stream>` | a hash: entries and bytes ever added and removed, what each group is done with, seats of readers |
//! | `proc:<consumer>` | is there as long as a process lives |
//! | `hold:<name>` | which process does what only one does |
//!
//! **Sizes.** Redis knows no bytes of a stream, and its `lag` is null or wrong after a trim. So the scripts count: what was
//! added, removed, and done by each group. What a group has left is the difference, of which Redis's pending list says
//! exactly how much is given out. Nothing is estimated, and no count walks a stream, but for a group that is opened in the
//! middle of one and streams that somebody else changed. That is noticed: every script compares the length of its
//! streams with the count, and a difference is a loss.
//!
//! **Processes.** Several may read for one group. What one holds is taken by others once it is dead: its `proc:` key is
//! gone, or it has given its reader up. One server, or a primary and its replicas; a cluster is refused, since a script
//! spans streams.

mod code;
mod failure;
mod heart;
mod keys;
mod link;
mod reader;
mod reply;
mod script;
mod server;

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use rand::RngExt;
use redis::Value;

use super::{
    Advance, Appended, Broker, BrokerError, EntryId, Group, Handover, Keep, Layout, MAX_BYTES, MAX_ENTRIES, Mark,
    Memory, NewEntry, Reader, Stream, StreamState, check_append, check_size,
};
use crate::breaker::Breaker;
use crate::planted::{Bug, planted};
pub use failure::RedisFailure;
use heart::Heart;
use keys::Keys;
use link::Link;
use reader::{Holding, RedisReader};
use reply::{count, entry_id, group_state, list, many, text};
use script::{Call, Script};
pub use server::RedisServer;

/// Entries that one script acknowledges, counts or trims, at most: so that it never holds the server for long.
const PORTION: usize = 2_000;

/// How often to count anew what is behind the begin of a group, when a trim comes in between.
const COUNT_AGAIN: usize = 5;

/// Where Redis is, and who this process is there.
#[derive(Clone)]
pub struct RedisConfig {
    /// `redis://[user:password@]host:port/database`, `rediss://…` over TLS, or `redis+unix:///path`.
    pub url: String,
    /// What the names of all keys begin with.
    pub key_prefix: String,
    /// The name of this process in every group. No two that live may share it; one that comes again under its name has
    /// at once what it held.
    pub consumer: String,
}

/// Without the URL, which may hold a password.
impl std::fmt::Debug for RedisConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { url: _, key_prefix, consumer } = self;
        f.debug_struct("RedisConfig")
            .field("key_prefix", key_prefix)
            .field("consumer", consumer)
            .finish_non_exhaustive()
    }
}

/// Streams in Redis.
#[derive(Clone)]
pub struct RedisBroker {
    inner: Arc<Inner>,
}

struct Inner {
    link: Arc<Link>,
    keys: Keys,
    consumer: String,
    /// Tells this process from an earlier one of the same name.
    process: String,
    /// Which life was joined.
    generation: Mutex<Option<String>>,
    /// Which one was found incomplete; empty if there was none.
    found: Mutex<Option<String>>,
    /// The keys of its streams and cursors.
    layout: Mutex<Vec<String>>,
    /// What the present reader of each group has in hand.
    holdings: Mutex<HashMap<Group, Arc<Holding>>>,
    heart: OnceLock<Heart>,
    /// Whether the server was found fit.
    checked: tokio::sync::OnceCell<()>,
    /// Whether it refused to say how it is.
    may_not_ask: AtomicBool,
}

impl RedisBroker {
    /// The broker of a server, which need not be there yet: the first call connects.
    pub fn connect(config: RedisConfig) -> Result<Self, BrokerError> {
        let link = Link::new(&config.url, None)?;
        Ok(Self::with_link(config, link))
    }

    /// The same over TLS (`rediss://`), where only who has a certificate of this authority, as PEM, is believed.
    pub fn connect_trusting(config: RedisConfig, authority: Vec<u8>) -> Result<Self, BrokerError> {
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
            heart: OnceLock::new(),
            checked: tokio::sync::OnceCell::new(),
            may_not_ask: AtomicBool::new(false),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Removes all streams and cursors of the life that was joined, and the sign of life of this process. Whoever uses them
    /// has lost them.
    pub async fn remove(&self) -> Result<(), BrokerError> {
        let call = script::REMOVE.call().keys(self.inner.layout.lock().clone());
        let call = call.key(self.inner.keys.process(&self.inner.consumer));
        self.ask(call, "a count", whole).await.map(|_| ())
    }

    fn joined(&self) -> Result<String, BrokerError> {
        let generation = self.inner.generation.lock().clone();
        generation.ok_or_else(|| BrokerError::Lost("they were not joined".into()))
    }

    /// A call within the life that was joined.
    fn call(&self, script: &'static Script) -> Result<Call, BrokerError> {
        Ok(script.call().key(self.inner.keys.generation()).argument(self.joined()?))
    }

    /// A call about a stream.
    fn call_on(&self, script: &'static Script, stream: &Stream) -> Result<Call, BrokerError> {
        Ok(self.call(script)?.keys(self.inner.keys.stream(stream)))
    }

    /// A call about what the present reader of a group has in hand. Its ids are of the life that the reader joined: where
    /// another stage of this process has joined a new one meanwhile, they may be those of other entries.
    fn call_for(&self, script: &'static Script, group: &Group) -> Result<Call, BrokerError> {
        let held = self.inner.holdings.lock().get(group).map(|holding| holding.generation().to_owned());
        let generation = held.map_or_else(|| self.joined(), Ok)?;
        let call = script.call().key(self.inner.keys.generation()).argument(generation);
        Ok(call.keys(self.inner.keys.stream(&group.stream)).argument(group.name.clone()))
    }

    /// Runs a call and reads its answer; `what` names that where it is garbled.
    async fn ask<T>(&self, call: Call, what: &str, read: impl FnOnce(Value) -> Option<T>) -> Result<T, BrokerError> {
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

    /// Takes part in a life.
    fn enter(&self, generation: String) {
        let inner = &self.inner;
        *inner.generation.lock() = Some(generation);
        *inner.found.lock() = None;
        inner.heart.get_or_init(|| {
            Heart::start(Arc::clone(&inner.link), inner.keys.process(&inner.consumer), inner.process.clone())
        });
    }

    /// Counts entries from one id to another: a page of them, their bytes, the first and the last.
    async fn page(&self, stream: &Stream, from: &str, to: &str) -> Result<Page, BrokerError> {
        let call = self.call_on(&script::MEASURE, stream)?;
        let call = call.argument(from).argument(to).number(PORTION);
        let read = |value| {
            let [entries, bytes, first, last] = list(value)?;
            Some(Page { entries: count(&entries)?, bytes: count(&bytes)?, first: text(first)?, last: text(last)? })
        };
        self.ask(call, "a count", read).await
    }

    /// Counts all entries from one id to another, page by page.
    async fn pages(&self, stream: &Stream, after: EntryId, to: &str) -> Result<Page, BrokerError> {
        let mut all = Page::default();
        let mut from = format!("({after}");
        loop {
            let page = self.page(stream, &from, to).await?;
            let is_last = page.entries < PORTION as u64;
            if page.entries > 0 {
                all.entries += page.entries;
                all.bytes += page.bytes;
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

    fn note_done(&self, group: &Group, ids: impl Iterator<Item = EntryId>) {
        let holding = self.inner.holdings.lock().get(group).cloned();
        if let Some(holding) = holding {
            holding.done(ids);
        }
    }

    /// Moves the cursor alone, lingers, and only then adds the entries: what must never be done.
    async fn append_cursor_first(&self, entries: Vec<NewEntry>, advance: Advance) -> Result<Appended, BrokerError> {
        let back = Advance { expected: advance.next.clone(), next: advance.expected.clone(), ..advance.clone() };
        let moved = self.append_all(Vec::new(), advance.clone()).await?;
        if moved == Appended::Now {
            tokio::time::sleep(Duration::from_millis(25)).await;
            self.append_all(Vec::new(), back).await?;
            return self.append_all(entries, advance).await;
        }
        Ok(moved)
    }

    async fn append_all(&self, entries: Vec<NewEntry>, advance: Advance) -> Result<Appended, BrokerError> {
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

/// Entries that were counted.
#[derive(Default)]
struct Page {
    entries: u64,
    bytes: u64,
    /// The first and the last id; empty if there are none.
    first: String,
    last: String,
}

fn random() -> String {
    format!("{:016x}", rand::rng().random::<u64>())
}

#[async_trait]
impl Broker for RedisBroker {
    fn breaker(&self) -> Option<Breaker> {
        Some(self.inner.link.breaker().clone())
    }

    async fn join(&self, layout: &Layout) -> Result<(), BrokerError> {
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

    async fn begin(&self, layout: &Layout, cursors: &[(String, String)]) -> Result<(), BrokerError> {
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

    async fn cursor(&self, key: &str) -> Result<Option<String>, BrokerError> {
        let call = self.call(&script::CURSOR)?.key(self.inner.keys.named(key));
        self.ask(call, "a cursor", optional_text).await
    }

    async fn append(&self, entries: Vec<NewEntry>, advance: Advance) -> Result<Appended, BrokerError> {
        check_append(&entries, &advance)?;
        if planted(Bug::CursorBeforeEntries) {
            return self.append_cursor_first(entries, advance).await;
        }
        self.append_all(entries, advance).await
    }

    async fn forward(&self, group: &Group, handovers: Vec<Handover>) -> Result<usize, BrokerError> {
        check_size(handovers.iter().flat_map(|handover| &handover.outputs))?;
        let ids: Vec<EntryId> = handovers.iter().map(|handover| handover.id).collect();
        let mut streams = Streams::default();
        let mut call = self.call_for(&script::FORWARD, group)?;
        for Handover { id, outputs } in handovers {
            call = call.number(id).number(outputs.len());
            for output in outputs {
                call = streams.add(call, output);
            }
        }
        let forwarded = self.ask(streams.finish(call, &self.inner.keys), "a count", whole).await?;
        self.note_done(group, ids.into_iter());
        Ok(forwarded)
    }

    async fn acknowledge(&self, group: &Group, ids: Vec<EntryId>) -> Result<usize, BrokerError> {
        let mut acknowledged = 0;
        // Without ids it is asked, too, whether the life goes on.
        let portions = ids.chunks(PORTION).chain(ids.is_empty().then_some(&[][..]));
        for portion in portions {
            let mut call = self.call_for(&script::ACKNOWLEDGE, group)?;
            for id in portion {
                call = call.number(id);
            }
            acknowledged += self.ask(call, "a count", whole).await?;
            self.note_done(group, portion.iter().copied());
        }
        Ok(acknowledged)
    }

    async fn reader(&self, group: &Group) -> Result<Box<dyn Reader>, BrokerError> {
        let reader = RedisReader::open(Arc::clone(&self.inner), self.joined()?, group.clone()).await?;
        Ok(Box::new(reader))
    }

    async fn open_group(&self, group: &Group, after: EntryId) -> Result<(), BrokerError> {
        for attempt in 0.. {
            // Counted page by page beside all else; in one script, which holds up the server, only in the end.
            let counted =
                if attempt < COUNT_AGAIN { self.pages(&group.stream, after, "+").await? } else { Page::default() };
            let call = self.call_on(&script::OPEN_GROUP, &group.stream)?.argument(group.name.clone()).number(after);
            let call = call.number(counted.entries).number(counted.bytes);
            let call = call.argument(counted.first).argument(counted.last);
            if self.ask(call, "a word", whole).await? == 1 {
                break;
            }
        }
        Ok(())
    }

    async fn close_group(&self, group: &Group) -> Result<(), BrokerError> {
        let call = self.call_on(&script::CLOSE_GROUP, &group.stream)?.argument(group.name.clone());
        self.ask(call, "a word", whole).await.map(|_| ())
    }

    async fn oldest(&self, stream: &Stream, after: EntryId) -> Result<Option<EntryId>, BrokerError> {
        let call = self.call_on(&script::MEASURE, stream)?;
        let call = call.argument(format!("({after}")).argument("+").number(1);
        let read = |value| {
            let [_, _, first, _] = list(value)?;
            match text(first)?.as_str() {
                "" => Some(None),
                first => entry_id(first).map(Some),
            }
        };
        self.ask(call, "an id", read).await
    }

    async fn count(&self, stream: &Stream, after: EntryId, up_to: EntryId) -> Result<u64, BrokerError> {
        Ok(self.pages(stream, after, &up_to.to_string()).await?.entries)
    }

    async fn trim(&self, stream: &Stream, required: &[Group], keep: Keep) -> Result<usize, BrokerError> {
        let call = self.call_on(&script::TRIM, stream)?;
        let mut call = call.number(keep.age.as_millis()).number(keep.bytes).number(keep.full).number(PORTION);
        for group in required {
            call = call.argument(group.name.clone());
        }
        self.ask(call, "a count", whole).await
    }

    async fn stream(&self, stream: &Stream) -> Result<StreamState, BrokerError> {
        let read = |value| {
            let [entries, bytes, added, last_id, groups] = list(value)?;
            let mut groups = many(groups)?.into_iter().map(group_state).collect::<Option<Vec<_>>>()?;
            groups.sort_by(|a, b| a.name.cmp(&b.name));
            let last_id = entry_id(&text(last_id)?)?;
            let [entries, bytes, added] = [count(&entries)?, count(&bytes)?, count(&added)?];
            Some(StreamState { entries, bytes, added, last_id, groups })
        };
        self.ask(self.call_on(&script::STATE, stream)?, "the state of a stream", read).await
    }

    async fn mark(&self, key: &str, stream: &Stream) -> Result<Mark, BrokerError> {
        let generation = self.joined()?;
        let call = self.call_on(&script::MARK, stream)?.key(self.inner.keys.named(key));
        // A server that comes back as it was some time ago has the same generation, but not the same connections.
        let (connection, value) = self.inner.link.run_numbered(&call).await?;
        let generation = format!("{generation} by connection {connection}");
        let read = |value| {
            let [last_id, cursor] = list(value)?;
            Some(Mark { generation, cursor: optional_text(cursor)?, last_id: entry_id(&text(last_id)?)? })
        };
        read(value).ok_or_else(|| self.inner.link.garbled("a mark"))
    }

    async fn is_clear(&self, group: &Group, id: EntryId) -> Result<bool, BrokerError> {
        let call = self.call_on(&script::GROUP_STATE, &group.stream)?.argument(group.name.clone());
        let state = self.ask(call, "the state of a group", group_state).await?;
        Ok(state.clear_up_to >= id)
    }

    async fn hold(&self, name: &str) -> Result<bool, BrokerError> {
        let keys = &self.inner.keys;
        let call = self.call(&script::HOLD)?.key(keys.hold(name));
        let call = call.argument(self.inner.consumer.clone()).argument(keys.process(""));
        Ok(self.ask(call, "a word", whole).await? == 1)
    }

    async fn release(&self, name: &str) -> Result<(), BrokerError> {
        let call = self.call(&script::RELEASE)?.key(self.inner.keys.hold(name));
        self.ask(call.argument(self.inner.consumer.clone()), "a word", whole).await.map(|_| ())
    }

    async fn memory(&self) -> Result<Option<Memory>, BrokerError> {
        self.server_memory().await
    }
}

fn optional_text(value: Value) -> Option<Option<String>> {
    match value {
        Value::Nil => Some(None),
        value => text(value).map(Some),
    }
}

fn whole(value: Value) -> Option<usize> {
    usize::try_from(count(&value)?).ok()
}

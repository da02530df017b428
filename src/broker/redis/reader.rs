//! Reads for a group, on a connection of its own.
//!
//! A reader takes a new fencing token whenever it connects. Entries are handed out by a script that checks the token, so a
//! request of an earlier connection that is still under way is refused, and no entry is handed out unseen. Waiting is done by
//! an `XREAD`, which hands out nothing: a blocking `XREADGROUP` would, even to a connection that is dropped while it waits.
//!
//! After each reconnect the reader first gets what its consumer has pending, except for what it has in hand already.

use std::{collections::HashMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use redis::{RedisError, Value, aio::MultiplexedConnection};
use tokio::{runtime::Handle, time::Instant};

use super::reply::{bytes, entry_id, many, text};
use super::script::{FENCE, LEAVE, READ};
use super::{heartbeat::with_ttl, holding::Holding, inner::Inner, link::RESPONSE, random::random};
use crate::broker::entry::{Delivery, EntryId, Size};
use crate::broker::limits::{MAX_BYTES, MAX_ENTRIES};
use crate::broker::{contract::Reader, error::BrokerError, error::Result, stream::Group};

/// How often to look for consumers that are dead, at least; and how long one wait takes, at most.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How much longer than it waits the server may take to say that nothing came.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a reader that is given up may take to say so.
const LEAVE_WITHIN: Duration = Duration::from_secs(2);

pub(super) struct RedisReader {
    inner: Arc<Inner>,
    generation: String,
    group: Group,
    holding: Arc<Holding>,
    /// `None` while a call is under way, so that a cancelled call leaves no connection behind.
    connected: Option<Connected>,
    /// The newest fencing token, for `Drop`.
    token: String,
}

/// A connection and what it is in the middle of.
struct Connected {
    connection: MultiplexedConnection,
    token: String,
    /// Behind which of the entries that the consumer holds to go on; nothing once all were looked at.
    held_from: Option<EntryId>,
    /// When to look for dead consumers.
    look_at: Instant,
}

/// What a look has found.
struct Found {
    are_held: bool,
    deliveries: Vec<Delivery>,
    /// The newest id that the group was given, where nothing was found.
    newest: String,
}

/// Why a call failed.
enum Refusal {
    Redis(RedisError),
    Broker(BrokerError),
}

impl From<RedisError> for Refusal {
    fn from(error: RedisError) -> Self {
        Self::Redis(error)
    }
}

impl RedisReader {
    /// Takes over from whoever read for the group in this process.
    pub(super) async fn open(inner: Arc<Inner>, generation: String, group: Group) -> Result<Self> {
        let holding = Arc::new(Holding::new(generation.clone()));
        let before = inner.holdings.lock().insert(group.clone(), Arc::clone(&holding));
        let mut reader = Self { inner, generation, group, holding, connected: None, token: String::new() };
        match reader.connect().await {
            Ok(connected) => {
                reader.connected = Some(connected);
                Ok(reader)
            }
            Err(refusal) => {
                // Then whoever read before goes on.
                let mut holdings = reader.inner.holdings.lock();
                if reader.is_present(&holdings) {
                    match before {
                        Some(before) => holdings.insert(reader.group.clone(), before),
                        None => holdings.remove(&reader.group),
                    };
                }
                drop(holdings);
                Err(reader.explain(refusal))
            }
        }
    }

    /// Whether no other reader of this process has taken over.
    fn is_present(&self, holdings: &HashMap<Group, Arc<Holding>>) -> bool {
        holdings.get(&self.group).is_some_and(|holding| Arc::ptr_eq(holding, &self.holding))
    }

    async fn connect(&mut self) -> Result<Connected, Refusal> {
        let Inner { link, keys, consumer, process, .. } = &*self.inner;
        // One that cannot be made is not tried again at once.
        let connected = link.connect().await.map_err(|error| Refusal::Broker(link.explain(&error)));
        let mut connection = connected?;
        // Known before it is taken, so that it can be given up whatever becomes of this call.
        let token = random();
        self.token.clone_from(&token);
        let call =
            FENCE.call().key(keys.generation()).keys(keys.stream(&self.group.stream)).key(keys.process(consumer));
        let call = call.argument(self.generation.clone()).argument(self.group.name.clone());
        let call = call.argument(consumer.clone()).argument(token.clone()).argument(process.clone());
        with_ttl(call).run(&mut connection).await?;
        link.breaker().answered();
        Ok(Connected { connection, token, held_from: Some(EntryId::default()), look_at: Instant::now() })
    }

    /// One look, without waiting.
    async fn poll(&self, connected: &mut Connected, max: usize, max_bytes: usize) -> Result<Found, Refusal> {
        let Inner { link, keys, consumer, .. } = &*self.inner;
        let looks_for_dead = Instant::now() >= connected.look_at;
        let call = READ.call().key(keys.generation()).keys(keys.stream(&self.group.stream));
        let call = call.argument(self.generation.clone()).argument(self.group.name.clone());
        let call = call.argument(consumer.clone()).argument(connected.token.clone());
        let call = call.number(max.min(MAX_ENTRIES)).number(max_bytes.min(MAX_BYTES));
        let call = call.argument(connected.held_from.map(|id| id.to_string()).unwrap_or_default());
        let call = call.number(u8::from(looks_for_dead)).argument(keys.process(""));
        let garbled = |what| Refusal::Broker(link.garbled(what));
        let mut values =
            many(call.run(&mut connected.connection).await?).ok_or_else(|| garbled("entries"))?.into_iter();
        let mut word = || values.next().and_then(text).ok_or_else(|| garbled("its head"));
        let (source, newest, soonest) = (word()?, word()?, word()?);
        let mut deliveries = Vec::with_capacity(values.len() / 2);
        while let (Some(id), Some(body)) = (values.next(), values.next()) {
            let id = text(id).and_then(|id| entry_id(&id)).ok_or_else(|| garbled("an id"))?;
            deliveries.push(Delivery { id, body: bytes(body).ok_or_else(|| garbled("a body"))? });
        }
        let are_held = source == "own";
        connected.held_from = deliveries.last().map(|delivery| delivery.id).filter(|_| are_held);
        if source == "new" && looks_for_dead {
            let soonest = soonest.parse().map_or(LOOK_EVERY, |ms: u64| Duration::from_millis(ms + 1));
            connected.look_at = Instant::now() + soonest.min(LOOK_EVERY);
        }
        Ok(Found { are_held, deliveries, newest })
    }

    /// Waits until there are entries behind `newest`, or for so long.
    async fn wait(&self, connected: &mut Connected, newest: &str, wait: Duration) -> Result<(), Refusal> {
        let [stream, _] = self.inner.keys.stream(&self.group.stream);
        let wait = wait.min(LOOK_EVERY).max(Duration::from_millis(1));
        let ms = u64::try_from(wait.as_micros().div_ceil(1_000)).unwrap_or(u64::MAX);
        let mut command = redis::cmd("XREAD");
        command.arg("COUNT").arg(1).arg("BLOCK").arg(ms).arg("STREAMS").arg(stream).arg(newest);
        connected.connection.set_response_timeout(wait + PATIENCE);
        command.query_async::<Value>(&mut connected.connection).await?;
        connected.connection.set_response_timeout(RESPONSE);
        Ok(())
    }

    /// Until something is found, or nothing in time.
    async fn attempt(&mut self, max: usize, max_bytes: usize, deadline: Instant) -> Result<Vec<Delivery>, Refusal> {
        loop {
            // Another reader of this process may have taken over by now: its token must stay valid.
            if !self.is_present(&self.inner.holdings.lock()) {
                return Err(Refusal::Broker(BrokerError::Superseded(self.group.clone())));
            }
            let mut connected = match self.connected.take() {
                Some(connected) => connected,
                None => self.connect().await?,
            };
            let mut found = self.poll(&mut connected, max, max_bytes).await?;
            let is_empty = found.deliveries.is_empty();
            if !is_empty {
                let mut given = self.holding.given.lock();
                found.deliveries.retain(|delivery| given.insert(delivery.id, Size::of(&delivery.body)).is_none());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if !found.deliveries.is_empty() || (!found.are_held && left.is_zero()) {
                self.connected = Some(connected);
                return Ok(found.deliveries);
            }
            if is_empty {
                let until_look = connected.look_at.saturating_duration_since(Instant::now());
                self.wait(&mut connected, &found.newest, left.min(until_look)).await?;
            }
            self.connected = Some(connected);
        }
    }

    fn explain(&self, refusal: Refusal) -> BrokerError {
        match refusal {
            Refusal::Redis(error) if error.code() == Some("FENCED") => BrokerError::Superseded(self.group.clone()),
            Refusal::Redis(error) => {
                self.inner.link.note(&error);
                self.inner.link.explain(&error)
            }
            Refusal::Broker(error) => error,
        }
    }
}

#[async_trait]
impl Reader for RedisReader {
    async fn read(&mut self, max: usize, max_bytes: usize, wait: Duration) -> Result<Vec<Delivery>> {
        let deadline = Instant::now() + wait;
        let mut result = self.attempt(max, max_bytes, deadline).await;
        if let Err(Refusal::Redis(error)) = &result
            && error.is_connection_dropped()
        {
            // The server may have been restarted while nobody read: what counts is whether it is there now.
            result = self.attempt(max, max_bytes, deadline).await;
        }
        result.map_err(|refusal| self.explain(refusal))
    }
}

impl Drop for RedisReader {
    /// Others may take what it held, although the process lives.
    fn drop(&mut self) {
        let Ok(runtime) = Handle::try_current() else { return };
        let inner = Arc::clone(&self.inner);
        let [_, counters] = inner.keys.stream(&self.group.stream);
        let call = LEAVE.call().key(inner.keys.generation()).key(counters);
        let call = call.argument(self.generation.clone()).argument(self.group.name.clone());
        let call = call.argument(inner.consumer.clone()).argument(self.token.clone());
        runtime.spawn(async move {
            let _ = tokio::time::timeout(LEAVE_WITHIN, inner.link.run(&call)).await;
        });
    }
}

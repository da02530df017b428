//! The connection that all short calls share, and how connections are made.
//!
//! The client's own reconnecting keeps a connection that only times out, so this is done here: a connection that failed
//! is thrown away and the next call makes a new one. Nobody waits longer than [`CONNECT`] and [`RESPONSE`] allow. A server that
//! does not answer is tried now and then only, whoever calls: all connections share one breaker.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, IntoConnectionInfo, RedisError, TlsCertificates, Value,
    aio::MultiplexedConnection, cmd, io::tcp::socket2::TcpKeepalive,
};
use tokio::sync::Mutex;

use super::code::{is_permanent, spoils_connection};
use super::explain::{explain, words};
use super::way::{Told, is_certificate, is_nobody};
use super::{failure::RedisFailure, script::Call, stranger};
use crate::broker::{error::BrokerError, error::Result, product::Product};
use crate::{breaker::Breaker, failure::FailureClass, peer::Asked, secrets::learn_url};

/// How long it may take to connect.
const CONNECT: Duration = Duration::from_secs(5);

/// How long the server may take to answer.
pub(super) const RESPONSE: Duration = Duration::from_secs(10);

/// What a URL looks like.
const FORMS: &str =
    "it begins with none of redis://host:port, rediss://host:port for TLS, and redis+unix:// for the path of a socket";

/// What else a connection is made of.
const CERTIFICATES: &str =
    "no connection can be made of it; a file of certificates (ca) is PEM, and is for rediss:// only";

pub(super) struct Link {
    client: Client,
    address: String,
    /// What it calls itself, once it has.
    product: parking_lot::Mutex<Product>,
    /// Who else was found in its place.
    asked: Asked,
    /// How many connections were tried.
    tried: AtomicU64,
    slot: Mutex<Slot>,
    breaker: Breaker,
    /// Why the last attempt to connect failed.
    away: parking_lot::Mutex<Option<RedisError>>,
}

#[derive(Default)]
struct Slot {
    connection: Option<MultiplexedConnection>,
    /// Which one it is.
    number: u64,
    /// Why the last attempt failed.
    failure: Option<RedisError>,
}

impl Link {
    /// Reads the URL. Connects to nobody yet. Trusts the given authority, as PEM, instead of those of the system.
    pub(super) fn new(url: &str, authority: Option<Vec<u8>>) -> Result<Self> {
        // The URL holds a password, so nothing of it is repeated.
        learn_url(url);
        let invalid = |what: &str| RedisFailure::new("its configured URL", what, FailureClass::Deterministic);
        let info = url.into_connection_info().map_err(|_| invalid(FORMS))?;
        let keepalive = TcpKeepalive::new().with_time(CONNECT).with_interval(CONNECT);
        let tcp = info.tcp_settings().clone().set_nodelay(true).set_keepalive(keepalive);
        let address = info.addr().to_string();
        let info = info.set_tcp_settings(tcp);
        let client = match authority {
            None => Client::open(info),
            Some(_) => Client::build_with_tls(info, TlsCertificates { client_tls: None, root_cert: authority }),
        };
        let client = client.map_err(|_| invalid(CERTIFICATES))?;
        let breaker = Breaker::new(format!("Redis at {address}"));
        let (tried, slot, away) = (AtomicU64::new(0), Mutex::default(), parking_lot::Mutex::default());
        let (product, asked) = (parking_lot::Mutex::default(), Asked::default());
        Ok(Self { client, address, product, asked, tried, slot, breaker, away })
    }

    /// Which server it is, as errors name it.
    pub(super) fn place(&self) -> String {
        format!("{} at {}", self.product(), self.address)
    }

    /// What it is.
    pub(super) fn product(&self) -> Product {
        *self.product.lock()
    }

    /// Calls it by its own name from now on.
    pub(super) fn call_it(&self, product: Product) {
        *self.product.lock() = product;
        self.breaker.rename(self.place());
    }

    /// Its breaker.
    pub(super) const fn breaker(&self) -> &Breaker {
        &self.breaker
    }

    /// A connection that nobody shares. While the server is away most calls hear why the last attempt failed, and nothing is asked.
    pub(super) async fn connect(&self) -> Result<MultiplexedConnection, RedisError> {
        let attempt = match self.breaker.attempt() {
            Ok(attempt) => attempt,
            Err(outage) => {
                let failure = self.away.lock().clone();
                return Err(failure.unwrap_or_else(|| Told::error(outage.cause)));
            }
        };
        let connected = self.try_connect().await;
        match &connected {
            // Whether it is of any use shows with the first answer.
            Ok(_) => drop(attempt),
            Err(error) => {
                *self.away.lock() = Some(error.clone());
                attempt.failed(words(error));
            }
        }
        connected
    }

    async fn try_connect(&self) -> Result<MultiplexedConnection, RedisError> {
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT)).set_response_timeout(Some(RESPONSE));
        match self.client.get_multiplexed_async_connection_with_config(&config).await {
            Ok(connection) => {
                self.asked.forget().await;
                Ok(connection)
            }
            Err(error) => Err(self.stranger(&error).await.unwrap_or(error)),
        }
    }

    /// Who is there in its place, where a connection came about and led to nothing.
    async fn stranger(&self, error: &RedisError) -> Option<RedisError> {
        let (host, port, over_tls) = match self.client.get_connection_info().addr() {
            ConnectionAddr::Tcp(host, port) => (host, port, false),
            ConnectionAddr::TcpTls { host, port, .. } => (host, port, true),
            _ => return None,
        };
        if error.code().is_some() || is_permanent(error) || is_nobody(error) || is_certificate(error) {
            return None;
        }
        let peer = self.asked.who(host, *port).await?;
        stranger::words(peer, over_tls).map(Told::error)
    }

    /// Runs a script on the shared connection. Where that broke, once more on a new one: every script may be repeated.
    pub(super) async fn run(&self, call: &Call) -> Result<Value> {
        Ok(self.run_numbered(call).await?.1)
    }

    /// The same, with the number of the connection that the answer came by. Where two answers came by one, the server was
    /// not started anew between them.
    pub(super) async fn run_numbered(&self, call: &Call) -> Result<(u64, Value)> {
        let mut again = true;
        loop {
            let (number, mut connection) = self.shared().await.map_err(|error| self.explain(&error))?;
            match call.run(&mut connection).await {
                Ok(value) => {
                    self.breaker.answered();
                    return Ok((number, value));
                }
                Err(error) => self.take(number, error, &mut again).await?,
            }
        }
    }

    /// What the server says of itself, or a section of it, on the shared connection.
    pub(super) async fn info(&self, section: Option<&str>) -> Result<String> {
        let mut again = true;
        loop {
            let (number, mut connection) = self.shared().await.map_err(|error| self.explain(&error))?;
            match cmd("INFO").arg(section).query_async(&mut connection).await {
                Ok(info) => {
                    self.breaker.answered();
                    return Ok(info);
                }
                Err(error) => self.take(number, error, &mut again).await?,
            }
        }
    }

    /// Takes an error of a connection; says what it means, unless it may be tried once more.
    async fn take(&self, number: u64, error: RedisError, again: &mut bool) -> Result<()> {
        self.note(&error);
        if spoils_connection(&error) {
            self.discard(number).await;
        }
        if std::mem::take(again) && error.is_connection_dropped() {
            return Ok(());
        }
        Err(self.explain(&error))
    }

    /// Takes note of whether an error is an answer.
    pub(super) fn note(&self, error: &RedisError) {
        if error.is_io_error() {
            *self.away.lock() = Some(error.clone());
            self.breaker.failed(words(error));
        } else {
            self.breaker.answered();
        }
    }

    /// What an error of a connection means.
    pub(super) fn explain(&self, error: &RedisError) -> BrokerError {
        explain(&self.place(), error)
    }

    /// What it means that an answer has another shape than the script gives it: it is somebody else's, and whoever gave it
    /// may be another by the next call.
    pub(super) fn garbled(&self, what: &str) -> BrokerError {
        let what = format!("an answer without {what}");
        RedisFailure::new(self.place(), what, FailureClass::Retry).into()
    }

    async fn shared(&self) -> Result<(u64, MultiplexedConnection), RedisError> {
        let tried = self.tried.load(Ordering::Acquire);
        let mut slot = self.slot.lock().await;
        if let Some(connection) = &slot.connection {
            return Ok((slot.number, connection.clone()));
        }
        // Somebody tried while this one waited for its turn: the same failure is good enough for both.
        if self.tried.load(Ordering::Acquire) != tried
            && let Some(failure) = &slot.failure
        {
            return Err(failure.clone());
        }
        let result = self.connect().await;
        self.tried.fetch_add(1, Ordering::Release);
        match result {
            Ok(connection) => {
                slot.number += 1;
                slot.failure = None;
                slot.connection = Some(connection.clone());
                Ok((slot.number, connection))
            }
            Err(error) => {
                slot.failure = Some(error.clone());
                Err(error)
            }
        }
    }

    async fn discard(&self, number: u64) {
        let mut slot = self.slot.lock().await;
        if slot.number == number {
            slot.connection = None;
        }
    }
}

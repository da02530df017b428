//! Who the server is, and whether streams are safe with it.

use std::sync::atomic::Ordering;

use redis::{Value, cmd, from_redis_value};

use super::{RedisBroker, RedisFailure};
use crate::broker::{BrokerError, Memory};
use crate::failure::FailureClass;

/// What a server says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RedisServer {
    /// `7.0.15`.
    pub version: String,
    /// `noeviction`, or what it does when its memory is full.
    pub policy: String,
    /// Bytes that it may hold; 0 for as many as there are.
    pub max_memory: u64,
    /// Bytes that it holds.
    pub used_memory: u64,
    /// Whether it writes what it is told to a disk as it goes.
    pub appends_to_disk: bool,
    /// Its clock, in unix milliseconds, where it tells.
    pub now: Option<i64>,
}

impl RedisServer {
    fn read(info: &str) -> Self {
        let value = |name: &str| value(info, name);
        Self {
            version: value("redis_version").to_owned(),
            policy: value("maxmemory_policy").to_owned(),
            max_memory: value("maxmemory").parse().unwrap_or(0),
            used_memory: value("used_memory").parse().unwrap_or(0),
            appends_to_disk: value("aof_enabled") == "1",
            now: value("server_time_usec").parse().ok().map(|now: i64| now / 1_000),
        }
    }

    /// Why streams are not safe with it.
    pub fn fault(&self) -> Option<String> {
        let major: u32 = self.version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or(u32::MAX);
        if major < 7 {
            return Some(format!("it is version {}, 7.0 or newer is needed", self.version));
        }
        // With any other policy it throws away what nobody has read, or the signs of life of who reads.
        (self.max_memory > 0 && self.policy != "noeviction").then(|| {
            format!(
                "its maxmemory-policy is {}: when its memory is full it loses entries; set it to noeviction",
                self.policy
            )
        })
    }
}

/// What counts against its limit, of what it says of its memory: its own buffers for replicas and for its log do not.
fn memory(info: &str) -> Option<Memory> {
    let value = |name: &str| value(info, name).parse::<u64>().ok();
    let used = value("used_memory")?.saturating_sub(value("mem_not_counted_for_evict").unwrap_or(0));
    Some(Memory { used, limit: value("maxmemory").filter(|limit| *limit > 0) })
}

/// A value of what a server says of itself; empty if it does not say.
fn value<'a>(info: &'a str, name: &str) -> &'a str {
    let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_default().trim()
}

impl RedisBroker {
    /// How much of its memory the server uses; `None` if it may not be asked.
    pub(super) async fn server_memory(&self) -> Result<Option<Memory>, BrokerError> {
        if self.inner.may_not_ask.load(Ordering::Relaxed) {
            return Ok(None);
        }
        match self.inner.link.info("memory").await {
            Ok(info) => memory(&info).map(Some).ok_or_else(|| self.inner.link.garbled("its memory")),
            // Asked once: the server keeps a log of everything that is denied.
            Err(error) if is_denied(&error) => {
                self.inner.may_not_ask.store(true, Ordering::Relaxed);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Asks the server who it is.
    pub async fn server(&self) -> Result<RedisServer, BrokerError> {
        let link = &self.inner.link;
        let mut connection = link.connect().await.map_err(|error| link.explain(&error))?;
        let info: Result<Value, _> = cmd("INFO").query_async(&mut connection).await;
        let info = info.map_err(|error| {
            link.note(&error);
            link.explain(&error)
        })?;
        link.breaker().answered();
        let info: String = from_redis_value(info).map_err(|_| link.garbled("its information"))?;
        Ok(RedisServer::read(&info))
    }

    /// Refuses a server with which streams are not safe. It is asked once.
    pub(super) async fn check_server(&self) -> Result<(), BrokerError> {
        let check = async {
            let server = match self.server().await {
                // A user who may not ask for that may do all that is needed: then whoever made it knows the server.
                Err(error) if is_denied(&error) => return Ok(()),
                server => server?,
            };
            match server.fault() {
                None => Ok(()),
                Some(fault) => {
                    Err(RedisFailure::new(self.inner.link.address(), fault, FailureClass::Deterministic).into())
                }
            }
        };
        self.inner.checked.get_or_try_init(|| check).await.copied()
    }
}

fn is_denied(error: &BrokerError) -> bool {
    error.to_string().contains("NOPERM")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_what_counts_against_the_limit() {
        let info = "# Memory\r\nused_memory:1000\r\nused_memory_human:1K\r\nmaxmemory:2000\r\nmaxmemory_human:2K\r\n";
        assert_eq!(memory(info), Some(Memory { used: 1_000, limit: Some(2_000) }));
        let buffers = format!("{info}mem_not_counted_for_evict:300\r\n");
        assert_eq!(memory(&buffers).unwrap().percent(), Some(35));
        let unbounded = memory("used_memory:1000\r\nmaxmemory:0\r\n").unwrap();
        assert_eq!((unbounded.limit, unbounded.percent()), (None, None));
        assert_eq!(memory("# Memory\r\n"), None, "what is not said is not zero");
    }

    #[test]
    fn who_evicts_or_is_too_old_is_refused() {
        let server = |version: &str, max: u64, policy: &str| {
            RedisServer::read(&format!(
                "# Server\r\nredis_version:{version}\r\nmaxmemory:{max}\r\nmaxmemory_policy:{policy}\r\naof_enabled:1\r\n"
            ))
        };
        assert_eq!(server("7.0.15", 0, "allkeys-lru").fault(), None, "without a limit nothing is evicted");
        assert_eq!(server("7.0.15", 1 << 30, "noeviction").fault(), None);
        let fault = server("7.2.4", 1 << 30, "allkeys-lru").fault().unwrap();
        assert!(fault.contains("allkeys-lru") && fault.contains("noeviction"), "{fault}");
        assert!(server("6.2.14", 0, "noeviction").fault().unwrap().contains("6.2.14"));
        assert!(server("7.0.15", 0, "noeviction").appends_to_disk);
    }
}

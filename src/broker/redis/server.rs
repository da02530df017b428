//! Who the server is, and whether streams are safe with it.

use super::{code::NEEDS_TAG, keys::Keys};
use crate::broker::{memory::Memory, product::Product};
use crate::{failure::FailureClass, secrets::excerpt};

/// So many of the primaries that a Sentinel watches are named, and so much of each.
const NAMED: usize = 3;
const NAME: usize = 60;

/// How it is run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RedisMode {
    /// By itself, perhaps with replicas.
    #[default]
    Standalone,
    /// As a node of a cluster.
    Cluster,
    /// As a Sentinel, which watches others and holds nothing.
    Sentinel,
}

/// What a server says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RedisServer {
    /// What it is.
    pub product: Product,
    /// `7.0.15`; of Valkey its own, and not that of the Redis which it stands for. Empty if it does not say.
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
    /// How it is run.
    pub mode: RedisMode,
    /// The release of Redis that it is, or stands for.
    redis_version: String,
    /// The primary that it follows, `host:port`.
    primary: Option<String>,
    /// Whether it takes writes although it follows one.
    takes_writes: bool,
    /// How many replicas are in reach, where it takes no writes without.
    good_replicas: Option<u64>,
    /// Of a Sentinel, what it watches: `mymaster is at 10.0.0.1:6379`.
    watched: Vec<String>,
}

impl RedisServer {
    pub(super) fn read(info: &str) -> Self {
        let value = |name: &str| value(info, name);
        let product = if value("server_name") == "valkey" { Product::Valkey } else { Product::Redis };
        let redis_version = value("redis_version").to_owned();
        // Valkey says server_mode, unless it is told to call itself Redis.
        let mode = match [value("redis_mode"), value("server_mode")] {
            ["sentinel", _] | [_, "sentinel"] => RedisMode::Sentinel,
            ["cluster", _] | [_, "cluster"] => RedisMode::Cluster,
            _ => RedisMode::Standalone,
        };
        let primary = || excerpt(&format!("{}:{}", value("master_host"), value("master_port")), NAME);
        Self {
            product,
            version: match product {
                Product::Valkey => value("valkey_version").to_owned(),
                Product::Redis => redis_version.clone(),
            },
            policy: value("maxmemory_policy").to_owned(),
            max_memory: value("maxmemory").parse().unwrap_or(0),
            used_memory: value("used_memory").parse().unwrap_or(0),
            appends_to_disk: value("aof_enabled") == "1",
            now: value("server_time_usec").parse().ok().map(|now: i64| now / 1_000),
            mode,
            redis_version,
            primary: (value("role") == "slave").then(primary),
            takes_writes: value("slave_read_only") == "0",
            good_replicas: value("min_slaves_good_slaves").parse().ok(),
            watched: watched(info),
        }
    }

    /// `Valkey 9.1.2`
    pub fn name(&self) -> String {
        let product = self.product;
        match self.version.as_str() {
            "" => product.to_string(),
            version => format!("{product} {}", excerpt(version, NAME)),
        }
    }

    /// Why streams are not safe with it, or cannot be there at all; and whether that may pass.
    pub(super) fn fault(&self, keys: &Keys) -> Option<(FailureClass, String)> {
        let for_good = |fault: String| Some((FailureClass::Deterministic, fault));
        if self.mode == RedisMode::Sentinel {
            let watched = match self.watched.as_slice() {
                [] => String::new(),
                watched => format!(" ({})", watched.join(", ")),
            };
            return for_good(format!(
                "it is a Sentinel, which holds no streams: name the address of the primary that it watches{watched}"
            ));
        }
        let major = self.redis_version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or(u32::MAX);
        if major < 7 {
            return for_good(format!("it is version {}, 7.0 or newer is needed", self.version));
        }
        if self.mode == RedisMode::Cluster && !keys.have_tag() {
            return for_good(format!("it is a node of a cluster: {NEEDS_TAG}"));
        }
        // With any other policy it throws away what nobody has read, or the signs of life of who reads.
        if self.max_memory > 0 && self.policy != "noeviction" {
            return for_good(format!(
                "its maxmemory-policy is {}: when its memory is full it loses entries; set it to noeviction",
                self.policy
            ));
        }
        match (&self.primary, self.good_replicas) {
            // In a failover it may become the primary.
            (Some(primary), _) if !self.takes_writes => Some((
                FailureClass::Retry,
                format!(
                    "it is a replica of {primary}, which takes no writes: name its primary, or an address that follows it"
                ),
            )),
            (None, Some(0)) => Some((FailureClass::Retry, super::code::TOO_FEW_REPLICAS.to_owned())),
            _ => None,
        }
    }

    /// What somebody should know, though it works.
    pub(super) fn warning(&self) -> Option<String> {
        let primary = self.primary.as_ref().filter(|_| self.takes_writes)?;
        Some(format!(
            "it is a replica of {primary} that takes writes: they are gone whenever it copies that anew, name the primary"
        ))
    }
}

/// What a Sentinel watches: `master0:name=mymaster,status=ok,address=10.0.0.1:6379,…`.
fn watched(info: &str) -> Vec<String> {
    let fields = info.lines().filter(|line| line.starts_with("master") && line.contains(":name="));
    let named = fields.filter_map(|line| {
        let field = |name: &str| {
            let (_, fields) = line.split_once(':')?;
            fields.split(',').find_map(|field| field.strip_prefix(name)?.strip_prefix('='))
        };
        Some(excerpt(&format!("{} is at {}", field("name")?, field("address")?), NAME))
    });
    named.take(NAMED).collect()
}

/// What counts against its limit, of what it says of its memory: its own buffers for replicas and for its log do not.
pub(super) fn memory(info: &str, server: Product) -> Option<Memory> {
    let value = |name: &str| value(info, name).parse::<u64>().ok();
    let used = value("used_memory")?.saturating_sub(value("mem_not_counted_for_evict").unwrap_or(0));
    Some(Memory { server, used, limit: value("maxmemory").filter(|limit| *limit > 0) })
}

/// A value of what a server says of itself; empty if it does not say.
fn value<'a>(info: &'a str, name: &str) -> &'a str {
    let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault_of(info: &str, prefix: &str) -> Option<(FailureClass, String)> {
        RedisServer::read(info).fault(&Keys::new(prefix.into()))
    }

    #[test]
    fn memory_is_what_counts_against_the_limit() {
        let memory = |info| memory(info, Product::Valkey);
        let info = "# Memory\r\nused_memory:1000\r\nused_memory_human:1K\r\nmaxmemory:2000\r\nmaxmemory_human:2K\r\n";
        assert_eq!(memory(info), Some(Memory { server: Product::Valkey, used: 1_000, limit: Some(2_000) }));
        let buffers = format!("{info}mem_not_counted_for_evict:300\r\n");
        assert_eq!(memory(&buffers).unwrap().percent(), Some(35));
        let unbounded = memory("used_memory:1000\r\nmaxmemory:0\r\n").unwrap();
        assert_eq!((unbounded.limit, unbounded.percent()), (None, None));
        assert_eq!(memory("# Memory\r\n"), None, "what is not said is not zero");
    }

    #[test]
    fn who_evicts_or_is_too_old_is_refused() {
        let fault = |version: &str, max: u64, policy: &str| {
            let info = format!("redis_version:{version}\r\nmaxmemory:{max}\r\nmaxmemory_policy:{policy}\r\n");
            fault_of(&info, "").map(|(class, fault)| {
                assert_eq!(class, FailureClass::Deterministic);
                fault
            })
        };
        assert_eq!(fault("7.0.15", 0, "allkeys-lru"), None, "without a limit nothing is evicted");
        assert_eq!(fault("7.0.15", 1 << 30, "noeviction"), None);
        let evicts = fault("7.2.4", 1 << 30, "allkeys-lru").unwrap();
        assert!(evicts.contains("allkeys-lru") && evicts.contains("noeviction"), "{evicts}");
        assert!(fault("6.2.14", 0, "noeviction").unwrap().contains("6.2.14"));
        assert!(RedisServer::read("aof_enabled:1\r\n").appends_to_disk);
    }

    /// As Valkey 9.1.2 says it.
    #[test]
    fn valkey_is_called_valkey() {
        let valkey = "redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:9.1.2\r\nserver_mode:standalone\r\n";
        assert_eq!(RedisServer::read(valkey).name(), "Valkey 9.1.2");
        assert_eq!(fault_of(valkey, ""), None);
        assert_eq!(RedisServer::read("redis_version:8.2.3\r\nredis_mode:standalone\r\n").name(), "Redis 8.2.3");
    }

    #[test]
    fn a_cluster_needs_a_hash_tag() {
        for info in ["redis_version:7.0.15\r\nredis_mode:cluster\r\n", "server_name:valkey\r\nserver_mode:cluster\r\n"]
        {
            let (class, fault) = fault_of(info, "tape:").unwrap();
            assert_eq!(class, FailureClass::Deterministic);
            assert!(fault.contains("key_prefix needs a hash tag such as \"{tape}:\""), "{fault}");
            assert_eq!(fault_of(info, "{tape}:"), None);
        }
    }

    #[test]
    fn who_holds_no_streams_or_takes_no_writes_is_told() {
        for mode in ["redis_mode", "server_mode"] {
            let sentinel = format!(
                "redis_version:7.0.15\r\n{mode}:sentinel\r\nsentinel_masters:1\r\n\
                 master0:name=mymaster,status=ok,address=10.0.0.1:6379,slaves=0,sentinels=1\r\n"
            );
            let (class, fault) = fault_of(&sentinel, "").unwrap();
            assert_eq!(class, FailureClass::Deterministic);
            assert!(fault.contains("a Sentinel") && fault.contains("mymaster is at 10.0.0.1:6379"), "{fault}");
        }
        let replica = "role:slave\r\nmaster_host:10.0.0.1\r\nmaster_port:6379\r\nslave_read_only:1\r\n";
        let (class, fault) = fault_of(replica, "").unwrap();
        assert_eq!(class, FailureClass::Retry, "it may become the primary");
        assert!(fault.contains("a replica of 10.0.0.1:6379"), "{fault}");
        let written = replica.replace("only:1", "only:0");
        assert_eq!(fault_of(&written, ""), None);
        assert!(RedisServer::read(&written).warning().unwrap().contains("10.0.0.1:6379"));
        let (class, fault) = fault_of("role:master\r\nmin_slaves_good_slaves:0\r\n", "").unwrap();
        assert_eq!(class, FailureClass::Retry);
        assert!(fault.contains("min-replicas-to-write"), "{fault}");
        assert_eq!(fault_of("role:master\r\nmin_slaves_good_slaves:1\r\n", ""), None);
    }
}

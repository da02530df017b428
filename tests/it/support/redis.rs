//! A Redis of one's own: the real server, on a free port and in a directory of its own.
//!
//! Which release that is, `redis_release.rs` says.
//! `POLYTAPE_TEST_REDIS_URL` names a server that is there already. Then every test has a prefix of its own in it, and those
//! that must restart or reconfigure the server start their own all the same.

use std::collections::HashMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use polytape::broker::{RedisBroker, RedisConfig};
use redis::{Commands, Connection, ConnectionLike};
use tempfile::TempDir;

use super::process::until;
use super::redis_release::Kind;

/// The configuration of a Sentinel, which writes there what it finds.
const SENTINEL: &str = "sentinel.conf";

/// A server, or a prefix in one that is there already.
pub struct Redis {
    server: Option<Server>,
    url: String,
    prefix: String,
}

/// A server that this test has started, and that is gone with it.
struct Server {
    kind: Kind,
    dir: TempDir,
    port: u16,
    arguments: Vec<String>,
    child: Option<Child>,
}

impl Redis {
    /// One with nothing in it.
    pub fn new() -> Self {
        match std::env::var("POLYTAPE_TEST_REDIS_URL") {
            Ok(url) => Self { server: None, url, prefix: unique_prefix() },
            Err(_) => Self::own(&[]),
        }
    }

    /// One that may be killed and reconfigured, with these arguments beyond those that every one has.
    pub fn own(arguments: &[&str]) -> Self {
        Self::of(Kind::of_tests(), arguments)
    }

    /// The same of a release, whatever the others are.
    pub fn of(kind: Kind, arguments: &[&str]) -> Self {
        let mut server = Server {
            kind,
            dir: TempDir::new().unwrap(),
            port: free_port(),
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            child: None,
        };
        server.start();
        let url = format!("redis://127.0.0.1:{}/", server.port);
        let prefix = if kind.is_clustered { tagged_prefix() } else { unique_prefix() };
        Self { server: Some(server), url, prefix }
    }

    /// A prefix with a hash tag, in a server that is there already.
    pub fn tagged_at(url: &str) -> Self {
        Self { server: None, url: url.to_owned(), prefix: tagged_prefix() }
    }

    /// The whole server, to which nothing may have been written yet.
    pub fn without_prefix(mut self) -> Self {
        assert!(self.server.is_some(), "a server of its own");
        self.prefix = String::new();
        self
    }

    /// A Sentinel that watches a primary at this port, as `mymaster`.
    pub fn watching(port: u16) -> Self {
        Self::watching_as(Kind::of_tests(), port)
    }

    /// The same of a release.
    pub fn watching_as(kind: Kind, port: u16) -> Self {
        let own = free_port();
        let mut server =
            Server { kind, dir: TempDir::new().unwrap(), port: own, arguments: vec!["--sentinel".into()], child: None };
        let config = format!("port {own}\nbind 127.0.0.1\nsentinel monitor mymaster 127.0.0.1 {port} 1\n");
        std::fs::write(server.dir.path().join(SENTINEL), config).unwrap();
        server.start();
        Self { server: Some(server), url: format!("redis://127.0.0.1:{own}/"), prefix: unique_prefix() }
    }

    /// Another prefix in it.
    pub fn with_prefix(mut self, prefix: &str) -> Self {
        self.prefix = prefix.to_owned();
        self
    }

    /// The port of a server of its own.
    pub fn port(&self) -> u16 {
        self.own_server().port
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// What selects it in a configuration.
    pub fn section(&self) -> String {
        format!(r#"redis = {{ url = "{}", key_prefix = "{}" }}"#, self.url, self.prefix)
    }

    /// A broker of a process of this name.
    pub fn broker(&self, consumer: &str) -> RedisBroker {
        self.broker_at(&self.url, consumer)
    }

    /// The same by another URL.
    pub fn broker_at(&self, url: &str, consumer: &str) -> RedisBroker {
        RedisBroker::connect(RedisConfig {
            url: url.into(),
            key_prefix: self.prefix.clone(),
            consumer: consumer.into(),
        })
        .unwrap()
    }

    /// A key behind the prefix.
    pub fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// The server behind the broker's back.
    pub fn client(&self) -> Connection {
        let client = redis::Client::open(self.url.as_str()).unwrap();
        client.get_connection_with_timeout(Duration::from_secs(10)).unwrap()
    }

    /// Runs a command behind the broker's back.
    pub fn run(&self, words: &[&str]) -> redis::Value {
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        self.client().req_command(&command).unwrap_or_else(|error| panic!("{words:?}: {error}"))
    }

    /// How many events a stream holds, as README counts them.
    pub fn events(&self, stream: &str) -> u64 {
        let counters: HashMap<String, i64> = self.client().hgetall(self.key(&format!("tally:{stream}"))).unwrap();
        let of = |name: &str| counters.get(name).copied().unwrap_or(0);
        u64::try_from(of("added") - of("removed") + of("surplus") - of("surplus_removed")).unwrap()
    }

    /// Everything of this prefix.
    pub fn keys(&self) -> Vec<String> {
        let mut client = self.client();
        let pattern = format!("{}*", self.prefix);
        let mut keys: Vec<String> = client.scan_match(&pattern).unwrap().map(Result::unwrap).collect();
        keys.sort();
        keys
    }

    /// As if it had been flushed.
    pub fn flush(&self) {
        if self.server.is_some() {
            self.run(&["FLUSHALL"]);
        } else {
            for key in self.keys() {
                self.run(&["DEL", &key]);
            }
        }
    }

    /// What a key behind the prefix holds, as text.
    pub fn text(&self, name: &str) -> String {
        self.client().get(self.key(name)).unwrap()
    }

    /// Removes what its directory holds, after a kill.
    pub fn forget(&self) {
        for entry in std::fs::read_dir(self.own_server().dir.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { std::fs::remove_dir_all(path).unwrap() } else { std::fs::remove_file(path).unwrap() }
        }
    }

    /// Puts a file into its directory, after a kill.
    pub fn put(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.own_server().dir.path().join(name), bytes).unwrap();
    }

    /// Puts a directory where it would write a file.
    pub fn obstruct(&self, name: &str) {
        std::fs::create_dir(self.own_server().dir.path().join(name)).unwrap();
    }

    /// Takes it away.
    pub fn clear(&self, name: &str) {
        std::fs::remove_dir(self.own_server().dir.path().join(name)).unwrap();
    }

    /// Sends the server a signal by its number.
    pub fn signal(&self, signal: &str) {
        let pid = self.own_server().child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").arg(format!("-{signal}")).arg(pid).status().unwrap().success());
    }

    /// kill -9.
    pub fn kill(&mut self) {
        self.server.as_mut().unwrap().kill();
    }

    /// Starts the server again after a kill, with what its directory holds.
    pub fn start(&mut self) {
        self.server.as_mut().unwrap().start();
    }

    fn own_server(&self) -> &Server {
        self.server.as_ref().expect("a server of its own")
    }
}

impl Server {
    fn start(&mut self) {
        if self.kind.release.is_of_system() {
            install();
        }
        let log = self.dir.path().join("log");
        let mut command = self.kind.release.command();
        let config = self.dir.path().join(SENTINEL);
        match config.exists() {
            true => command.arg(config),
            false => command.args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", ""]),
        };
        if self.kind.is_clustered {
            // Its port for the other nodes would be too large where its own is not small.
            command.args(["--cluster-enabled", "yes", "--cluster-port", &free_port().to_string()]);
        }
        let child = command
            .args(["--dir", self.dir.path().to_str().unwrap(), "--logfile", log.to_str().unwrap()])
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let child = self.child.insert(child);
        let port = self.port;
        until(Duration::from_secs(30), "redis-server listens", || {
            if let Some(status) = child.try_wait().unwrap() {
                panic!("redis-server ended with {status}: {}", std::fs::read_to_string(&log).unwrap_or_default());
            }
            is_up(port)
        });
        if self.kind.is_clustered {
            hold_all_slots(port);
        }
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Gives all slots of a cluster to its one node, where it has none.
fn hold_all_slots(port: u16) {
    let mut client = redis::Client::open(format!("redis://127.0.0.1:{port}/")).unwrap().get_connection().unwrap();
    let mut info = || -> String { redis::cmd("CLUSTER").arg("INFO").query(&mut client).unwrap() };
    if info().contains("cluster_slots_assigned:0") {
        let mut client = redis::Client::open(format!("redis://127.0.0.1:{port}/")).unwrap().get_connection().unwrap();
        redis::cmd("CLUSTER").arg(&["ADDSLOTSRANGE", "0", "16383"]).exec(&mut client).unwrap();
    }
    until(Duration::from_secs(30), "the cluster is up", || info().contains("cluster_state:ok"));
}

/// Whether it answers at all, be it with an error.
fn is_up(port: u16) -> bool {
    use std::io::{Read, Write};
    let Ok(mut stream) = std::net::TcpStream::connect(("127.0.0.1", port)) else { return false };
    let wait = Some(Duration::from_secs(1));
    let mut answer = [0; 8];
    stream.set_read_timeout(wait).is_ok()
        && stream.write_all(b"PING\r\n").is_ok()
        && stream.read(&mut answer).is_ok_and(|read| read > 0 && !answer.starts_with(b"-LOADING"))
}

pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// What lets a cluster touch all keys in one script.
fn tagged_prefix() -> String {
    format!("{{{}}}:", unique_prefix())
}

fn unique_prefix() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros();
    format!("test:{now}-{}-{}:", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Makes sure that there is a server to start.
fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let is_there = || {
            let version = Command::new("redis-server").arg("--version").stdout(Stdio::null()).status();
            version.is_ok_and(|status| status.success())
        };
        if is_there() {
            return;
        }
        let began = Instant::now();
        // Another test may be installing it: then the lock of apt is held, and it is there soon.
        while Path::new("/usr/bin/apt-get").exists() && !is_there() && began.elapsed() < Duration::from_secs(300) {
            let installed = Command::new("apt-get")
                .args(["install", "-y", "-o", "DPkg::Lock::Timeout=120", "redis-server"])
                .env("DEBIAN_FRONTEND", "noninteractive")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            if !installed.is_ok_and(|status| status.success()) {
                break;
            }
        }
        assert!(
            is_there(),
            "these tests need redis-server 7.0 or newer: install it (apt-get install redis-server), or name a server by \
             POLYTAPE_TEST_REDIS_URL"
        );
    });
}

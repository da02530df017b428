//! A real ClickHouse: the server that `POLYTAPE_TEST_CLICKHOUSE_URL` names, or else its engine behind `engine/front.py`.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};

use polytape::warehouse::{ClickhouseConfig, ClickhouseWarehouse};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::Value;
use tempfile::TempDir;

use super::cells;
use super::release::Release;
use super::restriction::Restriction;

const FRONT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/engine/front.py");

/// The engine in a process of its own, with a directory of its own.
pub struct Engine {
    dir: TempDir,
    python: PathBuf,
    user: (String, String),
    /// Whether it speaks TLS, with what is in its directory.
    is_tls: bool,
    /// Whether its statements are kept.
    is_recorded: bool,
    port: u16,
    /// Whether users, rights and profiles are what a file in its directory says.
    is_restricted: AtomicBool,
    running: Mutex<Option<Child>>,
}

impl Engine {
    pub fn start() -> Self {
        Self::new(Self::selected()).started()
    }

    /// One that lets this user in and nobody else.
    pub fn with_user(user: &str, password: &str) -> Self {
        let mut engine = Self::new(Self::selected());
        engine.user = (user.to_owned(), password.to_owned());
        engine.started()
    }

    /// One that speaks TLS, by the word of a certificate authority of its own.
    pub fn with_tls() -> Self {
        let mut engine = Self::new(Self::selected());
        engine.is_tls = true;
        engine.started()
    }

    /// One of a release, which records what it executes; nothing where that is skipped.
    pub fn of_release(release: &Release) -> Option<Self> {
        let mut engine = Self::new(cells::have(&release.cell(), release.python())?);
        engine.is_recorded = true;
        Some(engine.started())
    }

    /// The Python that has the engine of all tests that name no release. They cannot do without.
    fn selected() -> PathBuf {
        let release = Release::selected();
        let python = release.python().unwrap_or_else(|why| panic!("{}: {why}", release.cell()));
        cells::ran(&release.cell());
        python
    }

    fn new(python: PathBuf) -> Self {
        let (dir, user) = (TempDir::new().unwrap(), ("default".into(), String::new()));
        let (is_restricted, running) = (AtomicBool::new(false), Mutex::default());
        Self { dir, python, user, is_tls: false, is_recorded: false, port: 0, is_restricted, running }
    }

    fn started(mut self) -> Self {
        if self.is_tls {
            certify(self.dir.path());
        }
        self.port = self.begin();
        self
    }

    /// Starts it on what it had, at the same port.
    pub fn begin(&self) -> u16 {
        let mut command = Command::new(&self.python);
        // Nothing is left beside the sources.
        command.arg("-B").arg(FRONT).arg("--until-eof").arg("--path").arg(self.dir.path().join("data"));
        if self.is_recorded {
            command.arg("--statements").arg(self.statements_file());
        }
        command.args(["--port", &self.port.to_string(), "--user", &self.user.0, "--password", &self.user.1]);
        if self.is_tls {
            command.arg("--tls").args(["server.pem", "server.key"].map(|name| self.dir.path().join(name)));
        }
        if self.is_restricted.load(Ordering::SeqCst) {
            command.arg("--users").arg(self.users());
        }
        // It ends when this process does, however that ends: the pipe is closed then.
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("the engine says {line:?}"));
        *self.running.lock().unwrap() = Some(child);
        port.parse().unwrap()
    }

    /// Starts it anew with what its user may do and has in its profile.
    pub fn restrict(&self, restriction: &Restriction) {
        self.kill();
        fs::write(self.users(), restriction.users(&self.users())).unwrap();
        self.is_restricted.store(true, Ordering::SeqCst);
        self.begin();
    }

    /// Starts it anew without restrictions.
    pub fn lift(&self) {
        self.kill();
        self.is_restricted.store(false, Ordering::SeqCst);
        self.begin();
    }

    fn users(&self) -> PathBuf {
        self.dir.path().join("users.xml")
    }

    /// Kills it, as a machine does that goes down.
    pub fn kill(&self) {
        if let Some(mut child) = self.running.lock().unwrap().take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    fn statements_file(&self) -> PathBuf {
        self.dir.path().join("statements")
    }

    /// Every statement that one of a named release has executed, as it was sent.
    pub fn statements(&self) -> Vec<String> {
        let lines = fs::read_to_string(self.statements_file()).unwrap();
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub fn config(&self) -> ClickhouseConfig {
        let scheme = if self.is_tls { "https" } else { "http" };
        let url = format!("{scheme}://127.0.0.1:{}", self.port);
        let (user, password) = self.user.clone();
        let ca = self.is_tls.then(|| self.dir.path().join("ca.pem"));
        ClickhouseConfig { url, user, password, database: "polymarket".into(), ca }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Makes a certificate authority and what it says of 127.0.0.1, and of a name that only a proxy can know.
fn certify(dir: &Path) {
    let mut authority = CertificateParams::new([]).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().unwrap();
    let ca = authority.self_signed(&authority_key).unwrap();
    let key = KeyPair::generate().unwrap();
    let issuer = Issuer::new(authority, authority_key);
    let server =
        CertificateParams::new(["127.0.0.1", "db.test"].map(str::to_owned)).unwrap().signed_by(&key, &issuer).unwrap();
    for (name, pem) in [("ca.pem", ca.pem()), ("server.pem", server.pem()), ("server.key", key.serialize_pem())] {
        fs::write(dir.join(name), pem).unwrap();
    }
}

/// A database of its own, in an engine that the tests of a process share or in a server.
pub struct Database {
    config: ClickhouseConfig,
    engine: Option<Arc<Engine>>,
}

impl Database {
    /// One with nothing in it, not even tables.
    pub fn empty() -> Self {
        match std::env::var("POLYTAPE_TEST_CLICKHOUSE_URL") {
            Ok(url) => Self::within(ClickhouseConfig { url, ..ClickhouseConfig::default() }, None),
            Err(_) => Self::shared("", || Some(Engine::start())).expect("an engine"),
        }
    }

    /// The same in the engine of a release, whatever server there is; nothing where that is skipped.
    pub fn empty_on(release: &Release) -> Option<Self> {
        Self::shared(release.name, || Engine::of_release(release))
    }

    /// One in an engine that all share who ask by this name.
    fn shared(name: &str, start: impl FnOnce() -> Option<Engine>) -> Option<Self> {
        static SHARED: Mutex<BTreeMap<String, Weak<Engine>>> = Mutex::new(BTreeMap::new());
        let mut shared = SHARED.lock().unwrap();
        let engine = shared.get(name).and_then(Weak::upgrade).or_else(|| start().map(Arc::new))?;
        shared.insert(name.to_owned(), Arc::downgrade(&engine));
        Some(Self::within(engine.config(), Some(engine)))
    }

    fn within(mut config: ClickhouseConfig, engine: Option<Arc<Engine>>) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        config.database = format!("polytape_test_{}_{count}", std::process::id());
        let database = Self { config, engine };
        database.outside(&format!("CREATE DATABASE {}", database.config.database));
        database
    }

    /// One with nothing in it, in an engine that nobody shares, whatever server there is: that may be killed.
    pub fn own() -> Self {
        let engine = Arc::new(Engine::start());
        Self { config: engine.config(), engine: Some(engine) }
    }

    /// Its own engine.
    pub fn engine(&self) -> &Engine {
        self.engine.as_ref().expect("an engine of its own")
    }

    /// One with the schema applied.
    pub fn new() -> Self {
        Self::empty().applied()
    }

    /// The same in the engine of a release; nothing where that is skipped.
    pub fn new_on(release: &Release) -> Option<Self> {
        Self::empty_on(release).map(Self::applied)
    }

    fn applied(self) -> Self {
        wait(self.warehouse().apply_schema()).unwrap();
        self
    }

    pub fn config(&self) -> ClickhouseConfig {
        self.config.clone()
    }

    pub fn warehouse(&self) -> Arc<ClickhouseWarehouse> {
        Arc::new(ClickhouseWarehouse::new(self.config()))
    }

    /// What selects it in a configuration.
    pub fn section(&self) -> String {
        self.section_at(&self.config.url)
    }

    /// The same, by way of something in front of it.
    pub fn section_at(&self, url: &str) -> String {
        let ClickhouseConfig { database, user, password, .. } = &self.config;
        format!(
            r#"clickhouse = {{ url = "{url}", database = "{database}", user = "{user}", password = "{password}" }}"#
        )
    }

    /// Executes a statement behind the warehouse's back.
    pub fn execute(&self, sql: &str) -> String {
        self.ask(sql).unwrap()
    }

    /// Executes one that may be refused, or find nobody.
    pub fn ask(&self, sql: &str) -> Result<String, String> {
        ask(&self.config, &self.config.database, sql)
    }

    /// Executes statements that stand one behind the other.
    pub fn script(&self, sql: &str) {
        let statements = sql.split(";\n").map(str::trim).filter(|sql| sql.lines().any(|line| !line.starts_with("--")));
        for sql in statements.filter(|sql| !sql.is_empty() && !sql.starts_with("USE ")) {
            self.execute(sql);
        }
    }

    /// Inserts a body of rows behind the warehouse's back.
    pub fn insert(&self, statement: &str, rows: &[u8]) {
        post(&self.config, &self.config.database, Some(statement), rows).unwrap();
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.config.database
    }

    /// The rows of a query, each as its columns by name, with their types.
    pub fn rows(&self, sql: &str) -> Vec<Vec<(String, String, Value)>> {
        let answer = self.execute(&format!("{sql} FORMAT JSONCompactEachRowWithNamesAndTypes"));
        let mut lines = answer.lines().map(|line| serde_json::from_str::<Vec<Value>>(line).unwrap());
        let mut texts =
            || -> Vec<String> { lines.next().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect() };
        let (names, types) = (texts(), texts());
        let columns = || names.iter().cloned().zip(types.iter().cloned());
        lines.map(|row| columns().zip(row).map(|((name, kind), value)| (name, kind, value)).collect()).collect()
    }

    /// The one number that a query gives.
    pub fn number(&self, sql: &str) -> u64 {
        let text = self.execute(sql);
        text.trim().parse().unwrap_or_else(|_| panic!("{sql}: {text}"))
    }

    /// How many rows a query reads, as ClickHouse says it behind its end.
    pub fn read_rows(&self, sql: &str) -> u64 {
        let (head, _) = exchange(&self.config, &self.config.database, None, sql.as_bytes()).unwrap();
        let summary = head.lines().find_map(|line| line.split_once("X-ClickHouse-Summary: ")).expect("a summary").1;
        let summary: Value = serde_json::from_str(summary).unwrap();
        summary["read_rows"].as_str().unwrap().parse().unwrap()
    }

    /// Executes a statement in no database of ours.
    pub fn outside(&self, sql: &str) {
        ask(&self.config, "default", sql).unwrap();
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // An engine takes its databases with it where nobody else has one in it. With many tables old engines are slow.
        if self.engine.as_ref().is_none_or(|engine| Arc::strong_count(engine) > 1) {
            let _ = ask(&self.config, "default", &format!("DROP DATABASE IF EXISTS {} SYNC", self.config.database));
        }
    }
}

/// Waits for an answer where a test is not async.
pub fn wait<T>(answer: impl Future<Output = T>) -> T {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(answer))
}

fn ask(config: &ClickhouseConfig, database: &str, sql: &str) -> Result<String, String> {
    post(config, database, None, sql.as_bytes())
}

fn post(config: &ClickhouseConfig, database: &str, statement: Option<&str>, body: &[u8]) -> Result<String, String> {
    exchange(config, database, statement, body).map(|(_, body)| body)
}

/// Asks by nothing but a socket, so that nothing of polytape is between. The statement is in the body, or before it. Gives the
/// head of the answer, and its body.
fn exchange(
    config: &ClickhouseConfig,
    database: &str,
    statement: Option<&str>,
    body: &[u8],
) -> Result<(String, String), String> {
    let host = config.url.trim_start_matches("http://").trim_end_matches('/');
    let (userinfo, host) = host.rsplit_once('@').unwrap_or(("", host));
    let (user, password) = userinfo.split_once(':').unwrap_or((&config.user, &config.password));
    let mut socket = TcpStream::connect(host).map_err(|error| error.to_string())?;
    let settings = "mutations_sync=2&wait_end_of_query=1&output_format_json_quote_64bit_integers=1";
    let query = statement.map_or(String::new(), |sql| format!("&query={}", sql.replace(' ', "%20")));
    let head = format!(
        "POST /?database={database}&{settings}{query} HTTP/1.0\r\nX-ClickHouse-User: {user}\r\n\
         X-ClickHouse-Key: {password}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut answer = String::new();
    let sent = socket.write_all(head.as_bytes()).and_then(|()| socket.write_all(body));
    sent.and_then(|()| socket.read_to_string(&mut answer)).map_err(|error| error.to_string())?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
    if head.split(' ').nth(1) == Some("200") { Ok((head.to_owned(), body.to_owned())) } else { Err(body.to_owned()) }
}

//! The socket itself: versions, bounds, and clients that misbehave.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Headless, RATE, SOON, ask};
use crate::support::process::{Workplace, until};

/// A client that speaks by itself.
struct Raw {
    stream: UnixStream,
    reader: BufReader<UnixStream>,
}

impl Raw {
    fn connect(data_dir: &Path) -> Self {
        let stream = UnixStream::connect(data_dir.join("polytape.sock")).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        Self { reader: BufReader::new(stream.try_clone().unwrap()), stream }
    }

    /// One that has said who it is.
    fn greeted(data_dir: &Path) -> Self {
        let mut raw = Self::connect(data_dir);
        assert_eq!(raw.read()["greeting"]["protocol"], 1);
        raw.say(&json!({ "protocol": 1, "version": "0.1.0", "tty": "/dev/pts/9" }));
        raw
    }

    fn say(&mut self, value: &Value) {
        writeln!(self.stream, "{value}").unwrap();
    }

    fn read(&mut self) -> Value {
        let mut line = String::new();
        assert!(self.reader.read_line(&mut line).unwrap() > 0, "it has closed");
        serde_json::from_str(&line).unwrap()
    }

    fn is_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        self.reader.read_to_end(&mut rest).is_ok()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_greeting_and_the_answers_are_what_they_were() {
    let one = Headless::start("").await;
    let path = one.place.data_dir().join("polytape.sock");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let mut raw = Raw::connect(&one.place.data_dir());
    let greeting = raw.read();
    let expected = json!({ "greeting": {
        "protocol": 1, "version": env!("CARGO_PKG_VERSION"), "pid": one.running.id(), "pipeline": "main", "demo": false
    }});
    assert_eq!(greeting, expected);
    raw.say(&json!({ "protocol": 1, "version": "0.1.0" }));
    raw.say(&json!({ "id": 7, "ask": { "command": { "pause": { "stage": "write-markets" } } } }));
    let answer = raw.read();
    assert_eq!(
        (&answer["answer"]["id"], answer["answer"]["answer"]["done"].is_string()),
        (&json!(7), true),
        "{answer}"
    );
    raw.say(&json!({ "id": 8, "ask": "snapshot" }));
    assert_eq!(raw.read()["snapshot"]["about"]["name"], "main");
    raw.say(&json!({ "id": 9, "ask": { "log": { "newest": 5 } } }));
    assert_eq!(raw.read()["answer"]["id"], 9);
    let lines = raw.read();
    assert!(lines["log"].as_array().is_some_and(|lines| !lines.is_empty()), "{lines}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_another_version_gets_one_clear_line() {
    let one = Headless::start("").await;
    let mut raw = Raw::connect(&one.place.data_dir());
    raw.read();
    raw.say(&json!({ "protocol": 2, "version": "9.9.9", "more": true }));
    let bye = raw.read();
    let said = bye["bye"].as_str().unwrap();
    assert!(
        said.contains("polytape 0.1.0") && said.contains("polytape 9.9.9") && said.contains("use the binary"),
        "{said}"
    );
    assert!(raw.is_closed());
}

/// A server of the next version, made up.
#[test]
fn a_server_of_another_version_is_told_in_one_line() {
    let place = Workplace::new("");
    std::fs::create_dir_all(place.data_dir()).unwrap();
    let listener = UnixListener::bind(place.data_dir().join("polytape.sock")).unwrap();
    let serving = std::thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        writeln!(client, r#"{{"greeting":{{"protocol":2,"version":"0.9.0","process":7}}}}"#).unwrap();
        let mut rest = Vec::new();
        let _ = client.read_to_end(&mut rest);
    });
    ask(&place, &["status"]).failed_with(1, &["polytape 0.9.0", "version 2 of the socket", "use the binary"]);
    serving.join().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_long_or_no_request_ends_that_client_only() {
    let one = Headless::start("").await;
    let mut good = Raw::greeted(&one.place.data_dir());
    for bad in ["x".repeat(20 << 10), "{}".to_owned(), r#"{"id":1,"ask":"everything"}"#.to_owned()] {
        let mut raw = Raw::greeted(&one.place.data_dir());
        // It may be gone before all of it is written.
        let _ = writeln!(raw.stream, "{bad}");
        let said = raw.read();
        assert!(said["bye"].as_str().unwrap().contains("a request cannot be read"), "{said}");
    }
    good.say(&json!({ "id": 1, "ask": "snapshot" }));
    assert!(good.read()["snapshot"].is_object());
}

/// A hundred that are idle, one more, one that floods and never reads, one that is killed in the middle of a command.
#[tokio::test(flavor = "multi_thread")]
async fn clients_that_misbehave_are_bounded_and_slow_nobody() {
    let one = Headless::start("").await;
    let data_dir = one.place.data_dir();
    let rows_in = |time: Duration| {
        let (begin, before) = (Instant::now(), one.place.count("trades"));
        std::thread::sleep(time);
        (one.place.count("trades") - before) as f64 / begin.elapsed().as_secs_f64()
    };
    let alone = rows_in(Duration::from_secs(4));
    let mut idle: Vec<Raw> = (0..98).map(|_| Raw::greeted(&data_dir)).collect();
    for raw in &mut idle {
        raw.say(&json!({ "id": 1, "ask": "snapshots" }));
    }
    let flooding = Raw::greeted(&data_dir);
    flooding.stream.set_nonblocking(true).unwrap();
    let mut killed = Raw::greeted(&data_dir);
    killed.say(&json!({ "id": 1, "ask": { "command": { "restart": { "stage": "process-trades" } } } }));
    let mut more = Raw::connect(&data_dir);
    assert!(more.read()["bye"].as_str().unwrap().contains("100 clients"), "one too many");
    drop(killed);
    let request = format!("{}\n", json!({ "id": 3, "ask": "snapshot" }));
    let flood = || {
        let mut sent = 0;
        let mut flooding = &flooding.stream;
        while flooding.write(request.as_bytes()).is_ok() {
            sent += 1;
        }
        sent
    };
    flood();
    let beside = rows_in(Duration::from_secs(4));
    flood();
    println!("{alone:.0} rows/s alone, {beside:.0} beside 100 clients, {RATE} in the world");
    assert!(
        beside >= 0.9 * f64::from(RATE),
        "{alone:.0} rows/s alone, {beside:.0} beside 100 clients, {RATE} in the world"
    );
    // Who does not read is dropped.
    until(SOON, "the one that floods is gone", || {
        flood();
        let mut flooding = &flooding.stream;
        matches!(flooding.write(request.as_bytes()), Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe)
    });
    for raw in idle.iter_mut().take(3) {
        assert_eq!(raw.read()["answer"]["id"], 1);
        assert!(raw.read()["snapshot"].is_object());
    }
    drop(idle);
    ask(&one.place, &["status"]).succeeded();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_contradict_each_other_are_obeyed_one_after_the_other() {
    let one = Headless::start("").await;
    let clients = ["pause", "resume"].map(|verb| {
        let data_dir = one.place.data_dir();
        std::thread::spawn(move || {
            let mut raw = Raw::greeted(&data_dir);
            for id in 0..15 {
                raw.say(&json!({ "id": id, "ask": { "command": { verb: { "stage": "write-trades" } } } }));
                let answer = raw.read();
                assert!(answer["answer"]["answer"]["done"].is_string(), "{answer}");
            }
        })
    });
    clients.into_iter().for_each(|client| client.join().unwrap());
    ask(&one.place, &["ctl", "resume", "write-trades"]).succeeded();
    let rows = one.place.count("trades");
    until(SOON, "rows go on", || one.place.count("trades") > rows);
}

/// A directory whose name is longer than that of a socket may be, and a socket that a killed process left.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_path_and_a_stale_socket_are_no_obstacle() {
    let one = Headless::start("").await;
    let dir = tempfile::TempDir::new().unwrap();
    let long = dir.path().join("x".repeat(100)).join("y".repeat(40));
    let command = || {
        let mut command = crate::support::process::bare_command();
        command.args(["--no-tui", "--config"]).arg(one.place.config_file()).arg("--data-dir").arg(&long);
        command
    };
    for _ in 0..2 {
        let running = crate::support::process::Running::start(command(), dir.path());
        until(SOON, "the socket is there", || long.join("polytape.sock").exists());
        until(SOON, "it answers", || {
            let mut status = crate::support::process::bare_command();
            status.args(["status", "--data-dir"]).arg(&long);
            let seen = tempfile::TempDir::new().unwrap();
            crate::support::process::Running::start(status, seen.path()).wait(SOON).code == Some(0)
        });
        // Its socket stays.
        running.kill();
        assert!(long.join("polytape.sock").exists());
    }
}

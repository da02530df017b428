//! What a service manager is told.

use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use polytape::demo::DemoServer;
use polytape::planted::Bug;

use super::SOON;
use crate::support::outside;
use crate::support::process::{Running, Workplace, bare_command, until};

/// All that comes until something does.
fn until_told(socket: &UnixDatagram, wanted: &str) -> Vec<String> {
    let (mut told, begin) = (Vec::new(), Instant::now());
    socket.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    while begin.elapsed() < SOON {
        let mut bytes = [0; 4_096];
        let Ok(length) = socket.recv(&mut bytes) else { continue };
        let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
        let is_it = text.lines().any(|line| line.starts_with(wanted));
        told.push(text);
        if is_it {
            return told;
        }
    }
    panic!("{wanted} is not among {told:?}");
}

/// A world, and a program that reads it and is told that a service manager listens at a socket of this name.
async fn managed(socket: &Path) -> (DemoServer, Workplace, Command) {
    let (world, server) = outside::busy(3, 200.0).await;
    let place = Workplace::new(&outside::config(&world, &server, ""));
    let mut command = place.command(&["run"]);
    command.env("NOTIFY_SOCKET", socket);
    (server, place, command)
}

async fn is_told(socket: UnixDatagram, name: &str) {
    let (server, place, mut command) = managed(name.as_ref()).await;
    command.env("WATCHDOG_USEC", "1000000");
    let running = Running::start(command, place.data_dir().parent().unwrap());
    let before = until_told(&socket, "READY=1");
    assert!(before.iter().any(|text| text.starts_with("EXTEND_TIMEOUT_USEC=")), "{before:?}");
    assert!(place.data_dir().join("polytape.sock").exists(), "the socket is there by then");
    until_told(&socket, "WATCHDOG=1");
    until_told(&socket, "STATUS=");
    // An outage is no reason to be ended.
    server.faults().set(polytape::demo::Faults::storm());
    until_told(&socket, "WATCHDOG=1");
    until_told(&socket, "WATCHDOG=1");
    server.faults().calm();
    running.terminate();
    until_told(&socket, "STOPPING=1");
    assert_eq!(running.wait(SOON).code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_with_a_path_is_told() {
    let dir = tempfile::TempDir::new().unwrap();
    let path = dir.path().join("notify");
    is_told(UnixDatagram::bind(&path).unwrap(), path.to_str().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_with_an_abstract_name_is_told() {
    let name = format!("polytape-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    is_told(UnixDatagram::bind_addr(&address).unwrap(), &format!("@{name}")).await;
}

/// What comes of the watchdog within a while, in so many messages.
fn beats(socket: &UnixDatagram, within: Duration) -> usize {
    let (mut beats, begin) = (0, Instant::now());
    socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    while begin.elapsed() < within {
        let mut bytes = [0; 4_096];
        let Ok(length) = socket.recv(&mut bytes) else { continue };
        beats += usize::from(bytes[..length].starts_with(b"WATCHDOG=1"));
    }
    beats
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stage_that_is_stuck_is_not_told_of_as_one_that_works() {
    let dir = tempfile::TempDir::new().unwrap();
    let path = dir.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    let (_server, place, mut command) = managed(&path).await;
    command.env("WATCHDOG_USEC", "2000000");
    command.env("POLYTAPE_PLANTED_BUG", Bug::StageIsStuck.name());
    let running = Running::start(command, place.data_dir().parent().unwrap());
    until_told(&socket, "READY=1");
    until(SOON, "it is said which stage that is", || running.stderr().contains("write-trades is in one step for 2s"));
    // What was told before waits in the socket.
    beats(&socket, Duration::from_millis(500));
    assert_eq!(beats(&socket, Duration::from_secs(3)), 0);
    running.kill();
}

/// A watchdog of another process is none of ours.
#[tokio::test(flavor = "multi_thread")]
async fn the_watchdog_of_another_process_is_not_told() {
    let dir = tempfile::TempDir::new().unwrap();
    let path = dir.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    let (_server, place, mut command) = managed(&path).await;
    command.env("WATCHDOG_USEC", "200000").env("WATCHDOG_PID", "1");
    let running = Running::start(command, place.data_dir().parent().unwrap());
    let told = until_told(&socket, "STATUS=");
    until(SOON, "rows arrive", || place.count("trades") > 0);
    assert!(!told.iter().any(|text| text.contains("WATCHDOG=1")), "{told:?}");
    running.kill();
}

#[test]
fn the_unit_is_printed_and_installed() {
    let dir = tempfile::TempDir::new().unwrap();
    let run = |words: &[&str]| {
        let seen = tempfile::TempDir::new().unwrap();
        let mut command = bare_command();
        command.args(words);
        Running::start(command, seen.path()).wait(SOON)
    };
    let printed = run(&["service", "print"]);
    printed.succeeded();
    for line in [
        "Type=notify",
        "WatchdogSec=120s",
        "Restart=on-failure",
        "RestartPreventExitStatus=2",
        "StateDirectory=polytape",
        "UMask=0077",
    ] {
        assert!(printed.stdout.lines().any(|found| found == line), "{line}: {}", printed.stdout);
    }
    let there = dir.path().to_str().unwrap();
    run(&["service", "install", "--directory", there]).succeeded();
    assert_eq!(std::fs::read_to_string(dir.path().join("polytape.service")).unwrap(), printed.stdout);
    run(&["service", "install", "--directory", there]).failed_with(1, &["is there already", "--force"]);
    for shell in ["bash", "zsh", "fish"] {
        let completions = run(&["completions", shell]);
        completions.succeeded();
        assert!(completions.stdout.contains("polytape"), "{shell}");
    }
    assert!(run(&["man"]).stdout.contains(".TH"));
}

//! The address of ClickHouse: below a path, behind a proxy, with a password as it stands in a file, or that of something else.

use std::fs;
use std::process::Command;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use super::{SOON, Setting};
use crate::support::clickhouse::{Database, Engine};
use crate::support::detour::{Detour, LOGIN};
use crate::support::gateway::{Gate, Gateway};
use crate::support::node::Node;
use crate::support::process::{Ended, Running, Workplace, bare_command};
use crate::support::redis::Redis;

/// `schema apply`, which reads and writes, at an address of ClickHouse, in an environment with these variables.
fn apply(url: &str, more: &str, set: &[(&str, &str)]) -> Ended {
    let place = Workplace::new(&format!("[redis]\n[clickhouse]\nurl = \"{url}\"\ndatabase = \"polymarket\"\n{more}"));
    let mut command = bare_command();
    command.args(["schema", "apply", "--config"]).arg(place.data_dir().with_file_name("config.toml"));
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    command.envs(set.iter().copied());
    run(command)
}

fn run(command: Command) -> Ended {
    let output = TempDir::new().unwrap();
    tokio::task::block_in_place(|| Running::start(command, output.path()).wait(SOON))
}

#[tokio::test(flavor = "multi_thread")]
async fn may_stand_below_a_path_and_without_a_scheme() {
    let database = Database::own();
    let gateway = Gateway::to(&database.config().url).await;
    gateway.set(Gate::OnlyBelow("/clickhouse"));
    let host = gateway.url().replace("http://", "");
    for url in
        [format!("http://{host}/clickhouse/"), format!("http://{host}/clickhouse"), format!("{host}/clickhouse/")]
    {
        apply(&url, "", &[]).succeeded();
        database.execute("DROP DATABASE polymarket");
    }
    apply(&gateway.url(), "", &[]).failed_with(1, &["something else answered in its place: HTTP 404"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn may_lie_behind_a_proxy_of_every_kind() {
    let (plain, tls) = (Engine::start(), Engine::with_tls());
    for (engine, variable, scheme, wants_login, host) in [
        (&plain, "HTTP_PROXY", "http://", true, "db.test"),
        (&plain, "HTTP_PROXY", "http://", false, "db.test"),
        (&plain, "ALL_PROXY", "socks5h://", true, "db.test"),
        // Its names are looked up here: an address needs that nowhere.
        (&plain, "ALL_PROXY", "socks5://", false, "192.0.2.7"),
        (&tls, "HTTPS_PROXY", "http://", true, "db.test"),
        (&tls, "ALL_PROXY", "socks5h://", false, "db.test"),
    ] {
        let config = engine.config();
        let detour = match wants_login {
            true => Detour::with_login(&config.url).await,
            false => Detour::to(&config.url).await,
        };
        let (begin, port) = if config.ca.is_some() { ("https", 8443) } else { ("http", 8123) };
        let ca = config.ca.map_or_else(String::new, |ca| format!("ca = {ca:?}"));
        let url = format!("{begin}://{host}:{port}");
        let login = if wants_login { format!("{LOGIN}@") } else { String::new() };
        let proxy = format!("{scheme}{login}{}", detour.address());
        apply(&url, &ca, &[(variable, &proxy)]).succeeded();
        assert!(detour.asked().iter().all(|asked| *asked == format!("{host}:{port}")), "{:?}", detour.asked());
        assert!(!detour.asked().is_empty());
        if !wants_login {
            continue;
        }
        let proxy = format!("{scheme}hid:den@{}", detour.address());
        let ended = apply(&url, &ca, &[(variable, &proxy)]);
        let words = if variable == "HTTP_PROXY" { "HTTP 407" } else { "wants another user and password" };
        ended.failed_with(1, &["ClickHouse at", words]);
        assert!(!ended.stderr.contains("hid:") && !ended.stderr.contains("den@"), "{}", ended.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn goes_with_a_password_as_a_file_has_it() {
    let password = r#"pa$HOME$$w\ord#1 "2""#;
    let engine = Engine::with_user("tape", password);
    let (redis, place) = ("REDIS_HOST=127.0.0.1\n", TempDir::new().unwrap());
    let host = engine.config().url.replace("http://", "");
    for line in [format!("CLICKHOUSE_PASSWORD='{password}'"), format!("CLICKHOUSE_PASSWORD={password}\r")] {
        let file = format!("{redis}CLICKHOUSE_HOST={host}\nCLICKHOUSE_USER=tape\n{line}\n");
        fs::write(place.path().join(".env"), file).unwrap();
        let mut command = bare_command();
        command.args(["schema", "apply"]).current_dir(place.path()).env("HOME", place.path());
        run(command).succeeded();
    }
    let mut command = bare_command();
    command.args(["schema", "apply"]).current_dir(place.path()).env("HOME", place.path());
    command.env("CLICKHOUSE_PASSWORD", format!("{password}\n"));
    run(command).succeeded();
}

/// A port that answers as ClickHouse's native one answers HTTP.
async fn native_port() -> (String, AbortOnDropHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let _ = client.read(&mut [0; 4096]).await;
            let answer = "HTTP/1.0 400 Bad Request\r\n\r\nPort 9000 is for clickhouse-client program\r\nYou must use port 8123 for HTTP.\r\n";
            let _ = client.write_all(answer.as_bytes()).await;
        }
    });
    (format!("http://{address}"), AbortOnDropHandle::new(serving))
}

#[tokio::test(flavor = "multi_thread")]
async fn of_something_else_is_told_as_such_by_check_and_run_alike() {
    let (plain, tls) = (Engine::start(), Engine::with_tls());
    let (native, _serving) = native_port().await;
    let elsewhere = Node::answering(|_| (axum::http::StatusCode::NOT_FOUND, "404 page not found")).await;
    let page = Node::answering(|_| "<html>It works!</html>").await;
    for (url, is_wrong_for_good, words) in [
        (plain.config().url.replace("http://", "https://"), true, "no TLS is spoken on this port: write http://"),
        (tls.config().url.replace("https://", "http://"), true, "TLS is spoken on this port: write https://"),
        (native, true, "this is the port of its native protocol: name that of HTTP, which is 8123"),
        (elsewhere.url(), false, "something else answered in its place: HTTP 404: 404 page not found"),
        (page.url(), false, "something else answered in its place: HTTP 200: <html>It works!</html>"),
    ] {
        let setting = Setting::behind(31, 1_000.0, Redis::new(), Database::empty(), &url, "").await;
        let found = setting.run(&["check"]);
        let line = found.stdout.lines().find(|line| line.contains(" clickhouse ")).unwrap();
        assert!(line.starts_with("FAIL ") && line.contains(words), "{words}: {line}");
        let ended = match is_wrong_for_good {
            true => setting.run(&["--no-tui"]),
            false => setting.run(&["--no-tui", "--until-caught-up", "--timeout", "3s"]),
        };
        ended.failed_with(1, &[words]);
    }
}

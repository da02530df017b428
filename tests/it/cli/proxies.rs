//! Proxies that the environment names: nodes and APIs are asked by way of them, and what is on this machine never is.

use super::{UNTIL_CAUGHT_UP, place, run, serve, world};
use crate::support::detour::{Detour, LOGIN};
use crate::support::process::{Ended, Workplace};

const SHORTLY: [&str; 4] = ["--no-tui", "--until-caught-up", "--timeout", "3s"];

/// A check in an environment of these variables and no others of the kind.
fn check(place: &Workplace, set: &[(&str, &str)]) -> Ended {
    run(with(place, &["check"], set))
}

fn with(place: &Workplace, arguments: &[&str], set: &[(&str, &str)]) -> std::process::Command {
    let mut command = place.command(arguments);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    command.envs(set.iter().copied());
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn of_every_kind_lead_to_nodes_and_apis() {
    let server = serve(&world(1, 100)).await;
    for (variable, scheme, wants_login, host) in [
        ("HTTP_PROXY", "http://", false, "node.test:8545"),
        ("http_proxy", "", true, "node.test:8545"),
        ("ALL_PROXY", "socks5h://", false, "node.test:8545"),
        ("all_proxy", "socks5h://", true, "node.test:8545"),
        // Its names are looked up here: an address needs that nowhere.
        ("ALL_PROXY", "socks5://", true, "192.0.2.7:8545"),
    ] {
        let detour = match wants_login {
            true => Detour::with_login(&server.url()).await,
            false => Detour::to(&server.url()).await,
        };
        let login = if wants_login { format!("{LOGIN}@") } else { String::new() };
        let proxy = format!("{scheme}{login}{}", detour.address());
        let ended = check(&place(&format!("http://{host}")), &[(variable, &proxy)]);
        ended.succeeded();
        let ok = |thing: &str| format!("{thing:<9} {host}: ");
        for thing in ["polygon", "gamma", "data-api"] {
            assert!(ended.stdout.contains(&ok(thing)), "{variable}={scheme}: {}", ended.stdout);
        }
        assert!(!detour.asked().is_empty() && detour.asked().iter().all(|asked| asked == host), "{:?}", detour.asked());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn are_left_alone_by_what_is_on_this_machine_or_left_out() {
    let server = serve(&world(1, 100)).await;
    let detour = Detour::to(&server.url()).await;
    let proxy = format!("http://{}", detour.address());
    check(&place(&server.url()), &[("ALL_PROXY", &proxy)]).succeeded();
    // Also one that nobody could use.
    check(&place(&server.url()), &[("ALL_PROXY", "gopher://nowhere")]).succeeded();
    let out = check(&place("http://node.invalid:8545"), &[("ALL_PROXY", &proxy), ("NO_PROXY", "node.invalid")]);
    out.failed_with(1, &["checks failed"]);
    assert_eq!(detour.asked(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn that_cannot_be_used_are_told_by_check_and_run_alike() {
    let server = serve(&world(1, 100)).await;
    let (open, closed) = (Detour::to("127.0.0.1:1").await, Detour::with_login(&server.url()).await);
    let place = place("http://node.test:8545");
    for (value, words) in [
        (
            "gopher://hid:den@p:1".to_owned(),
            "ALL_PROXY in the environment names no proxy that can be used: write http://host:port",
        ),
        ("socks5h://127.0.0.1:1".to_owned(), "the proxy 127.0.0.1:1 (ALL_PROXY) cannot be reached"),
        (format!("socks5h://hid:den@{}", closed.address()), "(ALL_PROXY) wants another user and password"),
        (format!("socks5h://{}", closed.address()), "(ALL_PROXY) wants another user and password"),
        (format!("socks5h://{}", open.address()), "node.test:8545"),
    ] {
        let found = check(&place, &[("ALL_PROXY", &value)]);
        assert_eq!(found.code, Some(1), "{found:?}");
        let lines: Vec<&str> = found.stdout.lines().filter(|line| line.starts_with("FAIL ")).collect();
        assert_eq!(lines.len(), 3, "{value}: {}", found.stdout);
        assert!(lines.iter().all(|line| line.contains(words)), "{words}: {}", found.stdout);
        let ended = run(with(&place, &SHORTLY, &[("ALL_PROXY", &value)]));
        assert!(ended.stderr.contains(words), "{words}: {}", ended.stderr);
        for text in [found.stdout, ended.stderr] {
            assert!(!text.contains("hid") && !text.contains("os error"), "{text}");
        }
    }
    let wrong = run(with(&place, &UNTIL_CAUGHT_UP, &[("ALL_PROXY", "gopher://p:1")]));
    wrong.failed_with(2, &["sources.polygon.urls", "ALL_PROXY in the environment"]);
}

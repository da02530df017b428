//! Servers on which no run can be, now or ever, and users who may do too little: `check` and a run say the same of each, and
//! `check` fails nothing that runs.

use std::time::{Duration, Instant};

use crate::broker::redis::with_tls;
use crate::servers::SOON;
use crate::support::clickhouse::Database;
use crate::support::outside;
use crate::support::process::{Ended, Workplace};
use crate::support::redis::Redis;
use crate::support::redis_release::Kind;
use crate::support::stranger::{Stranger, Way};

/// Within how long a run says what it waits for: it has to begin, and some who are silent have to be waited for.
const SAID: Duration = Duration::from_secs(15);

/// What a run does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Run {
    Ends,
    Waits,
    Goes,
}

/// A server or a user, what is said of it, and what a run does there.
struct Row {
    url: String,
    words: String,
    run: Run,
}

fn row(url: impl Into<String>, words: impl Into<String>, run: Run) -> Row {
    Row { url: url.into(), words: words.into(), run }
}

/// The line of `check` about it.
fn line(ended: &Ended) -> String {
    ended.stdout.lines().find(|line| line.contains(" redis ")).unwrap_or_else(|| panic!("{ended:?}")).to_owned()
}

/// What is done with each server, in a world of its own.
async fn check_and_run(seed: u64, rows: Vec<Row>) {
    let (world, server) = outside::busy(seed, 100.0).await;
    let database = Database::new();
    for Row { url, words, run } in rows {
        let redis = format!(r#"redis = {{ url = "{url}", key_prefix = "tape:" }}"#);
        let more = [redis, database.section()].join("\n");
        let place = Workplace::new(&outside::config(&world, &server, &more));
        let checked = tokio::task::block_in_place(|| place.run(&["check"], SOON));
        let line = line(&checked);
        let (verdict, code) = if run == Run::Goes { ("warn ", 0) } else { ("FAIL ", 1) };
        assert!(line.starts_with(verdict) && line.contains(&words), "{words:?}: {line}");
        assert_eq!(checked.code, Some(code), "{checked:?}");
        tokio::task::block_in_place(|| match run {
            Run::Ends => {
                let ended = place.run(&["--no-tui"], SOON);
                assert_eq!(ended.code, Some(1), "{}", ended.stderr);
                let last = ended.stderr.lines().rfind(|line| !line.starts_with('{')).unwrap_or_default();
                assert!(last.contains(&words), "{words:?}: {}", ended.stderr);
            }
            Run::Waits => {
                let (mut running, began) = (place.start(&["--no-tui"]), Instant::now());
                while !running.stderr().contains(&words) {
                    assert!(began.elapsed() < SAID, "{words:?} was not said:\n{}", running.stderr());
                    assert!(running.ended().is_none(), "{}", running.stderr());
                    std::thread::sleep(Duration::from_millis(10));
                }
                println!("{words:?} after {:?}", began.elapsed());
                running.kill();
            }
            Run::Goes => {
                let ended = place.run(&["--no-tui", "--until-caught-up", "--timeout", "60s"], SOON * 2);
                assert_eq!(ended.code, Some(0), "{}", ended.stderr);
                assert_eq!(ended.stderr.matches(&words).count(), 1, "{}", ended.stderr);
            }
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_in_another_role() {
    let primary = Redis::own(&[]);
    let port = primary.port().to_string();
    let replica = Redis::own(&["--replicaof", "127.0.0.1", &port]);
    let sentinel = Redis::watching(primary.port());
    let cluster = Redis::of(Kind::of_tests().clustered(), &[]);
    let lonely = Redis::own(&["--min-replicas-to-write", "1"]);
    let evicts = Redis::own(&["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"]);
    let replica_of = format!("it is a replica of 127.0.0.1:{port}, which takes no writes: name its primary");
    let named = format!("name the address of the primary that it watches (mymaster is at 127.0.0.1:{port})");
    check_and_run(
        4_001,
        vec![
            row(replica.url(), replica_of, Run::Waits),
            row(sentinel.url(), named, Run::Ends),
            row(cluster.url(), "key_prefix needs a hash tag such as \"{tape}:\"", Run::Ends),
            row(lonely.url(), "fewer replicas are in reach than its min-replicas-to-write asks for", Run::Waits),
            row(evicts.url(), "its maxmemory-policy is allkeys-lru", Run::Ends),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn others_at_the_port() {
    let [http, native, closes, silent] = [Way::Http, Way::ClickhouseNative, Way::Closes, Way::Silent];
    let (http, native) = (Stranger::new(http).await, Stranger::new(native).await);
    let (closes, silent) = (Stranger::new(closes).await, Stranger::new(silent).await);
    let (plain, tls, _) = with_tls();
    let at = |stranger: &Stranger| format!("redis://{}/", stranger.address());
    let over_tls = plain.url().replace("redis://", "rediss://");
    check_and_run(
        4_002,
        vec![
            row(at(&http), "an HTTP server answers there and no Redis", Run::Waits),
            row(at(&native), "the native port of ClickHouse is there and no Redis", Run::Waits),
            row(at(&closes), "it closes every connection before it says anything", Run::Waits),
            row(at(&silent), "it lets connections in and says nothing, so it hangs or is no Redis", Run::Waits),
            row(
                format!("redis://127.0.0.1:{tls}/"),
                "it speaks TLS, so its URL has to begin with rediss://",
                Run::Waits,
            ),
            row(over_tls, "it speaks no TLS, so its URL has to begin with redis://", Run::Waits),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn users_who_may_do_too_little() {
    let redis = Redis::own(&[]);
    let user = |name: &str, rules: &[&str]| {
        redis.run(&[&["ACL", "SETUSER", name, "on", ">s3cret-word", "~*", "+@all"][..], rules].concat());
        redis.url().replace("redis://", &format!("redis://{name}:s3cret-word@"))
    };
    check_and_run(
        4_003,
        vec![
            row(user("a", &["-evalsha"]), "its user may not run EVALSHA: add the ACL rule +evalsha", Run::Ends),
            row(user("b", &["-xadd"]), "its user may not run XADD: add the ACL rule +xadd", Run::Ends),
            row(
                user("c", &["resetkeys", "~tape:s*", "~tape:t*", "~tape:h*"]),
                "its user may not use the keys tape:proc:*: add the ACL rule ~tape:proc:*",
                Run::Ends,
            ),
            row(
                user("d", &["-info"]),
                "its user may not run INFO: add the ACL rule +info: its version, eviction policy, persistence, memory and \
                 role are unknown",
                Run::Goes,
            ),
            row(
                user("e", &["-time"]),
                "its user may not run TIME: add the ACL rule +time: its clock is unknown",
                Run::Goes,
            ),
        ],
    )
    .await;
}

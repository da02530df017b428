//! Answers of Gamma and the Data API that are small on the wire and large once they are built.

use std::fmt::Write as _;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use parking_lot::Mutex;
use polytape::model::{TokenId, U256};

use crate::support::length::short_or_long;
use crate::support::logs::{Sell, lines};
use crate::support::node::{Node, Recording};
use crate::support::process::{Running, Workplace, until};
use crate::support::written::{FIRST, SOON, token};

/// Memory may grow to so many times the body.
const TIMES: u64 = 10;

/// How many bytes a body has.
fn size() -> usize {
    short_or_long(4 << 20, 30 << 20)
}

/// What the APIs answer, and how often each was asked.
struct Outside {
    /// Of Gamma.
    page: Mutex<Body>,
    pages: AtomicUsize,
    /// Of the Data API: each of these in turn, and then none.
    rows: Mutex<Vec<Body>>,
    rows_given: AtomicUsize,
}

#[derive(Clone)]
struct Body(StatusCode, Bytes);

impl Body {
    fn ok(text: String) -> Self {
        Self(StatusCode::OK, text.into())
    }

    fn page(elements: &str) -> Self {
        Self::ok(format!(r#"{{"markets":[{elements}]}}"#))
    }

    fn rows(elements: &str) -> Self {
        Self::ok(format!(r#"{{"data":[{elements}]}}"#))
    }
}

impl Outside {
    fn new(rows: Vec<Body>) -> Arc<Self> {
        let page = Mutex::new(Body::page(""));
        Arc::new(Self { page, pages: AtomicUsize::new(0), rows: Mutex::new(rows), rows_given: AtomicUsize::new(0) })
    }

    fn give(&self, uri: &Uri) -> Response {
        let Body(status, body) = if uri.path().ends_with("/v2/tokens") {
            self.rows_given.fetch_add(1, Ordering::Relaxed);
            self.rows.lock().pop().unwrap_or_else(|| Body::rows(""))
        } else {
            self.pages.fetch_add(1, Ordering::Relaxed);
            self.page.lock().clone()
        };
        (status, body).into_response()
    }

    fn set_page(&self, page: Body) {
        *self.page.lock() = page;
    }

    async fn serve(self: &Arc<Self>) -> Node {
        let serve = async |State(outside): State<Arc<Self>>, uri: Uri| outside.give(&uri);
        Node::serve(axum::Router::new().fallback(serve).with_state(Arc::clone(self))).await
    }
}

fn repeated(part: &str) -> String {
    let mut list = part.repeat(size() / part.len());
    list.pop();
    list
}

fn list(part: &str) -> String {
    format!("[{}]", repeated(part))
}

fn deep() -> String {
    "[".repeat(size() / 2) + &"]".repeat(size() / 2)
}

/// Many fields that nobody knows.
fn fields() -> String {
    let mut fields = String::with_capacity(size() + 16);
    for number in 0.. {
        if fields.len() >= size() {
            break;
        }
        let _ = write!(fields, r#","{number}":0"#);
    }
    fields
}

fn long() -> String {
    format!("\"{}\"", "x".repeat(size()))
}

/// Pages of Gamma of about [`size`] bytes, each with what is odd about it.
fn pages() -> Vec<(&'static str, Body)> {
    let market = |name: &str, value: &str| Body::page(&format!(r#"{{"id":"7","{name}":{value}}}"#));
    let cursor = format!(r#"{{"markets":[],"next_cursor":{}}}"#, long());
    vec![
        ("a page of numbers", Body::page(&repeated("0,"))),
        ("a page of empty objects", Body::page(&repeated("{},"))),
        ("a market of many fields", Body::page(&format!(r#"{{"id":"7"{}}}"#, fields()))),
        ("many outcomes", market("outcomes", &list("0,"))),
        ("many token ids in a text", market("clobTokenIds", &format!("\"{}\"", list("0,")))),
        ("many tags", market("tags", &list("0,"))),
        ("a tag that is a list", market("tags", &format!(r#"[{{"label":{}}}]"#, list("0,")))),
        ("an event of many tags", market("events", &format!(r#"[{{"id":"1","tags":{}}}]"#, list(r#""a","#)))),
        ("a deep market", Body::page(&deep())),
        ("a deep field", market("description", &deep())),
        ("a market that is a text", Body::page(&long())),
        ("a long question", market("question", &long())),
        ("a long cursor", Body::ok(cursor)),
        ("an error of numbers", Body(StatusCode::INTERNAL_SERVER_ERROR, list("0,").into())),
        ("an error of a deep list", Body(StatusCode::BAD_REQUEST, deep().into())),
    ]
}

/// The most memory that a process has had so far, in bytes.
fn peak(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("the process lives");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its peak");
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1_024
}

/// A program beside these APIs, whose only fill has no market.
async fn start(apis: &Node, chain: &Node) -> (Workplace, Running) {
    let place = Workplace::new(&format!(
        r#"
        pipeline.start = "{FIRST}"
        sources.polygon = {{ urls = ["{}"], poll_interval = "20ms" }}
        sources.gamma = {{ url = "{url}", poll_interval = "50ms", max_rate = 10000 }}
        sources.data_api = {{ url = "{url}", max_rate = 10000 }}
        writer.linger = "10ms"
        storage.min_free = "0B"
        "#,
        chain.url(),
        url = apis.url(),
    ));
    let mut command = place.command(&["--no-tui"]);
    // What is freed goes back to the system at once, so that what is measured is in use.
    command.env("MALLOC_MMAP_THRESHOLD_", "65536").env("MALLOC_TRIM_THRESHOLD_", "65536");
    let running = Running::start(command, place.data_dir().parent().unwrap());
    (place, running)
}

/// Forgets the most memory so far.
fn forget_peak(process: u32) {
    fs::write(format!("/proc/{process}/clear_refs"), "5").expect("the process is ours");
}

/// Row 18: 2 MB of `0,` as a page took 5 GB, 8 MB the process.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn no_answer_takes_ten_times_its_size() {
    let end = Sell::of(TokenId(U256::ONE), FIRST + 100, 0);
    let logs = lines(&[Sell::of(token(1), FIRST, 1), end]);
    let chain = Node::of(Arc::new(Recording::new(&[&logs], &[]))).await;

    // What is usual: pages that say nothing, and a while of work.
    let outside = Outside::new(vec![]);
    let apis = outside.serve().await;
    let (place, running) = start(&apis, &chain).await;
    until(SOON, "it is asked about its markets", || outside.pages.load(Ordering::Relaxed) > 10);
    until(SOON, "the fill has landed", || place.count("trades") > 0);
    let usual = peak(running.id());
    running.kill();

    let own = token(1);
    let outside = Outside::new(vec![
        Body::rows(&format!(r#"{{"token_id":"{own}"{}}}"#, fields())),
        Body::rows(&repeated("{},")),
        Body::rows(&repeated("0,")),
    ]);
    let apis = outside.serve().await;
    let (_place, running) = start(&apis, &chain).await;
    let is_small = |what: &str| {
        let grown = peak(running.id()).saturating_sub(usual);
        let is_small = grown < TIMES * size() as u64;
        assert!(is_small, "{what}: {} MB of memory for an answer of {} MB", grown >> 20, size() >> 20);
    };
    until(SOON, "the Data API was asked often enough", || {
        is_small("rows of the Data API");
        outside.rows_given.load(Ordering::Relaxed) > 3
    });
    for (what, page) in pages() {
        forget_peak(running.id());
        outside.set_page(page);
        for wanted in [2, 3] {
            let before = outside.pages.load(Ordering::Relaxed);
            // The second time something small, so that the next one is not waited for.
            until(SOON, what, || {
                is_small(what);
                outside.pages.load(Ordering::Relaxed) >= before + wanted
            });
            outside.set_page(Body::page(""));
        }
    }
    running.kill();
}

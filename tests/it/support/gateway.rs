//! Something in front of ClickHouse that speaks HTTP, as balancers, proxies and login pages do, and misbehaves on demand.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use parking_lot::Mutex;
use reqwest::Client;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

/// What it does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Passes it on, and the answer back.
    Open,
    /// Answers a write with 200 and a page of its own. Reads pass.
    Page,
    /// Answers a write with 200 and nothing. Reads pass.
    Swallow,
    /// Passes all on, and takes ClickHouse's query id out of the answer.
    StripId,
    /// The same, and answers reads of rows that were sent with 404.
    StripIdAndNoReadBack,
    /// Passes all on, and puts an id of its own into the answer.
    ReplaceId,
    /// Answers a write with 200 and an exception's code in the header. Reads pass.
    Exception(u32),
    /// Answers all with 404, as one that has lost its route.
    NotFound,
    /// Passes on what stands below a path, without that, and answers all else with 404.
    OnlyBelow(&'static str),
    /// Answers a request whose body is longer with 413, as nginx by `client_max_body_size`.
    NoLongerThan(usize),
    /// Passes all on, as a server that does not know this setting, and ends each connection.
    Hides(&'static str),
    /// Answers as a server from before `CHECK GRANT`.
    NoCheckGrant,
    /// Answers as a server whose user may not read `system.parts`.
    NoParts,
    /// Resets the connection at a body that is longer, as one that does not say why.
    CutsAt(usize),
    /// As a process that dies at the first statement behind so many that change something: it is passed on without its answer, or not
    /// at all, and nothing is passed on after it.
    DiesAt { allowed: usize, is_executed: bool },
    /// Passes all on, and lets ClickHouse say that it is of this version.
    OfVersion(&'static str),
}

/// A gateway to a server.
pub struct Gateway {
    address: SocketAddr,
    shared: Arc<Shared>,
    _serving: AbortOnDropHandle<()>,
}

struct Shared {
    server: String,
    client: Client,
    /// What it does, and how many requests it has spoiled since it was told so.
    state: Mutex<(Gate, usize)>,
    /// How many reads it has let through that ask for rows that were sent.
    read_backs: Mutex<usize>,
    /// How many statements have come that change something, while it counts them.
    changes: Mutex<usize>,
}

/// Headers that belong to one connection.
const OF_CONNECTION: [&str; 5] = ["host", "connection", "content-length", "transfer-encoding", "keep-alive"];
const QUERY_ID: HeaderName = HeaderName::from_static("x-clickhouse-query-id");
const EXCEPTION: HeaderName = HeaderName::from_static("x-clickhouse-exception-code");

/// Serves at an address of its own, until it is dropped.
pub async fn listen(app: Router) -> (SocketAddr, AbortOnDropHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (address, AbortOnDropHandle::new(serving))
}

impl Gateway {
    /// To a server at a URL.
    pub async fn to(server: &str) -> Self {
        let client = client();
        let (state, read_backs, changes) = (Mutex::new((Gate::Open, 0)), Mutex::default(), Mutex::default());
        let server = server.trim_end_matches('/').to_owned();
        let shared = Arc::new(Shared { server, client, state, read_backs, changes });
        let (address, serving) = listen(Router::new().fallback(serve).with_state(Arc::clone(&shared))).await;
        Self { address, shared, _serving: serving }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on it does this.
    pub fn set(&self, gate: Gate) {
        *self.shared.state.lock() = (gate, 0);
    }

    /// How many requests it has spoiled since it was told what to do.
    pub fn spoiled(&self) -> usize {
        self.shared.state.lock().1
    }

    /// How many reads have asked whether rows are there.
    pub fn read_backs(&self) -> usize {
        *self.shared.read_backs.lock()
    }
}

impl Shared {
    fn spoil(&self) {
        self.state.lock().1 += 1;
    }

    /// How many changes there were, with this.
    fn count(&self, is_change: bool) -> usize {
        let mut changes = self.changes.lock();
        *changes += usize::from(is_change);
        *changes
    }

    async fn pass(&self, path: &str, headers: HeaderMap, body: Bytes) -> Response {
        pass(&self.client, &format!("{}{path}", self.server), &headers, body).await
    }
}

/// By which requests are passed on.
pub fn client() -> Client {
    Client::builder().no_gzip().timeout(Duration::from_secs(120)).build().unwrap()
}

/// Passes a request on, and gives the answer back.
pub async fn pass(client: &Client, url: &str, headers: &HeaderMap, body: Bytes) -> Response {
    let mut request = client.post(url);
    for (name, value) in headers.iter().filter(|(name, _)| !OF_CONNECTION.contains(&name.as_str())) {
        request = request.header(name, value);
    }
    let Ok(answer) = request.body(body).send().await else { return StatusCode::BAD_GATEWAY.into_response() };
    let (status, headers) = (answer.status(), answer.headers().clone());
    let Ok(body) = answer.bytes().await else { return StatusCode::BAD_GATEWAY.into_response() };
    let mut response = (status, body).into_response();
    response.headers_mut().clear();
    for (name, value) in headers.iter().filter(|(name, _)| !OF_CONNECTION.contains(&name.as_str())) {
        response.headers_mut().append(name, value.clone());
    }
    response
}

async fn serve(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let gate = shared.state.lock().0;
    let (limit, is_cut) = match gate {
        Gate::NoLongerThan(limit) => (limit, false),
        Gate::CutsAt(limit) => (limit, true),
        _ => (usize::MAX, false),
    };
    let Some(body) = read(body, limit).await else {
        shared.spoil();
        if is_cut {
            // A handler that panics takes its connection along.
            std::panic::resume_unwind(Box::new("cut"));
        }
        let page = "<html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n</html>\r\n";
        return (StatusCode::PAYLOAD_TOO_LARGE, page).into_response();
    };
    let is_write = path.contains("query=INSERT") || is_insert(&body);
    let is_read_back = body.windows(RE_READ.len()).any(|bytes| bytes == RE_READ.as_bytes());
    if is_read_back {
        *shared.read_backs.lock() += 1;
    }
    match gate {
        Gate::Page if is_write => {
            shared.spoil();
            "<html><body>Please log in</body></html>".into_response()
        }
        Gate::Swallow if is_write => {
            shared.spoil();
            StatusCode::OK.into_response()
        }
        Gate::Exception(code) if is_write => {
            shared.spoil();
            ([(EXCEPTION, HeaderValue::from(code))], "").into_response()
        }
        Gate::NotFound => {
            shared.spoil();
            (StatusCode::NOT_FOUND, "404 page not found\n").into_response()
        }
        Gate::Hides(setting) => {
            let text = String::from_utf8_lossy(&body).into_owned();
            let body = match text.contains("FROM system.settings") {
                true => text.replace(&format!("'{setting}'"), "'hidden'").into(),
                false => body,
            };
            let mut response = shared.pass(&path, head.headers, body).await;
            response.headers_mut().insert("connection", HeaderValue::from_static("close"));
            response
        }
        Gate::DiesAt { allowed, is_executed } => {
            let is_change = is_write || changes(&body);
            let count = shared.count(is_change);
            if count <= allowed {
                return shared.pass(&path, head.headers, body).await;
            }
            shared.spoil();
            if is_change && count == allowed + 1 && is_executed {
                shared.pass(&path, head.headers, body).await;
            }
            (StatusCode::BAD_GATEWAY, "dead\n").into_response()
        }
        Gate::NoCheckGrant if body.starts_with(b"CHECK GRANT") => {
            shared.spoil();
            exception(62, "Syntax error: failed at position 1 (CHECK): CHECK GRANT. (SYNTAX_ERROR)")
        }
        Gate::NoParts if body.starts_with(b"CHECK GRANT SELECT ON system.parts") => {
            shared.spoil();
            "0\n".into_response()
        }
        Gate::OnlyBelow(prefix) => match path.strip_prefix(prefix) {
            Some(path) => shared.pass(path, head.headers, body).await,
            None => {
                shared.spoil();
                (StatusCode::NOT_FOUND, "404 page not found\n").into_response()
            }
        },
        Gate::OfVersion(version) => {
            let asked = std::str::from_utf8(&body).map(|sql| sql.replace("version()", &format!("'{version}'")).into());
            shared.pass(&path, head.headers, asked.unwrap_or(body)).await
        }
        Gate::StripIdAndNoReadBack if is_read_back => StatusCode::NOT_FOUND.into_response(),
        Gate::StripId | Gate::StripIdAndNoReadBack | Gate::ReplaceId | Gate::Swallow => {
            let mut response = shared.pass(&path, head.headers, body).await;
            response.headers_mut().remove(QUERY_ID);
            if gate == Gate::ReplaceId {
                response.headers_mut().insert(QUERY_ID, HeaderValue::from_static("gateway-1"));
            }
            response
        }
        _ => shared.pass(&path, head.headers, body).await,
    }
}

fn exception(code: u32, text: &str) -> Response {
    let body = format!("Code: {code}. DB::Exception: {text}\n");
    (StatusCode::BAD_REQUEST, [(EXCEPTION, HeaderValue::from(code))], body).into_response()
}

/// What a read holds that asks whether trades are there.
const RE_READ: &str = "WHERE (token_id, timestamp, transaction_hash, log_index, source_id, toDate(timestamp)) IN";

/// Whether a statement changes tables.
fn changes(body: &[u8]) -> bool {
    let begin = String::from_utf8_lossy(&body[..body.len().min(4_000)]).into_owned();
    let first = begin.lines().find(|line| !line.starts_with("--")).unwrap_or_default();
    ["CREATE", "EXCHANGE", "DROP", "RENAME"].iter().any(|word| first.starts_with(word))
}

/// Whether a statement is an insert, behind its comments.
fn is_insert(body: &[u8]) -> bool {
    let begin = String::from_utf8_lossy(&body[..body.len().min(1_000)]).into_owned();
    begin.lines().find(|line| !line.starts_with("--")).is_some_and(|line| line.starts_with("INSERT"))
}

/// A body, unless it is longer than so much.
async fn read(body: Body, limit: usize) -> Option<Bytes> {
    let (mut body, mut bytes) = (Box::pin(body), Vec::new());
    while let Some(frame) = std::future::poll_fn(|context| body.as_mut().poll_frame(context)).await {
        if let Ok(data) = frame.ok()?.into_data() {
            bytes.extend_from_slice(&data);
        }
        if bytes.len() > limit {
            return None;
        }
    }
    Some(bytes.into())
}

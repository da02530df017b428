//! The client for writes: HTTP with a fresh `query_id` an attempt, and all headers of the answer.
//!
//! The `clickhouse` crate, which reads go over, does not show whose answer it was. An attempt is made once: whoever asks decides
//! whether it is made again, and gives it another id then.

use std::sync::atomic::{AtomicBool, Ordering};
use std::{pin::Pin, time::Duration};

use bytes::Bytes;
use hyper::body::{Body as _, Incoming};
use hyper::header::{HeaderValue, USER_AGENT};
use hyper::{Method, Request};
use hyper_util::client::legacy::connect::HttpInfo;
use reqwest::Url;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::body::{Body, Piece};
use super::transport::{Http, Transport};
use super::{answer::Answer, config::ClickhouseConfig, error::ClickhouseError, error::Result};
use crate::io_words::{chain, is_no_tls, of_connection};

/// How long one piece of a body may take, and ClickHouse to confirm them all.
const SEND: Duration = Duration::from_secs(10);
const CONFIRM: Duration = Duration::from_secs(60);

/// How much of an answer is read. A write that was done is answered with nothing.
const LONGEST_ANSWER: usize = 16 << 10;

/// The client for writes. Clones share its connections.
#[derive(Clone)]
pub(super) struct Post {
    http: Http,
    /// Where to: the address without parameters.
    url: Url,
    /// The address as it is shown.
    at: String,
    user: HeaderValue,
    password: HeaderValue,
}

/// A parameter of a request: `query_id`, `database`, a setting.
pub(super) type Parameter<'a> = (&'a str, &'a str);

impl Post {
    /// A client for a configuration, or why there is none.
    pub(super) fn new(config: &ClickhouseConfig, transport: &Transport) -> Result<Self, String> {
        let mut url = Url::parse(&config.url).map_err(|error| format!("its URL cannot be read: {error}"))?;
        url.set_query(None);
        url.set_fragment(None);
        let header = |name: &str, text: &str| {
            HeaderValue::from_bytes(text.as_bytes()).map_err(|_| format!("the {name} holds what no header can"))
        };
        let mut password = header("password", &config.password)?;
        password.set_sensitive(true);
        let user = header("user", &config.user)?;
        Ok(Self { http: transport.for_writes(), url, at: config.address(), user, password })
    }

    /// Executes a statement that comes whole.
    pub(super) async fn statement(
        &self,
        parameters: &[Parameter<'_>],
        sql: String,
        within: Duration,
    ) -> Result<Answer> {
        let request = self.request(parameters, Body::Whole(sql.into()))?;
        match timeout(within, self.answer(request)).await {
            Ok(answer) => answer.map_err(|error| self.broken(&error, true)),
            Err(_) => Err(self.late(within)),
        }
    }

    /// Sends rows behind an `INSERT` among the parameters: chunked, in frames that have a checksum, so that no part of them is taken
    /// for the whole.
    pub(super) async fn rows(&self, parameters: &[Parameter<'_>], rows: &[Bytes]) -> Result<Answer> {
        let (pieces, body) = Body::pieces();
        let request = self.request(parameters, body)?;
        let has_begun = AtomicBool::new(false);
        let answered = tokio::select! {
            biased;
            answered = self.answer(request) => answered,
            error = self.feed(rows, pieces, &has_begun) => return Err(error),
        };
        answered.map_err(|error| self.broken(&error, has_begun.load(Ordering::Relaxed)))
    }

    /// Feeds a body. Comes back only where that, or the answer behind it, took too long.
    async fn feed(&self, rows: &[Bytes], pieces: mpsc::Sender<Piece>, has_begun: &AtomicBool) -> ClickhouseError {
        for piece in rows.iter().cloned().map(Piece::Data).chain([Piece::End]) {
            let is_end = matches!(piece, Piece::End);
            match timeout(SEND, pieces.send(piece)).await {
                Err(_) => return self.late(SEND),
                Ok(Ok(())) => has_begun.store(true, Ordering::Relaxed),
                // Nobody takes more of it: the answer says why.
                Ok(Err(_)) => break,
            }
            if is_end {
                break;
            }
        }
        sleep(CONFIRM).await;
        self.late(CONFIRM)
    }

    fn request(&self, parameters: &[Parameter<'_>], body: Body) -> Result<Request<Body>> {
        let mut url = self.url.clone();
        url.query_pairs_mut().extend_pairs(parameters);
        let request = Request::builder()
            .method(Method::POST)
            .uri(url.as_str())
            .header(USER_AGENT, concat!("polytape/", env!("CARGO_PKG_VERSION")))
            .header("X-ClickHouse-User", self.user.clone())
            .header("X-ClickHouse-Key", self.password.clone())
            .body(body);
        request.map_err(|error| ClickhouseError::Unusable { at: self.at.clone(), text: error.to_string() })
    }

    /// The answer, and what of its body is needed to understand it.
    async fn answer(&self, request: Request<Body>) -> Result<Answer, Broken> {
        let (head, mut body) = self.http.request(request).await.map_err(Broken::Request)?.into_parts();
        let mut answer = Answer::of_head(head.status.as_u16(), &head.headers);
        answer.connection = head.extensions.get::<HttpInfo>().map(HttpInfo::local_addr);
        while answer.body.len() < LONGEST_ANSWER
            && let Some(bytes) = next(&mut body).await.map_err(Broken::Answer)?
        {
            answer.body.extend_from_slice(&bytes);
        }
        answer.body.truncate(LONGEST_ANSWER);
        Ok(answer)
    }

    /// `has_begun` says whether part of a body was sent.
    fn broken(&self, error: &Broken, has_begun: bool) -> ClickhouseError {
        let (text, is_connected) = match error {
            Broken::Request(error) => (chain(error), !error.is_connect()),
            Broken::Answer(error) => (chain(error), true),
        };
        let (is_cut, is_no_tls) = (has_begun && is_connected, is_no_tls(&text));
        ClickhouseError::Network { at: self.at.clone(), text: of_connection(&text), is_cut, is_no_tls }
    }

    fn late(&self, after: Duration) -> ClickhouseError {
        ClickhouseError::Timeout { at: self.at.clone(), after }
    }
}

/// How an exchange ended before its answer did.
enum Broken {
    Request(hyper_util::client::legacy::Error),
    Answer(hyper::Error),
}

/// The next bytes of a body.
async fn next(body: &mut Incoming) -> Result<Option<Bytes>, hyper::Error> {
    loop {
        match std::future::poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await.transpose()? {
            None => return Ok(None),
            Some(frame) => {
                if let Ok(bytes) = frame.into_data() {
                    return Ok(Some(bytes));
                }
            }
        }
    }
}

//! One HTTP request: bounded in time and size, and silent about keys.

use std::error::Error;
use std::time::SystemTime;

use bytes::{Bytes, BytesMut};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Response, StatusCode, Url, redirect};

use super::config::{PolygonConfig, PolygonConfigError};
use super::failure::Failure;
use super::reply::{RpcError, excerpt};
use super::retry_after;
use super::vocabulary::{self, Hint, Verdict};

/// Some public endpoints answer 403 to a client that does not say who it is.
const USER_AGENT: &str = concat!("polytape/", env!("CARGO_PKG_VERSION"));

/// How much of an error's body is read.
const ERROR_BODY: usize = 64 * 1024;

/// How much of a node's own words is shown.
const WORDS: usize = 200;

/// A part of a URL that is at least this long may be a key.
const KEY_LENGTH: usize = 8;

/// The connections, shared by all endpoints.
pub(super) fn connections(config: &PolygonConfig) -> Result<reqwest::Client, PolygonConfigError> {
    let mut client = reqwest::Client::builder();
    if config.urls.iter().all(|url| is_loopback(url)) {
        // A proxy of the environment cannot reach what is on this machine.
        client = client.no_proxy();
    }
    client
        .user_agent(USER_AGENT)
        .timeout(config.timeout)
        .connect_timeout(config.connect_timeout)
        // A redirected POST may arrive as a GET, and a key where it was not meant to go.
        .redirect(redirect::Policy::none())
        .build()
        .map_err(|cause| PolygonConfigError::Client(innermost(&cause)))
}

fn is_loopback(url: &str) -> bool {
    let host = Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
    host.is_some_and(|host| {
        host == "localhost" || host.trim_matches(['[', ']']).parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
    })
}

/// Host and port of a URL; the rest may be a key.
pub(super) fn name_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or("?");
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Where one endpoint's requests go.
pub(super) struct Client {
    url: Url,
    /// The parts of the URL that may be a key.
    keys: Vec<String>,
    client: reqwest::Client,
    max_body: usize,
}

impl Client {
    pub(super) fn new(url: Url, client: reqwest::Client, max_body: usize) -> Self {
        let path = url.path_segments().into_iter().flatten().map(str::to_owned);
        let query = url.query_pairs().map(|(_, value)| value.into_owned());
        let user = [url.username(), url.password().unwrap_or_default()].map(str::to_owned);
        let keys = path.chain(query).chain(user).filter(|part| part.len() >= KEY_LENGTH).collect();
        Self { url, keys, client, max_body }
    }

    /// Posts a JSON body that holds `asked` requests, and reads the answer's body.
    pub(super) async fn post(&self, body: String, asked: usize) -> Result<Bytes, Failure> {
        let request = self.client.post(self.url.clone()).header(CONTENT_TYPE, "application/json").body(body);
        let response = request.send().await.map_err(|cause| self.broken(cause))?;
        if !response.status().is_success() {
            return Err(self.refusal(response, asked).await);
        }
        match self.read(response, self.max_body).await? {
            Body::Whole(body) => Ok(body),
            Body::Cut(_) => {
                let cause = format!("an answer of more than {} bytes", self.max_body);
                Err(Failure::RangeTooLarge { hint: Hint::FewerRows, cause })
            }
        }
    }

    /// A text of the node, fit to be shown: one short line without keys.
    pub(super) fn redact(&self, text: &str) -> String {
        let clean = self.keys.iter().fold(text.to_owned(), |text, key| text.replace(key.as_str(), "…"));
        excerpt(&clean, WORDS)
    }

    /// Reads a body up to `limit` bytes, unpacked: a small one may unpack to a very large one.
    async fn read(&self, mut response: Response, limit: usize) -> Result<Body, Failure> {
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|cause| self.broken(cause))? {
            body.extend_from_slice(&chunk[..chunk.len().min(limit - body.len())]);
            if body.len() == limit {
                return Ok(Body::Cut(body.freeze()));
            }
        }
        Ok(Body::Whole(body.freeze()))
    }

    /// What an HTTP error means. The body's words come first; they are more precise than the status.
    async fn refusal(&self, response: Response, asked: usize) -> Failure {
        let status = response.status();
        let header = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = header.and_then(|value| retry_after::read(value, SystemTime::now()));
        let body = match self.read(response, ERROR_BODY).await {
            Ok(Body::Whole(body) | Body::Cut(body)) => body,
            Err(_) => Bytes::new(),
        };
        let error = RpcError::in_body(&body);
        let cause = format!("HTTP {}: {}", status.as_u16(), self.redact(&error.message));
        let verdict = vocabulary::judge(error.code, &error.message);

        match (status, verdict) {
            (StatusCode::TOO_MANY_REQUESTS, _) => Failure::RateLimited { cause, retry_after },
            (StatusCode::SERVICE_UNAVAILABLE, _) if retry_after.is_some() => {
                Failure::RateLimited { cause, retry_after }
            }
            (_, Verdict::BatchTooLarge(limit)) => Failure::BatchTooLarge { limit, cause },
            (_, Verdict::RangeTooLarge(hint)) => Failure::RangeTooLarge { hint, cause },
            (StatusCode::PAYLOAD_TOO_LARGE, _) => Failure::RangeTooLarge { hint: Hint::FewerRows, cause },
            (_, Verdict::RateLimited) => Failure::RateLimited { cause, retry_after },
            (_, Verdict::LacksBlock) => Failure::LacksBlock(cause),
            // Not entitled: it will not be soon, so it is left alone like one that was asked too often.
            (StatusCode::UNAUTHORIZED | StatusCode::PAYMENT_REQUIRED | StatusCode::FORBIDDEN, _) => {
                Failure::RateLimited { cause, retry_after }
            }
            (StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT, _) => Failure::TimedOut(cause),
            // Cloudflare's word for a server that took too long.
            (status, _) if status.as_u16() == 524 => Failure::TimedOut(cause),
            (StatusCode::BAD_REQUEST | StatusCode::METHOD_NOT_ALLOWED | StatusCode::UNPROCESSABLE_ENTITY, _)
                if asked > 1 =>
            {
                Failure::BatchTooLarge { limit: None, cause }
            }
            (status, _) if status.is_redirection() => Failure::Refused(format!("{cause}, a redirect is not followed")),
            _ => Failure::Refused(cause),
        }
    }

    /// What a broken connection means.
    fn broken(&self, cause: reqwest::Error) -> Failure {
        let timed_out = cause.is_timeout() && !cause.is_connect();
        let cause = self.redact(&innermost(&cause.without_url()));
        if timed_out { Failure::TimedOut(cause) } else { Failure::Unreachable(cause) }
    }
}

enum Body {
    Whole(Bytes),
    Cut(Bytes),
}

/// The cause at the bottom of an error, which says more than "error sending request".
fn innermost(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_never_shown() {
        let url = Url::parse("https://user:passw0rd!x@node.example:8443/v2/abcdefgh12345678?apikey=zyxwvuts87654321")
            .unwrap();
        assert_eq!(name_of(&url), "node.example:8443");
        assert_eq!(name_of(&Url::parse("https://node.example/v2/key").unwrap()), "node.example");
        let client = Client::new(url, reqwest::Client::new(), 1);
        let words = client.redact("key abcdefgh12345678 or zyxwvuts87654321\r\n is disabled");
        assert_eq!(words, "key … or … is disabled");
    }
}

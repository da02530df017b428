//! What every source shares when it asks over HTTP: requests are bounded in time and size, and silent about keys.

mod api;
mod batches;
mod config;
mod elements;
mod keys;
mod pace;
pub(super) mod retry_after;

use std::error::Error;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::{Response, Url, redirect};

pub(super) use self::api::{Api, ApiError};
pub(super) use self::batches::Batches;
pub use self::config::{ApiConfig, ApiConfigError};
pub(super) use self::elements::{Elements, fields};
pub(super) use self::keys::Keys;
pub(super) use crate::secrets::excerpt;

/// Some public endpoints answer 403 to a client that does not say who it is.
const USER_AGENT: &str = concat!("polytape/", env!("CARGO_PKG_VERSION"));

/// How much of an error's body is read.
pub(super) const ERROR_BODY: usize = 64 * 1024;

/// Room for so much of a body is made before it comes: what is announced may never come.
const MOST_AHEAD: usize = 8 << 20;

/// How much of a source's own words is shown.
pub(super) const WORDS: usize = 200;

/// How long requests may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timeouts {
    /// For a whole request, to the last byte of its answer.
    pub(super) total: Duration,
    /// For the connection.
    pub(super) connect: Duration,
}

/// The connections to some URLs.
pub(super) fn connections(urls: &[Url], timeouts: Timeouts) -> Result<reqwest::Client, String> {
    let mut client = reqwest::Client::builder();
    if urls.iter().all(is_loopback) {
        // A proxy of the environment cannot reach what is on this machine.
        client = client.no_proxy();
        if urls.iter().all(|url| url.scheme() == "http") {
            // Reading the system's certificates takes longer than all else at a start.
            client = client.tls_certs_only([]);
        }
    }
    client
        .user_agent(USER_AGENT)
        .timeout(timeouts.total)
        .connect_timeout(timeouts.connect)
        // A redirected POST may arrive as a GET, and a key where it was not meant to go.
        .redirect(redirect::Policy::none())
        .build()
        .map_err(|cause| innermost(&cause))
}

fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(|host| {
        host == "localhost" || host.trim_matches(['[', ']']).parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
    })
}

/// A URL of a text, whose scheme is http or https. The text may hold a key, so it is not in the error.
pub(super) fn parse_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|cause| cause.to_string())?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        scheme => Err(format!("its scheme is {scheme}")),
    }
}

/// Host and port of a URL; the rest may be a key.
pub(super) fn name_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or("?");
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// The same of a URL that is a text.
pub fn host_of(url: &str) -> String {
    Url::parse(url).map_or_else(|_| "?".to_owned(), |url| name_of(&url))
}

/// A body, or its beginning where it is longer than it may be.
pub(super) enum Body {
    Whole(Bytes),
    Cut(Bytes),
}

/// Reads a body up to `limit` bytes, unpacked: a small one may unpack to a very large one.
pub(super) async fn read(mut response: Response, limit: usize) -> Result<Body, reqwest::Error> {
    let announced = response.content_length().map_or(0, |length| usize::try_from(length).unwrap_or(limit));
    let mut body = BytesMut::with_capacity(announced.min(limit).min(MOST_AHEAD));
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk[..chunk.len().min(limit - body.len())]);
        if body.len() == limit {
            return Ok(Body::Cut(body.freeze()));
        }
    }
    Ok(Body::Whole(body.freeze()))
}

/// As much of an error's body as is needed for its words.
pub(super) async fn read_error(response: Response) -> Bytes {
    match read(response, ERROR_BODY).await {
        Ok(Body::Whole(body) | Body::Cut(body)) => body,
        Err(_) => Bytes::new(),
    }
}

/// The cause at the bottom of an error, which says more than "error sending request".
pub(super) fn innermost(error: &dyn Error) -> String {
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
    fn an_endpoint_is_named_by_host_and_port() {
        let name = |url| name_of(&Url::parse(url).unwrap());
        assert_eq!(name("https://user:passw0rd!x@node.example:8443/v2/abcdefgh12345678"), "node.example:8443");
        assert_eq!(name("https://node.example/v2/key"), "node.example");
    }

    #[test]
    fn only_http_is_spoken() {
        assert!(parse_url("https://a.b/v2/key").is_ok() && parse_url("http://localhost:1").is_ok());
        for bad in ["secret", "ftp://a.b/secret", "wss://a.b/secret"] {
            let cause = parse_url(bad).unwrap_err();
            assert!(!cause.contains("secret"), "{cause}");
        }
    }
}

//! What answers where ClickHouse should: told as such where it is something else, such as a port that speaks another protocol.
//!
//! An address that has led to ClickHouse once may do so again, whatever answers meanwhile. One that never has is configured wrongly,
//! and no repetition helps.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::Url;

use super::error::ClickhouseError;
use crate::peer::{Asked, Peer};

/// What is known of an address.
#[derive(Clone)]
pub(super) struct Port {
    /// Where it is; nothing where it cannot be read or lies behind a proxy, which is asked nothing but HTTP.
    place: Option<(String, u16)>,
    is_tls: bool,
    /// Whether ClickHouse has answered there.
    is_known: Arc<AtomicBool>,
    /// Who else was found there.
    asked: Arc<Asked>,
}

impl Port {
    /// That of a URL, and whether it is reached straight.
    pub(super) fn of(url: &str, is_straight: bool) -> Self {
        let parsed = Url::parse(url).ok();
        let host = |url: &Url| url.host_str().map(|host| host.trim_matches(['[', ']']).to_owned());
        let place = parsed.filter(|_| is_straight).and_then(|url| Some((host(&url)?, url.port_or_known_default()?)));
        Self { place, is_tls: url.starts_with("https://"), is_known: Arc::default(), asked: Arc::default() }
    }

    /// ClickHouse has answered.
    pub(super) fn has_answered(&self) {
        self.is_known.store(true, Ordering::Relaxed);
    }

    /// Whether ClickHouse has answered there.
    pub(super) fn is_known(&self) -> bool {
        self.is_known.load(Ordering::Relaxed)
    }

    /// An error, or what it shows of the port.
    pub(super) async fn explained(&self, error: ClickhouseError) -> ClickhouseError {
        let text = match &error {
            ClickhouseError::Foreign { text, .. } => native_port(text).or_else(|| tls_is_expected(text)),
            ClickhouseError::Network { is_no_tls: true, .. } if self.is_tls => Some(NO_TLS.to_owned()),
            ClickhouseError::Network { is_cut: true, .. } if !self.is_tls && !self.is_known() => {
                self.is_no_http().await
            }
            _ => None,
        };
        match (text, error) {
            (Some(text), ClickhouseError::Foreign { at, .. } | ClickhouseError::Network { at, .. }) => {
                ClickhouseError::WrongPort { at, text, has_answered: self.is_known() }
            }
            (_, error) => error,
        }
    }

    /// What shows that a port that was reached and gave no answer that is HTTP is none of HTTP.
    async fn is_no_http(&self) -> Option<String> {
        let (host, port) = self.place.as_ref()?;
        (self.asked.who(host, *port).await? == Peer::Tls).then(|| TLS.to_owned())
    }
}

const NO_TLS: &str = "no TLS is spoken on this port: write http://, or name the port of TLS, usually 8443";
const TLS: &str = "TLS is spoken on this port: write https://, or name the port of plain HTTP, usually 8123";

/// What ClickHouse says where HTTP is spoken to its native port.
fn native_port(text: &str) -> Option<String> {
    if !text.contains("is for clickhouse-client program") {
        return None;
    }
    let named = text.split_once("You must use port ").and_then(|(_, rest)| rest.split_whitespace().next());
    let port = named
        .filter(|port| port.parse::<u16>().is_ok())
        .map_or_else(|| "usually 8123".to_owned(), |port| format!("which is {port}"));
    Some(format!("this is the port of its native protocol: name that of HTTP, {port}"))
}

/// What web servers say where HTTP is spoken to a port of TLS: nginx, Go's, Apache.
fn tls_is_expected(text: &str) -> Option<String> {
    let words = [
        "plain HTTP request was sent to HTTPS port",
        "sent an HTTP request to an HTTPS server",
        "speaking plain HTTP to an SSL-enabled server port",
    ];
    words.iter().any(|words| text.contains(words)).then(|| TLS.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn foreign(text: &str) -> ClickhouseError {
        ClickhouseError::Foreign { at: "http://h:1".into(), is_too_large: false, text: text.into() }
    }

    #[tokio::test]
    async fn what_a_server_says_of_its_port_is_told() {
        let port = Port::of("http://h:1", true);
        for (text, words) in [
            (
                "HTTP 400: Port 9000 is for clickhouse-client program You must use port 8124 for HTTP.",
                "HTTP, which is 8124",
            ),
            ("Port 9000 is for clickhouse-client program", "HTTP, usually 8123"),
            ("HTTP 400: <center>The plain HTTP request was sent to HTTPS port</center>", "write https://"),
            ("Client sent an HTTP request to an HTTPS server.", "write https://"),
        ] {
            let error = port.explained(foreign(text)).await;
            assert!(error.to_string().contains(words), "{error}");
            assert_eq!(error.class(), crate::failure::FailureClass::Deterministic);
        }
        let error = port.explained(foreign("404 page not found")).await;
        assert!(matches!(error, ClickhouseError::Foreign { .. }), "{error}");
    }

    #[tokio::test]
    async fn an_address_that_was_right_once_may_be_right_again() {
        let port = Port::of("http://h:1", true);
        port.has_answered();
        let error = port.explained(foreign("Port 9000 is for clickhouse-client program")).await;
        assert_eq!(error.class(), crate::failure::FailureClass::Retry);
    }
}

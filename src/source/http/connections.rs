//! The connections to some URLs: bounded in time, by way of the environment's proxies, never redirected.

use std::time::Duration;

use reqwest::{Proxy, Url, redirect};

use super::words::innermost;
use crate::proxies::{Proxies, is_loopback};

/// Some public endpoints answer 403 to a client that does not say who it is.
const USER_AGENT: &str = concat!("polytape/", env!("CARGO_PKG_VERSION"));

/// How long requests may take.
#[derive(Clone, Copy, Debug)]
pub(in crate::source) struct Timeouts {
    /// For a whole request, to the last byte of its answer.
    pub(in crate::source) total: Duration,
    /// For the connection.
    pub(in crate::source) connect: Duration,
}

/// The connections to some URLs.
pub(in crate::source) fn connections(urls: &[Url], timeouts: Timeouts) -> Result<reqwest::Client, String> {
    let mut client = reqwest::Client::builder().no_proxy();
    let proxies = Proxies::of_environment();
    let mut is_proxied = false;
    for url in urls {
        // What is wrong with a proxy is told before anybody is asked.
        is_proxied |= proxies.to(url)?.is_some();
    }
    if is_proxied {
        client = client.proxy(Proxy::custom(move |url| proxies.to(url).ok().flatten().map(|proxy| proxy.url)));
    }
    if urls.iter().all(|url| is_loopback(url) && url.scheme() == "http") {
        // Reading the system's certificates takes longer than all else at a start.
        client = client.tls_certs_only([]);
    }
    client
        .user_agent(USER_AGENT)
        .timeout(timeouts.total)
        .connect_timeout(timeouts.connect)
        // A redirected POST may arrive as a GET, and a key where it was not meant to go.
        .redirect(redirect::Policy::none())
        .build()
        .map_err(|cause| format!("the HTTP client cannot be made: {}", innermost(&cause)))
}

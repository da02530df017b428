//! Why a request came to nothing, in words.

use std::error::Error;

use reqwest::Url;

use crate::io_words::{chain, of_connection};
use crate::proxies::{Proxies, Proxy};

/// The proxy on the way to a URL. One that cannot be used was told when the connections were made.
pub(in crate::source) fn proxy_to(url: &Url) -> Option<Proxy> {
    Proxies::of_environment().to(url).ok().flatten()
}

/// Why a request came to nothing, and by way of whom.
pub(in crate::source) fn words_of(error: &reqwest::Error, proxy: Option<&Proxy>) -> String {
    let cause = innermost(error);
    match proxy {
        // Behind it, it is the proxy's word; on the way to it, it is not about the endpoint.
        Some(proxy) if error.is_connect() => proxy.explain(&chain(error)),
        _ => of_connection(&cause),
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

//! URLs of endpoints, and what of one may be shown.

use reqwest::Url;

/// A URL of a text, whose scheme is http or https. The text may hold a key, so it is not in the error.
pub(in crate::source) fn parse_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|cause| cause.to_string())?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        scheme => Err(format!("its scheme is {scheme}")),
    }
}

/// Host and port of a URL; the rest may be a key.
pub(in crate::source) fn name_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or("?");
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// The same of a URL that is a text.
pub fn host_of(url: &str) -> String {
    Url::parse(url).map_or_else(|_| "?".to_owned(), |url| name_of(&url))
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

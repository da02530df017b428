//! Which proxy leads to a URL, as the environment says: `HTTP_PROXY`, `HTTPS_PROXY` and `ALL_PROXY`, in capitals or not, and
//! `NO_PROXY` for what is reached without. What is on this machine is always reached without: no proxy can.
//!
//! Nodes, APIs and ClickHouse go by it; Redis does not. Never: show what a proxy's URL holds but its host and port.

use std::{fmt, net::IpAddr};

use hyper::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::Url;

/// What the environment says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Proxies {
    http: Option<Named>,
    https: Option<Named>,
    /// Hosts that are reached without.
    without: String,
}

/// A variable that names a proxy.
#[derive(Clone)]
struct Named {
    variable: String,
    value: String,
}

/// Without its value, which may hold a password.
impl fmt::Debug for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.variable)
    }
}

/// A proxy.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Proxy {
    /// Where it is; with a user and a password, where it wants them.
    pub(crate) url: Url,
    /// How it is spoken to.
    pub(crate) kind: Kind,
    /// What it is called: its host and port, and the variable that names it.
    pub(crate) name: String,
}

/// How a proxy is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// HTTP.
    Http,
    /// HTTP over TLS.
    Https,
    /// SOCKS4 or 4a.
    Socks4,
    /// SOCKS5; names are looked up here.
    Socks5,
    /// SOCKS5; names are looked up by the proxy.
    Socks5ByName,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Proxies {
    /// What the environment of this process says.
    pub(crate) fn of_environment() -> Self {
        Self::of(|name| std::env::var(name).ok())
    }

    /// A variable in capitals goes before the same in small letters, and one that is empty names nothing.
    fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let first = |name: &str| {
            let names = [name.to_owned(), name.to_lowercase()];
            let found = names.into_iter().find_map(|name| Some((variable(&name)?, name)));
            found
                .map(|(value, variable)| Named { variable, value: value.trim().to_owned() })
                .filter(|named| !named.value.is_empty())
        };
        let all = first("ALL_PROXY");
        // In a CGI script HTTP_PROXY is what a client has sent as a header.
        let http = if variable("REQUEST_METHOD").is_some() { None } else { first("HTTP_PROXY") };
        let without = first("NO_PROXY").map(|named| named.value).unwrap_or_default();
        Self { http: http.or_else(|| all.clone()), https: first("HTTPS_PROXY").or(all), without }
    }

    /// The proxy that leads to a URL, if one does. Fails where the variable that names it cannot be understood.
    pub(crate) fn to(&self, url: &Url) -> Result<Option<Proxy>, String> {
        let named = match url.scheme() {
            "http" => &self.http,
            "https" => &self.https,
            _ => &None,
        };
        match named {
            Some(named) if !is_loopback(url) && !self.is_left_out(url) => named.read().map(Some),
            _ => Ok(None),
        }
    }

    /// Whether `NO_PROXY` says so.
    fn is_left_out(&self, url: &Url) -> bool {
        let Ok(uri) = url.as_str().parse::<Uri>() else { return false };
        let matcher = Matcher::builder().all("http://proxy.invalid").no(self.without.as_str()).build();
        matcher.intercept(&uri).is_none()
    }
}

impl Named {
    fn read(&self) -> Result<Proxy, String> {
        let Self { variable, value } = self;
        let wrong = || {
            format!(
                "{variable} in the environment names no proxy that can be used: write http://host:port or socks5://host:port, with \
                 user:password@ before the host where it wants them, or unset it"
            )
        };
        let text = if value.contains("://") { value.clone() } else { format!("http://{value}") };
        let mut url = Url::parse(&text).map_err(|_| wrong())?;
        let kind = match url.scheme() {
            "http" => Kind::Http,
            "https" => Kind::Https,
            "socks4" | "socks4a" => Kind::Socks4,
            "socks5" | "socks" => Kind::Socks5,
            "socks5h" => Kind::Socks5ByName,
            _ => return Err(wrong()),
        };
        if url.scheme() == "socks" {
            // Of a scheme that is as general as this one any other may be made.
            url.set_scheme("socks5").map_err(|()| wrong())?;
        }
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(wrong)?.to_owned();
        if matches!(kind, Kind::Socks4 | Kind::Socks5 | Kind::Socks5ByName) && url.port().is_none() {
            url.set_port(Some(SOCKS)).map_err(|()| wrong())?;
        }
        let port = url.port_or_known_default().map_or_else(String::new, |port| format!(":{port}"));
        Ok(Proxy { url, kind, name: format!("the proxy {host}{port} ({variable})") })
    }
}

impl Proxy {
    /// What failed on the way through it, in words, with its name. The libraries only name their own parts.
    pub(crate) fn explain(&self, text: &str) -> String {
        let says = |words: &[&str]| words.iter().any(|words| text.contains(words));
        let why = if says(&["authorization required", "credentials", "authentication", "user/pass"]) {
            "wants another user and password: user:password@ before its host"
        } else if says(&["unsuccessful", "not allowed", "SOCKS error: command", "ruleset", "unreachable"]) {
            "refuses to lead there, or cannot"
        } else if says(&["unexpected e", "io error", "reset"]) {
            "broke off before it led anywhere"
        } else if says(&["underlying connection", "refused", "timed out", "deadline", "lookup"]) {
            "cannot be reached"
        } else {
            return format!("by way of {}: {text}", self.name);
        };
        format!("{} {why}", self.name)
    }
}

/// The port of SOCKS.
const SOCKS: u16 = 1080;

/// Whether a URL leads to this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(|host| {
        let host = host.trim_end_matches('.');
        host == "localhost"
            || host.ends_with(".localhost")
            || host.trim_matches(['[', ']']).parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(set: &[(&str, &str)], url: &str) -> Result<Option<(Kind, String)>, String> {
        let variable = |name: &str| set.iter().find(|(there, _)| *there == name).map(|(_, value)| (*value).to_owned());
        let found = Proxies::of(variable).to(&Url::parse(url).unwrap())?;
        Ok(found.map(|proxy| (proxy.kind, format!("{} {}", proxy.url, proxy.name))))
    }

    #[track_caller]
    fn assert_leads(set: &[(&str, &str)], url: &str, expected: Option<(Kind, &str)>) {
        let expected = expected.map(|(kind, name)| (kind, name.to_owned()));
        assert_eq!(to(set, url), Ok(expected), "{set:?} {url}");
    }

    #[test]
    fn the_scheme_of_the_url_decides_and_all_is_for_the_rest() {
        let set = [("HTTP_PROXY", "p:3128"), ("all_proxy", "socks5://u:pw@s")];
        assert_leads(&set, "http://a.b:8123/", Some((Kind::Http, "http://p:3128/ the proxy p:3128 (HTTP_PROXY)")));
        let socks = Some((Kind::Socks5, "socks5://u:pw@s:1080 the proxy s:1080 (all_proxy)"));
        assert_leads(&set, "https://a.b/", socks);
        let by_name = Some((Kind::Socks5ByName, "socks5h://s:9 the proxy s:9 (HTTPS_PROXY)"));
        assert_leads(&[("HTTPS_PROXY", "socks5h://s:9"), ("ALL_PROXY", "p")], "https://a.b/", by_name);
        assert_leads(&[("HTTP_PROXY", ""), ("http_proxy", "p")], "http://a.b/", None);
        assert_leads(&[("HTTP_PROXY", "p"), ("REQUEST_METHOD", "GET")], "http://a.b/", None);
        assert_leads(&[("HTTP_PROXY", "p")], "https://a.b/", None);
    }

    #[test]
    fn this_machine_and_what_is_left_out_are_reached_without() {
        for url in ["http://127.0.0.1:8123/", "http://localhost:1/", "http://[::1]:1/", "https://db.localhost/"] {
            assert_leads(&[("ALL_PROXY", "p:1"), ("NO_PROXY", "")], url, None);
        }
        let set = [("ALL_PROXY", "p:1"), ("no_proxy", "example.com, 10.0.0.0/8")];
        for url in ["https://node.example.com/", "http://10.1.2.3:8123/", "http://example.com/"] {
            assert_leads(&set, url, None);
        }
        let other = Some((Kind::Http, "http://p:1/ the proxy p:1 (ALL_PROXY)"));
        assert_leads(&set, "http://other.example/", other);
        assert_leads(&[("ALL_PROXY", "p:1"), ("NO_PROXY", "*")], "http://other.example/", None);
    }

    #[test]
    fn what_cannot_be_used_is_told_and_only_where_it_would_be() {
        for value in ["ftp://p:1", "socks5://", "http://hid den", "http://[hidden", "http+unix://hidden"] {
            let error = to(&[("ALL_PROXY", value)], "https://a.b/").unwrap_err();
            assert!(error.starts_with("ALL_PROXY in the environment names no proxy that can be used"), "{error}");
            assert!(!error.contains("hid"), "{error}");
            assert_leads(&[("ALL_PROXY", value)], "http://127.0.0.1/", None);
            assert_leads(&[("ALL_PROXY", value), ("NO_PROXY", "a.b")], "https://a.b/", None);
        }
    }
}

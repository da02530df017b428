//! Addresses as people write them: without a scheme, with a path, with one of another protocol. Understood, or told with an
//! example. Nothing of an address is repeated but scheme and port: the rest may hold a key.

use std::net::IpAddr;

use reqwest::Url;

/// Ports of ClickHouse that speak no HTTP: the native protocol, the same over TLS, MySQL's, PostgreSQL's, and that of replicas.
const NOT_HTTP: [(u16, &str); 5] = [
    (9000, "ClickHouse's native protocol"),
    (9440, "ClickHouse's native protocol over TLS"),
    (9004, "MySQL's protocol"),
    (9005, "PostgreSQL's protocol"),
    (9009, "the protocol of replicas"),
];

/// Ports on which TLS is spoken.
const TLS: [u16; 2] = [443, 8443];

const CLICKHOUSE: &str =
    "polytape speaks HTTP with ClickHouse: write \"http://host:8123\", or \"https://host:8443\" with TLS";
const ENCODED: &str = "a character such as @ / : # or % in a password is written as %40 %2F %3A %23 %25";

/// The URL of a node or an API.
pub(crate) fn http(text: &str) -> Result<String, String> {
    let text = clean(text)?;
    let Some((scheme, _)) = text.split_once("://") else {
        // What is on this machine has no certificate.
        let with_scheme = format!("http://{text}");
        return match parsed(&with_scheme) {
            Some(url) if is_here(&url) => Ok(with_scheme),
            _ => Err("a URL of the form \"https://host/path\" is expected".to_owned()),
        };
    };
    match scheme.to_ascii_lowercase().as_str() {
        "http" | "https" if parsed(text).is_some() => Ok(text.to_owned()),
        "http" | "https" => Err(format!("is no URL of the form \"https://host/path\"; {ENCODED}")),
        "ws" | "wss" => Err("polytape does not ask over WebSocket: write the node's \"https://host/path\"".to_owned()),
        _ => Err(format!("{}a URL of the form \"https://host/path\" is expected", other_scheme(scheme))),
    }
}

/// The URL of a Redis.
pub(crate) fn redis(text: &str) -> Result<String, String> {
    const EXAMPLE: &str = "write \"redis://host:6379/0\", or \"rediss://host:6380/0\" with TLS";
    let text = clean(text)?;
    let url = match text.split_once("://") {
        None if text.starts_with('/') => return Ok(format!("unix://{text}")),
        None => format!("redis://{text}"),
        // As links between containers name it.
        Some(("tcp", rest)) => format!("redis://{rest}"),
        Some(("unix" | "redis+unix", _)) => return Ok(text.to_owned()),
        Some(("redis" | "rediss" | "valkey" | "valkeys", _)) => text.to_owned(),
        Some((scheme, _)) => return Err(format!("{}{EXAMPLE}", other_scheme(scheme))),
    };
    let Some(parsed) = parsed(&url) else { return Err(format!("is no URL: {EXAMPLE}; {ENCODED}")) };
    let database = parsed.path().trim_matches('/');
    if !database.is_empty() && database.parse::<u32>().is_err() {
        return Err("what stands behind the port is the number of a database: \"redis://host:6379/0\"".to_owned());
    }
    Ok(url)
}

/// The URL of a ClickHouse.
pub(crate) fn clickhouse(text: &str) -> Result<String, String> {
    let text = clean(text)?;
    let url = match text.split_once("://") {
        None => {
            let bare = parsed(&format!("http://{text}"));
            let port = bare.as_ref().and_then(Url::port);
            if let Some(words) = port.and_then(not_http) {
                return Err(words);
            }
            let scheme = if port.is_some_and(|port| TLS.contains(&port)) { "https" } else { "http" };
            match bare {
                // A host alone is that of ClickHouse, not of a web server.
                Some(url) if port.is_none() && url.path() == "/" => {
                    format!("{scheme}://{}:8123", text.trim_end_matches('/'))
                }
                _ => format!("{scheme}://{text}"),
            }
        }
        Some((scheme, rest)) => match scheme.to_ascii_lowercase().as_str() {
            "http" | "https" => text.to_owned(),
            _ => {
                let port = parsed(&format!("http://{rest}")).and_then(|url| url.port());
                let words = port.and_then(not_http).unwrap_or_else(|| CLICKHOUSE.to_owned());
                return Err(format!("{}{words}", other_scheme(scheme)));
            }
        },
    };
    let Some(parsed) = parsed(&url) else { return Err(format!("is no URL: write \"http://host:8123\"; {ENCODED}")) };
    if parsed.query().is_some() || parsed.fragment().is_some() {
        return Err(
            "what stands behind ? or # is not sent: database, user and password are keys of [clickhouse]".to_owned()
        );
    }
    Ok(url)
}

/// Scheme, host and port of a ClickHouse of which these are known.
pub(crate) fn clickhouse_at(host: &str, port: u16) -> String {
    let scheme = if TLS.contains(&port) { "https" } else { "http" };
    format!("{scheme}://{host}:{port}")
}

/// Whether a port of ClickHouse is none of its HTTP interface.
pub(crate) fn is_not_http(port: u16) -> bool {
    NOT_HTTP.iter().any(|(known, _)| *known == port)
}

/// What is spoken on a port of ClickHouse, if that is not HTTP, and what to write.
fn not_http(port: u16) -> Option<String> {
    let (_, spoken) = NOT_HTTP.iter().find(|(known, _)| *known == port)?;
    Some(format!("port {port} is that of {spoken}; {CLICKHOUSE}"))
}

/// `tcp:// is not understood here: `, where the scheme is a word.
fn other_scheme(scheme: &str) -> String {
    let is_word = scheme.len() <= 16 && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.:".contains(c));
    if is_word { format!("{scheme}:// is not understood here: ") } else { String::new() }
}

/// Without spaces and newlines around it.
fn clean(text: &str) -> Result<&str, String> {
    let text = text.trim();
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err("holds a space or the end of a line: \"https://host/path\" is one word".to_owned());
    }
    if text.is_empty() { Err("is empty: \"https://host/path\" is expected".to_owned()) } else { Ok(text) }
}

/// A URL that has a host.
fn parsed(text: &str) -> Option<Url> {
    Url::parse(text).ok().filter(|url| url.host_str().is_some_and(|host| !host.is_empty()))
}

fn is_here(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    host == "localhost" || host.trim_matches(['[', ']']).parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// A host, and a port where one stands behind it: `host`, `host:1`, `[::1]:1`, `::1`. Nothing where it is none.
pub(crate) fn host_and_port(text: &str) -> Option<(String, Option<u16>)> {
    let text = match text.parse::<IpAddr>() {
        Ok(IpAddr::V6(ip)) => format!("[{ip}]"),
        _ => text.to_owned(),
    };
    let url = parsed(&format!("redis://{text}"))?;
    let is_bare =
        url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    (is_bare && matches!(url.path(), "" | "/")).then(|| (url.host_str().unwrap_or_default().to_owned(), url.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Reader = fn(&str) -> Result<String, String>;

    #[track_caller]
    fn assert_reads(read: Reader, cases: &[(&str, Result<&str, &str>)]) {
        for (text, expected) in cases {
            match (read(text), expected) {
                (Ok(url), Ok(expected)) => assert_eq!(url, *expected, "{text}"),
                (Err(why), Err(words)) => {
                    assert!(why.contains(words), "{text}: {words:?} is not in {why:?}");
                    assert!(!why.contains("KEY"), "{why}");
                }
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
    }

    #[test]
    fn apis_are_asked_over_http() {
        assert_reads(
            http,
            &[
                ("https://a.b/v2/KEY?x=1", Ok("https://a.b/v2/KEY?x=1")),
                (" http://u:p@a.b:1\n", Ok("http://u:p@a.b:1")),
                ("localhost:8545", Ok("http://localhost:8545")),
                ("127.0.0.1:8545/x", Ok("http://127.0.0.1:8545/x")),
                ("[::1]:8545", Ok("http://[::1]:8545")),
                ("a.b/KEY", Err("https://host/path")),
                ("wss://a.b/KEY", Err("WebSocket")),
                ("ftp://KEY", Err("ftp:// is not understood here")),
                ("KEY.KEY.KEY.KEY.KEY://x", Err("https://host/path")),
                ("http://no de/KEY", Err("is one word")),
                ("http://[/KEY", Err("is no URL")),
                ("https:///", Err("is no URL")),
                ("", Err("is empty")),
            ],
        );
    }

    #[test]
    fn a_clickhouse_is_asked_over_http() {
        assert_reads(
            clickhouse,
            &[
                ("http://h:8123", Ok("http://h:8123")),
                ("https://h/clickhouse/", Ok("https://h/clickhouse/")),
                ("http://h:9000", Ok("http://h:9000")),
                ("h:8123", Ok("http://h:8123")),
                ("h", Ok("http://h:8123")),
                ("h/x", Ok("http://h/x")),
                ("h:8443", Ok("https://h:8443")),
                ("me:KEY@h:8123/x", Ok("http://me:KEY@h:8123/x")),
                ("h:9000", Err("port 9000 is that of ClickHouse's native protocol")),
                ("tcp://h:9440", Err("tcp:// is not understood here: port 9440")),
                ("clickhouse://me:KEY@h:8123/db", Err("http://host:8123")),
                ("jdbc:clickhouse://h", Err("http://host:8123")),
                ("http://h:8123/?password=KEY", Err("keys of [clickhouse]")),
                ("http://me:KE#Y@h:8123", Err("is no URL")),
                ("http://h:81234", Err("is no URL")),
            ],
        );
    }

    #[test]
    fn a_redis_is_none_of_http() {
        assert_reads(
            redis,
            &[
                ("redis://h:1/2", Ok("redis://h:1/2")),
                ("rediss://u:KEY@h/0", Ok("rediss://u:KEY@h/0")),
                ("localhost:6379", Ok("redis://localhost:6379")),
                ("tcp://h:6379", Ok("redis://h:6379")),
                ("/run/redis.sock", Ok("unix:///run/redis.sock")),
                ("http://h:6379", Err("http:// is not understood here: write \"redis://host:6379/0\"")),
                ("redis://h:6379/zero", Err("number of a database")),
                ("redis://:KE/Y@h:6379", Err("is no URL")),
            ],
        );
    }

    #[test]
    fn a_host_may_have_its_port_with_it() {
        let owned = |host: &str, port| Some((host.to_owned(), port));
        for (text, expected) in [
            ("h", owned("h", None)),
            ("h:1", owned("h", Some(1))),
            ("::1", owned("[::1]", None)),
            ("[::1]:7", owned("[::1]", Some(7))),
            ("h:x", None),
            ("h/x", None),
            ("u@h", None),
            ("", None),
        ] {
            assert_eq!(host_and_port(text), expected, "{text}");
        }
    }
}

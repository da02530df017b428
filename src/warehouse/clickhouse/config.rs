//! Where ClickHouse is, and as whom to ask it.

use std::{fmt, path::PathBuf};

use reqwest::Url;

/// Where ClickHouse is, and as whom to ask it. Its `Debug` does not show the password.
#[derive(Clone, PartialEq, Eq)]
pub struct ClickhouseConfig {
    /// `http://127.0.0.1:8123`. A user and a password in it are taken where the fields say none.
    pub url: String,
    /// The database that holds the tables; created where it is missing.
    pub database: String,
    /// The user.
    pub user: String,
    /// The password, or nothing.
    pub password: String,
    /// A file of certificates, as PEM, whose word is taken for an `https://` address beside that of the system's own.
    pub ca: Option<PathBuf>,
}

impl Default for ClickhouseConfig {
    fn default() -> Self {
        let text = str::to_owned;
        Self {
            url: text("http://127.0.0.1:8123"),
            database: text("polymarket"),
            user: text("default"),
            password: String::new(),
            ca: None,
        }
    }
}

impl fmt::Debug for ClickhouseConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, database, user, password, ca } = self;
        let password = if password.is_empty() { "" } else { "***" };
        f.debug_struct("ClickhouseConfig")
            .field("url", &address_of(url))
            .field("database", database)
            .field("user", user)
            .field("password", &password)
            .field("ca", ca)
            .finish()
    }
}

impl ClickhouseConfig {
    /// The address as it is shown: scheme, host and port. The rest of a URL may hold secrets.
    pub fn address(&self) -> String {
        address_of(&self.url)
    }

    /// With what the address says about the user moved to where it belongs.
    #[must_use]
    pub(super) fn settled(mut self) -> Self {
        let (url, userinfo) = without_userinfo(&self.url);
        if let Some(userinfo) = userinfo {
            let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
            if self.user.is_empty() || self.user == "default" {
                self.user = decoded(user);
            }
            if self.password.is_empty() {
                self.password = decoded(password);
            }
        }
        self.url = url;
        self
    }
}

/// What of a URL may be shown. Of one that cannot be read nothing is: a password may stand anywhere in it.
fn address_of(url: &str) -> String {
    let Ok(url) = Url::parse(url) else { return "?".to_owned() };
    let (scheme, host) = (url.scheme(), url.host_str().unwrap_or("?"));
    match url.port() {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    }
}

/// An address without `user:password@`, and that.
fn without_userinfo(url: &str) -> (String, Option<&str>) {
    let Some((scheme, rest)) = url.split_once("://") else { return (url.to_owned(), None) };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    match authority.rsplit_once('@') {
        Some((userinfo, _)) => (format!("{scheme}://{}", &rest[userinfo.len() + 1..]), Some(userinfo)),
        None => (url.to_owned(), None),
    }
}

/// `%40` and the like as what they stand for.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        let byte = after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(b'%'));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown() {
        for (url, password) in [("http://me:hidden@host:1/", ""), ("http://host:1/", "hidden")] {
            let config = ClickhouseConfig { url: url.into(), password: password.into(), ..ClickhouseConfig::default() };
            assert!(!format!("{config:?}").contains("hidden"), "{config:?}");
            let settled = config.settled();
            assert_eq!((settled.url.as_str(), settled.password.as_str()), ("http://host:1/", "hidden"));
            assert!(!format!("{settled:?}").contains("hidden"));
        }
    }

    #[test]
    fn only_scheme_host_and_port_are_shown() {
        for (url, shown) in [
            ("http://me:hidden@h.example:8123/hidden?token=hidden#hidden", "http://h.example:8123"),
            ("https://me@h.example/?a=b@c", "https://h.example"),
            ("http://[::1]:8123/", "http://[::1]:8123"),
            ("http://me:hid/den@h:1", "?"),
            ("hidden", "?"),
        ] {
            let config = ClickhouseConfig { url: url.into(), ..ClickhouseConfig::default() };
            assert_eq!((config.address().as_str(), config.clone().settled().address().as_str()), (shown, shown));
            assert!(!format!("{config:?}").contains("hidden"), "{config:?}");
        }
    }

    #[test]
    fn an_address_may_hold_any_password() {
        let url = |userinfo: &str| ClickhouseConfig { url: format!("http://{userinfo}@host:1"), ..Default::default() };
        for (userinfo, user, password) in [
            ("me:a%40b%2Fc%25", "me", "a@b/c%"),
            ("me:100%", "me", "100%"),
            ("me:%zz:%c3%a4", "me", "%zz:ä"),
            ("me", "me", ""),
        ] {
            let settled = url(userinfo).settled();
            assert_eq!((settled.user.as_str(), settled.password.as_str()), (user, password));
            assert_eq!(settled.url, "http://host:1");
        }
    }
}

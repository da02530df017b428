//! What a [`Polygon`](super::Polygon) source is told.

use std::{fmt, time::Duration};

use reqwest::Url;

use crate::source::http::parse_url;

/// Settings of the source. [`Default`] names public endpoints that need no key.
#[derive(Clone)]
pub struct PolygonConfig {
    /// The JSON-RPC endpoints. Their path or query may hold a key, so they are never shown.
    pub urls: Vec<String>,
    /// For a whole request, to the last byte of its answer.
    pub timeout: Duration,
    /// For the connection.
    pub connect_timeout: Duration,
    /// How many rows a request should return. Caps of 10,000 rows are common.
    pub target_rows: u64,
    /// The most blocks that one request asks for.
    pub max_range: u64,
    /// The most requests in one batch.
    pub max_batch: usize,
    /// The largest answer that is read, in bytes, unpacked. A larger one counts as a range that is too large.
    pub max_body: usize,
    /// How long an endpoint is left alone that limits the rate and does not say for how long. Doubles each time.
    pub cool_down: Duration,
    /// How long a limit that an endpoint has named is believed before it is probed again.
    pub limit_memory: Duration,
    /// How long to wait for a second opinion from endpoints that do not answer.
    pub patience: Duration,
    /// The longest pause after an endpoint's first failure. Doubles each time, up to half a minute.
    pub back_off: Duration,
    /// So near the head, in blocks, logs are asked for by the hash of their block.
    pub by_hash_within: u64,
    /// So near the head, in blocks, the end of a range that holds no logs is asked for by hash.
    pub careful_within: u64,
    /// For how long a block near the head must have been called empty where nothing else can confirm it.
    pub empty_patience: Duration,
    /// After how long without a new final block another endpoint is asked.
    pub stale_after: Duration,
}

impl Default for PolygonConfig {
    fn default() -> Self {
        let urls = [
            "https://polygon.drpc.org",
            "https://polygon-bor-rpc.publicnode.com",
            "https://tenderly.rpc.polygon.community",
        ];
        Self {
            urls: urls.map(str::to_owned).to_vec(),
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(5),
            target_rows: 4_000,
            max_range: 100_000,
            max_batch: 50,
            max_body: 64 << 20,
            cool_down: Duration::from_secs(1),
            limit_memory: Duration::from_secs(30 * 60),
            patience: Duration::from_secs(5 * 60),
            back_off: Duration::from_millis(100),
            by_hash_within: 128,
            careful_within: 4_096,
            empty_patience: Duration::from_secs(60),
            stale_after: Duration::from_secs(15),
        }
    }
}

/// Shows how many endpoints there are, not which: a URL may hold a key.
impl fmt::Debug for PolygonConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolygonConfig").field("urls", &self.urls.len()).finish_non_exhaustive()
    }
}

/// Why a source cannot be set up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolygonConfigError {
    /// There is nobody to ask.
    #[error("no RPC endpoint is configured: give at least one URL")]
    NoUrl,
    /// One of the URLs is none. It is named by its place, since it may hold a key.
    #[error("RPC endpoint number {place} is not an http or https URL: {cause}")]
    BadUrl {
        /// Counted from 1.
        place: usize,
        /// In words.
        cause: String,
    },
    /// They cannot be reached as the environment says, or the HTTP client could not be made.
    #[error("{0}")]
    Client(String),
}

impl PolygonConfig {
    /// The URLs, checked.
    pub(super) fn endpoints(&self) -> Result<Vec<Url>, PolygonConfigError> {
        if self.urls.is_empty() {
            return Err(PolygonConfigError::NoUrl);
        }
        let checked = self.urls.iter().enumerate().map(|(index, text)| {
            let bad = |cause: String| PolygonConfigError::BadUrl { place: index + 1, cause };
            parse_url(text).map_err(bad)
        });
        checked.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_url_is_named_by_its_place() {
        let config = |urls: &[&str]| PolygonConfig {
            urls: urls.iter().map(|url| (*url).to_owned()).collect(),
            ..PolygonConfig::default()
        };
        assert_eq!(config(&[]).endpoints(), Err(PolygonConfigError::NoUrl));
        assert_eq!(config(&["http://localhost:8545", "https://a.b/v2/key"]).endpoints().unwrap().len(), 2);
        for bad in ["secret", "ftp://a.b/secret", "wss://a.b/secret", "https:///secret?x=1 2:3"] {
            let result = config(&["https://a.b", bad]).endpoints();
            if let Err(cause) = result {
                assert!(cause.to_string().contains("number 2"), "{cause}");
                assert!(!cause.to_string().contains("secret"), "{cause}");
            } else {
                assert!(bad.starts_with("https"), "{bad}");
            }
        }
        assert!(!format!("{:?}", config(&["https://a.b/secret"])).contains("secret"));
    }
}

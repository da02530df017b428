//! What an API is told about how to be asked.

use std::{num::NonZeroU32, time::Duration};

use super::connections::{Timeouts, connections};
use super::{api::Api, url::parse_url};

/// 20 requests a second: two thirds of what Gamma, the stricter of the two, allows for `/markets`.
const MAX_RATE: NonZeroU32 = NonZeroU32::MIN.saturating_add(19);

/// Settings of an API.
#[derive(Clone, Debug)]
pub struct ApiConfig {
    /// Its base URL.
    pub url: String,
    /// For a whole request, to the last byte of its answer.
    pub timeout: Duration,
    /// For the connection.
    pub connect_timeout: Duration,
    /// The most requests in a second.
    pub max_rate: NonZeroU32,
    /// The largest answer that is read, in bytes, unpacked: a page of 100 markets is about half a megabyte.
    pub max_body: usize,
}

/// Why an API cannot be set up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiConfigError {
    /// Its URL is none.
    #[error("not an http or https URL: {0}")]
    BadUrl(String),
    /// It cannot be reached as the environment says, or the HTTP client could not be made.
    #[error("{0}")]
    Client(String),
}

impl ApiConfig {
    /// An API at a URL, as such are usually asked.
    pub fn at(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(5),
            max_rate: MAX_RATE,
            max_body: 32 << 20,
        }
    }

    pub(in crate::source) fn open(&self) -> Result<Api, ApiConfigError> {
        let url = parse_url(&self.url).map_err(ApiConfigError::BadUrl)?;
        let timeouts = Timeouts { total: self.timeout, connect: self.connect_timeout };
        let client = connections(std::slice::from_ref(&url), timeouts).map_err(ApiConfigError::Client)?;
        Ok(Api::new(url, client, self.max_body, self.max_rate))
    }
}

//! An API of JSON documents that are fetched with GET, or asked for with POST.

use std::num::NonZeroU32;

use bytes::Bytes;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{RequestBuilder, Response, StatusCode, Url};

use super::body::{Body, read, read_error};
use super::words::{proxy_to, words_of};
use super::{keys::Keys, pace::Pace, retry_after, url::name_of};
use crate::breaker::{Attempt, Breaker};
use crate::proxies::Proxy;
use crate::secrets::learn;
use crate::source::{error::SourceError, markets::Lookup};

/// A base URL, and how it is asked.
pub(in crate::source) struct Api {
    base: Url,
    name: String,
    keys: Keys,
    client: reqwest::Client,
    proxy: Option<Proxy>,
    bearer: Option<HeaderValue>,
    max_body: usize,
    pace: Pace,
    breaker: Breaker,
}

/// Why there is no document.
#[derive(Debug)]
pub(in crate::source) enum ApiError {
    /// The request itself is wrong, says the source: 400, 404, 422 and their like.
    Rejected { status: StatusCode, cause: String },
    /// All else, which may pass.
    Source(SourceError),
}

impl Api {
    /// `max_rate` is in requests a second, evenly spread.
    pub(in crate::source) fn new(base: Url, client: reqwest::Client, max_body: usize, max_rate: NonZeroU32) -> Self {
        let (name, keys) = (name_of(&base), Keys::of(&base));
        let (pace, breaker) = (Pace::new(max_rate), Breaker::new(name.clone()));
        let proxy = proxy_to(&base);
        Self { base, name, keys, client, proxy, bearer: None, max_body, pace, breaker }
    }

    /// The same with a token that every request bears; empty for none. `None` where no header takes it.
    pub(in crate::source) fn bearing(mut self, token: &str) -> Option<Self> {
        if !token.is_empty() {
            learn(token);
            let mut bearer = HeaderValue::from_str(&format!("Bearer {token}")).ok()?;
            bearer.set_sensitive(true);
            self.bearer = Some(bearer);
        }
        Some(self)
    }

    /// Host and port.
    pub(in crate::source) fn name(&self) -> &str {
        &self.name
    }

    /// What keeps it from being asked by everybody while it is away.
    pub(in crate::source) const fn breaker(&self) -> &Breaker {
        &self.breaker
    }

    /// The document at `path` below the base, as the parameters ask for it. Whoever can read it says that it was
    /// [answered](Self::answered).
    pub(in crate::source) async fn get(&self, path: &str, query: &[(&str, String)]) -> Result<Bytes, ApiError> {
        let mut url = self.base.clone();
        url.set_path(&format!("{}/{path}", self.base.path().trim_end_matches('/')));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.ask(self.client.get(url)).await
    }

    /// What is answered to a JSON document that is posted to the base. Likewise.
    pub(in crate::source) async fn post(&self, json: String) -> Result<Bytes, ApiError> {
        self.ask(self.client.post(self.base.clone()).header(CONTENT_TYPE, "application/json").body(json)).await
    }

    async fn ask(&self, request: RequestBuilder) -> Result<Bytes, ApiError> {
        self.pace.turn().await;
        // What is not asked has not failed again.
        let attempt = self.breaker.attempt().map_err(|outage| self.away(outage.cause))?;
        let document = self.document(attempt, request).await;
        if document.is_err() {
            self.pace.failed();
        }
        document
    }

    async fn document(&self, attempt: Attempt, request: RequestBuilder) -> Result<Bytes, ApiError> {
        let request = request.header(ACCEPT, "application/json");
        let request = match &self.bearer {
            Some(bearer) => request.header(AUTHORIZATION, bearer.clone()),
            None => request,
        };
        let response = match request.send().await {
            Ok(response) => response,
            Err(cause) => {
                attempt.failed(self.keys.redact(&words_of(&cause, self.proxy.as_ref())));
                return Err(self.broken(cause));
            }
        };
        attempt.answered();
        if !response.status().is_success() {
            return Err(self.refusal(response).await);
        }
        match read(response, self.max_body).await.map_err(|cause| self.broken(cause))? {
            Body::Whole(body) => Ok(body),
            Body::Cut(_) => {
                Err(ApiError::Source(self.garbled(format!("an answer of more than {} bytes", self.max_body))))
            }
        }
    }

    /// A document could be read.
    pub(in crate::source) fn answered(&self) {
        self.pace.answered();
    }

    /// Whether it has not answered anything for a while, whoever asked.
    fn is_failing(&self) -> bool {
        self.pace.is_failing()
    }

    /// A lookup, unless nothing of it was answered and nothing else is either: then it is not the fault of its members.
    pub(in crate::source) fn unless_failing<T, I>(&self, lookup: Lookup<T, I>) -> Result<Lookup<T, I>, SourceError> {
        match lookup.cause {
            Some(cause) if lookup.answers == 0 && self.is_failing() => Err(cause),
            _ => Ok(lookup),
        }
    }

    /// It answered what cannot be true or cannot be read.
    pub(in crate::source) fn untrusted(&self, cause: impl AsRef<str>) -> SourceError {
        self.pace.failed();
        self.garbled(cause)
    }

    /// It answered with an error in a document of its own: whose words are fit to be shown goes into the error.
    pub(in crate::source) fn failed(
        &self,
        words: &str,
        error: impl FnOnce(String, String) -> SourceError,
    ) -> SourceError {
        self.pace.failed();
        error(self.name.clone(), self.keys.redact(words))
    }

    fn garbled(&self, cause: impl AsRef<str>) -> SourceError {
        SourceError::Untrusted { endpoint: self.name.clone(), cause: self.keys.redact(cause.as_ref()) }
    }

    /// The error of a request that was rejected where nothing in it was the source's own.
    pub(in crate::source) fn error(&self, error: ApiError) -> SourceError {
        match error {
            ApiError::Source(error) => error,
            ApiError::Rejected { status, cause } => {
                SourceError::Failed { endpoint: self.name.clone(), cause: format!("HTTP {}: {cause}", status.as_u16()) }
            }
        }
    }

    async fn refusal(&self, response: Response) -> ApiError {
        let status = response.status();
        let retry_after = retry_after::of(&response);
        let words = self.keys.redact(&String::from_utf8_lossy(&read_error(response).await));
        let endpoint = self.name.clone();
        let cause = format!("HTTP {}: {words}", status.as_u16());
        match status {
            StatusCode::TOO_MANY_REQUESTS => {
                ApiError::Source(SourceError::RateLimited { endpoint, cause, retry_after })
            }
            StatusCode::SERVICE_UNAVAILABLE if retry_after.is_some() => {
                ApiError::Source(SourceError::RateLimited { endpoint, cause, retry_after })
            }
            // Not entitled, or timed out: nothing is wrong with what was asked for.
            StatusCode::UNAUTHORIZED
            | StatusCode::PAYMENT_REQUIRED
            | StatusCode::FORBIDDEN
            | StatusCode::REQUEST_TIMEOUT
            | StatusCode::TOO_EARLY => ApiError::Source(SourceError::Refused { endpoint, cause }),
            status if status.is_client_error() => ApiError::Rejected { status, cause: words },
            status if status.is_redirection() => ApiError::Source(SourceError::Refused {
                endpoint,
                cause: format!("{cause}, a redirect is not followed"),
            }),
            // Cloudflare's words for a server behind it that gave up are 520 and 524.
            status if matches!(status.as_u16(), 500 | 501 | 502 | 504 | 520 | 524) => {
                ApiError::Source(SourceError::Failed { endpoint, cause })
            }
            _ => ApiError::Source(SourceError::Refused { endpoint, cause }),
        }
    }

    /// What a broken connection means.
    fn broken(&self, cause: reqwest::Error) -> ApiError {
        let was_reached = !cause.is_connect();
        let (endpoint, cause) =
            (self.name.clone(), self.keys.redact(&words_of(&cause.without_url(), self.proxy.as_ref())));
        match was_reached {
            true => ApiError::Source(SourceError::Broken { endpoint, cause }),
            false => self.away(cause),
        }
    }

    /// It is not reached, and why.
    fn away(&self, cause: String) -> ApiError {
        ApiError::Source(SourceError::unreachable(self.name.clone(), cause))
    }
}

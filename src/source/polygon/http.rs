//! One HTTP request: bounded in time and size, and silent about keys.

use bytes::Bytes;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Response, StatusCode, Url};

use super::error_classifier::{self, Hint, Verdict};
use super::{failure::Failure, failure::Result, reply::RpcError};
use crate::proxies::Proxy;
use crate::source::http::{Body, Keys, proxy_to, read, read_error, retry_after, words_of};

/// Where one endpoint's requests go.
pub(super) struct Client {
    url: Url,
    keys: Keys,
    client: reqwest::Client,
    proxy: Option<Proxy>,
    max_body: usize,
}

impl Client {
    pub(super) fn new(url: Url, client: reqwest::Client, max_body: usize) -> Self {
        Self { keys: Keys::of(&url), proxy: proxy_to(&url), url, client, max_body }
    }

    /// Posts a JSON body that holds `asked` requests, and reads the answer's body.
    pub(super) async fn post(&self, body: String, asked: usize) -> Result<Bytes> {
        let request = self.client.post(self.url.clone()).header(CONTENT_TYPE, "application/json").body(body);
        let response = request.send().await.map_err(|cause| self.broken(cause))?;
        if !response.status().is_success() {
            return Err(self.refusal(response, asked).await);
        }
        match read(response, self.max_body).await.map_err(|cause| self.broken(cause))? {
            Body::Whole(body) => Ok(body),
            Body::Cut(_) => {
                let cause = format!("an answer of more than {} bytes", self.max_body);
                Err(Failure::RangeTooLarge { hint: Hint::FewerRows, cause })
            }
        }
    }

    /// A text of the node, fit to be shown.
    pub(super) fn redact(&self, text: &str) -> String {
        self.keys.redact(text)
    }

    /// What an HTTP error means. The body's words come first; they are more precise than the status.
    async fn refusal(&self, response: Response, asked: usize) -> Failure {
        let status = response.status();
        let retry_after = retry_after::of(&response);
        let body = read_error(response).await;
        let error = RpcError::in_body(&body);
        let cause = format!("HTTP {}: {}", status.as_u16(), self.redact(&error.message));
        let verdict = error_classifier::judge(error.code, &error.message);

        match (status, verdict) {
            (StatusCode::TOO_MANY_REQUESTS, _) => Failure::RateLimited { cause, retry_after, is_plain: true },
            (StatusCode::SERVICE_UNAVAILABLE, _) if retry_after.is_some() => {
                Failure::RateLimited { cause, retry_after, is_plain: true }
            }
            (_, Verdict::BatchTooLarge(limit)) => Failure::BatchTooLarge { limit, cause },
            (_, Verdict::RangeTooLarge(hint)) => Failure::RangeTooLarge { hint, cause },
            (StatusCode::PAYLOAD_TOO_LARGE, _) => Failure::RangeTooLarge { hint: Hint::FewerRows, cause },
            (_, Verdict::RateLimited) => {
                let is_plain = error_classifier::names_a_rate(&error.message);
                Failure::RateLimited { cause, retry_after, is_plain }
            }
            (_, Verdict::NoMethod) => Failure::NoMethod(cause),
            // Old blocks, or many, are for others; new ones or fewer may be had.
            (StatusCode::FORBIDDEN, Verdict::LacksBlock) => Failure::Refused(cause),
            (_, Verdict::LacksBlock) => Failure::LacksBlock(cause),
            // Not entitled: it will not be soon, so it is left alone like one that was asked too often.
            (StatusCode::UNAUTHORIZED | StatusCode::PAYMENT_REQUIRED, _) => {
                Failure::RateLimited { cause, retry_after, is_plain: true }
            }
            (StatusCode::FORBIDDEN, _) => Failure::RateLimited { cause, retry_after, is_plain: false },
            (StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT, _) => Failure::TimedOut(cause),
            // Cloudflare's word for a server that took too long.
            (status, _) if status.as_u16() == 524 => Failure::TimedOut(cause),
            (StatusCode::BAD_REQUEST | StatusCode::METHOD_NOT_ALLOWED | StatusCode::UNPROCESSABLE_ENTITY, _)
                if asked > 1 =>
            {
                Failure::BatchTooLarge { limit: None, cause }
            }
            (status, _) if status.is_redirection() => Failure::Refused(format!("{cause}, a redirect is not followed")),
            (status, _) if status.is_server_error() => Failure::Broken(cause),
            _ => Failure::Refused(cause),
        }
    }

    /// What a broken connection means.
    fn broken(&self, cause: reqwest::Error) -> Failure {
        let timed_out = cause.is_timeout() && !cause.is_connect();
        let reached = !cause.is_connect() && !cause.is_builder();
        let cause = self.redact(&words_of(&cause.without_url(), self.proxy.as_ref()));
        match (timed_out, reached) {
            (true, _) => Failure::TimedOut(cause),
            (false, true) => Failure::CutOff(cause),
            (false, false) => Failure::Unreachable(cause),
        }
    }
}

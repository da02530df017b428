//! What is asked of the subgraph, and what its answer means: data, or a failure of its kind.

use serde_json::value::RawValue;

use super::answer::{self, Trouble};
use crate::breaker::Breaker;
use crate::source::error::SourceError;
use crate::source::http::{Api, ApiError};

/// The way to the subgraph.
pub(super) struct Wire {
    api: Api,
}

impl Wire {
    pub(super) const fn new(api: Api) -> Self {
        Self { api }
    }

    /// Host and port.
    pub(super) fn name(&self) -> &str {
        self.api.name()
    }

    pub(super) const fn breaker(&self) -> &Breaker {
        self.api.breaker()
    }

    /// It answered what cannot be true.
    pub(super) fn untrusted(&self, cause: String) -> SourceError {
        self.api.untrusted(cause)
    }

    /// Asks, and reads the data of the answer.
    pub(super) async fn ask<T>(
        &self,
        query: String,
        read: impl FnOnce(&RawValue) -> Result<T, String>,
    ) -> Result<T, SourceError> {
        let body = self.api.post(query).await.map_err(|error| self.explain(error))?;
        let data = answer::data(&body).map_err(|trouble| self.trouble(trouble))?;
        let read = read(data).map_err(|cause| self.api.untrusted(cause))?;
        self.api.answered();
        Ok(read)
    }

    /// An HTTP error, whose words may say more than its status.
    fn explain(&self, error: ApiError) -> SourceError {
        let (status, error) = match error {
            ApiError::Source(error) => (None, error),
            ApiError::Rejected { status, cause } => {
                let cause = format!("HTTP {}: {cause}", status.as_u16());
                (Some(status.as_u16()), SourceError::Refused { endpoint: self.api.name().to_owned(), cause })
            }
        };
        match error {
            SourceError::RateLimited { endpoint, cause, retry_after } => {
                let named = match answer::told(&cause) {
                    Trouble::Limited(_, pause) => pause,
                    _ => None,
                };
                SourceError::RateLimited { endpoint, cause, retry_after: retry_after.or(named) }
            }
            SourceError::Refused { endpoint, cause } => match answer::told(&cause) {
                Trouble::Limited(cause, retry_after) => SourceError::RateLimited { endpoint, cause, retry_after },
                Trouble::Slow(cause) => SourceError::Failed { endpoint, cause },
                // Too large, or not in time.
                _ if matches!(status, Some(413)) => SourceError::Failed { endpoint, cause },
                _ => SourceError::Refused { endpoint, cause },
            },
            error => error,
        }
    }

    fn trouble(&self, trouble: Trouble) -> SourceError {
        match trouble {
            Trouble::Slow(words) => self.api.failed(&words, |endpoint, cause| SourceError::Failed { endpoint, cause }),
            Trouble::Cut(words) => self.api.failed(&words, |endpoint, cause| SourceError::Broken { endpoint, cause }),
            Trouble::Limited(words, retry_after) => {
                self.api.failed(&words, |endpoint, cause| SourceError::RateLimited { endpoint, cause, retry_after })
            }
            Trouble::Refused(words) => {
                self.api.failed(&words, |endpoint, cause| SourceError::Refused { endpoint, cause })
            }
            Trouble::Garbled(words) => self.api.untrusted(words),
        }
    }
}

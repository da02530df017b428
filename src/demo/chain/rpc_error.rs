//! Why a call of JSON-RPC has no result.

use axum::http::StatusCode;

/// Why a call has no result.
#[derive(Debug)]
pub(in crate::demo) enum Break {
    /// It is refused.
    Error(RpcError),
    /// The whole request is refused.
    Status(StatusCode, &'static str),
    /// The connection closes in the middle of the answer.
    CutBody,
}

/// A JSON-RPC error.
#[derive(Debug)]
pub(in crate::demo) struct RpcError {
    pub(super) code: i64,
    pub(super) message: String,
}

impl RpcError {
    pub(in crate::demo) fn new(code: i64, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    pub(super) fn invalid(what: &str) -> Self {
        Self::new(-32602, format!("invalid argument 0: {what}"))
    }
}

impl From<RpcError> for Break {
    fn from(error: RpcError) -> Self {
        Self::Error(error)
    }
}

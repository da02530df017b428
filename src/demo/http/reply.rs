//! An answer before it meets the faults of the wire.

use axum::http::StatusCode;

use crate::demo::gamma::Object;

/// A status and the JSON beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::demo) struct Reply {
    pub(in crate::demo) status: StatusCode,
    pub(in crate::demo) body: Vec<u8>,
}

impl Reply {
    pub(in crate::demo) fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self { status: StatusCode::OK, body: body.into() }
    }

    /// `{"type":"…","error":"…"}`
    pub(in crate::demo) fn refused(status: StatusCode, kind: &str, error: &str) -> Self {
        let mut object = Object::new(false);
        object.text("type", kind).text("error", error);
        Self { status, body: object.end().into_bytes() }
    }

    /// 422, as Gamma says it.
    pub(in crate::demo) fn invalid(error: &str) -> Self {
        Self::refused(StatusCode::UNPROCESSABLE_ENTITY, "validation error", error)
    }

    pub(in crate::demo) fn bad_request(error: &str) -> Self {
        Self::refused(StatusCode::BAD_REQUEST, "bad request", error)
    }

    /// 500, of a service that fails on something in its answer.
    pub(in crate::demo) fn broken() -> Self {
        Self::refused(StatusCode::INTERNAL_SERVER_ERROR, "internal error", "failed to render a market")
    }

    pub(in crate::demo) fn not_found(error: &str) -> Self {
        Self::refused(StatusCode::NOT_FOUND, "not found error", error)
    }
}

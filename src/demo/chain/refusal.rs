//! How nodes refuse a range in words that no list holds, or in none.
//!
//! The texts came over the wire from public providers in September 2026.

use axum::http::StatusCode;

use super::rpc_error::{Break, RpcError};
use crate::demo::faults::lies::Refusal;

/// The refusals that are JSON-RPC errors.
const WORDS: [Refusal; 7] = [
    Refusal::RangeExceedsLimit,
    Refusal::RangeExceedsLimitByRate,
    Refusal::MustNotExceed,
    Refusal::AbsurdLimit,
    Refusal::UnknownWords,
    Refusal::InvalidParams,
    Refusal::LimitExceeded,
];

/// What becomes of a range of `blocks` blocks where `limit` are allowed.
pub(in crate::demo) fn of(how: Refusal, draw: u64, blocks: u64, limit: u64) -> Break {
    let how = match how {
        Refusal::AnyWords => WORDS[(draw % WORDS.len() as u64) as usize],
        how => how,
    };
    let error = |code, message: String| Break::Error(RpcError::new(code, message));
    match how {
        Refusal::RangeExceedsLimit => error(-32602, format!("range {blocks} exceeds limit of {limit}")),
        Refusal::RangeExceedsLimitByRate => error(-32005, format!("range {blocks} exceeds limit of {limit}")),
        Refusal::MustNotExceed => error(-32000, format!("query must not exceed {limit} blocks")),
        Refusal::AbsurdLimit => error(35, "ranges over 10000 blocks are not supported on freetier".into()),
        Refusal::ArchiveForbidden => {
            Break::Status(StatusCode::FORBIDDEN, "Archive requests are not available on your plan")
        }
        Refusal::AnyWords | Refusal::UnknownWords => error(-32000, "the query is too heavy for this tier".into()),
        Refusal::InvalidParams => error(-32602, "invalid params".into()),
        Refusal::LimitExceeded => error(-32005, "limit exceeded".into()),
        Refusal::Http500 => Break::Status(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
        Refusal::Http502 => Break::Status(
            StatusCode::BAD_GATEWAY,
            "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><center><h1>502 Bad Gateway</h1></center>\r\n\
             </body></html>",
        ),
        Refusal::CutBody => Break::CutBody,
    }
}

//! Who is asked: the demo world is several services at one address.

use axum::http::{Method, Uri};

use crate::demo::http::params::Params;

/// The service that a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::demo) enum Asked {
    /// A node of the chain: `POST`, at `/node/<number>` as one of several.
    Rpc { node: Option<usize> },
    /// `GET /markets/keyset`, from the beginning or from a cursor on.
    Keyset { from_cursor: bool },
    /// `GET /markets`
    Markets,
    /// `GET /markets/{id}`
    Market,
    /// `GET /v2/tokens`
    Tokens,
    /// The orderbook subgraph: `POST /goldsky`, or below it.
    Goldsky,
    /// `/demo…`, which is no part of the world.
    Control,
    /// Nobody.
    Nothing,
}

impl Asked {
    pub(in crate::demo) fn of(method: &Method, uri: &Uri) -> Self {
        let path = uri.path();
        if path == "/demo" || path.starts_with("/demo/") {
            return Self::Control;
        }
        let node = path.strip_prefix("/node/").and_then(|number| number.parse().ok());
        match (method, path) {
            (&Method::POST, "/goldsky") => Self::Goldsky,
            (&Method::POST, _) if path.starts_with("/goldsky/") => Self::Goldsky,
            (&Method::POST, _) => Self::Rpc { node },
            // Behind any prefix, as a gateway would have one.
            (&Method::GET, _) if path.ends_with("/markets/keyset") => {
                let from_cursor = Params::of(uri).get("after_cursor").is_some_and(|cursor| !cursor.is_empty());
                Self::Keyset { from_cursor }
            }
            (&Method::GET, "/markets") => Self::Markets,
            (&Method::GET, _) if path.starts_with("/markets/") => Self::Market,
            (&Method::GET, _) if path.ends_with("/v2/tokens") => Self::Tokens,
            _ => Self::Nothing,
        }
    }

    pub(in crate::demo) fn is_gamma(self) -> bool {
        matches!(self, Self::Keyset { .. } | Self::Markets | Self::Market)
    }
}

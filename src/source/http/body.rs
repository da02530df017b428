//! Bodies, bounded in size.

use bytes::{Bytes, BytesMut};
use reqwest::Response;

/// How much of an error's body is read.
const ERROR_BODY: usize = 64 * 1024;

/// Room for so much of a body is made before it comes: what is announced may never come.
const MOST_AHEAD: usize = 8 << 20;

/// A body, or its beginning where it is longer than it may be.
pub(in crate::source) enum Body {
    Whole(Bytes),
    Cut(Bytes),
}

/// Reads a body up to `limit` bytes, unpacked: a small one may unpack to a very large one.
pub(in crate::source) async fn read(mut response: Response, limit: usize) -> Result<Body, reqwest::Error> {
    let announced = response.content_length().map_or(0, |length| usize::try_from(length).unwrap_or(limit));
    let mut body = BytesMut::with_capacity(announced.min(limit).min(MOST_AHEAD));
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk[..chunk.len().min(limit - body.len())]);
        if body.len() == limit {
            return Ok(Body::Cut(body.freeze()));
        }
    }
    Ok(Body::Whole(body.freeze()))
}

/// As much of an error's body as is needed for its words.
pub(in crate::source) async fn read_error(response: Response) -> Bytes {
    match read(response, ERROR_BODY).await {
        Ok(Body::Whole(body) | Body::Cut(body)) => body,
        Err(_) => Bytes::new(),
    }
}

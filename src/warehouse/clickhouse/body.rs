//! The body of a request: whole, or piece by piece.
//!
//! A body that nobody brought to its end breaks off, and the connection with it: no server may take the pieces that came
//! for all of them.

use std::task::{Context, Poll, ready};
use std::{io, pin::Pin};

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tokio::sync::mpsc;

/// The body of a request.
#[derive(Debug)]
pub(super) enum Body {
    /// All of it; nothing once it was sent.
    Whole(Bytes),
    /// What comes through a channel, chunked.
    Pieces(mpsc::Receiver<Piece>),
}

/// A part of a body.
#[derive(Debug)]
pub(super) enum Piece {
    Data(Bytes),
    /// All of it was sent.
    End,
}

impl Body {
    /// One that comes piece by piece, and where to put them. One piece waits at most.
    pub(super) fn pieces() -> (mpsc::Sender<Piece>, Self) {
        let (pieces, body) = mpsc::channel(1);
        (pieces, Self::Pieces(body))
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        Poll::Ready(match self.get_mut() {
            Self::Whole(bytes) if bytes.is_empty() => None,
            Self::Whole(bytes) => Some(Ok(Frame::data(std::mem::take(bytes)))),
            Self::Pieces(pieces) => match ready!(pieces.poll_recv(context)) {
                Some(Piece::Data(bytes)) => Some(Ok(Frame::data(bytes))),
                Some(Piece::End) => None,
                None => Some(Err(io::Error::other("the rest of the body was given up"))),
            },
        })
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Pieces(_) => SizeHint::default(),
        }
    }
}

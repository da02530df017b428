//! Connections that can be reset on purpose.

use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::{io, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// The handler's hold on the connection that a request came by.
#[derive(Clone, Debug, Default)]
pub(in crate::demo) struct Wire {
    reset: Arc<AtomicBool>,
}

impl Wire {
    /// Instead of whatever is written next, the peer gets a TCP reset.
    pub(in crate::demo) fn reset(&self) {
        self.reset.store(true, Ordering::Relaxed);
    }
}

impl Connected<IncomingStream<'_, LoopbackListener>> for Wire {
    fn connect_info(stream: IncomingStream<'_, LoopbackListener>) -> Self {
        stream.io().wire.clone()
    }
}

/// A TCP listener whose connections have a [`Wire`].
#[derive(Debug)]
pub(in crate::demo) struct LoopbackListener(pub(super) TcpListener);

impl Listener for LoopbackListener {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            match self.0.accept().await {
                Ok((stream, peer)) => {
                    // Small answers leave at once; where the system refuses this, they leave a little later.
                    let _ = stream.set_nodelay(true);
                    return (Connection { stream, wire: Wire::default() }, peer);
                }
                // Out of descriptors, or the peer has gone again: neither is a reason to stop listening.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// A TCP stream that breaks when its [`Wire`] says so.
#[derive(Debug)]
pub(in crate::demo) struct Connection {
    stream: TcpStream,
    wire: Wire,
}

impl Connection {
    fn check(&self) -> io::Result<()> {
        if self.wire.reset.load(Ordering::Relaxed) {
            // Closing without lingering is what makes the peer see a reset and not an end.
            self.stream.set_zero_linger()?;
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

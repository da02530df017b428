//! Somebody at a port who is not who is meant.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::AbortOnDropHandle;

/// How somebody behaves.
#[derive(Clone, Copy, Debug)]
pub enum Way {
    /// As an HTTP server.
    Http,
    /// As ClickHouse's native port does to who begins with a G or a P, and hangs up on all others (TCPHandler.cpp, receiveHello).
    ClickhouseNative,
    /// Speaks first, as an SSH server.
    Greets,
    /// Closes every connection.
    Closes,
    /// Says nothing.
    Silent,
}

/// At a port until it is dropped.
pub struct Stranger {
    address: SocketAddr,
    came: Arc<AtomicUsize>,
    _serving: AbortOnDropHandle<()>,
}

impl Stranger {
    pub async fn new(way: Way) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, came) = (listener.local_addr().unwrap(), Arc::<AtomicUsize>::default());
        let counted = Arc::clone(&came);
        let serving = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(meet(client, way));
            }
        });
        Self { address, came, _serving: AbortOnDropHandle::new(serving) }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many came so far.
    pub fn came(&self) -> usize {
        self.came.load(Ordering::Relaxed)
    }
}

async fn meet(mut client: TcpStream, way: Way) {
    let mut asked = vec![0; 4_096];
    let answer: &[u8] = match way {
        Way::Closes => return,
        Way::Greets => b"SSH-2.0-OpenSSH_9.2\r\n",
        Way::Http | Way::ClickhouseNative | Way::Silent => {
            let Ok(read @ 1..) = client.read(&mut asked).await else { return };
            match (way, asked[..read].first()) {
                (Way::Http, _) => {
                    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<html>400 Bad Request</html>"
                }
                (Way::ClickhouseNative, Some(b'G' | b'P')) => {
                    b"HTTP/1.0 400 Bad Request\r\n\r\nPort 9000 is for clickhouse-client program.\r\nYou must use port 8123 for HTTP.\r\n"
                }
                (Way::ClickhouseNative, _) => return,
                _ => {
                    tokio::time::sleep(Duration::from_secs(60)).await;
                    return;
                }
            }
        }
    };
    let _ = client.write_all(answer).await;
    let _ = client.shutdown().await;
    // A reset would take away what was not read yet.
    let _ = tokio::time::timeout(Duration::from_secs(5), client.read(&mut asked)).await;
}

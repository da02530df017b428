//! A port in front of a server that counts who comes, and lets in or hangs up.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::AbortOnDropHandle;

/// A gate, open or closed, until it is dropped.
pub struct Gate {
    address: SocketAddr,
    counts: Arc<Counts>,
    _serving: AbortOnDropHandle<()>,
}

#[derive(Default)]
struct Counts {
    came: AtomicUsize,
    is_open: AtomicBool,
}

impl Gate {
    /// In front of a server at a host and port; closed.
    pub async fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, counts) = (listener.local_addr().unwrap(), Arc::<Counts>::default());
        let (server, seen) = (server.to_owned(), Arc::clone(&counts));
        let serving = tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                seen.came.fetch_add(1, Ordering::Relaxed);
                if seen.is_open.load(Ordering::Relaxed) {
                    let server = server.clone();
                    tokio::spawn(async move {
                        if let Ok(mut server) = TcpStream::connect(server).await {
                            let _ = copy_bidirectional(&mut client, &mut server).await;
                        }
                    });
                }
            }
        });
        Self { address, counts, _serving: AbortOnDropHandle::new(serving) }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on whoever comes is let in.
    pub fn open(&self) {
        self.counts.is_open.store(true, Ordering::Relaxed);
    }

    /// How many came so far.
    pub fn came(&self) -> usize {
        self.counts.came.load(Ordering::Relaxed)
    }
}

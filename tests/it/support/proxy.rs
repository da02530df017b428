//! Something between that spoils connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::AbortOnDropHandle;

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoil {
    /// The connection is reset, and nothing of the request has arrived.
    Request,
    /// The request has arrived, and the connection is reset before the answer.
    Answer,
    /// The same, in the middle of the answer.
    HalfAnswer,
    /// Nothing passes any more, and nobody says so.
    Everything,
}

/// Passes everything on, but for what is to be spoiled.
pub struct Proxy {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    _serving: AbortOnDropHandle<()>,
}

#[derive(Default)]
struct State {
    /// What to spoil, and how often.
    spoil: Option<(Spoil, usize)>,
    /// How long every piece is held up.
    delay: Duration,
    /// How often something was spoiled.
    spoiled: usize,
}

impl Proxy {
    /// To a server at a host and port.
    pub async fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, state) = (listener.local_addr().unwrap(), Arc::<Mutex<State>>::default());
        let (server, given) = (server.to_owned(), Arc::clone(&state));
        let serving = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, TcpStream::connect(server.clone()).await.unwrap(), Arc::clone(&given)));
            }
        });
        Self { address, state, _serving: AbortOnDropHandle::new(serving) }
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// So many of the next requests are spoiled.
    pub fn spoil(&self, spoil: Spoil, times: usize) {
        self.state.lock().spoil = Some((spoil, times));
    }

    /// Every piece takes so much longer.
    pub fn slow_down(&self, by: Duration) {
        self.state.lock().delay = by;
    }

    /// How often something was spoiled.
    pub fn spoiled(&self) -> usize {
        self.state.lock().spoiled
    }
}

/// Whether what passes now is to be spoiled, in one of these ways.
fn next(state: &Mutex<State>, ways: &[Spoil]) -> Option<Spoil> {
    let mut state = state.lock();
    let (spoil, times) = state.spoil.filter(|(spoil, times)| *times > 0 && ways.contains(spoil))?;
    state.spoil = Some((spoil, times - 1));
    state.spoiled += 1;
    Some(spoil)
}

async fn pass(mut client: TcpStream, mut server: TcpStream, state: Arc<Mutex<State>>) {
    let (mut asked, mut answered) = (vec![0; 64 << 10], vec![0; 64 << 10]);
    loop {
        let delay = state.lock().delay;
        tokio::select! {
            read = client.read(&mut asked) => {
                let Ok(n @ 1..) = read else { return };
                match next(&state, &[Spoil::Request, Spoil::Everything]) {
                    Some(Spoil::Request) => return reset(client),
                    Some(_) => std::future::pending().await,
                    None => {}
                }
                tokio::time::sleep(delay).await;
                if server.write_all(&asked[..n]).await.is_err() {
                    return;
                }
            }
            read = server.read(&mut answered) => {
                let Ok(n @ 1..) = read else { return };
                tokio::time::sleep(delay).await;
                match next(&state, &[Spoil::Answer, Spoil::HalfAnswer]) {
                    Some(Spoil::HalfAnswer) => {
                        let _ = client.write_all(&answered[..n / 2]).await;
                        // Only what was read is not thrown away by a reset.
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        return reset(client);
                    }
                    Some(_) => return reset(client),
                    None => {}
                }
                if client.write_all(&answered[..n]).await.is_err() {
                    return;
                }
            }
        }
    }
}

fn reset(client: TcpStream) {
    client.set_zero_linger().unwrap();
}

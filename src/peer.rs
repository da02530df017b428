//! Who answers at a port, where it is not who was meant.
//!
//! A client that speaks one protocol to a server of another fails in ways that tell nobody anything. So whoever failed asks
//! here: a line that most servers answer with an error of their own kind, and then the beginning of TLS. What comes first
//! tells who it is.
//!
//! Never: ask often. What is down must not be kept down by being asked who it is, so [`Asked`] remembers for a while.

use std::{sync::Arc, time::Duration};

use rustls::{ClientConfig, ClientConnection, RootCertStore, crypto::aws_lc_rs, pki_types::ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::{net::TcpStream, sync::Mutex, time::Instant};

use crate::secrets::excerpt;

/// How long an answer is remembered, and nobody is asked again.
const REMEMBERED: Duration = Duration::from_secs(30);

/// How long each of the two questions may take.
const PATIENCE: Duration = Duration::from_millis(1_200);

/// For Redis a command of too many words, for HTTP a request of an unknown method, for everybody else nonsense. It begins with
/// a P because ClickHouse's native port answers that in words (TCPHandler.cpp, receiveHello).
const QUESTION: &[u8] = b"PING / HTTP/1.0\r\n\r\n";

/// So much of an answer is looked at, and so much of one that nobody knows is shown.
const LOOKED_AT: usize = 512;
const SHOWN: usize = 40;

/// Who answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    /// A Redis, without TLS.
    Redis,
    /// Somebody who speaks TLS.
    Tls,
    /// An HTTP server.
    Http,
    /// ClickHouse's native port.
    ClickhouseNative,
    /// Somebody who lets connections in and says nothing.
    Silent,
    /// Somebody who closes connections without a word.
    Closes,
    /// Somebody who says this.
    Other(String),
}

/// What was found out of one address, and when.
///
/// Whoever comes while somebody is asked waits for the same answer.
#[derive(Default)]
pub(crate) struct Asked(Mutex<Option<(Instant, Option<Peer>)>>);

impl Asked {
    /// Who answers there, as far as that can be told; asked at most once in a while.
    pub(crate) async fn who(&self, host: &str, port: u16) -> Option<Peer> {
        let mut memory = self.0.lock().await;
        if let Some((at, peer)) = &*memory
            && at.elapsed() < REMEMBERED
        {
            return peer.clone();
        }
        let peer = who(host, port).await;
        *memory = Some((Instant::now(), peer.clone()));
        peer
    }

    /// Forgets what was found: who was meant answers.
    pub(crate) async fn forget(&self) {
        *self.0.lock().await = None;
    }
}

async fn who(host: &str, port: u16) -> Option<Peer> {
    let plain = ask(host, port, QUESTION).await?;
    match recognise(&plain) {
        // Somebody who speaks TLS may say nothing to who does not.
        peer @ (Peer::Silent | Peer::Closes | Peer::Other(_)) => {
            let hello = client_hello(host)?;
            let answer = ask(host, port, &hello).await;
            Some(if answer.is_some_and(|answer| recognise(&answer) == Peer::Tls) { Peer::Tls } else { peer })
        }
        peer => Some(peer),
    }
}

/// What somebody said first.
#[derive(Debug)]
struct Said {
    bytes: Vec<u8>,
    /// Whether the connection was closed behind it.
    is_closed: bool,
}

/// Sends some bytes, and gives what comes first. Nothing where nobody lets a connection in.
async fn ask(host: &str, port: u16, question: &[u8]) -> Option<Said> {
    let connected = tokio::time::timeout(PATIENCE, TcpStream::connect((host, port))).await;
    let mut socket = connected.ok()?.ok()?;
    let mut said = Said { bytes: Vec::new(), is_closed: false };
    let listen = async {
        if socket.write_all(question).await.is_err() {
            said.is_closed = true;
        }
        let mut piece = [0; LOOKED_AT];
        while said.bytes.len() < LOOKED_AT {
            match socket.read(&mut piece).await {
                Ok(read @ 1..) => said.bytes.extend_from_slice(&piece[..read]),
                _ => {
                    said.is_closed = true;
                    return;
                }
            }
            // A page of HTTP may say more of itself behind its head.
            if !said.bytes.starts_with(b"HTTP/") {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(PATIENCE, listen).await;
    Some(said)
}

fn recognise(said: &Said) -> Peer {
    match said.bytes.as_slice() {
        [] if said.is_closed => Peer::Closes,
        [] => Peer::Silent,
        // An alert or a handshake of any version.
        [0x15 | 0x16, 0x03, ..] => Peer::Tls,
        bytes if bytes.starts_with(b"HTTP/") => {
            let of_clickhouse: &[u8] = b"clickhouse-client";
            let is_native = bytes.windows(of_clickhouse.len()).any(|window| window == of_clickhouse);
            if is_native { Peer::ClickhouseNative } else { Peer::Http }
        }
        [b'-', b'A'..=b'Z', ..] => Peer::Redis,
        bytes if bytes.starts_with(b"+PONG") => Peer::Redis,
        bytes => {
            let readable = bytes.iter().take_while(|byte| matches!(byte, b' '..=b'~')).count();
            Peer::Other(excerpt(&String::from_utf8_lossy(&bytes[..readable]), SHOWN))
        }
    }
}

/// The first message of TLS.
fn client_hello(host: &str) -> Option<Vec<u8>> {
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let config = config.with_safe_default_protocol_versions().ok()?;
    // Nobody is believed: only whether there is an answer is looked at.
    let config = config.with_root_certificates(RootCertStore::empty()).with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).ok()?;
    let mut connection = ClientConnection::new(Arc::new(config), name).ok()?;
    let mut hello = Vec::new();
    connection.write_tls(&mut hello).ok()?;
    Some(hello)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};
    use tokio::net::TcpListener;

    fn said(bytes: &[u8], is_closed: bool) -> Peer {
        recognise(&Said { bytes: bytes.to_vec(), is_closed })
    }

    #[test]
    fn the_first_bytes_tell_who_it_is() {
        let native = b"HTTP/1.0 400 Bad Request\r\n\r\nPort 9000 is for clickhouse-client program.\r\n";
        for (bytes, peer) in [
            (&b""[..], Peer::Silent),
            (b"-ERR wrong number of arguments for 'ping' command\r\n", Peer::Redis),
            (b"-NOAUTH Authentication required.\r\n", Peer::Redis),
            (b"+PONG\r\n", Peer::Redis),
            (b"HTTP/1.1 405 Method Not Allowed\r\n", Peer::Http),
            (native, Peer::ClickhouseNative),
            (b"\x15\x03\x01\x00\x02\x02\x46", Peer::Tls),
            (b"\x16\x03\x03\x00\x7a", Peer::Tls),
            (b"SSH-2.0-OpenSSH_9.2\r\n", Peer::Other("SSH-2.0-OpenSSH_9.2".into())),
            (b"\x4a\x00\x00\x00\x0a5.7", Peer::Other("J".into())),
        ] {
            assert_eq!(said(bytes, false), peer, "{bytes:?}");
        }
        assert_eq!(said(b"", true), Peer::Closes);
    }

    #[tokio::test]
    async fn nobody_is_asked_twice_in_a_short_while() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let came = Arc::<AtomicU32>::default();
        let counted = Arc::clone(&came);
        let serving = tokio::spawn(async move {
            loop {
                let (mut client, _) = listener.accept().await.unwrap();
                counted.fetch_add(1, Ordering::Relaxed);
                let _ = client.write_all(b"HTTP/1.0 400 Bad Request\r\n\r\n").await;
            }
        });
        let asked = Asked::default();
        for _ in 0..5 {
            assert_eq!(asked.who("127.0.0.1", port).await, Some(Peer::Http));
        }
        assert_eq!(came.load(Ordering::Relaxed), 1);
        asked.forget().await;
        assert_eq!(asked.who("127.0.0.1", port).await, Some(Peer::Http));
        assert_eq!(came.load(Ordering::Relaxed), 2);
        serving.abort();
    }

    #[tokio::test]
    async fn who_is_not_there_is_nobody() {
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        assert_eq!(Asked::default().who("127.0.0.1", port).await, None);
    }
}

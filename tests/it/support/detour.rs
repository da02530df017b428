//! A proxy as stands between a company and the world: SOCKS5 (RFC 1928), with a user and a password (RFC 1929) or without, and HTTP,
//! by `CONNECT` and with whole addresses. Whatever host is asked for, it leads to one server.

use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::AbortOnDropHandle;

/// Who is let through where somebody must say who he is: as in a URL, and as in a header.
pub const LOGIN: &str = "me:s3cr3t$";
const BASIC: &str = "Basic bWU6czNjcjN0JA==";

/// The longest head of a request.
const HEAD: usize = 16 << 10;

/// A proxy.
pub struct Detour {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    _serving: AbortOnDropHandle<()>,
}

/// What one connection needs.
#[derive(Clone)]
struct Lead {
    server: String,
    wants_login: bool,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Detour {
    /// To a server at a host and port, for everybody.
    pub async fn to(server: &str) -> Self {
        Self::begin(server, false).await
    }

    /// The same, for those who know the [`LOGIN`].
    pub async fn with_login(server: &str) -> Self {
        Self::begin(server, true).await
    }

    async fn begin(server: &str, wants_login: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, asked) = (listener.local_addr().unwrap(), Arc::<Mutex<Vec<String>>>::default());
        let server =
            server.trim_start_matches("http://").trim_start_matches("https://").trim_end_matches('/').to_owned();
        let lead = Lead { server, wants_login, asked: Arc::clone(&asked) };
        let serving = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                // Whoever breaks off has had enough.
                tokio::spawn(lead.clone().serve(client));
            }
        });
        Self { address, asked, _serving: AbortOnDropHandle::new(serving) }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Which hosts and ports it was asked to lead to.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().clone()
    }
}

impl Lead {
    async fn serve(self, mut client: TcpStream) -> Option<()> {
        let mut first = [0];
        client.peek(&mut first).await.ok()?;
        // What was read of a request with a whole address goes on to the server, which takes such, too.
        let head = match first {
            [5] => self.socks(&mut client).await?,
            _ => self.http(&mut client).await?,
        };
        let mut server = TcpStream::connect(&self.server).await.ok()?;
        server.write_all(&head).await.ok()?;
        copy_bidirectional(&mut client, &mut server).await.ok()?;
        Some(())
    }

    async fn socks(&self, client: &mut TcpStream) -> Option<Vec<u8>> {
        let [_, count] = read(client).await?;
        let methods = read_some(client, count.into()).await?;
        let method = if self.wants_login { 2 } else { 0 };
        if !methods.contains(&method) {
            client.write_all(&[5, 0xff]).await.ok()?;
            return None;
        }
        client.write_all(&[5, method]).await.ok()?;
        if self.wants_login {
            let [_, length] = read(client).await?;
            let user = read_some(client, length.into()).await?;
            let [length] = read(client).await?;
            let password = read_some(client, length.into()).await?;
            let is_known = [&user[..], b":", &password[..]].concat() == LOGIN.as_bytes();
            client.write_all(&[1, u8::from(!is_known)]).await.ok()?;
            is_known.then_some(())?;
        }
        let [5, 1, 0, kind] = read(client).await? else { return None };
        let host = match kind {
            1 => std::net::Ipv4Addr::from(read::<4>(client).await?).to_string(),
            3 => {
                let [length] = read(client).await?;
                String::from_utf8(read_some(client, length.into()).await?).ok()?
            }
            _ => return None,
        };
        let port = u16::from_be_bytes(read(client).await?);
        self.asked.lock().push(format!("{host}:{port}"));
        client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.ok()?;
        Some(Vec::new())
    }

    async fn http(&self, client: &mut TcpStream) -> Option<Vec<u8>> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") && head.len() < HEAD {
            head.push(client.read_u8().await.ok()?);
        }
        let text = String::from_utf8_lossy(&head).into_owned();
        let login = text.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("proxy-authorization").then_some(value)
        });
        if self.wants_login && login != Some(BASIC) {
            let refusal = "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"detour\"\r\n\
                           Content-Length: 0\r\nConnection: close\r\n\r\n";
            client.write_all(refusal.as_bytes()).await.ok()?;
            return None;
        }
        let mut words = text.split(' ');
        let (method, target) = (words.next()?, words.next()?);
        let host = target.trim_start_matches("http://").split('/').next()?;
        self.asked.lock().push(host.to_owned());
        if method == "CONNECT" {
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.ok()?;
            return Some(Vec::new());
        }
        target.starts_with("http://").then_some(head)
    }
}

async fn read<const N: usize>(client: &mut TcpStream) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    client.read_exact(&mut bytes).await.ok()?;
    Some(bytes)
}

async fn read_some(client: &mut TcpStream, count: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; count];
    client.read_exact(&mut bytes).await.ok()?;
    Some(bytes)
}

//! The way to ClickHouse's address: straight, or through a proxy that the environment names.

use std::task::{Context, Poll};
use std::{error::Error, future::poll_fn, io, net::SocketAddr, pin::Pin, time::Duration};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::{Uri, header::HeaderValue};
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::{client::proxy::matcher::Matcher, rt::TokioIo};
use reqwest::Url;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tower_service::Service;

use crate::io_words::chain;
use crate::proxies::{Kind, Proxies, Proxy};

/// How long a proxy may take to lead to ClickHouse.
const LEAD: Duration = Duration::from_secs(10);

type BoxError = Box<dyn Error + Send + Sync>;

/// What makes connections to one address.
#[derive(Clone)]
pub(super) struct Way {
    route: Route,
    proxy: Option<Proxy>,
}

#[derive(Clone)]
enum Route {
    Straight(HttpConnector),
    /// Requests go to a proxy, each with the whole address.
    Forwarded(HttpConnector, Uri),
    /// Through a tunnel that a proxy makes.
    Tunnelled(Tunnel<HttpConnector>),
    /// The same by SOCKS, which looks names up.
    Socks(SocksV5<HttpConnector>),
    /// The same, with addresses that were looked up here.
    SocksByAddress(SocksV5<HttpConnector>),
}

impl Way {
    /// The way to a URL, and what goes with each request for the proxy on it; or why there is none.
    pub(super) fn to(url: &str, mut tcp: HttpConnector) -> Result<(Self, Option<HeaderValue>), String> {
        // What the URL is not is told by whoever reads it.
        let proxy = match Url::parse(url) {
            Ok(url) => Proxies::of_environment().to(&url)?,
            Err(_) => None,
        };
        let Some(proxy) = proxy else { return Ok((Self { route: Route::Straight(tcp), proxy: None }, None)) };
        tcp.enforce_http(false);
        let unusable = || {
            format!(
                "{} cannot be used for ClickHouse: name one as http:// or socks5://, or put ClickHouse's host into NO_PROXY",
                proxy.name
            )
        };
        let matcher = Matcher::builder().all(proxy.url.as_str()).build();
        let found = url.parse::<Uri>().ok().and_then(|uri| matcher.intercept(&uri)).ok_or_else(unusable)?;
        let (at, basic) = (found.uri().clone(), found.basic_auth().cloned());
        let (route, header) = match proxy.kind {
            Kind::Http if url.starts_with("https://") => {
                let tunnel = Tunnel::new(at, tcp);
                (Route::Tunnelled(if let Some(basic) = basic { tunnel.with_auth(basic) } else { tunnel }), None)
            }
            Kind::Http => (Route::Forwarded(tcp, at), basic),
            Kind::Socks5 | Kind::Socks5ByName => {
                let mut socks = SocksV5::new(at, tcp);
                if let Some((user, password)) = found.raw_auth() {
                    socks = socks.with_auth(user.into(), password.into());
                }
                let is_by_name = proxy.kind == Kind::Socks5ByName;
                (if is_by_name { Route::Socks(socks) } else { Route::SocksByAddress(socks) }, None)
            }
            Kind::Https | Kind::Socks4 => return Err(unusable()),
        };
        Ok((Self { route, proxy: Some(proxy) }, header))
    }

    /// Whether nobody stands between.
    pub(super) const fn is_straight(&self) -> bool {
        matches!(self.route, Route::Straight(_))
    }
}

impl Service<Uri> for Way {
    type Response = Via;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Via, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let Self { route, proxy } = self.clone();
        Box::pin(async move {
            let is_forwarded = matches!(route, Route::Forwarded(..));
            let connecting = async {
                match route {
                    Route::Straight(tcp) => connect(tcp, to).await,
                    Route::Forwarded(tcp, proxy) => connect(tcp, proxy).await,
                    Route::Tunnelled(tunnel) => connect(tunnel, to).await,
                    Route::Socks(socks) => connect(socks, to).await,
                    Route::SocksByAddress(socks) => connect(socks, looked_up(&to).await?).await,
                }
            };
            let Some(proxy) = proxy else { return Ok(Via { io: connecting.await?, is_forwarded }) };
            match timeout(LEAD, connecting).await {
                Ok(Ok(io)) => Ok(Via { io, is_forwarded }),
                Ok(Err(error)) => Err(proxy.explain(&chain(&*error)).into()),
                Err(_) => Err(format!("{} did not lead there within {} s", proxy.name, LEAD.as_secs()).into()),
            }
        })
    }
}

async fn connect<S>(mut connector: S, to: Uri) -> Result<S::Response, BoxError>
where
    S: Service<Uri>,
    S::Error: Into<BoxError>,
{
    poll_fn(|context| connector.poll_ready(context)).await.map_err(Into::into)?;
    connector.call(to).await.map_err(Into::into)
}

/// The same with an address for the host.
async fn looked_up(to: &Uri) -> Result<Uri, BoxError> {
    let host = to.host().unwrap_or_default().trim_matches(['[', ']']);
    let usual = if to.scheme_str() == Some("https") { 443 } else { 80 };
    let mut found: Vec<SocketAddr> = lookup_host((host, to.port_u16().unwrap_or(usual))).await?.collect();
    // Those of the older kind are led to by every proxy.
    found.sort_by_key(SocketAddr::is_ipv6);
    let first = found.first().ok_or("its name is not known")?;
    let scheme = to.scheme_str().unwrap_or("http");
    Ok(Uri::builder().scheme(scheme).authority(first.to_string()).path_and_query("/").build()?)
}

/// A connection.
pub(super) struct Via {
    io: TokioIo<TcpStream>,
    /// Whether requests on it must name the whole address.
    is_forwarded: bool,
}

impl Connection for Via {
    fn connected(&self) -> Connected {
        self.io.connected().proxy(self.is_forwarded)
    }
}

impl Read for Via {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(context, into)
    }
}

impl Write for Via {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(context, bytes)
    }
}

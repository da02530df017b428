//! How ClickHouse is reached: plainly or by TLS, straight or through a proxy.

use std::{path::Path, sync::Arc, time::Duration};

use hyper::Request;
use hyper::header::{HeaderValue, PROXY_AUTHORIZATION};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Builder, Client, ResponseFuture};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::pem::{self, PemObject};
use rustls::{ClientConfig, crypto::aws_lc_rs, pki_types::CertificateDer};
use rustls_platform_verifier::Verifier;

use super::{body::Body, config::ClickhouseConfig, way::Way};
use crate::io_words::why;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);

/// ClickHouse closes a connection that was idle for three seconds.
const IDLE: Duration = Duration::from_secs(2);

/// How the address of a configuration is reached.
#[derive(Clone)]
pub(super) struct Transport {
    connector: Connector,
    /// What goes with each request for a proxy that asks who sends it.
    authorization: Option<HeaderValue>,
    is_straight: bool,
}

#[derive(Clone)]
enum Connector {
    /// Plainly.
    Plain(Way),
    /// By TLS.
    Tls(HttpsConnector<Way>),
}

impl Transport {
    /// The way to the address of a configuration, or why there is none.
    pub(super) fn of(config: &ClickhouseConfig) -> Result<Self, String> {
        let mut tcp = HttpConnector::new();
        tcp.set_connect_timeout(Some(CONNECT));
        tcp.set_keepalive(Some(Duration::from_secs(60)));
        tcp.set_nodelay(true);
        let is_tls = config.url.starts_with("https://");
        tcp.enforce_http(!is_tls);
        let (way, authorization) = Way::to(&config.url, tcp)?;
        let is_straight = way.is_straight();
        let connector = match is_tls {
            false => Connector::Plain(way),
            true => {
                let tls = tls(config.ca.as_deref())?;
                let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_only().enable_http1();
                Connector::Tls(https.wrap_connector(way))
            }
        };
        Ok(Self { connector, authorization, is_straight })
    }

    /// Whether no proxy stands between.
    pub(super) const fn is_straight(&self) -> bool {
        self.is_straight
    }

    /// What reads go over.
    pub(super) fn for_reads(&self) -> clickhouse::Client {
        let client = match &self.connector {
            Connector::Plain(way) => clickhouse::Client::with_http_client(pool().build(way.clone())),
            Connector::Tls(https) => clickhouse::Client::with_http_client(pool().build(https.clone())),
        };
        match self.authorization.as_ref().and_then(|value| value.to_str().ok()) {
            Some(authorization) => client.with_header("Proxy-Authorization", authorization),
            None => client,
        }
    }

    /// What writes go over.
    pub(super) fn for_writes(&self) -> Http {
        let pools = match &self.connector {
            Connector::Plain(way) => Pools::Plain(pool().build(way.clone())),
            Connector::Tls(https) => Pools::Tls(pool().build(https.clone())),
        };
        Http { pools, authorization: self.authorization.clone() }
    }
}

/// Connections that writes go over.
#[derive(Clone)]
pub(super) struct Http {
    pools: Pools,
    authorization: Option<HeaderValue>,
}

#[derive(Clone)]
enum Pools {
    Plain(Client<Way, Body>),
    Tls(Client<HttpsConnector<Way>, Body>),
}

impl Http {
    pub(super) fn request(&self, mut request: Request<Body>) -> ResponseFuture {
        if let Some(authorization) = &self.authorization {
            request.headers_mut().insert(PROXY_AUTHORIZATION, authorization.clone());
        }
        match &self.pools {
            Pools::Plain(client) => client.request(request),
            Pools::Tls(client) => client.request(request),
        }
    }
}

fn pool() -> Builder {
    let mut pool = Client::builder(TokioExecutor::new());
    pool.pool_idle_timeout(IDLE).pool_timer(TokioTimer::new());
    pool
}

/// Trusts whom the system trusts, and those in a file.
fn tls(ca: Option<&Path>) -> Result<ClientConfig, String> {
    let mut own = Vec::new();
    if let Some(ca) = ca {
        let failed = |error: pem::Error| match error {
            pem::Error::Io(cause) => format!("clickhouse.ca, {}: {}", ca.display(), why(&cause)),
            _ => format!("clickhouse.ca, {}: is no file of certificates (PEM)", ca.display()),
        };
        for certificate in CertificateDer::pem_file_iter(ca).map_err(failed)? {
            own.push(certificate.map_err(failed)?);
        }
        if own.is_empty() {
            return Err(format!("clickhouse.ca, {}: holds no certificate", ca.display()));
        }
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Verifier::new_with_extra_roots(own, provider.clone()).map_err(|error| error.to_string())?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(config.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth())
}

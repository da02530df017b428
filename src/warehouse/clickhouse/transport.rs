//! How ClickHouse is reached: plainly, or by TLS.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Builder, Client, ResponseFuture};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls_platform_verifier::Verifier;

use super::ClickhouseConfig;
use super::body::Body;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);

/// ClickHouse closes a connection that was idle for three seconds.
const IDLE: Duration = Duration::from_secs(2);

/// The way to the address of a configuration.
#[derive(Clone)]
pub(super) enum Transport {
    /// Plainly.
    Plain(HttpConnector),
    /// By TLS.
    Tls(HttpsConnector<HttpConnector>),
}

impl Transport {
    /// The way to the address of a configuration, or why there is none.
    pub(super) fn of(config: &ClickhouseConfig) -> Result<Self, String> {
        let mut tcp = HttpConnector::new();
        tcp.set_connect_timeout(Some(CONNECT));
        tcp.set_keepalive(Some(Duration::from_secs(60)));
        tcp.set_nodelay(true);
        if !config.url.starts_with("https://") {
            return Ok(Self::Plain(tcp));
        }
        tcp.enforce_http(false);
        let tls = tls(config.ca.as_deref())?;
        let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_only().enable_http1().wrap_connector(tcp);
        Ok(Self::Tls(https))
    }

    /// What reads go over.
    pub(super) fn for_reads(&self) -> clickhouse::Client {
        match self {
            Self::Plain(tcp) => clickhouse::Client::with_http_client(pool().build(tcp.clone())),
            Self::Tls(https) => clickhouse::Client::with_http_client(pool().build(https.clone())),
        }
    }

    /// What writes go over.
    pub(super) fn for_writes(&self) -> Http {
        match self {
            Self::Plain(tcp) => Http::Plain(pool().build(tcp.clone())),
            Self::Tls(https) => Http::Tls(pool().build(https.clone())),
        }
    }
}

/// Connections that writes go over.
#[derive(Clone)]
pub(super) enum Http {
    Plain(Client<HttpConnector, Body>),
    Tls(Client<HttpsConnector<HttpConnector>, Body>),
}

impl Http {
    pub(super) fn request(&self, request: Request<Body>) -> ResponseFuture {
        match self {
            Self::Plain(client) => client.request(request),
            Self::Tls(client) => client.request(request),
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
        let failed = |error| format!("{}: {error}", ca.display());
        for certificate in CertificateDer::pem_file_iter(ca).map_err(failed)? {
            own.push(certificate.map_err(failed)?);
        }
        if own.is_empty() {
            return Err(format!("{}: holds no certificate", ca.display()));
        }
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Verifier::new_with_extra_roots(own, provider.clone()).map_err(|error| error.to_string())?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(config.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth())
}

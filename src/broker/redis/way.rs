//! What went wrong on the way to a server, in words of our own.

use std::{error::Error, fmt, io, sync::Arc};

use redis::RedisError;
use rustls::{AlertDescription, CertificateError, Error as TlsError};

/// Words of our own in the place of a client's error.
#[derive(Debug)]
pub(super) struct Told(pub(super) String);

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Told {}

impl Told {
    /// As an error of the client's, which every caller can pass on.
    pub(super) fn error(words: impl Into<String>) -> RedisError {
        io::Error::other(Self(words.into())).into()
    }
}

/// What it says, in a few words.
pub(super) fn way_words(error: &RedisError) -> String {
    let cause = cause(error);
    if let Some(told) = cause.and_then(inner::<Told>) {
        return told.to_string();
    }
    if let Some(tls) = cause.and_then(inner::<TlsError>) {
        return tls_words(tls).to_owned();
    }
    let kind = cause.map(io::Error::kind);
    let words = match kind {
        Some(io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock) => "no answer in time",
        Some(io::ErrorKind::ConnectionRefused) => "connection refused",
        Some(io::ErrorKind::NotFound) => "there is no such socket",
        Some(io::ErrorKind::PermissionDenied) => "its socket may not be used",
        Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => "there is no way to its host",
        Some(io::ErrorKind::InvalidData) => "it answers as no Redis does",
        _ if has_no_address(error) => "no address is known for its host",
        _ => "it closed the connection",
    };
    words.to_owned()
}

/// Whether it could not be reached at all, so that there is nobody to be asked who they are.
pub(super) fn is_nobody(error: &RedisError) -> bool {
    use io::ErrorKind::{ConnectionRefused, HostUnreachable, NetworkUnreachable, NotFound, PermissionDenied};
    let kind = cause(error).map(io::Error::kind);
    matches!(kind, Some(ConnectionRefused | HostUnreachable | NetworkUnreachable | NotFound | PermissionDenied))
        || has_no_address(error)
}

/// Whether no address is known for its host: the resolver's errors have no kind of their own.
fn has_no_address(error: &RedisError) -> bool {
    let text = error.to_string();
    text.contains("lookup") || text.contains("No address found")
}

/// Whether it is a certificate that is at fault, of a server that is the right one otherwise.
pub(super) fn is_certificate(error: &RedisError) -> bool {
    let tls = cause(error).and_then(inner::<TlsError>);
    matches!(tls, Some(TlsError::InvalidCertificate(_) | TlsError::AlertReceived(_)))
}

/// The error of the socket. The client hands it on behind a pointer.
fn cause(error: &RedisError) -> Option<&io::Error> {
    let source = error.source()?;
    let shared = source.downcast_ref::<Arc<dyn Error + Send + Sync>>();
    shared.and_then(|shared| shared.downcast_ref()).or_else(|| source.downcast_ref())
}

fn inner<T: Error + 'static>(error: &io::Error) -> Option<&T> {
    error.get_ref()?.downcast_ref()
}

fn tls_words(error: &TlsError) -> &'static str {
    use CertificateError::{Expired, ExpiredContext, NotValidForName, NotValidForNameContext, UnknownIssuer};
    match error {
        TlsError::InvalidCertificate(UnknownIssuer) => {
            "its certificate is of an authority that is not trusted here: name that one's file under ca"
        }
        TlsError::InvalidCertificate(NotValidForName | NotValidForNameContext { .. }) => {
            "its certificate is for another name than the one in its URL"
        }
        TlsError::InvalidCertificate(Expired | ExpiredContext { .. }) => "its certificate has expired",
        TlsError::InvalidCertificate(_) => "its certificate is not valid",
        TlsError::AlertReceived(AlertDescription::CertificateRequired) => {
            "it wants a certificate of its clients, and polytape has none: set tls-auth-clients to no"
        }
        TlsError::AlertReceived(_) => "it refused TLS",
        _ => "it speaks no TLS",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_said_in_the_words_of_a_library() {
        let of_kind = |kind: io::ErrorKind| RedisError::from(io::Error::from(kind));
        for (error, words, is_nobody_) in [
            (of_kind(io::ErrorKind::ConnectionRefused), "connection refused", true),
            (of_kind(io::ErrorKind::TimedOut), "no answer in time", false),
            (of_kind(io::ErrorKind::UnexpectedEof), "it closed the connection", false),
            (of_kind(io::ErrorKind::BrokenPipe), "it closed the connection", false),
            (io::Error::other("failed to lookup address information").into(), "no address is known for its host", true),
            (Told::error("an HTTP server answers"), "an HTTP server answers", false),
            (
                io::Error::other(TlsError::InvalidCertificate(CertificateError::UnknownIssuer)).into(),
                "its certificate is of",
                false,
            ),
        ] {
            let said = way_words(&error);
            assert!(said.starts_with(words), "{said}");
            assert_eq!(is_nobody(&error), is_nobody_, "{said}");
        }
        assert!(is_certificate(&io::Error::other(TlsError::InvalidCertificate(CertificateError::Expired)).into()));
    }
}

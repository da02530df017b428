//! What the system says of a file, and an HTTP client of a connection, in words that tell what to look at.

use std::error::Error as StdError;
use std::io::{Error, ErrorKind};

/// Why a file or a directory cannot be used.
pub(crate) fn why(error: &Error) -> String {
    let words = match error.kind() {
        ErrorKind::NotFound => "it is not there",
        ErrorKind::PermissionDenied => return format!("the user {} may not", rustix::process::geteuid().as_raw()),
        ErrorKind::ReadOnlyFilesystem => "it is on a disk that is mounted read-only",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "the disk is full",
        ErrorKind::IsADirectory => "it is a directory",
        ErrorKind::NotADirectory => "a part of its path is a file",
        ErrorKind::AlreadyExists => "a file is there",
        ErrorKind::InvalidFilename => "its name is too long",
        ErrorKind::InvalidData => "it is not text (UTF-8)",
        _ => {
            let words = error.to_string();
            return words.split(" (os error ").next().unwrap_or_default().to_lowercase();
        }
    };
    words.to_owned()
}

/// What rustls says where the answer to its hello is none.
const NO_TLS: &str = "InvalidContentType";

/// Whether that is why.
pub(crate) fn is_no_tls(text: &str) -> bool {
    text.contains(NO_TLS)
}

/// Why a connection did not come about or broke, without the names that clients have for their own parts.
pub(crate) fn of_connection(text: &str) -> String {
    for (theirs, ours) in [
        (NO_TLS, "no TLS is spoken there"),
        ("UnknownIssuer", "its certificate is of an authority that is not known here"),
        ("NotValidForName", "its certificate is for another name"),
        ("deadline has elapsed", "no connection came about in time"),
        ("failed to lookup address", "its name is not known"),
        ("connection closed before message completed", "it went away before it answered"),
        ("invalid HTTP version", "what it answered is no HTTP"),
    ] {
        if text.contains(theirs) {
            return ours.to_owned();
        }
    }
    let parts = ["client error (Connect): ", "client error (SendRequest): ", "tcp connect error: ", "dns error: "];
    let text = parts.iter().fold(text.to_owned(), |text, part| text.replace(part, ""));
    in_a_sentence(text.split(" (os error ").next().unwrap_or_default())
}

/// Without the capital at its begin, but for that of an abbreviation.
pub(crate) fn in_a_sentence(text: &str) -> String {
    let mut letters = text.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), Some(second)) if second.is_lowercase() => first.to_lowercase().chain(letters).collect(),
        _ => text.to_owned(),
    }
}

/// An error and its causes on one line.
pub(crate) fn chain(error: &dyn StdError) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !line.contains(&text) {
            line = format!("{line}: {text}");
        }
        cause = error.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_of_the_system_is_shown() {
        for number in 1..=40 {
            let words = why(&Error::from_raw_os_error(number));
            assert!(!words.contains("os error") && !words.is_empty(), "{words}");
        }
        assert_eq!(why(&Error::from_raw_os_error(2)), "it is not there");
    }

    #[test]
    fn the_parts_of_a_client_are_nobodys_business() {
        for (text, expected) in [
            ("client error (Connect): tcp connect error: Connection refused (os error 111)", "connection refused"),
            ("client error (Connect): dns error: failed to lookup address information: x", "its name is not known"),
            (
                "client error (SendRequest): connection closed before message completed",
                "it went away before it answered",
            ),
            ("something new", "something new"),
        ] {
            assert_eq!(of_connection(text), expected);
        }
    }
}

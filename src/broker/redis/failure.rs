//! What can go wrong with Redis, in words and classes.

use redis::{ErrorKind, RedisError};

use crate::broker::BrokerError;
use crate::failure::FailureClass;
use crate::secrets::excerpt;

/// How much of a server's own words is shown.
const WORDS: usize = 300;

/// A failure of Redis, or on the way to it. It names the server and never a password.
#[derive(Clone, Debug, thiserror::Error)]
#[error("Redis at {address}: {what}")]
pub struct RedisFailure {
    address: String,
    what: String,
    class: FailureClass,
}

impl RedisFailure {
    pub(super) fn new(address: impl Into<String>, what: impl Into<String>, class: FailureClass) -> Self {
        Self { address: address.into(), what: what.into(), class }
    }

    /// What to do about it.
    ///
    /// A connection that broke is [`FailureClass::Retry`], too: the broker has opened another by the next call, and whoever
    /// calls must keep what is in hand.
    pub const fn class(&self) -> FailureClass {
        self.class
    }
}

/// Says which server an error came from and what it means.
pub(super) fn explain(address: &str, error: &RedisError) -> BrokerError {
    let what = words(error);
    match error.code() {
        Some("LOST") => BrokerError::Lost(error.detail().map_or(what, without_place)),
        Some("NOGROUP") => BrokerError::Lost(what),
        _ => {
            let (class, advice) = judge(error);
            RedisFailure::new(address, format!("{what}{advice}"), class).into()
        }
    }
}

/// Whether the connection is of no use any more.
pub(super) fn spoils_connection(error: &RedisError) -> bool {
    // A primary that became a replica behind the same name answers READONLY for ever: ask who is there now.
    error.is_io_error() || error.kind() == ErrorKind::Parse || matches!(error.code(), Some("READONLY"))
}

fn judge(error: &RedisError) -> (FailureClass, &'static str) {
    use FailureClass::{Deterministic, Retry};
    match error.code() {
        Some("OOM") => (Retry, "; raise its maxmemory, or wait until the writers have caught up"),
        Some("MISCONF") => (Retry, "; it cannot save to its disk"),
        Some("BUSY" | "UNKILLABLE") => (Retry, ""),
        Some("LOADING" | "READONLY" | "MASTERDOWN" | "NOREPLICAS" | "TRYAGAIN" | "CLUSTERDOWN") => (Retry, ""),
        Some("MOVED" | "ASK" | "CROSSSLOT") => (Deterministic, "; a cluster is of no use here, name a single server"),
        Some("WRONGTYPE" | "FOREIGN" | "TOOOLD") => (Deterministic, ""),
        Some("NOAUTH" | "WRONGPASS") => (Deterministic, "; check the user and the password in its URL"),
        Some("NOPERM") => (Deterministic, "; its user may not do that"),
        Some("ERR") if says(error, "max number of clients") => (Retry, ""),
        // What a server answers to a long command of somebody who gave no password.
        Some("ERR") if says(error, "unauthenticated") => (Deterministic, "; it wants a password in its URL"),
        _ => match error.kind() {
            ErrorKind::Io | ErrorKind::Parse => (Retry, ""),
            ErrorKind::AuthenticationFailed => (Deterministic, "; check the user and the password in its URL"),
            _ => (Deterministic, ""),
        },
    }
}

fn says(error: &RedisError, words: &str) -> bool {
    error.detail().is_some_and(|detail| detail.contains(words))
}

/// What it says, fit to be shown: a server may repeat what it was told.
fn words(error: &RedisError) -> String {
    let words = match (error.code(), error.detail()) {
        (Some(code), Some(detail)) => format!("{code} {}", without_place(detail)),
        (Some(code), None) => code.to_owned(),
        _ if error.is_timeout() => "no answer in time".to_owned(),
        _ => error.to_string(),
    };
    excerpt(&words, WORDS)
}

/// The message without the place in a script that Redis appends.
fn without_place(detail: &str) -> String {
    detail.split(" script: ").next().unwrap_or(detail).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::secrets::learn_url;

    /// As the client makes it of a server's answer.
    fn server(line: &str) -> RedisError {
        let value = redis::parse_redis_value(format!("-{line}\r\n").as_bytes()).unwrap();
        value.extract_error().unwrap_err()
    }

    #[test]
    fn a_server_that_repeats_a_password_shows_none() {
        learn_url("redis://tape:p4ssw0rd%2Fx@127.0.0.1:6379/0");
        let said = explain("here:6379", &server("ERR AUTH tape p4ssw0rd/x of redis://tape:p4ssw0rd%2Fx@h:1/0 failed"));
        let said = said.to_string();
        assert!(said.contains("AUTH tape … of redis://h:1/… failed"), "{said}");
        let long = explain("here:6379", &server(&format!("ERR {} p4ssw0rd/x", ".".repeat(WORDS - 12)))).to_string();
        assert!(!long.contains("p4ss"), "{long}");
    }

    #[test]
    fn every_answer_has_its_class() {
        use FailureClass::{Deterministic, Repair, Retry};
        for (line, class) in [
            ("OOM command not allowed when used memory > 'maxmemory'.", Retry),
            ("LOADING Redis is loading the dataset in memory", Retry),
            ("READONLY You can't write against a read only replica.", Retry),
            ("BUSY Redis is busy running a script.", Retry),
            ("MISCONF Redis is configured to save RDB snapshots", Retry),
            ("MASTERDOWN Link with MASTER is down", Retry),
            ("CLUSTERDOWN The cluster is down", Retry),
            ("TRYAGAIN Multiple keys request during rehashing of slot", Retry),
            ("NOREPLICAS Not enough good replicas to write.", Retry),
            ("ERR max number of clients reached", Retry),
            ("MOVED 3999 127.0.0.1:6381", Deterministic),
            ("WRONGTYPE Operation against a key holding the wrong kind of value", Deterministic),
            ("NOAUTH Authentication required.", Deterministic),
            ("WRONGPASS invalid username-password pair or user is disabled.", Deterministic),
            ("NOPERM this user has no permissions to run the 'xadd' command", Deterministic),
            ("ERR unknown command", Deterministic),
            ("FOREIGN entries of another program", Deterministic),
            ("NOGROUP No such key 'stream:trades' or consumer group", Repair),
            ("LOST stream:trades is gone script: 1234, on @user_script:3.", Repair),
        ] {
            assert_eq!(explain("here:1", &server(line)).class(), class, "{line}");
        }
        for kind in [io::ErrorKind::TimedOut, io::ErrorKind::BrokenPipe, io::ErrorKind::ConnectionRefused] {
            assert_eq!(explain("here:1", &RedisError::from(io::Error::from(kind))).class(), Retry, "{kind}");
        }
    }

    #[test]
    fn says_what_and_where_in_one_line() {
        let lost = explain("here:1", &server("LOST stream:trades is gone script: 1234, on @user_script:3."));
        assert_eq!(lost.to_string(), "the streams were lost: stream:trades is gone");
        let full = explain("here:1", &server("OOM command not allowed. script: 1234, on @user_script:3."));
        assert!(full.to_string().starts_with("Redis at here:1: OOM command not allowed.; raise"), "{full}");
    }
}

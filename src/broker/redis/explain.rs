//! What the errors of Redis mean, in words and classes.

use redis::{ErrorKind, RedisError};

use super::code::{advice, is_permanent};
use super::{denied, failure::RedisFailure, way::way_words};
use crate::{broker::error::BrokerError, failure::FailureClass, secrets::excerpt};

/// How much of a server's own words is shown.
const WORDS: usize = 300;

/// Says which server an error came from and what it means.
pub(super) fn explain(place: &str, error: &RedisError) -> BrokerError {
    let what = words(error);
    match error.code() {
        Some("LOST") => BrokerError::Lost(error.detail().map_or(what, without_place)),
        Some("NOGROUP") => BrokerError::Lost(what),
        _ => {
            let class = if is_permanent(error) { FailureClass::Deterministic } else { FailureClass::Retry };
            let failure = RedisFailure::new(place, format!("{what}{}", advice(error)), class);
            failure.denied_if(denied::is_denied(error)).into()
        }
    }
}

/// What it says, fit to be shown: a server may repeat what it was told. Never in the client's words.
pub(super) fn words(error: &RedisError) -> String {
    let words = match (error.code(), error.detail()) {
        (Some(code), Some(detail)) => format!("{code} {}", without_place(detail)),
        (Some(code), None) => code.to_owned(),
        _ => match error.kind() {
            ErrorKind::AuthenticationFailed => "it refuses the user or the password".to_owned(),
            ErrorKind::InvalidClientConfig => "its URL or its certificates cannot be used".to_owned(),
            // The client tells what it could not read, and a script's answer to another call has no more to tell.
            ErrorKind::Parse if error.detail().is_none() => "it answered another call".to_owned(),
            ErrorKind::Parse | ErrorKind::UnexpectedReturnType => "it answers as no Redis does".to_owned(),
            _ => way_words(error),
        },
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

    use super::super::code::spoils_connection;
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
        let said = explain(
            "Redis at here:6379",
            &server("ERR AUTH tape p4ssw0rd/x of redis://tape:p4ssw0rd%2Fx@h:1/0 failed"),
        );
        let said = said.to_string();
        assert!(said.contains("AUTH tape … of redis://h:1/… failed"), "{said}");
        let long =
            explain("Redis at here:6379", &server(&format!("ERR {} p4ssw0rd/x", ".".repeat(WORDS - 12)))).to_string();
        assert!(!long.contains("p4ss"), "{long}");
    }

    #[test]
    fn every_answer_has_its_class() {
        use FailureClass::{Deterministic, Repair, Retry};
        for (line, class, spoils) in [
            ("OOM command not allowed when used memory > 'maxmemory'.", Retry, false),
            ("LOADING Redis is loading the dataset in memory", Retry, false),
            ("READONLY You can't write against a read only replica.", Retry, true),
            (
                "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)",
                Retry,
                true,
            ),
            ("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", Retry, true),
            ("BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.", Retry, false),
            ("UNKILLABLE Sorry the script already executed write commands against the dataset.", Retry, false),
            ("MISCONF Redis is configured to save RDB snapshots", Retry, false),
            ("CLUSTERDOWN The cluster is down", Retry, true),
            ("TRYAGAIN Multiple keys request during rehashing of slot", Retry, true),
            ("NOREPLICAS Not enough good replicas to write.", Retry, false),
            ("NOSCRIPT No matching script. Please use EVAL.", Retry, true),
            ("EXECABORT Transaction discarded because of previous errors.", Retry, true),
            ("FAILOVER in progress", Retry, true),
            ("REDIRECT 10.0.0.2:6379", Retry, true),
            ("DENIED Redis is running in protected mode", Retry, true),
            ("IOERR error or timeout writing to target instance", Retry, true),
            ("NOBODY has ever seen this code", Retry, true),
            ("ERR max number of clients reached", Retry, true),
            ("ERR upstream failure", Retry, true),
            ("ERR Server closed the connection", Retry, true),
            ("ERR Error running script: @user_script:3: boom", Retry, true),
            ("MOVED 3999 127.0.0.1:6381", Deterministic, false),
            ("ASK 3999 127.0.0.1:6381", Deterministic, false),
            ("CROSSSLOT Keys in request don't hash to the same slot", Deterministic, false),
            ("WRONGTYPE Operation against a key holding the wrong kind of value", Deterministic, false),
            ("NOAUTH Authentication required.", Deterministic, false),
            ("WRONGPASS invalid username-password pair or user is disabled.", Deterministic, false),
            ("ERR invalid password", Deterministic, false),
            ("ERR AUTH <password> called without any password configured for the default user.", Deterministic, false),
            ("ERR Protocol error: unauthenticated multibulk length", Deterministic, false),
            ("ERR DB index is out of range", Deterministic, false),
            ("NOPERM this user has no permissions to run the 'xadd' command", Deterministic, false),
            ("ERR unknown command 'EVALSHA', with args beginning with: ", Deterministic, false),
            ("ERR Unknown Redis command called from script script: 1234, on @user_script:3.", Deterministic, false),
            ("FOREIGN entries of another program", Deterministic, false),
            ("TOOOLD polytape needs Redis 7.0 or newer", Deterministic, false),
            ("NOGROUP No such key 'stream:trades' or consumer group", Repair, false),
            ("LOST stream:trades is gone script: 1234, on @user_script:3.", Repair, false),
        ] {
            assert_eq!(explain("Redis at here:1", &server(line)).class(), class, "{line}");
            assert_eq!(spoils_connection(&server(line)), spoils, "{line}");
        }
        for kind in [io::ErrorKind::TimedOut, io::ErrorKind::BrokenPipe, io::ErrorKind::ConnectionRefused] {
            assert_eq!(explain("Redis at here:1", &RedisError::from(io::Error::from(kind))).class(), Retry, "{kind}");
        }
    }

    #[test]
    fn says_what_and_where_in_one_line() {
        let lost = explain("Redis at here:1", &server("LOST stream:trades is gone script: 1234, on @user_script:3."));
        assert_eq!(lost.to_string(), "the streams were lost: stream:trades is gone");
        let full = explain("Redis at here:1", &server("OOM command not allowed. script: 1234, on @user_script:3."));
        assert!(full.to_string().starts_with("Redis at here:1: OOM command not allowed.; raise"), "{full}");
    }
}

//! Which answers of Redis no repetition helps: a closed list.
//!
//! An answer that is not in it passes: a server that is loading, full, demoted, failing over or busy, a proxy in front of it
//! with words of its own, a code of a newer release. Waiting costs time, giving up costs the pipeline.

use redis::{ErrorKind, RedisError};

/// An answer that comes again and again until somebody changes something.
struct Permanent {
    /// Its code.
    code: &'static str,
    /// What its text must contain; `""` where the code alone says it.
    says: &'static str,
    /// What to do about it.
    advice: &'static str,
}

const fn permanent(code: &'static str, says: &'static str, advice: &'static str) -> Permanent {
    Permanent { code, says, advice }
}

const PERMANENT: [Permanent; 15] = [
    // The keys are somebody else's, and stay so: these come from our own scripts, or from a command on such a key.
    permanent("WRONGTYPE", "", "; choose another key_prefix"),
    permanent("FOREIGN", "", ""),
    permanent("TOOOLD", "", ""),
    // Who we are is in the configuration, which is read once.
    permanent("NOAUTH", "", "; check the user and the password in its URL"),
    permanent("WRONGPASS", "", "; check the user and the password in its URL"),
    permanent("NOPERM", "", "; its user may not do that"),
    permanent("ERR", "invalid password", "; check the user and the password in its URL"),
    permanent("ERR", "without any password configured", "; it wants no password: take it out of its URL"),
    // What a server answers to a long command of somebody who gave no password.
    permanent("ERR", "unauthenticated", "; it wants a password in its URL"),
    // So is the database.
    permanent("ERR", "DB index is out of range", "; it has no such database, check the number in its URL"),
    // A node of a cluster: one script spans several streams, which lie in several slots.
    permanent("MOVED", "", "; a cluster is of no use here, name a single server"),
    permanent("ASK", "", "; a cluster is of no use here, name a single server"),
    permanent("CROSSSLOT", "", "; a cluster is of no use here, name a single server"),
    // A server without what polytape is made of: commands renamed away, or something that only speaks like Redis.
    permanent("ERR", "unknown command", "; polytape needs streams and scripts (XADD, EVALSHA)"),
    permanent("ERR", "Unknown Redis command called from script", "; polytape needs streams (XADD, XGROUP)"),
];

/// What a passing answer means to who reads it.
const ADVICE: [(&str, &str); 2] = [
    ("OOM", "; raise its maxmemory, or wait until the writers have caught up"),
    ("MISCONF", "; it cannot save to its disk"),
];

/// Answers behind which the connection is as good as before: the server is the one that is wanted, and has said what it lacks.
const SPOIL_NOTHING: [&str; 8] = ["OOM", "MISCONF", "BUSY", "UNKILLABLE", "LOADING", "NOREPLICAS", "NOGROUP", "LOST"];

/// Why no repetition helps, where that is so.
pub(super) fn permanent_advice(error: &RedisError) -> Option<&'static str> {
    let Some(code) = error.code() else {
        return match error.kind() {
            ErrorKind::AuthenticationFailed => Some("; check the user and the password in its URL"),
            // The URL or its certificates: nothing was sent.
            ErrorKind::InvalidClientConfig => Some(""),
            _ => None,
        };
    };
    let detail = error.detail().unwrap_or_default();
    PERMANENT.iter().find(|answer| answer.code == code && detail.contains(answer.says)).map(|answer| answer.advice)
}

/// What to say of an answer that passes.
pub(super) fn advice(error: &RedisError) -> &'static str {
    ADVICE.iter().find(|(code, _)| error.code() == Some(code)).map_or("", |(_, advice)| advice)
}

/// Whether the connection is of no use any more. A primary that became a replica behind the same name refuses for ever, and
/// so may who answers in words that nobody knows: it is asked anew who is there.
pub(super) fn spoils_connection(error: &RedisError) -> bool {
    match error.code() {
        // Refusals of our own scripts that are about seats, and what is permanent, too: another connection hears the same.
        Some("SEAT") => false,
        Some(code) => !SPOIL_NOTHING.contains(&code) && permanent_advice(error).is_none(),
        None => true,
    }
}

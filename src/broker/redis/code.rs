//! What each answer of a server means, and what is to be done about it: a closed list.
//!
//! An answer that is not in it passes: a proxy with words of its own, a code of a newer release. Waiting costs time, giving
//! up costs the pipeline.
//!
//! Sources are files of Redis 7.0 to 8.2 and of Valkey 8.1 and 9.1, which word these alike where nothing else is said.

use std::borrow::Cow;

use redis::{ErrorKind, RedisError};

use self::Lasts::{ForAWhile, ForGood, Here};
use super::denied;

/// What to do with an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lasts {
    /// It comes again and again until somebody changes something.
    ForGood,
    /// It passes. The connection is as good as before: the server is the one that is wanted, and has said what it lacks.
    ForAWhile,
    /// It passes, but who is there has to be asked anew: a primary that became a replica behind the same name refuses for ever.
    Here,
}

/// An answer, and what it means.
struct Answer {
    code: &'static str,
    /// What its text must contain; `""` where the code alone says it.
    says: &'static str,
    lasts: Lasts,
    /// What to do about it, behind its own words.
    advice: &'static str,
}

const fn answer(code: &'static str, says: &'static str, lasts: Lasts, advice: &'static str) -> Answer {
    Answer { code, says, lasts, advice }
}

/// Why a node of a cluster needs more of the configuration.
pub(super) const NEEDS_TAG: &str =
    "one script touches several keys, which a cluster keeps apart: key_prefix needs a hash tag such as \"{tape}:\"";

/// Why a server with too few replicas is of no use.
pub(super) const TOO_FEW_REPLICAS: &str = "fewer replicas are in reach than its min-replicas-to-write asks for, so it takes no writes: bring them back, or lower that";

const CHECK_PASSWORD: &str = "; check the user and the password in its URL";
const OTHER_NODE: &str =
    "; polytape speaks to one node and follows none: name one node that holds all slots, or the one that is named here";

const ANSWERS: [Answer; 37] = [
    // Keys that are somebody else's, and stay so: from our own scripts, or server.c (shared.wrongtypeerr).
    answer("WRONGTYPE", "", ForGood, "; choose another key_prefix"),
    answer("FOREIGN", "", ForGood, ""),
    // Our own prelude.
    answer("TOOOLD", "", ForGood, ""),
    // Streams that are gone, from our own scripts and t_stream.c: they are begun anew.
    answer("LOST", "", ForAWhile, ""),
    answer("NOGROUP", "", ForAWhile, ""),
    // A reader that another took over from, from our own scripts: another connection hears the same.
    answer("FENCED", "", ForAWhile, ""),
    // Who we are is in the configuration, which is read once: server.c (shared.noautherr), acl.c, networking.c.
    answer("NOAUTH", "", ForGood, CHECK_PASSWORD),
    answer("WRONGPASS", "", ForGood, CHECK_PASSWORD),
    answer("ERR", "invalid password", ForGood, CHECK_PASSWORD),
    answer("ERR", "without any password configured", ForGood, "; it wants no password: take it out of its URL"),
    answer("ERR", "unauthenticated", ForGood, "; it wants a password in its URL"),
    // What its user may not do: acl.c, and of a command in a script script.c (7.0) and script_lua.c.
    answer("NOPERM", "", ForGood, ""),
    answer("ERR", "ACL failure in script", ForGood, ""),
    answer("ERR", "The user executing the script can't", ForGood, ""),
    // The client calls a refusal of SELECT so, whatever its code was.
    answer("ERR", "has no permissions to run the 'select'", ForGood, ""),
    // The database: db.c (selectCommand).
    answer("ERR", "DB index is out of range", ForGood, "; it has no such database, check the number in its URL"),
    answer(
        "ERR",
        "SELECT is not allowed in cluster mode",
        ForGood,
        "; a node of a cluster has database 0 only: take the number out of its URL",
    ),
    // A node of a cluster: cluster.c (clusterRedirectClient).
    answer("MOVED", "", ForGood, OTHER_NODE),
    answer("ASK", "", ForGood, OTHER_NODE),
    answer("CROSSSLOT", "", ForGood, ""),
    answer(
        "CLUSTERDOWN",
        "",
        Here,
        "; its cluster does not serve every slot: give each to a node (CLUSTER ADDSLOTSRANGE), or bring the missing node back",
    ),
    answer("TRYAGAIN", "", Here, "; its cluster moves slots"),
    // A server without what polytape is made of, by its commands (server.c, eval.c): renamed away, or something that only speaks
    // like Redis.
    answer("ERR", "unknown command", ForGood, "; polytape needs streams and scripts (XADD, EVALSHA)"),
    answer("ERR", "command called from script", ForGood, "; polytape needs streams (XADD, XGROUP)"),
    // What it lacks for now: server.c (shared.oomerr, shared.bgsaveerr, shared.loadingerr, shared.slowscripterr,
    // shared.noreplicaserr), script.c.
    answer("OOM", "", ForAWhile, "; raise its maxmemory, or wait until the writers have caught up"),
    answer("MISCONF", "", ForAWhile, "; it cannot save to its disk: see its log"),
    answer("LOADING", "", ForAWhile, "; it goes on when that is done"),
    answer("BUSY", "", ForAWhile, "; a script of somebody else holds it up"),
    answer("UNKILLABLE", "", ForAWhile, "; a script of somebody else holds it up"),
    answer("NOREPLICAS", "", ForAWhile, ""),
    // Not the primary, or not any more: server.c (shared.roslaveerr, shared.masterdownerr), blocked.c, Valkey's server.c.
    answer("READONLY", "", Here, "; name its primary, or an address that follows it"),
    answer("MASTERDOWN", "", Here, "; it is a replica that has lost its primary: name the primary"),
    answer("UNBLOCKED", "", Here, "; it became a replica: name its primary, or an address that follows it"),
    answer("REDIRECT", "", Here, "; it is no primary any more: name the one that is named here"),
    // Scripts are sent again where they are not known (server.c, shared.noscripterr): a second time it is another server.
    answer("NOSCRIPT", "", Here, "; it forgets scripts as soon as it has them"),
    // It lets nobody in: networking.c (protected mode, maxclients).
    answer(
        "DENIED",
        "",
        Here,
        "; it lets in only who comes from its own machine: give it a password, or bind it elsewhere",
    ),
    answer("ERR", "max number of clients", Here, "; raise its maxclients"),
];

fn find(error: &RedisError) -> Option<&'static Answer> {
    let (code, detail) = (error.code()?, error.detail().unwrap_or_default());
    ANSWERS.iter().find(|answer| answer.code == code && detail.contains(answer.says))
}

/// Whether no repetition helps.
pub(super) fn is_permanent(error: &RedisError) -> bool {
    match error.code() {
        Some(_) => find(error).is_some_and(|answer| answer.lasts == ForGood),
        // The second is the URL or its certificates: nothing was sent.
        None => matches!(error.kind(), ErrorKind::AuthenticationFailed | ErrorKind::InvalidClientConfig),
    }
}

/// What to do about it, to be said behind its own words.
pub(super) fn advice(error: &RedisError) -> Cow<'static, str> {
    if error.kind() == ErrorKind::AuthenticationFailed {
        return CHECK_PASSWORD.into();
    }
    match (error.code(), find(error)) {
        (Some("CROSSSLOT"), _) => format!("; {NEEDS_TAG}").into(),
        (Some("NOREPLICAS"), _) => format!("; {TOO_FEW_REPLICAS}").into(),
        (_, Some(_)) if denied::is_denied(error) => denied::advice(error.detail().unwrap_or_default()).into(),
        (_, Some(answer)) => answer.advice.into(),
        (_, None) => "".into(),
    }
}

/// Whether the connection is of no use any more: where it is asked anew who is there, also of who answers in words that nobody
/// knows.
pub(super) fn spoils_connection(error: &RedisError) -> bool {
    find(error).is_none_or(|answer| answer.lasts == Here)
}

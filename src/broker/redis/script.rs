//! The scripts, and calls of them.

use std::sync::LazyLock;

use redis::{Cmd, ErrorKind, RedisError, ServerErrorKind, Value, aio::MultiplexedConnection};

use super::random::random;
use super::reply::{list, text};

/// A script as the server knows it: by its text, and shorter by its hash.
pub(super) struct Script {
    text: &'static str,
    hash: String,
}

macro_rules! scripts {
    ($($name:ident = $file:literal;)*) => {
        $(
            pub(super) static $name: LazyLock<Script> = LazyLock::new(|| {
                Script::new(concat!(
                    include_str!("lua/prelude.lua"),
                    include_str!("lua/echo.lua"),
                    include_str!($file),
                    // Ends what `echo.lua` begins.
                    "\nend\nreturn {echo, answer()}\n"
                ))
            });
        )*

        /// Every script there is.
        #[cfg(test)]
        pub(super) fn all() -> Vec<(&'static str, &'static Script)> {
            vec![$(($file, &*$name)),*]
        }
    };
}

scripts! {
    JOIN = "lua/join.lua";
    BEGIN = "lua/begin.lua";
    GENERATION = "lua/generation.lua";
    CURSOR = "lua/cursor.lua";
    APPEND = "lua/append.lua";
    FORWARD = "lua/forward.lua";
    ACKNOWLEDGE = "lua/acknowledge.lua";
    FENCE = "lua/fence.lua";
    READ = "lua/read.lua";
    LEAVE = "lua/leave.lua";
    ADD_STREAM = "lua/add_stream.lua";
    OPEN_GROUP = "lua/open_group.lua";
    CLOSE_GROUP = "lua/close_group.lua";
    MEASURE = "lua/measure.lua";
    TRIM = "lua/trim.lua";
    STATE = "lua/state.lua";
    GROUP_STATE = "lua/group_state.lua";
    BARRIER = "lua/barrier.lua";
    ACQUIRE_LEASE = "lua/acquire_lease.lua";
    RELEASE_LEASE = "lua/release_lease.lua";
    REMOVE = "lua/remove.lua";
    HEARTBEAT = "lua/heartbeat.lua";
    DEREGISTER = "lua/deregister.lua";
    RIGHTS = "lua/rights.lua";
    TRY = "lua/try.lua";
}

impl Script {
    fn new(text: &'static str) -> Self {
        Self { text, hash: redis::Script::new(text).get_hash().to_owned() }
    }

    /// All of it.
    #[cfg(test)]
    pub(super) const fn text(&self) -> &'static str {
        self.text
    }

    pub(super) const fn call(&'static self) -> Call {
        Call { script: self, keys: Vec::new(), arguments: Vec::new() }
    }
}

/// A call of a script, which may be made again.
pub(super) struct Call {
    script: &'static Script,
    keys: Vec<String>,
    arguments: Vec<Vec<u8>>,
}

impl Call {
    pub(super) fn key(mut self, key: String) -> Self {
        self.keys.push(key);
        self
    }

    pub(super) fn keys(mut self, keys: impl IntoIterator<Item = String>) -> Self {
        self.keys.extend(keys);
        self
    }

    pub(super) fn argument(mut self, argument: impl Into<Vec<u8>>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    pub(super) fn number(self, number: impl ToString) -> Self {
        self.argument(number.to_string())
    }

    /// Runs it by its hash, and by its text where the server does not know it: after a restart, or `SCRIPT FLUSH`.
    pub(super) async fn run(&self, connection: &mut MultiplexedConnection) -> Result<Value, RedisError> {
        let echo = random();
        let value = match self.command("EVALSHA", self.script.hash.as_bytes(), &echo).query_async(connection).await {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                self.command("EVAL", self.script.text.as_bytes(), &echo).query_async(connection).await?
            }
            value => value?,
        };
        proved(value, &echo).ok_or_else(|| RedisError::from((ErrorKind::Parse, "it answered another call")))
    }

    fn command(&self, name: &str, script: &[u8], echo: &str) -> Cmd {
        let mut command = redis::cmd(name);
        command.arg(script).arg(self.keys.len()).arg(&self.keys);
        for argument in &self.arguments {
            command.arg(argument.as_slice());
        }
        command.arg(echo);
        command
    }
}

/// What a script answered, if it is the answer to the call that is named so.
fn proved(value: Value, echo: &str) -> Option<Value> {
    let [found, value] = list(value)?;
    (text(found)? == echo).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_to_another_call_is_none() {
        let bulk = |text: &str| Value::BulkString(text.as_bytes().to_vec());
        let answer = |echo: &str| Value::Array(vec![bulk(echo), Value::Int(7)]);
        assert_eq!(proved(answer("a1"), "a1"), Some(Value::Int(7)));
        for other in [answer("a2"), Value::Int(7), Value::Okay, Value::Nil, Value::Array(vec![bulk("a1")])] {
            assert_eq!(proved(other.clone(), "a1"), None, "{other:?}");
        }
    }

    /// Redis rolls nothing back: a check behind the first write could leave half of the work done.
    #[test]
    fn checks_come_before_writes() {
        for (file, script) in all() {
            let body = script.text.strip_prefix(include_str!("lua/prelude.lua")).unwrap();
            let code = |line: &&str| !line.trim_start().starts_with("--");
            let lines: Vec<&str> = body.lines().filter(code).collect();
            let write =
                ["'SET'", "'DEL'", "'HSET'", "'HDEL'", "'HINCRBY'", "'XTRIM'", "'XGROUP'", "'XACK'", "'PEXPIRE'"];
            let writes = |line: &&str| write.iter().any(|word| line.contains(word)) || line.contains("note_");
            let Some(first) = lines.iter().position(writes) else { continue };
            // Redis's own question about rights is none of these checks.
            let checks = |line: &&&str| line.replace("acl_check_cmd", "").contains("check_");
            let late: Vec<_> = lines[first..].iter().filter(checks).collect();
            assert!(late.is_empty(), "{file}: {late:?}");
        }
    }
}

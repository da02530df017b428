//! Where Redis is, and who this process is there.

use std::fmt;

/// The server and the names that are used there.
#[derive(Clone)]
pub struct RedisConfig {
    /// `redis://[user:password@]host:port/database`, `rediss://…` over TLS, or `redis+unix:///path`.
    pub url: String,
    /// What the names of all keys begin with.
    pub key_prefix: String,
    /// The name of this process in every group. No two that live may share it; one that comes again under its name has
    /// at once what it held.
    pub consumer: String,
}

/// Without the URL, which may hold a password.
impl fmt::Debug for RedisConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url: _, key_prefix, consumer } = self;
        f.debug_struct("RedisConfig")
            .field("key_prefix", key_prefix)
            .field("consumer", consumer)
            .finish_non_exhaustive()
    }
}

//! What can go wrong with Redis.

use crate::failure::FailureClass;

/// A failure of Redis, or on the way to it. It names the server and never a password.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{place}: {what}")]
pub struct RedisFailure {
    place: String,
    what: String,
    class: FailureClass,
    is_denied: bool,
}

impl RedisFailure {
    /// Of a server: `Valkey at host:port`.
    pub(super) fn new(place: impl Into<String>, what: impl Into<String>, class: FailureClass) -> Self {
        Self { place: place.into(), what: what.into(), class, is_denied: false }
    }

    /// The same, where `is_denied` says whether a user may not do what was asked.
    pub(super) fn denied_if(self, is_denied: bool) -> Self {
        Self { is_denied, ..self }
    }

    /// What to do about it.
    ///
    /// A connection that broke is [`FailureClass::Retry`], too: the broker has opened another by the next call, and whoever
    /// calls must keep what is in hand.
    pub const fn class(&self) -> FailureClass {
        self.class
    }

    /// What it is, without the server.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// Whether a user may not do what was asked.
    pub(super) const fn is_denied(&self) -> bool {
        self.is_denied
    }
}

//! The same on Redis 8.2, whatever release the others run on.

#![allow(clippy::duplicate_mod, reason = "the same tests, on another release")]

use std::ops::{Deref, DerefMut};

use crate::support::redis::Redis as Server;
use crate::support::redis_release::Kind;

#[path = "faults.rs"]
mod faults;
#[path = "processes.rs"]
mod processes;
#[path = "restricted.rs"]
mod restricted;
#[path = "rig.rs"]
mod rig;
#[path = "roles.rs"]
mod roles;
#[path = "waiting.rs"]
mod waiting;

/// One of this release.
pub struct Redis(Server);

impl Redis {
    pub fn new() -> Self {
        Self::own(&[])
    }

    pub fn own(arguments: &[&str]) -> Self {
        Self(Server::of(Kind::named("redis-8.2"), arguments))
    }

    pub fn watching(port: u16) -> Self {
        Self(Server::watching_as(Kind::named("redis-8.2"), port))
    }
}

impl Deref for Redis {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.0
    }
}

impl DerefMut for Redis {
    fn deref_mut(&mut self) -> &mut Server {
        &mut self.0
    }
}

mod same_name {
    use super::rig::RedisRig;
    use crate::broker::conformance::conformance;

    conformance!(RedisRig);
}

mod successor {
    use super::rig::Successors;
    use crate::broker::conformance::conformance;

    conformance!(Successors);
}

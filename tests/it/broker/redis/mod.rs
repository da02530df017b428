//! The broker on Redis: in the conformance suite, and where it meets a real server that fails.

mod faults;
mod in_a_cluster;
mod mistaken;
mod on_8_2;
mod processes;
mod restricted;
mod rig;
mod roles;
mod tls;
mod waiting;

use crate::support::redis::Redis;
pub use rig::{RedisRig, Successors};
pub use tls::with_tls;

/// A process that comes again under its name finds what it held.
mod same_name {
    use crate::broker::conformance::conformance;
    use crate::broker::redis::RedisRig;

    conformance!(RedisRig);
}

/// Another takes over from a process that is dead.
mod successor {
    use crate::broker::conformance::conformance;
    use crate::broker::redis::Successors;

    conformance!(Successors);
}

//! The broker on Redis: in the conformance suite, and where it meets a real server that fails.

mod faults;
mod processes;
mod rig;
mod tls;
mod waiting;

pub use rig::{RedisRig, Successors};

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

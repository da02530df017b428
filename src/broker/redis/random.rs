//! Names that nobody else has.

use rand::RngExt;

pub(super) fn random() -> String {
    format!("{:016x}", rand::rng().random::<u64>())
}

//! What could not be understood, kept with the reason.

use crate::secrets;

/// One event that polytape refused, with its bytes, so that nothing is lost by refusing it.
///
/// Its identity is `(source, position, stage)`, all from the source: reading the same bad event again gives the
/// same dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The source or stream that it came from: `polygon`, `stream:trades`.
    pub source: String,
    /// Where in that source: `<transaction hash>:<log index>`, or `keccak:<hash of raw>` where it has no place.
    pub position: String,
    /// The stage that refused it.
    pub stage: String,
    /// Why, in words.
    pub reason: String,
    /// The event as it arrived.
    pub raw: Vec<u8>,
    /// When it was first refused, in unix milliseconds. Not part of its identity.
    pub first_seen: i64,
}

/// Bytes of an event that are kept, at most.
const MAX_RAW: usize = 1 << 20;

impl DeadLetter {
    /// The position of an event that does not say where it is: the hash of its bytes.
    pub fn position_of_bytes(raw: &[u8]) -> String {
        format!("keccak:{:#x}", alloy_primitives::keccak256(raw))
    }

    /// As it is kept: its reason on one line and without secrets, which may have been quoted from the event, and its bytes
    /// cut to what a stream entry can carry, with the cut said in the reason.
    #[must_use]
    pub fn clipped(mut self) -> Self {
        self.reason = secrets::line(&self.reason);
        if self.raw.len() > MAX_RAW {
            self.reason = format!("{} (only the first {MAX_RAW} of {} bytes are kept)", self.reason, self.raw.len());
            self.raw.truncate(MAX_RAW);
        }
        self
    }
}

//! What a server says of itself, and how old it may be.

/// The oldest ClickHouse that the tests run on.
pub const OLDEST_CLICKHOUSE: (u32, u32) = (23, 10);

/// What a server says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClickhouseServer {
    /// Its version: `26.9.2.1`.
    pub version: String,
    /// Its clock, in unix milliseconds.
    pub now: i64,
}

impl ClickhouseServer {
    /// Whether it is older than [`OLDEST_CLICKHOUSE`].
    pub fn is_too_old(&self) -> bool {
        let mut numbers = self.version.split('.').map(|number| number.parse().unwrap_or(u32::MAX));
        (numbers.next().unwrap_or(u32::MAX), numbers.next().unwrap_or(0)) < OLDEST_CLICKHOUSE
    }
}

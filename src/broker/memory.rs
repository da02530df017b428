//! The memory of the server that streams are kept in.

use super::product::Product;

/// The memory that streams are kept in, as far as it is bounded by more than the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Whose it is.
    pub server: Product,
    /// Bytes that are in use.
    pub used: u64,
    /// Bytes that may be in use; `None` for as many as there are.
    pub limit: Option<u64>,
}

impl Memory {
    /// Where what everybody has read goes, whatever its age.
    pub const TIGHT: u64 = 70;

    /// Where nothing new may come in.
    pub const FULL: u64 = 85;

    /// How much of its limit is in use, in percent; `None` without one.
    pub fn percent(&self) -> Option<u64> {
        let limit = self.limit.filter(|limit| *limit > 0)?;
        u64::try_from(u128::from(self.used) * 100 / u128::from(limit)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_without_a_limit_is_never_full() {
        let percent = |used, limit| Memory { server: Product::Redis, used, limit }.percent();
        assert_eq!([percent(7, None), percent(7, Some(0))], [None, None]);
        assert_eq!(
            [percent(0, Some(9)), percent(699, Some(1_000)), percent(9, Some(8))],
            [Some(0), Some(69), Some(112)]
        );
        assert_eq!(percent(u64::MAX, Some(u64::MAX)), Some(100));
    }
}

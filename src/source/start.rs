//! Where reading begins that has no position yet.

/// Where a first run begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// The first block whose time is not before this one (unix seconds).
    Time(u64),
    /// This block.
    Block(u64),
    /// The source's first block.
    Genesis,
    /// The block behind the head.
    Latest,
}

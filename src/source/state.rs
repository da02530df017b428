//! What a source knows of its providers.

/// Blocks that rest on the word of a provider that was found to leave events out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InDoubt {
    /// Host and port.
    pub endpoint: String,
    /// The first block.
    pub from: u64,
    /// The last block.
    pub to: u64,
}

/// One provider of a source, as it has shown itself in this run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeState {
    /// Host and port.
    pub name: String,
    /// How often there was reason to look twice at what it said, by kind.
    pub doubts: Vec<(&'static str, u64)>,
    /// It leaves events out: nothing is believed of it alone.
    pub is_distrusted: bool,
    /// It shows this chain rather than that of the store, and is left out.
    pub other_chain: Option<u64>,
}

/// What a source has found out about its providers and its contracts in this run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceState {
    /// Its providers, in the order of the configuration.
    pub nodes: Vec<NodeState>,
    /// How many events of unknown kinds known contracts emitted in the blocks that were looked at, and one kind of them.
    pub unknown_events: Option<(u64, String)>,
    /// The last contract whose implementation was replaced, in words.
    pub upgrade: Option<String>,
}

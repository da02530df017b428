//! A place in a source.

use std::{fmt, sync::Arc};

use crate::{model::ChainPosition, units::thousands};

/// A place in a source: everything before it has been read, nothing at or after it has.
///
/// Places of one source are ordered as its events are. Those of two sources are never compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Position {
    /// In the chain.
    Chain(ChainPosition),
    /// In a source that is no chain.
    Own(OwnPosition),
}

/// A place whose meaning only its source knows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnPosition {
    /// As it is kept. Later places have later texts.
    stored: Arc<str>,
    shown: Arc<str>,
}

impl Position {
    /// A place in a source that is no chain: as it is kept, which sorts as the source's events do, and as it is shown.
    pub fn own(stored: impl Into<Arc<str>>, shown: impl Into<Arc<str>>) -> Self {
        Self::Own(OwnPosition { stored: stored.into(), shown: shown.into() })
    }

    /// As it is kept, in cursors and checkpoints.
    pub fn stored(&self) -> String {
        match self {
            Self::Chain(position) => position.stored(),
            Self::Own(position) => position.stored.to_string(),
        }
    }

    /// The place in the chain that it is.
    pub const fn chain(&self) -> Option<ChainPosition> {
        match self {
            Self::Chain(position) => Some(*position),
            Self::Own(_) => None,
        }
    }
}

impl From<ChainPosition> for Position {
    fn from(position: ChainPosition) -> Self {
        Self::Chain(position)
    }
}

/// For the screen.
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chain(position) => write!(f, "block {}", thousands(position.block)),
            Self::Own(position) => f.write_str(&position.shown),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chains_are_kept_as_ever() {
        let position = Position::from(ChainPosition { block: 97_800_001, log_index: 7 });
        assert_eq!(position.stored(), r#"{"block":97800001,"log_index":7}"#);
        assert_eq!(position.to_string(), "block 97,800,001");
        assert!(position < ChainPosition::start_of(97_800_002).into());
    }

    #[test]
    fn all_others_are_ordered_as_they_are_kept_and_shown_as_their_source_says() {
        let [early, late] =
            [("0009:b", "9 s, b"), ("0010:a", "10 s, a")].map(|(kept, shown)| Position::own(kept, shown));
        assert!(early < late);
        assert_eq!((late.stored().as_str(), late.to_string().as_str(), late.chain()), ("0010:a", "10 s, a", None));
    }
}

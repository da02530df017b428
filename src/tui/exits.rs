//! By which ways a screen can be left.

use super::effect::Leave;

/// By which ways a screen can be left, and what becomes of the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exits {
    /// The pipeline ends with it.
    Stop,
    /// The pipeline ends, or goes on without a screen.
    StopOrDetach,
    /// The pipeline runs in another process and goes on, or ends, too.
    Attached,
    /// The pipeline runs in another process and goes on.
    ReadOnly,
}

impl Exits {
    /// The ways, in the order in which they are offered.
    pub(crate) const fn ways(self) -> &'static [Leave] {
        match self {
            Self::Stop => &[Leave::Stop],
            Self::StopOrDetach => &[Leave::Stop, Leave::Detach],
            Self::Attached => &[Leave::Detach, Leave::Stop],
            Self::ReadOnly => &[Leave::Detach],
        }
    }

    /// What an interrupt means that comes twice: never more than to end what was started here.
    pub(crate) const fn interrupted(self) -> Leave {
        match self {
            Self::Stop | Self::StopOrDetach => Leave::Stop,
            Self::Attached | Self::ReadOnly => Leave::Detach,
        }
    }

    /// The choice that is made where nothing else is chosen; `None` stays. What ends a pipeline that could go on is never chosen by
    /// mistake.
    pub(crate) const fn default_choice(self) -> Option<Leave> {
        match self {
            Self::Stop => Some(Leave::Stop),
            Self::StopOrDetach => None,
            Self::Attached | Self::ReadOnly => Some(Leave::Detach),
        }
    }
}

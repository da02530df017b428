//! The groups of replays.

/// What the names of their groups begin with.
pub(crate) const GROUP: &str = "replay:";

/// Whether a group is one of a replay, by its name.
pub fn is_replay_group(name: &str) -> bool {
    name.starts_with(GROUP)
}

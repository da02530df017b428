//! How a text is cut, and what stands for what is taken out.

/// What stands for what is not shown.
pub(super) const HIDDEN: &str = "…";

/// The last place between two characters that is not behind `at`.
pub(super) fn boundary_before(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

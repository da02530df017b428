//! Values that are said once in a batch, and referred to from then on.
//!
//! A reference is 0 for a value that is new, whose bytes follow, and otherwise how many were new since, itself among them: what
//! was new last has the smallest.

use std::collections::HashMap;
use std::hash::Hash;

/// What was written so far.
pub(super) struct Written<T>(HashMap<T, usize>);

impl<T: Hash + Eq + Clone> Written<T> {
    pub(super) fn new() -> Self {
        Self(HashMap::new())
    }

    /// The reference to a value, which is known from now on.
    pub(super) fn refer(&mut self, value: &T) -> u32 {
        let count = self.0.len();
        if let Some(at) = self.0.get(value) {
            return u32::try_from(count - at).unwrap_or(u32::MAX);
        }
        self.0.insert(value.clone(), count);
        0
    }
}

/// What was read so far.
pub(super) struct Read<T>(Vec<T>);

impl<T: Clone> Read<T> {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    /// The value of a reference; one that is new is taken by `new`.
    pub(super) fn get(&mut self, reference: u32, new: impl FnOnce() -> Option<T>) -> Option<T> {
        if reference == 0 {
            let value = new()?;
            self.0.push(value.clone());
            return Some(value);
        }
        let at = self.0.len().checked_sub(usize::try_from(reference).ok()?)?;
        self.0.get(at).cloned()
    }
}

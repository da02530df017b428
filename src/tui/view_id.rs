//! A view by its name. Which views there are is known above, in `view`: what remembers or names one needs no more than this.

/// A view, as the key map names it: `streams`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ViewId(&'static str);

impl ViewId {
    /// Where the screen begins, and where Back leads.
    pub(crate) const OVERVIEW: Self = Self::new("overview");

    pub(crate) const fn new(name: &'static str) -> Self {
        Self(name)
    }

    pub(crate) const fn name(self) -> &'static str {
        self.0
    }
}

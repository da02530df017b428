//! What there is of each table.

use std::ops::{Index, IndexMut};

use super::declared::TableId;

/// Something for each table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerTable<T>([T; TableId::ALL.len()]);

impl<T> PerTable<T> {
    /// Makes it of what there is for each.
    pub fn of(make: impl FnMut(TableId) -> T) -> Self {
        Self(TableId::ALL.map(make))
    }

    /// The same, but for one.
    #[must_use]
    pub fn with(mut self, table: TableId, value: T) -> Self {
        self[table] = value;
        self
    }

    /// Each table with what there is for it, in the order in which they are shown.
    pub fn iter(&self) -> impl Iterator<Item = (TableId, &T)> {
        TableId::ALL.into_iter().zip(&self.0)
    }
}

impl<T> Index<TableId> for PerTable<T> {
    type Output = T;

    fn index(&self, table: TableId) -> &T {
        &self.0[table as usize]
    }
}

impl<T> IndexMut<TableId> for PerTable<T> {
    fn index_mut(&mut self, table: TableId) -> &mut T {
        &mut self.0[table as usize]
    }
}

//! Rows that count their changes in `version`, as far as this process knows them.
//!
//! A read may be answered by a replica that lags. It never takes back what this process has read or written before. A process that
//! has just begun knows nothing, and believes what it reads.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::warehouse::control::{Checkpoint, JobRecord};

/// Rows that are remembered. Of more those with the lowest versions are forgotten, which are read as they are then.
const MOST: usize = 1_000;

/// A row, and which change of it this is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Versioned<T> {
    pub(super) version: u64,
    pub(super) value: T,
}

/// The newest of each row of a table, by its pipeline and its name there.
pub(super) struct Newest<T>(Mutex<HashMap<(String, String), Versioned<T>>>);

/// What this process knows of the rows that polytape keeps for itself.
#[derive(Default)]
pub(super) struct Known {
    pub(super) checkpoints: Newest<Checkpoint>,
    pub(super) desired_states: Newest<String>,
    pub(super) jobs: Newest<JobRecord>,
}

impl<T> Default for Newest<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Newest<T> {
    /// Takes note of a row, and says what is the newest that is known of it. Of equals it is the one that came last.
    pub(super) fn take(&self, pipeline: &str, name: &str, found: Versioned<T>) -> T {
        let mut rows = self.0.lock();
        let key = (pipeline.to_owned(), name.to_owned());
        if let Some(known) = rows.get(&key).filter(|known| known.version > found.version) {
            return known.value.clone();
        }
        let value = found.value.clone();
        rows.insert(key, found);
        if rows.len() > MOST
            && let Some(oldest) = rows.iter().min_by_key(|(_, row)| row.version).map(|(key, _)| key.clone())
        {
            rows.remove(&oldest);
        }
        value
    }

    /// The row, if it is known.
    pub(super) fn get(&self, pipeline: &str, name: &str) -> Option<Versioned<T>> {
        self.0.lock().get(&(pipeline.to_owned(), name.to_owned())).cloned()
    }

    /// All rows of a pipeline that are known, by name.
    pub(super) fn all(&self, pipeline: &str) -> HashMap<String, T> {
        let rows = self.0.lock();
        let of_pipeline = rows.iter().filter(|((of, _), _)| of == pipeline);
        of_pipeline.map(|((_, name), row)| (name.clone(), row.value.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(version: u64, value: &str) -> Versioned<String> {
        Versioned { version, value: value.into() }
    }

    #[test]
    fn what_is_older_changes_nothing() {
        let newest = Newest::default();
        assert_eq!(newest.take("main", "a", row(3, "pause")), "pause");
        assert_eq!(newest.take("main", "a", row(2, "run")), "pause");
        assert_eq!(newest.take("main", "a", row(3, "stop")), "stop", "two processes may have counted to the same");
        assert_eq!(newest.take("other", "a", row(1, "run")), "run", "another pipeline");
        assert_eq!(newest.get("main", "a"), Some(row(3, "stop")));
        assert_eq!(newest.get("main", "b"), None);
        assert_eq!(newest.all("main"), HashMap::from([("a".into(), "stop".into())]));
    }

    #[test]
    fn no_more_rows_are_remembered_than_that() {
        let newest = Newest::default();
        for version in 0..2 * MOST as u64 {
            newest.take("main", &version.to_string(), row(version, "run"));
        }
        let all = newest.all("main");
        assert_eq!(all.len(), MOST);
        assert!(!all.contains_key("0") && all.contains_key("1999"), "those that changed last");
    }
}

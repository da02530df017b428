//! What belongs to a source that is not read: it is shown once there is something of it.

use super::snapshot::Snapshot;
use crate::flow::{StageId, StreamId};

/// Hides a stream and its table where nobody reads their source and nothing is in them.
pub(super) fn hide(snapshot: &mut Snapshot) {
    for stream in StreamId::ALL {
        let Some(source) = stream.only_of() else { continue };
        let (name, table) = (stream.as_str(), stream.reader().and_then(StageId::table));
        let is_its = |named: &str| table.is_some_and(|table| table.as_str() == named);
        let is_read = snapshot.beside.iter().any(|beside| beside.name == source);
        let has_entries = snapshot.streams.iter().any(|view| view.name == name && view.entries.value > Some(0));
        let mut tables = snapshot.tables.iter().filter(|view| is_its(&view.name));
        let has_rows = tables.any(|view| view.rows.value.is_some_and(|count| count.rows > 0));
        if !is_read && !has_entries && !has_rows {
            snapshot.streams.retain(|view| view.name != name);
            snapshot.tables.retain(|view| !is_its(&view.name));
        }
    }
}

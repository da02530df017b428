//! The selected line as a text: what `y` copies.

use std::sync::Arc;

use super::state::{Pane, State, Target};
use crate::logs;
use crate::units::{rows, thousands};

/// The selected line of the pane that has the keys.
pub(crate) fn selected(state: &State) -> Option<String> {
    let shown = state.shown();
    let at = state.selected(state.focused());
    match state.focused() {
        Pane::Stages => Some(match state.target()? {
            Target::Stage(stage) => {
                let cause = stage.cause.as_deref().unwrap_or_default();
                format!("{} {} {} moved {cause}", stage.name, stage.state, thousands(stage.moved)).trim_end().to_owned()
            }
            Target::Job(job) => format!("replay {} of {}: {} of {}", job.id, job.stage, job.done, job.total),
        }),
        Pane::Streams => {
            let stream = shown.streams.get(at)?;
            let entries = stream.entries.value.map_or("unknown".to_owned(), thousands);
            let group = stream.live().cloned().unwrap_or_default();
            Some(format!("{}: {entries} entries, lag {}, pending {}", stream.name, group.lag, group.pending))
        }
        Pane::Tables => {
            let table = shown.tables.get(at)?;
            let rows = table.rows.value.map_or("unknown".to_owned(), |count| rows(count, thousands));
            Some(format!("{}: {rows} rows", table.name))
        }
        Pane::Tape => {
            let row = shown.tape.value.as_ref()?.get(at)?;
            Some(serde_json::to_string(row).unwrap_or_default())
        }
        Pane::Logs => {
            let record = match &state.found {
                Some(found) => Arc::clone(&state.find(&found.text).iter().rev().nth(found.at)?.1),
                None => state.ring.newest(1).pop()?.1,
            };
            Some(logs::line(&record))
        }
    }
}

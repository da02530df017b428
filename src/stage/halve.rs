//! Rows that are written as a batch: one that is refused is halved until the rows at fault stand alone.

use std::ops::Range;

use crate::warehouse::{Batch, TableRow, Tables, WarehouseError, WriteRows as _};
use crate::{model::DeadLetter, streams::StageError};

/// Writes a batch, halved as often as some of its rows are refused, for what they hold or for their size. Says which the warehouse will
/// never take, and why. `note` hears of each part how it ended, why a row is refused or that all of them landed, and may end it.
pub(crate) async fn write_halved<R: TableRow>(
    warehouse: &dyn Tables,
    batch: &Batch<R>,
    mut note: impl FnMut(Option<&str>) -> Result<(), StageError>,
) -> Result<Vec<(usize, String)>, StageError> {
    let (rows, mut refused) = (batch.rows(), Vec::new());
    let mut parts: Vec<Range<usize>> = std::iter::once(0..rows.len()).collect();
    while let Some(part) = parts.pop() {
        if part.is_empty() {
            continue;
        }
        let written = match part.len() == rows.len() {
            true => warehouse.write(batch.into()).await,
            false => warehouse.write_rows(&rows[part.clone()]).await,
        };
        match written {
            Ok(()) => note(None)?,
            Err(error) if part.len() > 1 && error.asks_for_less() => {
                let middle = part.start + part.len() / 2;
                parts.extend([middle..part.end, part.start..middle]);
            }
            Err(error) => {
                let Some(reason) = error.refuses_row().map(str::to_owned) else { return Err(error.into()) };
                note(Some(&reason))?;
                refused.push((part.start, reason));
            }
        }
    }
    Ok(refused)
}

/// Writes dead letters. One that is refused is an error: there is no other place for it.
pub(crate) async fn write_letters(warehouse: &dyn Tables, letters: &[DeadLetter]) -> Result<(), StageError> {
    match write_halved(warehouse, &Batch::from(letters.to_vec()), |_| Ok(())).await?.pop() {
        None => Ok(()),
        Some((at, reason)) => {
            let position = &letters[at].position;
            Err(WarehouseError::Rows(format!("the dead letter of {position}: {reason}")).into())
        }
    }
}

//! Rows that are written outside of the streams, by the resolver and by replays: what is refused is halved until the rows at
//! fault stand alone.

use std::ops::Range;

use futures::future::BoxFuture;

use crate::model::DeadLetter;
use crate::warehouse::{Warehouse, WarehouseError};

/// Writes rows, halved as often as some of them are refused, for what they hold or for their size. Says which the warehouse will never
/// take, and why.
pub(super) async fn write_halved<T>(
    warehouse: &dyn Warehouse,
    rows: &[T],
    write: impl for<'a> Fn(&'a dyn Warehouse, &'a [T]) -> BoxFuture<'a, Result<(), WarehouseError>>,
) -> Result<Vec<(usize, String)>, WarehouseError> {
    let mut refused = Vec::new();
    let mut parts: Vec<Range<usize>> = std::iter::once(0..rows.len()).collect();
    while let Some(part) = parts.pop() {
        match write(warehouse, &rows[part.clone()]).await {
            Ok(()) => {}
            Err(error) if part.len() > 1 && error.asks_for_less() => {
                let middle = part.start + part.len() / 2;
                parts.extend([middle..part.end, part.start..middle]);
            }
            Err(error) => match error.refuses_row() {
                Some(reason) if !part.is_empty() => refused.push((part.start, reason.to_owned())),
                _ => return Err(error),
            },
        }
    }
    Ok(refused)
}

/// Writes dead letters. One that is refused is an error: there is no other place for it.
pub(super) async fn write_letters(warehouse: &dyn Warehouse, letters: &[DeadLetter]) -> Result<(), WarehouseError> {
    let refused = write_halved(warehouse, letters, |warehouse, part| warehouse.write_dead_letters(part));
    match refused.await?.pop() {
        None => Ok(()),
        Some((at, reason)) => {
            let position = &letters[at].position;
            Err(WarehouseError::Rows(format!("the dead letter of {position}: {reason}")))
        }
    }
}

//! The tables, each declared in one file. Whoever adds a table adds a file here and its line in [`with_rows`].

mod dead_letters;
mod markets;
mod trades;
mod trades_goldsky;

use super::{table::declaration::Table, table::row::TableRow};
use crate::flow::TableId;

/// Says something of the kind of rows that a table holds: the one place that knows which kind that is.
macro_rules! with_rows {
    ($table:expr, $Row:ident => $said:expr) => {
        $crate::warehouse::with_rows! {
            @ $table, $Row => $said;
            Trades: Trade,
            Markets: Market,
            DeadLetters: DeadLetter,
            TradesGoldsky: GoldskyTrade,
        }
    };
    (@ $table:expr, $Row:ident => $said:expr; $($id:ident: $kind:ident,)+) => {
        match $table {
            $($crate::flow::TableId::$id => {
                type $Row = $crate::model::$kind;
                $said
            })+
        }
    };
}
pub(crate) use with_rows;

impl Table {
    /// The declaration of a table.
    pub(super) const fn of(id: TableId) -> &'static Self {
        with_rows!(id, Row => &<Row as TableRow>::TABLE)
    }

    /// The tables whose rows the resolver completes.
    pub(super) fn of_trades() -> impl Iterator<Item = &'static Self> {
        TableId::ALL.into_iter().map(Self::of).filter(|table| table.has_trades)
    }
}

#[cfg(test)]
mod tests;

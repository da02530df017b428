//! What a table is to both stores: what identifies its rows, and each column with the value that is written to it.
//!
//! The bytes and statements that write a row, the question whether it is there, and the check of the schema follow from that. Each
//! table is declared in a file of `row/`.

pub(super) mod cells;
pub(super) mod declaration;
pub(super) mod row;

//! Faults of the outside that earlier versions believed: each is a source, a server or a terminal that behaves so, the
//! binary beside it, and the tables compared with the truth, whole rows.
//!
//! `scripts/against REV` runs these with the binary of another revision, which shows that they can fail.

mod estimated_rows;
mod gateway_not_found;
mod gateway_too_large;
mod outcomes_null;
mod unconfirmed_insert;

//! Faults of the outside that earlier versions believed: each is a source, a server or a terminal that behaves so, the
//! binary beside it, and the tables compared with the truth, whole rows.
//!
//! `scripts/against REV` runs these with the binary of another revision, which shows that they can fail.

mod block_timestamps;
mod capped_answers;
mod garbled_places;
mod heads_too_high;
mod huge_answers;
mod left_out_logs;
mod refused_ranges;
mod stale_backends;
mod tip_cost;
mod unknown_layouts;
mod wrong_chains;

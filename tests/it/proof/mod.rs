//! Faults of the outside that earlier versions believed: each is a source, a server or a terminal that behaves so, the
//! binary beside it, and the tables compared with the truth, whole rows.
//!
//! `scripts/against REV` runs these with the binary of another revision, which shows that they can fail.

mod bad_entries;
mod block_timestamps;
mod capped_answers;
mod demoted_redis;
mod estimated_rows;
mod failing_dependencies;
mod garbled_places;
mod gateway_not_found;
mod gateway_too_large;
mod heads_too_high;
mod huge_answers;
mod late_answers;
mod left_out_logs;
mod lost_streams;
mod markets_of_both_protocols;
mod one_file;
mod other_world;
mod outcomes_null;
mod oversized_answers;
mod poisonous_market;
mod private_files;
mod refused_ranges;
mod repeated_keys;
mod stale_backends;
mod tip_cost;
mod two_times;
mod unconfirmed_insert;
mod unknown_layouts;
mod unreachable_at_start;
mod wrong_chains;

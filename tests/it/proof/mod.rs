//! Faults of the outside that earlier versions believed: each is a source, a server or a terminal that behaves so, the
//! binary beside it, and the tables compared with the truth, whole rows.
//!
//! `scripts/against REV` runs these with the binary of another revision, which shows that they can fail.

mod bad_entries;
mod demoted_redis;
mod estimated_rows;
mod failing_dependencies;
mod gateway_not_found;
mod gateway_too_large;
mod late_answers;
mod lost_streams;
mod markets_of_both_protocols;
mod one_file;
mod other_world;
mod oversized_answers;
mod poisonous_market;
mod private_files;
mod repeated_keys;
mod unconfirmed_insert;
mod unreachable_at_start;

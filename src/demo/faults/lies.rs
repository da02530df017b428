//! How a node lies, or an exchange surprises.
//!
//! A lie changes what a node says and never what happened: the world's truth knows nothing of this file. Which logs are left
//! out or renumbered follows from the log, so a node tells the same lie every time it is asked.

use serde::{Deserialize, Serialize};

use crate::demo::ids::{Kind, id};
use crate::demo::{fills::matching::Event, world::World};

/// The lies of a node. The default is an honest one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lies {
    /// A balancer over a fresh backend and one that is so many blocks behind. Heads and headers come from the fresh one,
    /// half of all questions about logs and receipts go to the other, which answers `[]` for a range that it lacks.
    pub stale_backend: Option<u64>,
    /// What is said of a `blockHash` that is not known.
    pub unknown_hash: UnknownHash,
    /// `eth_getBlockReceipts` does not exist.
    pub no_receipts: bool,
    /// An answer to `eth_getLogs` ends after so many logs, without a word.
    pub cap_logs: Option<usize>,
    /// Of the rows of matches, one in so many is left out of `eth_getLogs` …
    pub omit_rows: Option<u64>,
    /// … of the matches one in so many, with all its rows …
    pub omit_matches: Option<u64>,
    /// … and of direct fills (`fillOrder`) one in so many.
    pub omit_direct: Option<u64>,
    /// In one transaction in so many the logs are numbered from 0 again.
    pub restart_log_index: Option<u64>,
    /// What the logs say of their block's time, in unix seconds.
    pub block_timestamp: Option<u64>,
    /// Its head is so many blocks too high. A header above the true head tells the true head's time and links to nothing.
    pub head_ahead: u64,
    /// A range of more than so many blocks is refused as [`refusal`](Self::refusal) says.
    pub refuse_above: Option<u64>,
    /// How such a range is refused.
    pub refusal: Refusal,
    /// `result: null` where there are no logs.
    pub null_for_none: bool,
}

/// What a node says of a block hash that it does not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownHash {
    /// An error: `unknown block`, as most nodes do.
    #[default]
    Refused,
    /// `[]`
    Empty,
    /// `null`
    Null,
}

/// How a range is refused. The words are those of providers of 2026-09, and some that nobody has said yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// Any of the others that are a JSON-RPC error, by chance.
    #[default]
    AnyWords,
    /// -32602 and `range … exceeds limit of …`
    RangeExceedsLimit,
    /// -32005 and the same words.
    RangeExceedsLimitByRate,
    /// `must not exceed … blocks`
    MustNotExceed,
    /// A limit of 10,000 is named to whom asks for far less, as for old blocks.
    AbsurdLimit,
    /// HTTP 403 and a word about archives.
    ArchiveForbidden,
    /// Words that mean nothing.
    UnknownWords,
    /// -32602 and nothing about the range.
    InvalidParams,
    /// -32005 and nothing about the range.
    LimitExceeded,
    /// HTTP 500.
    Http500,
    /// HTTP 502 and a page for people.
    Http502,
    /// The connection closes in the middle of the body.
    CutBody,
}

impl Lies {
    /// Whether `eth_getLogs` gives other logs than there are, or says other things of them.
    pub(in crate::demo) fn alter_logs(&self) -> bool {
        self.omit_rows.is_some()
            || self.omit_matches.is_some()
            || self.omit_direct.is_some()
            || self.restart_log_index.is_some()
            || self.block_timestamp.is_some()
    }

    /// Whether a log is left out.
    pub(in crate::demo) fn omits(&self, world: &World, event: &Event) -> bool {
        let is_direct = world.wallets().operators.contains(&event.intent.taker);
        let chosen = |rate: Option<u64>, mark: u64, part: u64| {
            rate.is_some_and(|rate| one_in(rate, world, [part, mark, event.group, event.transaction_index], event))
        };
        if is_direct {
            return chosen(self.omit_direct, 1, 0);
        }
        chosen(self.omit_rows, 2, event.log_index) || chosen(self.omit_matches, 3, 0)
    }

    /// Whether the logs of an event's transaction are numbered from 0 again.
    pub(in crate::demo) fn restarts_index(&self, world: &World, event: &Event) -> bool {
        self.restart_log_index.is_some_and(|rate| one_in(rate, world, [4, 0, 0, event.transaction_index], event))
    }
}

/// Whether a thing of an event's transaction is the one in so many.
fn one_in(rate: u64, world: &World, [a, b, c, d]: [u64; 4], event: &Event) -> bool {
    let transaction = u64::from_be_bytes(event.transaction_hash[..8].try_into().unwrap_or_default());
    let hash = id(world.config().seed, Kind::Lie, [a, b, c, d, transaction]);
    u64::from_be_bytes(hash[..8].try_into().unwrap_or_default()).is_multiple_of(rate.max(1))
}

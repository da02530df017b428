//! What an exchange emits that is no fill: a new implementation behind a proxy, and events that nobody knows.
//!
//! Fills of a new layout would be missing without a word, as those of the second generation once were. So `Upgraded` is in
//! the filter of every reading, and at the start and once an hour some blocks are read without naming events. What is found
//! is counted and told; it never becomes a dead letter and stops nothing.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use alloy_primitives::{Address, B256, b256, keccak256};

use super::Polygon;
use super::endpoint::Endpoint;
use super::failure::Failure;
use super::filter;
use super::list::{self, Said};
use super::log::ReadLog;
use crate::model::{Exchange, ORDER_FILLED_V1, ORDER_FILLED_V2};

/// `Upgraded(address)`, of a proxy whose implementation was replaced.
pub(super) const UPGRADED: B256 = b256!("bc7cd75a20ee27fd9adebab32041f755214dbc6bffa90cc0225b39da2e5c2d3b");

/// How often some blocks are read without naming events.
const EVERY: Duration = Duration::from_secs(60 * 60);

/// After a failure it is tried again.
const AGAIN: Duration = Duration::from_secs(60);

/// How many blocks are read so, up to the head.
const BLOCKS: u64 = 8;

/// Kinds of unknown events that are told apart; further ones count with the last.
const KINDS: usize = 16;

/// The events of the exchanges that are no fills and need nobody's attention.
const KNOWN: [&str; 21] = [
    "OrdersMatched(bytes32,address,uint256,uint256,uint256,uint256)",
    "OrdersMatched(bytes32,address,uint8,uint256,uint256,uint256)",
    "FeeCharged(address,uint256,uint256)",
    "FeeCharged(address,uint256)",
    "TokenRegistered(uint256,uint256,bytes32)",
    "OrderCancelled(bytes32)",
    "NewAdmin(address,address)",
    "NewOperator(address,address)",
    "RemovedAdmin(address,address)",
    "RemovedOperator(address,address)",
    "TradingPaused(address)",
    "TradingUnpaused(address)",
    "ProxyFactoryUpdated(address,address)",
    "SafeFactoryUpdated(address,address)",
    "Initialized(uint64)",
    "AdminChanged(address,address)",
    "OwnershipTransferred(address,address)",
    "RoleGranted(bytes32,address,address)",
    "RoleRevoked(bytes32,address,address)",
    "Paused(address)",
    "Unpaused(address)",
];

static SIGNATURES: LazyLock<Vec<B256>> = LazyLock::new(|| {
    let known = KNOWN.iter().map(keccak256);
    known.chain([UPGRADED, ORDER_FILLED_V1, ORDER_FILLED_V2]).collect()
});

/// What was found in this run.
#[derive(Debug, Default)]
pub(super) struct Surprises {
    /// By contract and signature.
    unknown: BTreeMap<(Exchange, B256), u64>,
    /// The contract, the block and the new implementation.
    upgrade: Option<(Exchange, u64, Address)>,
    /// When to look again.
    due: Option<Instant>,
}

impl Surprises {
    /// How many events of unknown kinds there were, and of which kind the first is.
    pub(super) fn unknown(&self) -> Option<(u64, String)> {
        let ((exchange, signature), _) = self.unknown.first_key_value()?;
        Some((self.unknown.values().sum(), format!("{signature:#x} of {exchange}")))
    }

    /// The last upgrade, in words.
    pub(super) fn upgrade(&self) -> Option<String> {
        let (exchange, block, implementation) = self.upgrade?;
        Some(format!("{exchange} has a new implementation since block {block}: {implementation:#x}"))
    }
}

impl Polygon {
    /// Notes a log that says that a proxy has a new implementation. It may come more than once.
    pub(super) fn note_upgrade(&self, log: &ReadLog) {
        let (Some(block), Some(raw)) = (log.block, log.other()) else { return };
        let Some(exchange) = Exchange::at(raw.address) else { return };
        let implementation = raw.topics.get(1).map_or(Address::ZERO, |topic| Address::from_word(*topic));
        let found = Some((exchange, block, implementation));
        let mut surprises = self.surprises.lock();
        if surprises.upgrade != found {
            surprises.upgrade = found;
            tracing::warn!(block, "{exchange} has a new implementation, {implementation:#x}: its events may change");
        }
    }

    /// Reads some blocks without naming events, if that is due.
    pub(super) async fn look_for_unknown(&self) {
        let now = Instant::now();
        let Some(head) = self.shared.lock().head.map(super::head::Confirmed::block) else { return };
        if self.surprises.lock().due.is_some_and(|due| now < due) {
            return;
        }
        self.surprises.lock().due = Some(now + AGAIN);
        let Some(endpoint) = self.endpoints.iter().find(|endpoint| endpoint.may_ask(now)) else { return };
        match self.unknown_in(endpoint, head.saturating_sub(BLOCKS - 1), head).await {
            Ok(()) => self.surprises.lock().due = Some(now + EVERY),
            Err(failure) => tracing::debug!(endpoint = endpoint.name(), ?failure, "no look at all events"),
        }
    }

    async fn unknown_in(&self, endpoint: &Endpoint, from: u64, to: u64) -> Result<(), Failure> {
        self.check_chain(endpoint).await?;
        let json = endpoint.one(filter::all_events(from, to)).await?;
        let Said::Logs(logs) = list::read(&json).map_err(Failure::Untrusted)? else { return Ok(()) };
        for raw in logs.iter().filter_map(ReadLog::other) {
            let (Some(exchange), Some(signature)) = (Exchange::at(raw.address), raw.topics.first()) else { continue };
            if SIGNATURES.contains(signature) {
                continue;
            }
            let mut surprises = self.surprises.lock();
            let is_new = !surprises.unknown.contains_key(&(exchange, *signature));
            if is_new && surprises.unknown.len() >= KINDS {
                if let Some(mut last) = surprises.unknown.last_entry() {
                    *last.get_mut() += 1;
                }
                continue;
            }
            *surprises.unknown.entry((exchange, *signature)).or_default() += 1;
            if is_new {
                let block = raw.block_number;
                tracing::warn!(block, "{exchange} emits an unknown event, {signature:#x}: fills may be among them");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hashes that stand in other sources pin how signatures are written here.
    #[test]
    fn signatures_are_those_of_the_contracts() {
        let known: Vec<String> = SIGNATURES.iter().map(|hash| format!("{hash:#x}")).collect();
        for hash in [
            "0x63bf4d16b7fa898ef4c4b2b6d90fd201e9c56313b65638af6088d149d2ce956c",
            "0x174b3811690657c217184f89418266767c87e4805d09680c39fc9c031c0cab7c",
            "0xacffcc86834d0f1a64b0d5a675798deed6ff0bcfc2231edd3480e7288dba7ff4",
            "0x55bb3cade9d43b798a4fe5ffdd05024b2d7870df53920673bfc7e68047cd0ab1",
            "0xbc9a2432e8aeb48327246cddd6e872ef452812b4243c04e6bfb786a2cd8faf0d",
            "0x5152abf959f6564662358c2e52b702259b78bac5ee7842a0f01937e670efcc7d",
            "0xbc7cd75a20ee27fd9adebab32041f755214dbc6bffa90cc0225b39da2e5c2d3b",
        ] {
            assert!(known.iter().any(|it| it == hash), "{hash}");
        }
    }
}

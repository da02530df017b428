//! What logs are asked for: both events of all five contracts.

use alloy_primitives::{Address, B256};

use super::{call::Call, events::UPGRADED};
use crate::model::{Exchange, ORDER_FILLED_V1, ORDER_FILLED_V2};

/// The events that are asked for: both fills, and the word of a proxy that its implementation was replaced.
const EVENTS: [B256; 3] = [ORDER_FILLED_V1, ORDER_FILLED_V2, UPGRADED];

/// Which blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blocks {
    /// From this one to that one, both inclusive.
    Range(u64, u64),
    /// The one with this hash. A node that lacks it says so, most of the time.
    Hash(B256),
}

/// `eth_getLogs` for all contracts.
pub(super) fn logs(blocks: Blocks) -> Call {
    logs_of(blocks, &Exchange::ALL.map(Exchange::address))
}

/// `eth_getLogs` for one contract.
pub(super) fn logs_of_one(blocks: Blocks, exchange: Exchange) -> Call {
    logs_of(blocks, &[exchange.address()])
}

/// `eth_getLogs` for all contracts and whatever they emit.
pub(super) fn all_events(from: u64, to: u64) -> Call {
    let addresses = Exchange::ALL.map(|exchange| format!("\"{:#x}\"", exchange.address())).join(",");
    let params = format!(r#"[{{"fromBlock":"{from:#x}","toBlock":"{to:#x}","address":[{addresses}]}}]"#);
    Call { method: "eth_getLogs", params }
}

fn logs_of(blocks: Blocks, addresses: &[Address]) -> Call {
    let blocks = match blocks {
        Blocks::Range(from, to) => format!(r#""fromBlock":"{from:#x}","toBlock":"{to:#x}""#),
        Blocks::Hash(hash) => format!(r#""blockHash":"{hash:#x}""#),
    };
    let addresses: Vec<String> = addresses.iter().map(|address| format!("\"{address:#x}\"")).collect();
    let topics = EVENTS.map(|topic| format!("\"{topic:#x}\"")).join(",");
    let params = format!(r#"[{{{blocks},"address":[{}],"topics":[[{topics}]]}}]"#, addresses.join(","));
    Call { method: "eth_getLogs", params }
}

/// Whether a log is one that the filter asks for.
pub(super) fn wants(address: Address, topics: &[B256]) -> bool {
    Exchange::at(address).is_some() && topics.first().is_some_and(|event| EVENTS.contains(event))
}

/// Whether the text of a log that cannot be read names an event that the filter asks for.
pub(super) fn may_want(raw: &[u8]) -> bool {
    let text = String::from_utf8_lossy(raw).to_ascii_lowercase();
    EVENTS.iter().any(|event| text.contains(&format!("{event:x}")))
}

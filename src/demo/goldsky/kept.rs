//! Which fills of a block the subgraph has.

use std::collections::HashMap;

use alloy_primitives::B256;

use crate::demo::fills::matching::{Defect, Event};
use crate::demo::world::Block;
use crate::model::Exchange;

/// The fills of a block that stand, and how many good ones a later fill of the same order and transaction replaced.
#[derive(Debug, Default)]
pub(in crate::demo) struct Kept<'a> {
    pub(in crate::demo) events: Vec<&'a Event>,
    pub(in crate::demo) collapsed: u64,
}

/// Of the fills with one id the last one stands, even where it is broken and the one before was good.
pub(in crate::demo) fn kept(block: &Block) -> Kept<'_> {
    let mut kept = Kept::default();
    let mut places: HashMap<(B256, B256), usize> = HashMap::new();
    for event in block.events.iter().filter(|event| indexes(event)) {
        let id = (event.transaction_hash, event.intent.order_hash);
        if let Some(place) = places.get(&id) {
            let replaced = std::mem::replace(&mut kept.events[*place], event);
            kept.collapsed += u64::from(replaced.intent.defect.is_none());
        } else {
            places.insert(id, kept.events.len());
            kept.events.push(event);
        }
    }
    kept
}

/// Whether its mappings see a log: one of the V1 exchanges, and long enough to be decoded.
fn indexes(event: &Event) -> bool {
    let is_v1 = matches!(event.intent.exchange, Exchange::CtfV1 | Exchange::NegRiskV1);
    is_v1 && event.intent.defect != Some(Defect::CutData)
}

//! Which logs an `eth_getLogs` asks for.

use alloy_primitives::{Address, B256};
use serde_json::Value;

use super::{render, rpc_error::RpcError};
use crate::demo::fills::matching::Intent;
use crate::model::{Exchange, ORDER_FILLED_V1, ORDER_FILLED_V2};

/// The `address` and `topics` of a filter. What is not said is not asked.
#[derive(Debug, Default)]
pub(in crate::demo) struct Filter {
    addresses: Option<Vec<Address>>,
    topics: Vec<Option<Vec<B256>>>,
}

impl Filter {
    /// Reads the two fields of the filter object.
    pub(in crate::demo) fn parse(filter: &Value) -> Result<Self, RpcError> {
        let malformed = |part: &str| RpcError::invalid(&format!("cannot read the filter's {part}"));
        let addresses = one_or_many(&filter["address"]).ok_or_else(|| malformed("address"))?;
        let topics = match &filter["topics"] {
            Value::Null => Vec::new(),
            Value::Array(places) if places.len() <= 4 => {
                places.iter().map(one_or_many).collect::<Option<_>>().ok_or_else(|| malformed("topics"))?
            }
            _ => return Err(malformed("topics")),
        };
        Ok(Self { addresses, topics })
    }

    /// Whether every fill of every exchange passes.
    pub(in crate::demo) fn takes_all_fills(&self) -> bool {
        let addresses = self.addresses.as_ref();
        let mut topics = self.topics.iter();
        let signatures = topics.next().and_then(Option::as_ref);
        addresses.is_none_or(|some| Exchange::ALL.iter().all(|exchange| some.contains(&exchange.address())))
            && signatures.is_none_or(|some| some.contains(&ORDER_FILLED_V1) && some.contains(&ORDER_FILLED_V2))
            && topics.all(Option::is_none)
    }

    /// Those that are fills.
    pub(in crate::demo) fn fills() -> Self {
        Self { addresses: None, topics: vec![Some(vec![ORDER_FILLED_V1, ORDER_FILLED_V2])] }
    }

    /// Whether logs that are no fills may pass.
    pub(in crate::demo) fn takes_others(&self) -> bool {
        self.topics.first().and_then(Option::as_ref).is_none_or(|some| {
            some.iter().any(|signature| *signature != ORDER_FILLED_V1 && *signature != ORDER_FILLED_V2)
        })
    }

    /// Whether it says nothing of signatures.
    pub(in crate::demo) fn takes_any_signature(&self) -> bool {
        self.topics.first().and_then(Option::as_ref).is_none()
    }

    /// Whether the log of an intent passes.
    pub(in crate::demo) fn takes(&self, intent: &Intent) -> bool {
        self.passes(intent.exchange.address(), &render::topics(intent))
    }

    /// Whether a log passes.
    pub(in crate::demo) fn passes(&self, address: Address, topics: &[B256]) -> bool {
        let wanted = |place: usize, some: &Vec<B256>| topics.get(place).is_some_and(|topic| some.contains(topic));
        self.addresses.as_ref().is_none_or(|some| some.contains(&address))
            && self.topics.iter().enumerate().all(|(place, some)| some.as_ref().is_none_or(|some| wanted(place, some)))
    }
}

/// `null` or an empty list (anything), one value, or a list of values. `None` where it is none of them.
fn one_or_many<T: std::str::FromStr>(value: &Value) -> Option<Option<Vec<T>>> {
    let one = |value: &Value| value.as_str().filter(|text| text.starts_with("0x"))?.parse().ok();
    match value {
        Value::Null => Some(None),
        Value::Array(values) if values.is_empty() => Some(None),
        Value::Array(values) => values.iter().map(one).collect::<Option<_>>().map(Some),
        value => Some(Some(vec![one(value)?])),
    }
}

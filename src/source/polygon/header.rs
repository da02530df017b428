//! A block's header, as far as it matters here.

use alloy_primitives::B256;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{elements, hex};
use crate::secrets::excerpt;

/// Number, hash and time of a block, and what proves them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) number: u64,
    pub(super) hash: B256,
    /// The hash of the block before it; every node says it, but nothing is lost where one does not.
    pub(super) parent: Option<B256>,
    /// Unix seconds.
    pub(super) timestamp: u64,
    /// How many transactions it has, where it says so.
    pub(super) transactions: Option<u64>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
struct Fields<'a> {
    number: &'a RawValue,
    hash: &'a RawValue,
    timestamp: &'a RawValue,
    #[serde(default, rename = "parentHash")]
    parent: Option<&'a RawValue>,
    #[serde(default)]
    transactions: Option<&'a RawValue>,
}

impl Header {
    /// Reads the result of `eth_getBlockByNumber`; `None` where the node does not have the block.
    pub(super) fn read(json: &[u8]) -> Result<Option<Self>, String> {
        let unreadable = |cause: serde_json::Error| {
            format!("a block header that cannot be read: {}", excerpt(&cause.to_string(), 120))
        };
        let Some(fields) = serde_json::from_slice::<Option<Fields<'_>>>(json).map_err(unreadable)? else {
            return Ok(None);
        };
        let named = |name: &'static str| move |cause: String| format!("a block header whose {name} {cause}");
        Ok(Some(Self {
            number: hex::quantity(fields.number.get()).map_err(named("number"))?,
            hash: hex::fixed(fields.hash.get()).map_err(named("hash"))?.into(),
            parent: fields.parent.and_then(|parent| hex::fixed(parent.get()).ok()).map(B256::from),
            timestamp: hex::quantity(fields.timestamp.get()).map_err(named("timestamp"))?,
            transactions: fields.transactions.and_then(|list| elements::count(list.get()).ok()),
        }))
    }

    /// Reads the header of block `number`, and refuses that of another.
    pub(super) fn read_of(number: u64, json: &[u8]) -> Result<Option<Self>, String> {
        match Self::read(json)? {
            Some(header) if header.number != number => {
                Err(format!("the header of block {} for block {number}", header.number))
            }
            header => Ok(header),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_header_and_none() {
        let hash = B256::repeat_byte(7);
        let json = format!(r#"{{"number":"0x10","hash":"{hash}","timestamp":"0x5","miner":{{"x":[1]}}}}"#);
        let bare = Header { number: 16, hash, parent: None, timestamp: 5, transactions: None };
        assert_eq!(Header::read(json.as_bytes()), Ok(Some(bare)));
        let more = format!(r#","parentHash":"{hash}","transactions":["0x1",{{"hash":"0x2"}},"0x3"]}}"#);
        let json = format!("{}{more}", &json[..json.len() - 1]);
        let whole = Header { parent: Some(hash), transactions: Some(3), ..bare };
        assert_eq!(Header::read(json.as_bytes()), Ok(Some(whole)));
        assert_eq!(Header::read(b"null"), Ok(None));
        assert!(Header::read_of(17, json.as_bytes()).unwrap_err().contains("block 16 for block 17"));
    }

    #[test]
    fn says_what_is_wrong() {
        for json in ["{}", "[]", "7", "", r#"{"number":null,"hash":"0x","timestamp":"0x1"}"#] {
            assert!(Header::read(json.as_bytes()).is_err(), "{json}");
        }
    }
}

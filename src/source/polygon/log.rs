//! One log of an `eth_getLogs` answer: JSON to a fill, or to the reason why it is none.
//!
//! The JSON is a slice of the body, which it keeps alive; hex is decoded straight into its place. A field that cannot be
//! read spoils this log only, and as much of its place as can be read is kept.

use alloy_primitives::{B256, hex as hexadecimal, keccak256};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{elements, events::UPGRADED, hex};
use crate::model::{Fill, RawLog, decode_order_filled};
use crate::secrets::excerpt;

/// A log holds at most this many topics: the EVM has LOG0 to LOG4.
const MAX_TOPICS: usize = 4;

/// The parser quotes what it did not expect, which may be long.
const REASON: usize = 120;

/// A log that is longer than this is not sorted before it is hashed: parsed JSON takes many times its length.
const MOST_SORTED: usize = 64 * 1024;

/// A log as a node sent it.
#[derive(Clone, Debug)]
pub(super) struct ReadLog {
    /// Its block, where that can be read.
    pub(super) block: Option<u64>,
    /// Its place in the block, where that can be read.
    pub(super) index: Option<u32>,
    /// The place of its transaction in the block, where that is said and can be read.
    pub(super) transaction_index: Option<u64>,
    /// The hash of its block, where that can be read.
    pub(super) block_hash: Option<B256>,
    /// The time of its block, as the log says it: not every node does, and not every one that does says the truth.
    pub(super) timestamp: Option<u64>,
    /// Whether a reorganisation took it back.
    pub(super) removed: bool,
    /// Its transaction, where that can be read.
    pub(super) transaction: Option<B256>,
    /// What it says, or why it cannot be read.
    pub(super) log: Result<Content, String>,
    /// The JSON as received.
    pub(super) raw: Bytes,
}

/// What a log says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// A fill. Its time is that of its block's header, and 0 until the log is put into its block.
    Fill(Fill),
    /// Something else, or a fill that cannot be, and why it is none.
    Other(RawLog, String),
}

/// The fields that matter. Others may come and go.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(super) struct Fields<'a> {
    address: Option<&'a RawValue>,
    topics: Option<&'a RawValue>,
    data: Option<&'a RawValue>,
    block_number: Option<&'a RawValue>,
    block_hash: Option<&'a RawValue>,
    block_timestamp: Option<&'a RawValue>,
    transaction_hash: Option<&'a RawValue>,
    transaction_index: Option<&'a RawValue>,
    log_index: Option<&'a RawValue>,
    removed: Option<&'a RawValue>,
}

impl ReadLog {
    /// Whether a proxy says by it that its implementation was replaced.
    pub(super) fn is_upgrade(&self) -> bool {
        self.other().is_some_and(|log| log.topics.first() == Some(&UPGRADED))
    }

    /// The fill that it is.
    pub(super) fn fill(&self) -> Option<&Fill> {
        match &self.log {
            Ok(Content::Fill(fill)) => Some(fill),
            _ => None,
        }
    }

    /// The log, where it is no fill.
    pub(super) fn other(&self) -> Option<&RawLog> {
        match &self.log {
            Ok(Content::Other(log, _)) => Some(log),
            _ => None,
        }
    }

    /// Reads one element of the array in an answer. Never fails: what cannot be read is said in `log`.
    pub(super) fn read(fields: serde_json::Result<Fields<'_>>, text: &str, answer: &Bytes) -> Self {
        let (fields, broken) = match fields {
            Ok(fields) => (fields, None),
            Err(cause) => (Fields::default(), Some(format!("not a log: {}", excerpt(&cause.to_string(), REASON)))),
        };
        let block = field("blockNumber", fields.block_number, hex::quantity);
        let index = field("logIndex", fields.log_index, index);
        let block_hash = field("blockHash", fields.block_hash, hash);
        let transaction = field("transactionHash", fields.transaction_hash, hash);
        let removed = fields.removed.is_some_and(|removed| removed.get() == "true");
        Self {
            block: block.clone().ok(),
            index: index.clone().ok(),
            transaction_index: fields.transaction_index.and_then(|index| hex::quantity(index.get()).ok()),
            block_hash: block_hash.clone().ok(),
            // Some nodes send zero for "unknown". The header tells then.
            timestamp: fields.block_timestamp.and_then(|t| hex::quantity(t.get()).ok()).filter(|t| *t > 0),
            removed,
            transaction: transaction.clone().ok(),
            log: match broken {
                Some(reason) => Err(reason),
                None => assemble(&fields, block, index, block_hash, transaction),
            },
            raw: answer.slice_ref(text.as_bytes()),
        }
    }

    /// The log of a text by itself.
    #[cfg(test)]
    pub(super) fn of(text: &str) -> Self {
        let answer = Bytes::copy_from_slice(text.as_bytes());
        let text = std::str::from_utf8(&answer).unwrap();
        Self::read(serde_json::from_str(text), text, &answer)
    }

    /// Its position as a dead letter: the place on the chain, or the hash of its JSON where it has none.
    pub(super) fn letter_position(&self) -> String {
        match (self.transaction, self.index) {
            (Some(transaction), Some(index)) => format!("{transaction:#x}:{index}"),
            _ => format!("keccak:{}", hexadecimal::encode_prefixed(keccak256(canonical(&self.raw)))),
        }
    }

    /// Whether this is the same log, sent twice.
    pub(super) fn repeats(&self, other: &Self) -> bool {
        let same = self.log == other.log && self.transaction == other.transaction;
        same && (self.log.is_ok() || self.raw == other.raw)
    }
}

/// Puts the log together, or says which field prevents it.
fn assemble(
    fields: &Fields<'_>,
    block: Result<u64, String>,
    index: Result<u32, String>,
    block_hash: Result<B256, String>,
    transaction: Result<B256, String>,
) -> Result<Content, String> {
    // Not part of a `RawLog`, but without it the log cannot be tied to its block.
    block_hash?;
    if let Some(removed) = fields.removed
        && !matches!(removed.get(), "true" | "false")
    {
        return Err("removed is not a boolean".to_owned());
    }
    let raw = RawLog {
        address: field("address", fields.address, hex::fixed)?.into(),
        topics: field("topics", fields.topics, topics)?,
        data: field("data", fields.data, hex::bytes)?.into(),
        block_number: block?,
        log_index: index?,
        transaction_hash: transaction?,
    };
    // At once, so that what is decoded need not be kept.
    Ok(match decode_order_filled(&raw, 0) {
        Ok(fill) => Content::Fill(fill),
        Err(refusal) => Content::Other(raw, refusal.to_string()),
    })
}

/// Reads one field with `read`, and names it where it is wrong or missing.
fn field<T>(
    name: &'static str,
    json: Option<&RawValue>,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<T, String> {
    let json = json.ok_or_else(|| format!("{name} is missing"))?;
    read(json.get()).map_err(|cause| format!("{name} {cause}"))
}

fn hash(json: &str) -> Result<B256, String> {
    hex::fixed(json).map(B256::from)
}

fn index(json: &str) -> Result<u32, String> {
    u32::try_from(hex::quantity(json)?).map_err(|_| "is above 32 bits".to_owned())
}

fn topics(json: &str) -> Result<Vec<B256>, String> {
    let mut topics = Vec::with_capacity(MAX_TOPICS);
    let list = elements::each(json, |topic: &RawValue| {
        if topics.len() == MAX_TOPICS {
            return Err(format!("has more than {MAX_TOPICS} elements, more than a log can"));
        }
        topics.push(hash(topic.get()).map_err(|cause| format!("has an element that {cause}"))?);
        Ok(())
    });
    match list {
        Ok(()) => Ok(topics),
        Err(elements::Unreadable::Refused(cause)) => Err(cause),
        Err(elements::Unreadable::NoList(_) | elements::Unreadable::BreaksOff(_)) => Err("is not a list".to_owned()),
    }
}

/// The same text for the same JSON, however it is spaced and its keys are ordered.
fn canonical(raw: &[u8]) -> Vec<u8> {
    if raw.len() > MOST_SORTED {
        return raw.to_vec();
    }
    let sorted = serde_json::from_slice::<serde_json::Value>(raw).and_then(|value| serde_json::to_vec(&value));
    sorted.unwrap_or_else(|_| raw.to_vec())
}

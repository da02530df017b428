//! One row: where it stands, and the fill that it is.

use serde_json::value::RawValue;

use super::place::Place;
use crate::model::{Address, B256, Fill, U256, UnplacedFill};
use crate::source::http::fields;

/// What is read of a row.
const FIELDS: [&str; 11] = [
    "id",
    "transactionHash",
    "timestamp",
    "orderHash",
    "maker",
    "taker",
    "makerAssetId",
    "takerAssetId",
    "makerAmountFilled",
    "takerAmountFilled",
    "fee",
];

type Fields<'a> = Vec<(&'static str, &'a RawValue)>;

/// The place behind a row. A row that does not tell it cannot stand in any order.
pub(super) fn place(raw: &RawValue) -> Result<Place, String> {
    let fields = fields(raw.get(), &FIELDS).map_err(|error| format!("a row that is none: {error}"))?;
    let id = text(&fields, "id")?;
    let second = number(&fields, "timestamp")?;
    let second = second.parse().map_err(|_| format!("timestamp {second} is none"))?;
    Place::behind(second, id).ok_or_else(|| "a row whose id is empty or too long".to_owned())
}

/// The fill, or why it is none.
pub(super) fn fill(raw: &RawValue, place: &Place, source: &str) -> Result<Fill, String> {
    let fields = fields(raw.get(), &FIELDS).map_err(|error| error.to_string())?;
    let hash = |name| hexadecimal(&fields, name, 32).map(|bytes| B256::from_slice(&bytes));
    let wallet = |name| hexadecimal(&fields, name, 20).map(|bytes| Address::from_slice(&bytes));
    let (transaction_hash, order_hash) = (hash("transactionHash")?, hash("orderHash")?);
    if !place.id.eq_ignore_ascii_case(&format!("{transaction_hash:#x}_{order_hash:#x}")) {
        return Err("id is not transactionHash_orderHash".to_owned());
    }
    let word = |name| {
        let digits = number(&fields, name)?;
        U256::from_str_radix(&digits, 10).map_err(|_| format!("{name} does not fit 256 bits"))
    };
    let fill = UnplacedFill {
        timestamp: place.second,
        transaction_hash,
        source_id: format!("{source}:{}", place.id),
        order_hash,
        maker: wallet("maker")?,
        taker: wallet("taker")?,
        words: [
            word("makerAssetId")?,
            word("takerAssetId")?,
            word("makerAmountFilled")?,
            word("takerAmountFilled")?,
            word("fee")?,
        ],
    };
    fill.decode().map_err(|refusal| refusal.to_string())
}

fn json<'a>(fields: &Fields<'a>, name: &str) -> Result<&'a str, String> {
    let field = fields.iter().find(|(known, _)| *known == name);
    field.map(|(_, raw)| raw.get()).ok_or_else(|| format!("{name} is missing"))
}

fn text(fields: &Fields<'_>, name: &str) -> Result<String, String> {
    let json = json(fields, name)?;
    serde_json::from_str(json).map_err(|_| format!("{name} is no text"))
}

/// The digits of a number. All are texts; one that came as a number counts where it is whole: a float is not what was emitted.
fn number(fields: &Fields<'_>, name: &str) -> Result<String, String> {
    let json = json(fields, name)?;
    digits(json).ok_or_else(|| format!("{name} is no whole number in digits"))
}

/// The digits of a whole number, in quotes or not.
pub(super) fn digits(json: &str) -> Option<String> {
    let text = if json.starts_with('"') { serde_json::from_str(json).ok()? } else { json.to_owned() };
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}

fn hexadecimal(fields: &Fields<'_>, name: &str, length: usize) -> Result<Vec<u8>, String> {
    let text = text(fields, name)?;
    let bytes = text.strip_prefix("0x").and_then(|digits| alloy_primitives::hex::decode(digits).ok());
    bytes.filter(|bytes| bytes.len() == length).ok_or_else(|| format!("{name} is not {length} bytes of hex"))
}

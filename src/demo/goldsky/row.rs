//! One `OrderFilledEvent`.

use alloy_primitives::U256;

use crate::demo::faults::goldsky::Malformed;
use crate::demo::fills::matching::{Defect, Event};
use crate::demo::gamma::Object;
use crate::demo::markets::wallets::Wallets;
use crate::model::Side;

/// The fields of the type, in its order.
pub(in crate::demo) const FIELDS: [&str; 11] = [
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

const ID: usize = 0;
const TIMESTAMP: usize = 2;
/// From here on nothing can be told from other fields, and such a one is missing where one is: an address, an asset, …
const FIRST_TO_MISS: usize = 4;
const FIRST_ASSET: usize = 6;

/// A float has about so many digits; what is longer is written with an exponent.
const FLOAT_DIGITS: usize = 17;

/// A field that was asked for, and the name that it gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::demo) struct Selected {
    pub(in crate::demo) key: String,
    /// Index into [`FIELDS`]; `None` for `__typename`.
    pub(in crate::demo) field: Option<usize>,
}

/// A row, as it is served: its id may be a malformed one.
#[derive(Clone, Debug)]
pub(in crate::demo) struct Row {
    timestamp: u64,
    /// In the order of [`FIELDS`].
    values: [String; 11],
    has_numbers: bool,
    missing: Option<usize>,
}

impl Row {
    pub(in crate::demo) fn new(wallets: &Wallets, timestamp: u64, event: &Event, malformed: Malformed) -> Self {
        let intent = &event.intent;
        let token = match intent.defect {
            Some(Defect::NoToken) => "0".to_owned(),
            _ => wallets.market(intent.market).tokens[intent.outcome].decimal.clone(),
        };
        let collateral = "0".to_owned();
        let (assets, [give, take]) = match intent.side {
            Side::Buy => ([collateral, token], [intent.usd, intent.shares]),
            Side::Sell => ([token, collateral], [intent.shares, intent.usd]),
        };
        let [maker_asset, taker_asset] = assets;
        let give = if intent.defect == Some(Defect::HugeAmount) { 10u128.pow(38) + give } else { give };
        let beyond = if malformed.is_huge { U256::from(1u8) << 128 } else { U256::ZERO };
        let give: U256 = beyond + U256::from(give);
        let (transaction, order) = (format!("{:#x}", event.transaction_hash), format!("{:#x}", intent.order_hash));
        let between = if malformed.is_unnamed { "-" } else { "_" };
        let values = [
            format!("{transaction}{between}{order}"),
            transaction,
            timestamp.to_string(),
            order,
            format!("{:#x}", intent.maker),
            format!("{:#x}", intent.taker),
            maker_asset,
            taker_asset,
            give.to_string(),
            take.to_string(),
            intent.fee.to_string(),
        ];
        let may_miss = (FIELDS.len() - FIRST_TO_MISS) as u64;
        let missing = malformed.lacks.map(|number| FIRST_TO_MISS + (number % may_miss) as usize);
        Self { timestamp, values, has_numbers: malformed.has_numbers, missing }
    }

    pub(in crate::demo) fn id(&self) -> &str {
        &self.values[ID]
    }

    pub(in crate::demo) fn timestamp(&self) -> u64 {
        self.timestamp
    }

    /// The value of a field by its place in [`FIELDS`].
    pub(in crate::demo) fn value(&self, field: usize) -> &str {
        &self.values[field]
    }

    /// The object with the fields that were asked for.
    pub(in crate::demo) fn json(&self, selected: &[Selected]) -> String {
        let mut object = Object::new(false);
        for Selected { key, field } in selected {
            match field {
                None => object.text(key, "OrderFilledEvent"),
                Some(field) if self.missing == Some(*field) => &mut object,
                Some(field) if self.has_numbers && (*field == TIMESTAMP || *field >= FIRST_ASSET) => {
                    object.raw(key, number(&self.values[*field]))
                }
                Some(field) => object.text(key, &self.values[*field]),
            };
        }
        object.end()
    }

    /// The object with all fields, in the order of [`FIELDS`].
    pub(in crate::demo) fn whole_json(&self) -> String {
        let all = FIELDS.iter().enumerate();
        let all: Vec<_> = all.map(|(field, name)| Selected { key: (*name).to_owned(), field: Some(field) }).collect();
        self.json(&all)
    }
}

/// Digits as a writer of floats has them.
fn number(digits: &str) -> String {
    match digits.parse::<f64>() {
        Ok(float) if digits.len() > FLOAT_DIGITS => format!("{float:e}"),
        _ => digits.to_owned(),
    }
}

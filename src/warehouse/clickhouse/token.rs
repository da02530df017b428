//! A token as ClickHouse holds it.

use clickhouse::types::UInt256;

use crate::model::{TokenId, U256};

pub(super) fn token_of(number: UInt256) -> TokenId {
    TokenId(U256::from_le_bytes(number.to_le_bytes()))
}

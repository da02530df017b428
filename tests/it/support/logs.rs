//! `OrderFilled` logs that a test writes down itself.

use alloy_primitives::{Address, B256, U256, hex};
use polytape::model::{Exchange, Layout, ORDER_FILLED_V1, ORDER_FILLED_V2, TokenId};
use serde_json::{Value, json};

/// A SELL of shares for dollars, both in millionths.
#[derive(Clone, Copy)]
pub struct Sell {
    pub exchange: Exchange,
    pub block: u64,
    pub log_index: u64,
    pub transaction: u8,
    pub order: u8,
    pub token: TokenId,
    pub shares: u128,
    pub usd: u128,
}

impl Sell {
    /// A small one on the second CTF exchange.
    pub fn of(token: TokenId, block: u64, log_index: u64) -> Self {
        let (shares, usd) = (2_000_000, 1_000_000);
        Self { exchange: Exchange::CtfV2, block, log_index, transaction: 1, order: 1, token, shares, usd }
    }

    /// As `eth_getLogs` gives it.
    pub fn log(&self) -> Value {
        let word = |value: U256| B256::from(value).0;
        let amounts = [U256::from(self.shares), U256::from(self.usd), U256::ZERO].map(word);
        let (signature, words) = match self.exchange.layout() {
            Layout::V1 => (ORDER_FILLED_V1, [&[word(self.token.0), [0; 32]], &amounts[..]].concat()),
            Layout::V2 => {
                let side = word(U256::ONE);
                (ORDER_FILLED_V2, [&[side, word(self.token.0)], &amounts[..], &[[0; 32], [0; 32]]].concat())
            }
        };
        let topics = [
            signature,
            B256::repeat_byte(self.order),
            Address::repeat_byte(3).into_word(),
            Address::repeat_byte(4).into_word(),
        ];
        json!({
            "address": format!("{:#x}", self.exchange.address()),
            "topics": topics.map(|topic| topic.to_string()),
            "data": hex::encode_prefixed(words.concat()),
            "blockNumber": format!("{:#x}", self.block),
            "transactionHash": B256::repeat_byte(self.transaction).to_string(),
            "transactionIndex": format!("{:#x}", self.transaction),
            "blockHash": format!("{:#066x}", self.block),
            "blockTimestamp": format!("{:#x}", 1_687_851_200 + self.block),
            "logIndex": format!("{:#x}", self.log_index),
            "removed": false,
        })
    }
}

/// One log a line, as a recording has them.
pub fn lines(sells: &[Sell]) -> String {
    sells.iter().map(|sell| format!("{}\n", sell.log())).collect()
}

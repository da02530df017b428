//! Reads `OrderFilled` logs of both layouts.
//!
//! Everything about a log is checked: the contract, the signature, the number of topics, the exact length of the data,
//! the padding of addresses, the side or asset rule, the range of amounts. What fails is a [`Refusal`], never a panic
//! and never a guess.
//!
//! The arguments are static ABI words, so they are read by hand; `benches/decode.rs` measures it.

use alloy_primitives::{Address, B256, U256, b256};

use super::{Amount, Exchange, Fill, Layout, PositionId, RawLog, Side, TokenId};

/// `OrderFilled(bytes32,address,address,uint256,uint256,uint256,uint256,uint256)`.
pub const ORDER_FILLED_V1: B256 = b256!("d0a08e8c493f9c94f29311604c9de1b4e8c8d4c06bd0c789af57f2d65bfec0f6");

/// `OrderFilled(bytes32,address,address,uint8,uint256,uint256,uint256,uint256,bytes32,bytes32)`, of V2 and V3.
pub const ORDER_FILLED_V2: B256 = b256!("d543adfd945773f1a62f74f0ee55a5e3b9b1a28262980ba90b1a89f2ea84d8ee");

/// Why a log is not a fill.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Emitted by somebody else.
    #[error("not an exchange contract: {0:#x}")]
    UnknownContract(Address),
    /// Another event of an exchange, or none at all.
    #[error("not an OrderFilled event: topic0 is {}", .0.map_or("missing".into(), |t| format!("{t:#x}")))]
    UnknownEvent(Option<B256>),
    /// The event of one generation from a contract of another.
    #[error("the OrderFilled layout is not that of {0}")]
    WrongLayout(Exchange),
    /// An indexed argument is missing or one too many.
    #[error("OrderFilled has 4 topics, not {0}")]
    TopicCount(usize),
    /// The data is cut or too long.
    #[error("OrderFilled of {exchange} has {expected} bytes of data, not {found}")]
    DataLength {
        /// The contract.
        exchange: Exchange,
        /// The length that its layout has.
        expected: usize,
        /// The length of this log.
        found: usize,
    },
    /// The upper twelve bytes of an address are not zero.
    #[error("{0} is not an address")]
    NotAnAddress(&'static str),
    /// A V2 side that is neither 0 nor 1.
    #[error("side is {0}, neither 0 (BUY) nor 1 (SELL)")]
    UnknownSide(U256),
    /// A V1 fill must have the collateral, asset 0, on exactly one side.
    #[error("makerAssetId and takerAssetId are {}", if *.both_zero { "both 0" } else { "both not 0" })]
    Assets {
        /// Whether both are the collateral, or neither is.
        both_zero: bool,
    },
    /// A V2 fill of token 0, which is the collateral.
    #[error("tokenId is 0")]
    NoToken,
    /// More than `Decimal(38, 6)` holds.
    #[error("{0} does not fit Decimal(38, 6)")]
    AmountOutOfRange(&'static str),
}

/// Reads a log as a fill that happened at `timestamp` (unix seconds, the block's).
pub fn decode(log: &RawLog, timestamp: u64) -> Result<Fill, Refusal> {
    let exchange = Exchange::at(log.address).ok_or(Refusal::UnknownContract(log.address))?;
    let topic0 = log.topics.first().copied();
    let layout = match topic0 {
        Some(ORDER_FILLED_V1) => Layout::V1,
        Some(ORDER_FILLED_V2) => Layout::V2,
        _ => return Err(Refusal::UnknownEvent(topic0)),
    };
    if layout != exchange.layout() {
        return Err(Refusal::WrongLayout(exchange));
    }
    let [_, order_hash, maker, taker] = log.topics[..] else {
        return Err(Refusal::TopicCount(log.topics.len()));
    };
    let order = match layout {
        Layout::V1 => order_v1(&words(exchange, &log.data)?)?,
        Layout::V2 => order_v2(&words(exchange, &log.data)?)?,
    };
    let (usd, shares) = order.amounts();
    Ok(Fill {
        block_number: log.block_number,
        log_index: log.log_index,
        timestamp,
        transaction_hash: log.transaction_hash,
        source_id: String::new(),
        order_hash,
        exchange: Some(exchange),
        token_id: order.token_id,
        maker: address("maker", maker)?,
        taker: address("taker", taker)?,
        side: order.side,
        usd,
        shares,
        fee: order.fee,
        match_log_index: None,
        outcome_slot: slot_of(order.token_id),
    })
}

/// An `OrderFilled` of V1 from a source that tells neither its log nor its contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnplacedFill {
    /// The block's time, in unix seconds.
    pub timestamp: u64,
    /// The transaction.
    pub transaction_hash: B256,
    /// The source's own id.
    pub source_id: String,
    /// The order.
    pub order_hash: B256,
    /// Whose order this is.
    pub maker: Address,
    /// The wallet of the taker order, or the exchange in the taker row.
    pub taker: Address,
    /// `makerAssetId, takerAssetId, makerAmountFilled, takerAmountFilled, fee`.
    pub words: [U256; 5],
}

impl UnplacedFill {
    /// The fill, by the rules of V1. The contract is known in a taker row only, by its taker.
    pub fn decode(self) -> Result<Fill, Refusal> {
        let order = order_v1(&self.words)?;
        let (usd, shares) = order.amounts();
        Ok(Fill {
            block_number: 0,
            log_index: 0,
            timestamp: self.timestamp,
            transaction_hash: self.transaction_hash,
            source_id: self.source_id,
            order_hash: self.order_hash,
            exchange: Exchange::at(self.taker),
            token_id: order.token_id,
            maker: self.maker,
            taker: self.taker,
            side: order.side,
            usd,
            shares,
            fee: order.fee,
            match_log_index: None,
            outcome_slot: slot_of(order.token_id),
        })
    }
}

/// What the id of a token tells of its slot.
fn slot_of(token: TokenId) -> Option<u8> {
    PositionId::of(token).map(|position| position.outcome)
}

/// The unindexed arguments of either layout, in their common meaning.
struct Order {
    side: Side,
    token_id: TokenId,
    maker_amount: Amount,
    taker_amount: Amount,
    fee: Amount,
}

impl Order {
    /// Dollars and shares.
    const fn amounts(&self) -> (Amount, Amount) {
        match self.side {
            Side::Buy => (self.maker_amount, self.taker_amount),
            Side::Sell => (self.taker_amount, self.maker_amount),
        }
    }
}

/// `makerAssetId, takerAssetId, makerAmountFilled, takerAmountFilled, fee`.
fn order_v1([maker_asset, taker_asset, maker_amount, taker_amount, fee]: &[U256; 5]) -> Result<Order, Refusal> {
    let (side, token) = match (maker_asset.is_zero(), taker_asset.is_zero()) {
        (true, false) => (Side::Buy, taker_asset),
        (false, true) => (Side::Sell, maker_asset),
        (both_zero, _) => return Err(Refusal::Assets { both_zero }),
    };
    order(side, token, maker_amount, taker_amount, fee)
}

/// `side, tokenId, makerAmountFilled, takerAmountFilled, fee, builder, metadata`.
fn order_v2([side, token, maker_amount, taker_amount, fee, _, _]: &[U256; 7]) -> Result<Order, Refusal> {
    let side = match u8::try_from(side) {
        Ok(0) => Side::Buy,
        Ok(1) => Side::Sell,
        _ => return Err(Refusal::UnknownSide(*side)),
    };
    if token.is_zero() {
        return Err(Refusal::NoToken);
    }
    order(side, token, maker_amount, taker_amount, fee)
}

fn order(side: Side, token: &U256, maker: &U256, taker: &U256, fee: &U256) -> Result<Order, Refusal> {
    let amount = |name, word: &U256| Amount::from_word(*word).map_err(|_| Refusal::AmountOutOfRange(name));
    Ok(Order {
        side,
        token_id: TokenId(*token),
        maker_amount: amount("makerAmountFilled", maker)?,
        taker_amount: amount("takerAmountFilled", taker)?,
        fee: amount("fee", fee)?,
    })
}

/// The data as exactly `N` words.
fn words<const N: usize>(exchange: Exchange, data: &[u8]) -> Result<[U256; N], Refusal> {
    if data.len() != N * 32 {
        return Err(Refusal::DataLength { exchange, expected: N * 32, found: data.len() });
    }
    Ok(std::array::from_fn(|i| U256::from_be_slice(&data[i * 32..][..32])))
}

fn address(name: &'static str, topic: B256) -> Result<Address, Refusal> {
    let (padding, address) = topic.split_at(12);
    if padding.iter().any(|byte| *byte != 0) {
        return Err(Refusal::NotAnAddress(name));
    }
    Ok(Address::from_slice(address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{Bytes, keccak256};
    use proptest::prelude::*;

    fn topic(last: u8) -> B256 {
        B256::with_last_byte(last)
    }

    fn log(exchange: Exchange, data: &[u64]) -> RawLog {
        let event = match exchange.layout() {
            Layout::V1 => ORDER_FILLED_V1,
            Layout::V2 => ORDER_FILLED_V2,
        };
        let data: Vec<u8> = data.iter().flat_map(|w| U256::from(*w).to_be_bytes::<32>()).collect();
        RawLog {
            address: exchange.address(),
            topics: vec![event, topic(1), topic(2), topic(3)],
            data: data.into(),
            block_number: 7,
            log_index: 9,
            transaction_hash: topic(4),
        }
    }

    fn v1(data: [u64; 5]) -> Result<Fill, Refusal> {
        decode(&log(Exchange::CtfV1, &data), 100)
    }

    fn v2(data: [u64; 7]) -> Result<Fill, Refusal> {
        decode(&log(Exchange::V3, &data), 100)
    }

    #[test]
    fn the_signatures_hash_to_the_topics() {
        let v1 = "OrderFilled(bytes32,address,address,uint256,uint256,uint256,uint256,uint256)";
        let v2 = "OrderFilled(bytes32,address,address,uint8,uint256,uint256,uint256,uint256,bytes32,bytes32)";
        assert_eq!(keccak256(v1), ORDER_FILLED_V1);
        assert_eq!(keccak256(v2), ORDER_FILLED_V2);
    }

    #[test]
    fn collateral_and_shares_follow_the_side() {
        let amounts = |fill: Fill| (fill.side, fill.usd.micros(), fill.shares.micros(), fill.token_id.to_string());
        assert_eq!(amounts(v1([0, 5, 10, 20, 1]).unwrap()), (Side::Buy, 10, 20, "5".into()));
        assert_eq!(amounts(v1([5, 0, 10, 20, 1]).unwrap()), (Side::Sell, 20, 10, "5".into()));
        assert_eq!(amounts(v2([0, 5, 10, 20, 1, 0, 0]).unwrap()), (Side::Buy, 10, 20, "5".into()));
        assert_eq!(amounts(v2([1, 5, 10, 20, 1, 8, 8]).unwrap()), (Side::Sell, 20, 10, "5".into()));
    }

    #[test]
    fn a_v1_buy_pays_its_fee_in_shares() {
        use super::super::FeeUnit::{Shares, Usd};
        assert_eq!(v1([0, 5, 10, 20, 1]).unwrap().fee_unit(), Shares);
        assert_eq!(v1([5, 0, 10, 20, 1]).unwrap().fee_unit(), Usd);
        assert_eq!(v2([0, 5, 10, 20, 1, 0, 0]).unwrap().fee_unit(), Usd);
        assert_eq!(v2([1, 5, 10, 20, 1, 0, 0]).unwrap().fee_unit(), Usd);
    }

    #[test]
    fn the_price_is_exact_or_absent() {
        assert_eq!(v1([0, 5, 42, 100, 0]).unwrap().price(), Some(0.42));
        assert_eq!(v1([0, 5, 0, 100, 0]).unwrap().price(), Some(0.0));
        assert_eq!(v1([0, 5, 42, 0, 0]).unwrap().price(), None);
    }

    #[test]
    fn refuses_what_is_not_a_fill() {
        assert_eq!(v1([0, 0, 1, 1, 0]), Err(Refusal::Assets { both_zero: true }));
        assert_eq!(v1([4, 5, 1, 1, 0]), Err(Refusal::Assets { both_zero: false }));
        assert_eq!(v2([2, 5, 1, 1, 0, 0, 0]), Err(Refusal::UnknownSide(U256::from(2))));
        assert_eq!(v2([256, 5, 1, 1, 0, 0, 0]), Err(Refusal::UnknownSide(U256::from(256))));
        assert_eq!(v2([0, 0, 1, 1, 0, 0, 0]), Err(Refusal::NoToken));

        let good = log(Exchange::CtfV2, &[0, 5, 1, 1, 0, 0, 0]);
        let refused = |change: &dyn Fn(&mut RawLog)| {
            let mut log = good.clone();
            change(&mut log);
            decode(&log, 100).unwrap_err()
        };
        assert_eq!(refused(&|l| l.address = Address::ZERO), Refusal::UnknownContract(Address::ZERO));
        assert_eq!(refused(&|l| l.topics.clear()), Refusal::UnknownEvent(None));
        assert_eq!(refused(&|l| l.topics[0] = topic(9)), Refusal::UnknownEvent(Some(topic(9))));
        assert_eq!(refused(&|l| l.topics[0] = ORDER_FILLED_V1), Refusal::WrongLayout(Exchange::CtfV2));
        assert_eq!(refused(&|l| l.topics.truncate(3)), Refusal::TopicCount(3));
        assert_eq!(refused(&|l| l.topics.push(topic(1))), Refusal::TopicCount(5));
        assert_eq!(refused(&|l| l.topics[2].0[11] = 1), Refusal::NotAnAddress("maker"));
        assert_eq!(refused(&|l| l.topics[3].0[0] = 1), Refusal::NotAnAddress("taker"));
        for length in [0, 160, 223, 225] {
            let expected = Refusal::DataLength { exchange: Exchange::CtfV2, expected: 224, found: length };
            assert_eq!(refused(&|l| l.data = vec![0; length].into()), expected);
        }
        for (word, name) in [(2, "makerAmountFilled"), (3, "takerAmountFilled"), (4, "fee")] {
            let too_large = refused(&|l| {
                let mut data = l.data.to_vec();
                data[word * 32] = 1;
                l.data = data.into();
            });
            assert_eq!(too_large, Refusal::AmountOutOfRange(name));
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(
            address in prop_oneof![
                proptest::sample::select(&Exchange::ALL[..]).prop_map(|e| e.address()),
                any::<[u8; 20]>().prop_map(Address::from),
            ],
            first in prop_oneof![Just(ORDER_FILLED_V1), Just(ORDER_FILLED_V2), any::<[u8; 32]>().prop_map(B256::from)],
            rest in proptest::collection::vec(any::<[u8; 32]>().prop_map(B256::from), 0..5),
            data in prop_oneof![
                proptest::collection::vec(any::<u8>(), 160),
                proptest::collection::vec(any::<u8>(), 224),
                proptest::collection::vec(any::<u8>(), 0..300),
            ],
            block_number: u64,
            log_index: u32,
            timestamp: u64,
        ) {
            let topics = std::iter::once(first).chain(rest).collect();
            let data = Bytes::from(data);
            let log = RawLog { address, topics, data, block_number, log_index, transaction_hash: topic(1) };
            if let Ok(fill) = decode(&log, timestamp) {
                let _ = (fill.price(), fill.fee_unit(), fill.is_taker_row());
            }
        }
    }
}

//! Who and what the fills of a world are about.

use alloy_primitives::Address;

use super::ids::{Kind, id};
use super::market::{MARKETS, Market};

const WALLETS: u64 = 500;
const OPERATORS: u64 = 3;

/// The markets and wallets of a seed.
#[derive(Debug)]
pub(super) struct Cast {
    pub(super) markets: Vec<Market>,
    /// Of traders.
    pub(super) wallets: Vec<Address>,
    /// Of those who may call `fillOrder` on the V1 exchanges.
    pub(super) operators: Vec<Address>,
}

impl Cast {
    pub(super) fn new(seed: u64) -> Self {
        let wallet = |kind, number| Address::from_slice(&id(seed, kind, [number])[12..]);
        Self {
            markets: (0..MARKETS).map(|number| Market::new(seed, number)).collect(),
            wallets: (0..WALLETS).map(|number| wallet(Kind::Wallet, number)).collect(),
            operators: (0..OPERATORS).map(|number| wallet(Kind::Operator, number)).collect(),
        }
    }
}

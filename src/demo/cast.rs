//! Who and what the fills of a world are about.

use std::ops::Deref;
use std::sync::Arc;

use alloy_primitives::Address;

use super::config::WorldConfig;
use super::ids::{Kind, id};
use super::market::{Market, MarketRef};
use super::roles::MARKETS;
use super::series::Series;

const WALLETS: u64 = 500;
const OPERATORS: u64 = 3;

/// The markets and wallets of a world.
#[derive(Debug)]
pub(super) struct Cast {
    /// The markets that trade from the first block on.
    pub(super) fixed: Vec<Market>,
    pub(super) series: Series,
    /// Of traders.
    pub(super) wallets: Vec<Address>,
    /// Of those who may call `fillOrder` on the V1 exchanges.
    pub(super) operators: Vec<Address>,
}

/// A market in hand: borrowed from the cast, or held because the cast may forget it.
pub(super) enum Held<'a> {
    Fixed(&'a Market),
    Series(Arc<Market>),
}

impl Deref for Held<'_> {
    type Target = Market;

    fn deref(&self) -> &Market {
        match self {
            Self::Fixed(market) => market,
            Self::Series(market) => market,
        }
    }
}

impl Cast {
    pub(super) fn new(config: &WorldConfig) -> Self {
        let seed = config.seed;
        let wallet = |kind, number| Address::from_slice(&id(seed, kind, [number])[12..]);
        Self {
            fixed: (0..MARKETS).map(|number| Market::fixed(seed, number)).collect(),
            series: Series::new(config),
            wallets: (0..WALLETS).map(|number| wallet(Kind::Wallet, number)).collect(),
            operators: (0..OPERATORS).map(|number| wallet(Kind::Operator, number)).collect(),
        }
    }

    /// A market. Those of the series are made when they are asked for, and the newest are kept.
    pub(super) fn market(&self, market: MarketRef) -> Held<'_> {
        match market {
            MarketRef::Fixed(number) => Held::Fixed(&self.fixed[number]),
            MarketRef::Series(number) => Held::Series(self.series.market(number)),
        }
    }
}

//! Who and what the fills of a world are about.

use std::{ops::Deref, sync::Arc};

use alloy_primitives::Address;

use super::market::{Market, MarketRef};
use super::{roles::MARKETS, series::Series};
use crate::demo::config::WorldConfig;
use crate::demo::ids::{Kind, id};

const WALLETS: u64 = 500;
const OPERATORS: u64 = 3;

/// The markets and wallets of a world.
#[derive(Debug)]
pub(in crate::demo) struct Wallets {
    /// The markets that trade from the first block on.
    pub(in crate::demo) fixed: Vec<Market>,
    pub(in crate::demo) series: Series,
    /// Of traders.
    pub(in crate::demo) wallets: Vec<Address>,
    /// Of those who may call `fillOrder` on the V1 exchanges.
    pub(in crate::demo) operators: Vec<Address>,
}

/// A market in hand: borrowed from the wallets, or held because the wallets may forget it.
pub(in crate::demo) enum Held<'a> {
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

impl Wallets {
    pub(in crate::demo) fn new(config: &WorldConfig) -> Self {
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
    pub(in crate::demo) fn market(&self, market: MarketRef) -> Held<'_> {
        match market {
            MarketRef::Fixed(number) => Held::Fixed(&self.fixed[number]),
            MarketRef::Series(number) => Held::Series(self.series.market(number)),
        }
    }
}

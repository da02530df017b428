//! What happens in a block: orders are matched, and each leaves an intent.
//!
//! An intent says who did what in plain terms. [`render`](crate::demo::chain::render) turns it into a log and
//! [`truth`](crate::demo::oracle::trades) into the row that is expected of it; neither knows the other.
//!
//! A call of `matchOrders` leaves one fill for each maker order, whose taker is the wallet of the taker order, and then
//! one for the taker order itself, whose taker is the exchange. `fillOrder` of V1 leaves one fill, with an operator as
//! its taker. The amounts of a match add up, but for two things that V1 does: its taker's row says what was pulled before
//! a refund, and what the contract held from a donation is given out with the rest.

use alloy_primitives::{Address, B256};

use crate::demo::config::WorldConfig;
use crate::demo::ids::{Kind, id};
use crate::demo::markets::market::{Market, MarketRef, Venue};
use crate::demo::markets::wallets::{Held, Wallets};
use crate::demo::rng::{Purpose, Rng};
use crate::model::{Exchange, Layout, Side};

/// One match in so many is of the series.
const SERIES_SHARE: u64 = 5;
/// One log in so many is broken.
const DEFECTS: u64 = 1_500;
/// One maker order in so many is larger than a float can count.
const WHALES: u64 = 15_000;
/// One match of V1 in so many has a refund or gives out a donation.
const SURPLUSES: u64 = 200;
/// An order is filled over so many blocks.
const ORDER_LIFE: u64 = 64;

/// How a log is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::demo) enum Defect {
    /// V2: a side that is neither BUY nor SELL.
    UnknownSide,
    /// V1: the collateral on both sides.
    NoToken,
    /// The last word of the data is missing.
    CutData,
    /// An amount beyond `Decimal(38, 6)`.
    HugeAmount,
}

/// One order that was filled, in plain terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::demo) struct Intent {
    pub(in crate::demo) exchange: Exchange,
    pub(in crate::demo) order_hash: B256,
    pub(in crate::demo) maker: Address,
    pub(in crate::demo) taker: Address,
    /// What the order of `maker` did.
    pub(in crate::demo) side: Side,
    pub(in crate::demo) market: MarketRef,
    /// Index into the market's tokens.
    pub(in crate::demo) outcome: usize,
    /// In millionths, as `shares` and `fee` are.
    pub(in crate::demo) usd: u128,
    pub(in crate::demo) shares: u128,
    pub(in crate::demo) fee: u128,
    /// Whether the order carries a builder's code.
    pub(in crate::demo) tagged: bool,
    pub(in crate::demo) defect: Option<Defect>,
}

/// An intent in its place in a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::demo) struct Event {
    pub(in crate::demo) transaction_hash: B256,
    pub(in crate::demo) transaction_index: u64,
    pub(in crate::demo) log_index: u64,
    /// The match or direct fill of the block that it is a row of.
    pub(in crate::demo) group: u64,
    pub(in crate::demo) intent: Intent,
}

impl Event {
    /// Whether it is the row of a match's taker order.
    pub(in crate::demo) fn is_taker_row(&self) -> bool {
        self.intent.taker == self.intent.exchange.address()
    }
}

/// The events of a block with exactly `fills` good fills.
pub(in crate::demo) fn events(config: &WorldConfig, wallets: &Wallets, block: u64, fills: u64) -> Vec<Event> {
    if fills == 0 {
        return Vec::new();
    }
    let WorldConfig { seed, first_block, bad_logs, .. } = *config;
    let mut rng = Rng::new(seed, Purpose::Matching, block);
    let log_index = rng.below(40);
    let mut matcher = Matcher {
        seed,
        wallets,
        block,
        offset: block.saturating_sub(first_block).cast_signed(),
        series: wallets.series.current(block).map(|number| (number, wallets.market(MarketRef::Series(number)))),
        bad_logs,
        left: fills,
        transaction_hash: B256::ZERO,
        transaction_index: rng.below(20),
        log_index,
        group: 0,
        surplus: Rng::new(seed, Purpose::Surplus, block),
        events: Vec::with_capacity(fills as usize + 1),
        rng,
    };
    while matcher.left > 0 {
        matcher.transaction();
    }
    matcher.events
}

/// How two orders meet.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meeting {
    /// A buyer and a seller of one token.
    Complementary,
    /// Two buyers of opposite tokens, which are made for them.
    Mint,
    /// Two sellers of opposite tokens, which are destroyed for them.
    Merge,
}

/// The order of a trader who is named by number.
#[derive(Clone, Copy)]
struct Order {
    wallet: usize,
    hash: B256,
}

/// What an order trades, shared by all makers of a match.
#[derive(Clone, Copy)]
struct Leg {
    exchange: Exchange,
    market: MarketRef,
    outcome: usize,
    side: Side,
}

struct Matcher<'a> {
    seed: u64,
    wallets: &'a Wallets,
    block: u64,
    /// The block, counted from the first one.
    offset: i64,
    /// The current market of the series, looked up once a block.
    series: Option<(u64, Held<'a>)>,
    bad_logs: bool,
    /// Good fills that the block still needs.
    left: u64,
    transaction_hash: B256,
    transaction_index: u64,
    log_index: u64,
    group: u64,
    events: Vec<Event>,
    rng: Rng,
    /// Rng of their own, so that the rest of the block does not depend on them.
    surplus: Rng,
}

impl Matcher<'_> {
    /// A market that trades now: in a fifth of all cases that of the series.
    fn draw_market(&mut self) -> MarketRef {
        let in_series = self.rng.one_in(SERIES_SHARE);
        if let Some((number, _)) = self.series.as_ref().filter(|_| in_series) {
            return MarketRef::Series(*number);
        }
        loop {
            let number = self.rng.popular(self.wallets.fixed.len());
            if self.offset <= self.wallets.fixed[number].trades_until {
                return MarketRef::Fixed(number);
            }
        }
    }

    fn market(&self, market: MarketRef) -> &Market {
        match (market, &self.series) {
            (MarketRef::Fixed(number), _) => &self.wallets.fixed[number],
            (MarketRef::Series(_), Some((_, held))) => held,
            // Only the current one is ever drawn.
            (MarketRef::Series(_), None) => &self.wallets.fixed[0],
        }
    }

    fn transaction(&mut self) {
        self.transaction_index += self.rng.between(1, 9);
        self.transaction_hash = id(self.seed, Kind::Transaction, [self.block, self.transaction_index]);
        self.log_index += self.rng.below(12);
        let matches = 1 + u64::from(self.rng.one_in(4)) + u64::from(self.rng.one_in(12));
        for _ in 0..matches {
            self.group += 1;
            match self.left {
                0 => return,
                1 => self.fill_order(),
                _ if self.rng.one_in(25) => self.fill_order(),
                left => {
                    let makers = self.rng.between(1, 4.min(left - 1));
                    self.match_orders(makers);
                }
            }
        }
    }

    /// `fillOrder` of a V1 exchange.
    fn fill_order(&mut self) {
        let market = loop {
            let market = self.draw_market();
            if self.market(market).venue != Venue::Positions {
                break market;
            }
        };
        let exchange = match self.market(market).venue {
            Venue::NegRisk => Exchange::NegRiskV1,
            _ => Exchange::CtfV1,
        };
        let outcomes = self.market(market).tokens.len();
        let side = if self.rng.one_in(2) { Side::Buy } else { Side::Sell };
        let leg = Leg { exchange, market, outcome: self.rng.index(outcomes), side };
        let wallet = self.rng.popular(self.wallets.wallets.len());
        let order = self.order(wallet, leg);
        let operator = self.wallets.operators[self.rng.index(self.wallets.operators.len())];
        let (usd, shares) = self.amounts(leg, true);
        self.emit(leg, order, operator, usd, shares, false);
    }

    /// `matchOrders`: the maker orders, then the taker order that takes them all.
    fn match_orders(&mut self, makers: u64) {
        let market = self.draw_market();
        let even = self.rng.one_in(2);
        let exchange = self.market(market).exchange(even);
        let (outcomes, is_binary) = (self.market(market).tokens.len(), self.market(market).is_binary());
        let meeting = match self.rng.below(100) {
            _ if !is_binary => Meeting::Complementary,
            0..60 => Meeting::Complementary,
            60..82 => Meeting::Mint,
            _ => Meeting::Merge,
        };
        let side = match meeting {
            Meeting::Complementary if self.rng.one_in(2) => Side::Sell,
            Meeting::Complementary | Meeting::Mint => Side::Buy,
            Meeting::Merge => Side::Sell,
        };
        let outcome = self.rng.index(outcomes);
        let taker_leg = Leg { exchange, market, outcome, side };
        let maker_leg = match (meeting, side) {
            (Meeting::Complementary, Side::Buy) => Leg { side: Side::Sell, ..taker_leg },
            (Meeting::Complementary, Side::Sell) => Leg { side: Side::Buy, ..taker_leg },
            _ => Leg { outcome: 1 - outcome, ..taker_leg },
        };

        let taker = self.rng.popular(self.wallets.wallets.len());
        let taker_order = self.order(taker, taker_leg);
        let mut last: Option<Order> = None;
        let (mut usd_sum, mut shares_sum) = (0, 0);
        for _ in 0..makers {
            let order = match last {
                Some(again) if self.rng.one_in(20) => again,
                _ => {
                    let wallet = self.counterparty(taker);
                    self.order(wallet, maker_leg)
                }
            };
            last = Some(order);
            let (usd, shares) = self.amounts(maker_leg, meeting == Meeting::Complementary);
            usd_sum += usd;
            shares_sum += shares;
            self.emit(maker_leg, order, self.wallets.wallets[taker], usd, shares, false);
        }
        // A pair of opposite shares is worth a dollar: in a mint or merge the taker has the rest of it.
        let usd = if meeting == Meeting::Complementary { usd_sum } else { shares_sum - usd_sum };
        let (usd, shares) = self.with_surplus(taker_leg, usd, shares_sum);
        self.emit(taker_leg, taker_order, exchange.address(), usd, shares, true);
    }

    /// What the taker order's row says of its amounts. V1 tells what was pulled before what was too much is given back (a
    /// refund), and gives out all that the contract holds (a donation to it).
    fn with_surplus(&mut self, leg: Leg, usd: u128, shares: u128) -> (u128, u128) {
        if leg.exchange.layout() != Layout::V1 || !self.surplus.one_in(SURPLUSES) {
            return (usd, shares);
        }
        let extra = u128::from(self.surplus.between(100, 5_000_000));
        let is_refund = self.surplus.one_in(2);
        // A buyer pulls dollars and receives shares; a seller the reverse.
        if is_refund == (leg.side == Side::Buy) { (usd + extra, shares) } else { (usd, shares + extra) }
    }

    /// Some wallet other than `wallet`.
    fn counterparty(&mut self, wallet: usize) -> usize {
        let wallets = self.wallets.wallets.len();
        (wallet + 1 + self.rng.popular(wallets - 1)) % wallets
    }

    /// An order of a wallet. The same wallet meets again with the same order for a while.
    fn order(&mut self, wallet: usize, leg: Leg) -> Order {
        let exchange = leg.exchange as u64;
        let token = leg.market.key() * 4 + leg.outcome as u64;
        let (era, slot) = (self.block / ORDER_LIFE, self.rng.below(2));
        let hash = id(self.seed, Kind::Order, [wallet as u64, exchange, token, leg.side as u64, era, slot]);
        Order { wallet, hash }
    }

    /// Dollars and shares of a maker order. `shareless` allows dollars for no shares, which a mint cannot give.
    fn amounts(&mut self, leg: Leg, shareless: bool) -> (u128, u128) {
        let middle = self.market(leg.market).price(leg.outcome, self.block);
        let rng = &mut self.rng;
        if shareless && rng.one_in(300) {
            return (u128::from(rng.between(0, 5)), 0);
        }
        if rng.one_in(150) {
            return (0, u128::from(rng.between(1, 3)));
        }
        let shares = if rng.one_in(WHALES) {
            (1 << 53) + rng.below(1 << 53)
        } else {
            let unit = 10u64.pow(rng.between(4, 8) as u32);
            let odd = if rng.one_in(4) { rng.below(1_000_000) } else { 0 };
            unit * rng.between(1, 99) + odd
        };
        let price = middle - 5 + rng.below(11);
        let shares = u128::from(shares);
        (shares * u128::from(price) / 1_000, shares)
    }

    /// The fee as the contracts charge it: V1 on what the order receives, V2 and V3 on taker orders in dollars.
    fn fee(&mut self, leg: Leg, usd: u128, shares: u128, takes: bool) -> u128 {
        let rng = &mut self.rng;
        match leg.exchange.layout() {
            Layout::V1 if rng.one_in(3) => {
                let received = if leg.side == Side::Buy { shares } else { usd };
                received * u128::from(rng.between(1, 200)) / 10_000
            }
            Layout::V2 if takes && shares > 0 => {
                let rate = [40, 50, 70][rng.index(3)];
                // rate x shares x price x (1 - price), to five decimals
                usd * shares.saturating_sub(usd) * rate / (shares * 1_000) / 10 * 10
            }
            _ => 0,
        }
    }

    fn emit(&mut self, leg: Leg, order: Order, taker: Address, usd: u128, shares: u128, takes: bool) {
        let Leg { exchange, market, outcome, side } = leg;
        let fee = self.fee(leg, usd, shares, takes);
        let tagged = exchange.layout() == Layout::V2 && self.rng.one_in(10);
        let maker = self.wallets.wallets[order.wallet];
        let order_hash = order.hash;
        let intent = Intent {
            exchange,
            order_hash,
            maker,
            taker,
            side,
            market,
            outcome,
            usd,
            shares,
            fee,
            tagged,
            defect: None,
        };
        let broken = (self.bad_logs && self.rng.one_in(DEFECTS)).then(|| self.broken(&intent));
        self.place(intent);
        self.left -= 1;
        if let Some(intent) = broken {
            self.place(intent);
        }
    }

    /// A log that should have been like `intent`.
    fn broken(&mut self, intent: &Intent) -> Intent {
        let defect = match (self.rng.below(3), intent.exchange.layout()) {
            (0, Layout::V1) => Defect::NoToken,
            (0, Layout::V2) => Defect::UnknownSide,
            (1, _) => Defect::CutData,
            _ => Defect::HugeAmount,
        };
        Intent { defect: Some(defect), ..intent.clone() }
    }

    /// Other events (transfers, fees, `OrdersMatched`) stand between the fills, so their indexes have gaps.
    fn place(&mut self, intent: Intent) {
        self.log_index += self.rng.between(1, 6);
        self.events.push(Event {
            transaction_hash: self.transaction_hash,
            transaction_index: self.transaction_index,
            log_index: self.log_index,
            group: self.group,
            intent,
        });
    }
}

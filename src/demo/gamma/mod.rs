//! Gamma: what it knows of markets, and how it answers.
//!
//! ```text
//! roles, wallets ─▶ fixed ┐
//!                idle  ├▶ profile ─▶ seen ─┬▶ json ─▶ listing, keyset ─▶ the wire
//!       series ─▶ life ┘  what it     now  └▶ row ─▶ the oracle
//!                         knows
//! ```
//!
//! All of it is a function of the configuration and of the newest block.

mod fixed;
mod idle;
pub(in crate::demo) mod ids;
pub(super) mod json;
mod object;
mod prices;
pub(super) mod profile;
mod row;
mod seen;
mod times;
mod words;

use std::sync::Arc;

use quick_cache::sync::Cache;

use crate::demo::markets::series::{KEPT, Series};
use crate::demo::{
    config::WorldConfig, markets::calendar::Calendar, markets::market::MarketRef, markets::roles::MARKETS,
    markets::wallets::Wallets,
};

pub(in crate::demo) use self::idle::{BROKEN, Broken};
pub(in crate::demo) use self::object::Object;
pub(in crate::demo) use self::profile::{Profile, Reach};
pub(in crate::demo) use self::row::row;

/// Everything that Gamma ever knows.
#[derive(Debug)]
pub(in crate::demo) struct Gamma {
    pub(in crate::demo) calendar: Calendar,
    pub(in crate::demo) bad_markets: bool,
    pub(super) seed: u64,
    /// What is there but for the series.
    pub(super) fixed: Vec<Arc<Profile>>,
    series: Cache<u64, Arc<Profile>>,
}

impl Gamma {
    /// Takes some milliseconds: the tokens of all markets are derived.
    pub(in crate::demo) fn new(config: &WorldConfig, wallets: &Wallets) -> Self {
        let seed = config.seed;
        let traded = (0..MARKETS as usize).filter_map(|number| fixed::profile(seed, wallets, number));
        let fixed = traded.chain(fixed::liars(seed, wallets)).chain(idle::profiles(seed)).map(Arc::new).collect();
        let series = Cache::new(3 * KEPT as usize);
        Self { calendar: Calendar::new(config), bad_markets: config.bad_markets, seed, fixed, series }
    }

    /// What can be found at a block, in no order.
    pub(in crate::demo) fn shown(&self, wallets: &Wallets, now: u64) -> Vec<Arc<Profile>> {
        let offset = self.calendar.offset(now);
        let series = wallets.series.kept(now).map(|number| self.series_profile(wallets, number));
        let all = self.fixed.iter().cloned().chain(series);
        all.filter(|profile| profile.shown.contains(&offset)).collect()
    }

    /// The profile of a market of the series.
    fn series_profile(&self, wallets: &Wallets, number: u64) -> Arc<Profile> {
        self.series.get(&number).unwrap_or_else(|| {
            let life = wallets.series.life(number);
            let rank = ids::FIRST_ID.cast_signed() + 10 * Series::rank(number);
            let id = rank.unsigned_abs() + if Series::is_old(number) { 5 } else { 0 };
            let market = wallets.market(MarketRef::Series(number));
            let profile = Arc::new(Profile {
                question: format!("Bitcoin Up or Down - window {number} ⏱"),
                slug: format!("btc-updown-{number}"),
                event: words::series_event(number),
                shown: life.listed..life.archived,
                closes: Some(life.closes),
                ends: life.ends,
                ..Profile::plain(id, &market, life.created)
            });
            self.series.insert(number, Arc::clone(&profile));
            profile
        })
    }
}

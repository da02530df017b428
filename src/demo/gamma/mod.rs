//! Gamma: what it knows of markets, and how it answers.
//!
//! ```text
//! roles, cast ─▶ fixed ┐
//!                idle  ├▶ profile ─▶ seen ─┬▶ json ─▶ listing, keyset ─▶ the wire
//!       series ─▶ life ┘  what it     now  └▶ row ─▶ the whole truth
//!                         knows
//! ```
//!
//! All of it is a function of the configuration and of the newest block.

mod cursor;
mod fixed;
mod idle;
mod json;
mod listing;
mod object;
mod prices;
mod profile;
mod query;
mod row;
mod seen;
mod times;
mod words;

use std::sync::Arc;

use quick_cache::sync::Cache;

use super::calendar::Calendar;
use super::cast::Cast;
use super::config::WorldConfig;
use super::market::MarketRef;
use super::roles::MARKETS;
use super::series::{KEPT, Series};

pub(super) use self::idle::{BROKEN, Broken};
pub(super) use self::listing::{Circle, Sight};
pub(super) use self::object::Object;
pub(super) use self::profile::{Profile, Reach};
pub(super) use self::row::row;

/// Everything that Gamma ever knows.
#[derive(Debug)]
pub(super) struct Gamma {
    pub(super) calendar: Calendar,
    pub(super) bad_markets: bool,
    seed: u64,
    /// What is there but for the series.
    fixed: Vec<Arc<Profile>>,
    series: Cache<u64, Arc<Profile>>,
}

impl Gamma {
    /// Takes some milliseconds: the tokens of all markets are derived.
    pub(super) fn new(config: &WorldConfig, cast: &Cast) -> Self {
        let seed = config.seed;
        let traded = (0..MARKETS as usize).filter_map(|number| fixed::profile(seed, cast, number));
        let fixed = traded.chain(fixed::liars(seed, cast)).chain(idle::profiles(seed)).map(Arc::new).collect();
        let series = Cache::new(3 * KEPT as usize);
        Self { calendar: Calendar::new(config), bad_markets: config.bad_markets, seed, fixed, series }
    }

    /// What can be found at a block, in no order.
    pub(super) fn shown(&self, cast: &Cast, now: u64) -> Vec<Arc<Profile>> {
        let offset = self.calendar.offset(now);
        let series = cast.series.kept(now).map(|number| self.series_profile(cast, number));
        let all = self.fixed.iter().cloned().chain(series);
        all.filter(|profile| profile.shown.contains(&offset)).collect()
    }

    /// The profile of a market of the series.
    fn series_profile(&self, cast: &Cast, number: u64) -> Arc<Profile> {
        self.series.get(&number).unwrap_or_else(|| {
            let life = cast.series.life(number);
            let rank = fixed::FIRST_ID.cast_signed() + 10 * Series::rank(number);
            let id = rank.unsigned_abs() + if Series::is_old(number) { 5 } else { 0 };
            let market = cast.market(MarketRef::Series(number));
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

//! What is found of the sources.

use std::time::{Duration, Instant};

use super::line::Line;
use crate::app::{AppError, sources};
use crate::config::{Config, Scan};
use crate::flow::GOLDSKY;
use crate::model::{Market, TokenId, U256};
use crate::source::registry::{Built, Provider};
use crate::source::{
    CHAIN, FillSource as _, Head, Listing, Lookup, MarketPage, MarketSource as _, Order, Place, SourceError,
    TokenSource as _, data_api::DataApi, host_of,
};
use crate::{clock::since_epoch, units::thousands};

/// Tokens that the API of tokens is asked about: as many as one request carries.
const TOKENS: usize = 50;

const GAMMA: &str = "gamma";
const DATA_API: &str = "data-api";

/// Everything that delivers the chain, one by one: its section, its name, and how it is asked.
pub(super) fn parts(config: &Config) -> Vec<(&'static str, String, Built)> {
    let parts = |provider: &'static Provider| {
        let parts = (provider.parts)(&config.sources);
        parts.into_iter().map(|(name, part)| (provider.section, name, part))
    };
    config.sources.providers().flat_map(parts).collect()
}

/// One of them, and which world it shows.
pub(super) async fn node(section: &'static str, name: String, part: Built) -> Result<(Line, String), Line> {
    let part = part.map_err(|(key, why)| Line::failed(section, AppError::Setting(key, why)))?;
    let begin = Instant::now();
    let found = async { Ok::<_, SourceError>((part.world().await?, part.head().await?)) }.await;
    let (world, head) = found.map_err(|error| Line::failed(section, error))?;
    Ok((node_line(section, &name, &world, head, begin.elapsed()), world))
}

fn node_line(section: &'static str, name: &str, world: &str, head: Head, took: Duration) -> Line {
    let age = head.age(since_epoch());
    let (block, seconds) = (thousands(head.block), age.as_secs());
    let line =
        Line::ok(section, format!("{name}: {world}, final block {block} is {seconds} s old, {} ms", took.as_millis()));
    if age > Head::FRESH { line.warn("it stands still, or this machine's clock is ahead") } else { line }
}

/// Nodes that serve different chains.
pub(super) fn one_chain(mut worlds: Vec<String>) -> Option<Line> {
    worlds.sort();
    worlds.dedup();
    (worlds.len() > 1).then(|| Line::failed(CHAIN, format_args!("the nodes serve different chains: {worlds:?}")))
}

/// The subgraph of fills, if it is read: where its data ends proves more than that it answers.
pub(super) async fn goldsky(config: &Config) -> Result<Option<Line>, Line> {
    if !config.sources.goldsky.enabled {
        return Ok(None);
    }
    let source = sources::goldsky(config).map_err(|error| Line::failed(GOLDSKY, error))?;
    let begin = Instant::now();
    let frontier = source.frontier().await.map_err(|error| Line::failed(GOLDSKY, error))?;
    let (name, took) = (host_of(&config.sources.goldsky.url), begin.elapsed().as_millis());
    let line = Line::ok(GOLDSKY, format!("{name}: data up to {}, {took} ms", frontier.end));
    let line = match frontier.frozen_since() {
        Some(_) => line.warn("it is frozen: no newer fills come, although it answers"),
        None => line,
    };
    let has_errors = frontier.subgraph.is_some_and(|subgraph| subgraph.has_indexing_errors);
    Ok(Some(if has_errors { line.warn("it says that it has indexing errors") } else { line }))
}

/// The API of markets, and the API of tokens, which is asked about a token of one of them.
pub(super) async fn markets(config: &Config) -> Vec<Line> {
    if !config.sources.gamma.enabled {
        return vec![Line::ok(GAMMA, "off: markets are not read")];
    }
    let (gamma, data_api) = match (sources::gamma(config), sources::data_api(config)) {
        (Ok(gamma), Ok(data_api)) => (gamma, data_api),
        (gamma, data_api) => {
            let line = |what, error: Option<String>| match error {
                Some(error) => Line::failed(what, error),
                None => Line::ok(what, "not tried"),
            };
            let gamma = line(GAMMA, gamma.err().map(|error| error.to_string()));
            return vec![gamma, line(DATA_API, data_api.err().map(|error| error.to_string()))];
        }
    };
    let begin = Instant::now();
    let listing = |closed| Listing { closed, order: Order::Created };
    let open = gamma.list(listing(false), Place::FIRST).await;
    let took = begin.elapsed();
    let closed = gamma.list(listing(true), Place::FIRST).await;
    let markets = open.iter().chain(&closed).flat_map(|page| &page.markets).flatten();
    let tokens: Vec<TokenId> = markets.filter_map(|market| market.tokens().next()).take(TOKENS).collect();
    let line = match (open, closed) {
        (Ok(open), Ok(closed)) => {
            gamma_line(&host_of(&config.sources.gamma.url), config, &open, &closed, gamma.misread(), took)
        }
        (Err(error), _) | (_, Err(error)) => Line::failed(GAMMA, error),
    };
    vec![line, token_line(&data_api, &host_of(&config.sources.data_api.url), tokens).await]
}

fn gamma_line(
    name: &str,
    config: &Config,
    open: &MarketPage,
    closed: &MarketPage,
    misread: u64,
    took: Duration,
) -> Line {
    let newest = open.markets.iter().flatten().filter_map(|market| market.created_at).max();
    let now = i64::try_from(since_epoch().as_secs()).unwrap_or(i64::MAX);
    let age = newest.map_or("of unknown age".to_owned(), |time| {
        format!("{} s old", thousands((now - time).max(0).cast_unsigned()))
    });
    let scan = match config.sources.gamma.scan {
        Scan::Active => "open markets are read",
        Scan::All => "all markets are read",
    };
    let mut line = Line::ok(GAMMA, format!("{name}: newest market {age}, {scan}, {} ms", took.as_millis()));
    let all = |page: &MarketPage, is: fn(&Market) -> bool| page.markets.iter().flatten().all(is);
    if open.markets.is_empty() && closed.markets.is_empty() {
        line = line.warn("it lists no markets");
    }
    if !all(open, |market| !market.closed) || !all(closed, |market| market.closed) {
        line = line.warn("it does not keep open and closed markets apart");
    }
    if misread > 0 {
        line = line.warn(format_args!("{misread} fields are not as expected and taken as unknown"));
    }
    let broken = open.markets.iter().chain(&closed.markets).filter(|market| market.is_err()).count();
    if broken > 0 {
        line = line.warn(format_args!("{broken} markets cannot be read and become dead letters"));
    }
    line
}

async fn token_line(data_api: &DataApi, name: &str, tokens: Vec<TokenId>) -> Line {
    let begin = Instant::now();
    // Where no market names a token, that there is none with the number 1 is an answer, too.
    let asked = if tokens.is_empty() { vec![TokenId(U256::ONE)] } else { tokens.clone() };
    match data_api.tokens(&asked).await {
        Ok(Lookup { answers: 0, cause: Some(error), .. }) => Line::failed(DATA_API, error),
        // One that it fails on is unknown to it.
        Ok(lookup) => {
            let (known, all) = (lookup.found.len(), tokens.len());
            let took = begin.elapsed().as_millis();
            let line = Line::ok(DATA_API, format!("{name}: knows {known} of {all} tokens that Gamma lists, {took} ms"));
            if known == 0 && all > 0 { line.warn("so it helps nobody") } else { line }
        }
        Err(error) => Line::failed(DATA_API, error),
    }
}

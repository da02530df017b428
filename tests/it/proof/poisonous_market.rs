//! A market on which Gamma and the Data API fail wherever it would be part of an answer.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use polytape::demo::{DemoServer, Faults, Oracle, TradeRow, World};

use crate::cli::{place, serve, world};
use crate::support::process::{Workplace, until};
use crate::support::tables::{compare_whole, markets, trades};
use crate::support::written::SOON;

/// How long everything else may take. On an idle machine it is done in a few seconds.
const PATIENCE: Duration = Duration::from_secs(40);

const UNTIL_CAUGHT_UP: [&str; 4] = ["--no-tui", "--until-caught-up", "--timeout", "30s"];

struct Outside {
    world: Arc<World>,
    server: DemoServer,
    truth: Oracle,
    head: u64,
}

impl Outside {
    async fn new(seed: u64) -> Self {
        let world = world(seed, 400);
        let server = serve(&world).await;
        let head = server.head();
        server.freeze_at(head);
        let truth = world.oracle(world.config().first_block..=world.finalized(head), head);
        Self { world, server, truth, head }
    }

    /// The id of the open market that is traded most.
    fn most_traded(&self) -> u64 {
        let is_open = |id: &str| self.truth.markets.iter().any(|market| market.id == id && !market.closed);
        let mut fills: HashMap<&str, u32> = HashMap::new();
        for row in self.truth.trades.iter().filter(|row| is_open(&row.market_id)) {
            *fills.entry(&row.market_id).or_default() += 1;
        }
        let most = fills.into_iter().max_by_key(|(_, count)| *count).unwrap();
        most.0.parse().unwrap()
    }

    /// How many fills of other markets are there without what is known of their tokens, and how many there are.
    fn poorer(&self, place: &Workplace, poison: u64) -> (usize, usize) {
        let rows = place.store().map(|store| trades(&store)).unwrap_or_default();
        let key = |row: &TradeRow| (row.transaction_hash.clone(), row.log_index);
        let found: HashMap<_, _> = rows.into_iter().map(|row| (key(&row), row)).collect();
        let others: Vec<_> = self.truth.trades.iter().filter(|row| row.market_id != poison.to_string()).collect();
        let is_poorer = |row: &&&TradeRow| found.get(&key(row)) != Some(*row);
        (others.iter().filter(is_poorer).count(), others.len())
    }

    /// Which other markets are not in their table.
    fn unlisted(&self, place: &Workplace, poison: u64) -> Vec<String> {
        let rows = place.store().map(|store| markets(&store)).unwrap_or_default();
        let others = self.truth.markets.iter().filter(|market| market.id != poison.to_string());
        let is_missing = |id: &String| !rows.iter().any(|row| row.id == *id);
        others.map(|market| market.id.clone()).filter(is_missing).collect()
    }

    /// Waits until all other fills and markets are as they should be. Fails in words.
    fn wait_for_all_but(&self, place: &Workplace, poison: u64) {
        until(SOON, "something is there", || place.count("trades") > 0 && place.count("markets") > 0);
        let begin = Instant::now();
        loop {
            let ((poorer, all), unlisted) = (self.poorer(place, poison), self.unlisted(place, poison));
            if poorer == 0 && unlisted.is_empty() {
                return;
            }
            assert!(
                begin.elapsed() < PATIENCE,
                "{poorer} of {all} fills are missing or without their market, and {} of {} markets, beside one market that \
                 answers 500: {unlisted:?}",
                unlisted.len(),
                self.truth.markets.len()
            );
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

/// Row 14: one market of Gamma answers 500, and so does the Data API about its tokens. Every batch of tokens with it failed
/// with it, and every page of a listing.
#[tokio::test(flavor = "multi_thread")]
async fn one_market_that_answers_500_costs_only_itself() {
    let outside = Outside::new(14).await;
    let poison = outside.most_traded();
    let faults = Faults { poison: Some(poison), data_api_poison: Some(poison), ..Faults::default() };
    outside.server.faults().set(faults);
    let place = place(&outside.server.url());
    let mut command = place.command(&["--no-tui"]);
    command.env("POLYTAPE_SOURCES__GAMMA__SCAN", "all");
    let output = tempfile::TempDir::new().unwrap();
    let running = crate::support::process::Running::start(command, output.path());
    outside.wait_for_all_but(&place, poison);

    // It is said once, and asking goes on within bounds: a few requests a poll, and ever fewer for the one.
    let words = "fails on a market of its listing of open ones";
    until(SOON, &format!("the gap at {poison} is said"), || running.stderr().contains(words));
    let (before, begin) = (outside.server.requests(), Instant::now());
    let rounds = Duration::from_secs(3);
    std::thread::sleep(rounds);
    let rate = (outside.server.requests() - before) as f64 / begin.elapsed().as_secs_f64();
    assert!(rate < 400.0, "{rate} requests a second, at ten polls a second of each of three listings and of the head");
    assert_eq!(running.stderr().matches(words).count(), 1, "{}", running.stderr());
    running.kill();

    // What is healed is read like all else.
    outside.server.faults().calm();
    let mut command = place.command(&UNTIL_CAUGHT_UP);
    command.env("POLYTAPE_SOURCES__GAMMA__SCAN", "all");
    let ended = crate::support::process::Running::start(command, output.path()).wait(SOON);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let blocks = outside.world.config().first_block..=outside.world.finalized(outside.head);
    let difference = compare_whole(&place.store().unwrap(), &outside.world, blocks, outside.head);
    // What one reads of the past is read once a day.
    let is_of_the_past = |row: &String| row.contains("closed: true");
    assert!(
        difference.altered.is_empty() && difference.extra.is_empty() && difference.missing.iter().all(is_of_the_past),
        "{difference:#?}"
    );
}

//! Simulated finality: no clock runs here. Delays are told from when a block became final to the ask that found it.

use std::time::Duration;

use proptest::prelude::*;
use tokio::time::Instant;

use super::{LONGEST, NextHead};
use crate::source::Head;

const INTERVAL: Duration = Duration::from_secs(1);
const BLOCK: u64 = 1_500;

/// Until then it learns.
const LEARNED: u64 = 60_000;

/// At an interval of a second it is asked about 50 times a minute.
const MOST_ASKS: f64 = 46.5;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// When finality moves, in milliseconds, to which block, and when that was made.
type Moves = Vec<(u64, u64, u64)>;

/// Moves over some minutes: each so many blocks on, so many milliseconds late. Blocks come every [`BLOCK`].
fn moves(minutes: u64, mut step: impl FnMut() -> u64, mut late: impl FnMut() -> u64) -> Moves {
    let (mut moves, mut block, mut last) = (Vec::new(), 0, 0);
    while block * BLOCK < minutes * 60_000 {
        block += step();
        last = (137 + block * BLOCK + late()).max(last + 1);
        moves.push((last, block, block * BLOCK));
    }
    moves
}

/// A generator that is the same every time.
fn random(below: u64, mut state: u64) -> impl FnMut() -> u64 {
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below.max(1)
    }
}

/// What came of it, from some moment on.
#[derive(Debug)]
struct Outcome {
    /// From when finality moved to the ask that showed it, sorted.
    delays: Vec<u64>,
    asks_a_minute: f64,
    longest_rest: u64,
}

impl Outcome {
    fn mean(&self) -> f64 {
        self.delays.iter().sum::<u64>() as f64 / self.delays.len() as f64
    }

    fn at(&self, share: f64) -> u64 {
        self.delays[((self.delays.len() - 1) as f64 * share) as usize]
    }
}

/// Asks as `rest` says, given the moment (in milliseconds) and the head.
fn ask(moves: &Moves, from: u64, mut next: impl FnMut(u64, Head) -> u64) -> Outcome {
    let (mut now, mut seen, mut asks, mut delays, mut longest_rest) = (0, 0, 0, Vec::new(), 0);
    let end = moves.last().unwrap().0;
    while now < end {
        let there = moves.partition_point(|(at, ..)| *at <= now);
        if now >= from {
            asks += 1;
            delays.extend(moves[seen..there].iter().map(|(at, ..)| now - at));
        }
        seen = there;
        let (_, block, made) = there.checked_sub(1).map_or((0, 0, 0), |last| moves[last]);
        let then = next(now, Head { block, timestamp: 1_767_225_600 + made / 1_000 });
        assert!(then > now, "at {now}");
        (now, longest_rest) = (then, longest_rest.max(then - now));
    }
    delays.sort_unstable();
    Outcome { delays, asks_a_minute: f64::from(asks) * 60_000.0 / (end - from) as f64, longest_rest }
}

fn predicted(moves: &Moves, interval: Duration, from: u64) -> Outcome {
    let (start, mut next_head) = (Instant::now(), NextHead::new(interval));
    ask(moves, from, |now, head| {
        let next = next_head.answered(start + ms(now), head);
        u64::try_from((next - start).as_millis()).unwrap().max(now + 1)
    })
}

/// A fixed interval, with a rest of a block behind each new head.
fn polled(moves: &Moves, interval: Duration, from: u64) -> Outcome {
    let (mut last, interval) = (None, u64::try_from(interval.as_millis()).unwrap());
    ask(moves, from, |now, head| {
        let is_new = last.replace(head).is_some_and(|last| last != head);
        now + if is_new { interval.max(BLOCK) } else { interval }
    })
}

#[test]
fn regular_steps_are_found_at_once_for_fewer_asks() {
    for step in 1..=4 {
        let predicted = predicted(&moves(10, || step, || 0), INTERVAL, LEARNED);
        assert!(predicted.at(0.5) <= 60 && predicted.at(0.99) <= 150, "{step}: {predicted:?}");
        assert!(predicted.asks_a_minute <= MOST_ASKS, "{step}: {predicted:?}");
    }
}

#[test]
fn jitter_costs_little_more_than_itself() {
    for (step, jitter) in [(1, 50), (1, 200), (2, 50), (2, 200), (2, 500), (3, 300)] {
        let predicted = predicted(&moves(20, || step, random(jitter, 7)), INTERVAL, LEARNED);
        assert!(predicted.at(0.5) <= 40 + jitter / 2, "{step} {jitter}: {predicted:?}");
        assert!(predicted.at(0.99) <= 150 + jitter, "{step} {jitter}: {predicted:?}");
        assert!(predicted.asks_a_minute <= MOST_ASKS, "{step} {jitter}: {predicted:?}");
    }
}

#[test]
fn a_step_of_several_sizes_is_looked_for_at_each_block() {
    let mut size = random(2, 3);
    let moves = moves(30, || size() + 1, || 0);
    let (predicted, polled) = (predicted(&moves, INTERVAL, LEARNED), polled(&moves, INTERVAL, LEARNED));
    assert!(predicted.at(0.9) <= 60 && predicted.mean() < polled.mean() / 4.0, "{predicted:?}, {polled:?}");
    assert!(predicted.asks_a_minute <= MOST_ASKS, "{predicted:?}");
}

#[test]
fn a_clock_that_is_not_that_of_the_blocks_is_learned() {
    // Finality that looks every so often what there is.
    for tick in [2_000, 2_500] {
        let moves: Moves = (1..600).map(|at| (at * tick, at * tick / BLOCK, at * tick)).collect();
        let predicted = predicted(&moves, INTERVAL, LEARNED);
        assert!(predicted.at(0.5) <= 60 && predicted.at(0.9) <= 150, "{tick}: {predicted:?}");
        assert!(predicted.asks_a_minute <= MOST_ASKS, "{tick}: {predicted:?}");
    }
}

#[test]
fn moments_without_a_pattern_are_hardly_worse_than_at_an_interval() {
    for (most, jitter) in [(2, 1_500), (4, 1_500), (6, 3_000)] {
        let mut size = random(most, 3);
        let moves = moves(30, || size() + 1, random(jitter, 5));
        let (predicted, polled) = (predicted(&moves, INTERVAL, LEARNED), polled(&moves, INTERVAL, LEARNED));
        assert!(predicted.mean() <= polled.mean() * 1.35, "{most} {jitter}: {} {}", predicted.mean(), polled.mean());
        assert!(predicted.asks_a_minute <= polled.asks_a_minute + 2.5, "{most} {jitter}: {predicted:?}, {polled:?}");
    }
}

#[test]
fn behind_a_stall_it_goes_on_as_before() {
    let mut moves = moves(10, || 2, || 0);
    // Five minutes in, nothing is final for a minute.
    moves.retain(|(at, ..)| !(300_000..360_000).contains(at));
    let behind = predicted(&moves, INTERVAL, 380_000);
    assert!(behind.at(0.5) <= 60 && behind.at(0.99) <= 150, "{behind:?}");
    let whole = predicted(&moves, INTERVAL, LEARNED);
    assert!(whole.delays.last() <= Some(&1_000), "the end of the stall is found within the interval: {whole:?}");
    assert!(whole.asks_a_minute <= MOST_ASKS, "{whole:?}");
}

#[test]
fn a_chain_that_halts_and_a_machine_that_sleeps_are_learned_anew() {
    // The chain makes no block for a while; this machine's clock stands while it goes on.
    for (shift, blocks) in [(100_000, 0), (0, 200)] {
        let mut moves = moves(10, || 2, || 0);
        for (at, block, made) in moves.iter_mut().filter(|(at, ..)| *at > 300_000) {
            (*at, *block, *made) = (*at + shift, *block + blocks, *made + shift + blocks * BLOCK);
        }
        let behind = predicted(&moves, INTERVAL, 300_000 + shift + LEARNED);
        assert!(behind.at(0.5) <= 60 && behind.at(0.99) <= 150, "{behind:?}");
    }
}

#[test]
fn another_node_with_another_lag_is_followed_within_a_few_moves() {
    for (first, second) in [(0, 700), (700, 0)] {
        let mut moves = moves(10, || 1, || 0);
        for (at, ..) in &mut moves {
            *at += if *at < 300_000 { first } else { second };
        }
        moves.sort_unstable();
        let behind = predicted(&moves, INTERVAL, 345_000);
        assert!(behind.at(0.5) <= 60 && behind.at(0.99) <= 200, "{first} {second}: {behind:?}");
    }
}

#[test]
fn what_comes_while_nobody_asks_is_no_step() {
    let moves = moves(10, || 2, || 0);
    // Five minutes of reading the past, with a look every ten seconds.
    let (start, mut next_head) = (Instant::now(), NextHead::new(INTERVAL));
    let behind = ask(&moves, 300_000 + LEARNED / 3, |now, head| {
        let next = next_head.answered(start + ms(now), head);
        if now < 300_000 { now + 10_000 } else { u64::try_from((next - start).as_millis()).unwrap().max(now + 1) }
    });
    assert!(behind.at(0.5) <= 60 && behind.at(0.99) <= 150, "{behind:?}");
}

#[test]
fn a_head_that_falls_is_forgotten() {
    let (start, mut next_head) = (Instant::now(), NextHead::new(INTERVAL));
    let mut told = |at: u64, block| next_head.answered(start + ms(at), Head { block, timestamp: 0 }) - start;
    for block in 1..40 {
        told(block * BLOCK, block);
    }
    assert_eq!(told(90_000, 20), ms(91_000), "nothing is known of where it goes from there");
    assert_eq!(told(91_000, 20), ms(92_000));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever finality does: the rest is bounded, and over time no more is asked than at the interval.
    #[test]
    fn rests_and_asks_are_bounded(
        steps in proptest::collection::vec((1u64..12, 0u64..4_000), 100..400),
        interval in 10u64..3_000,
    ) {
        let (mut moves, mut block, mut last) = (Vec::new(), 0, 0);
        for (step, late) in steps {
            block += step;
            last = (block * BLOCK + late).max(last + 1);
            moves.push((last, block, block * BLOCK));
        }
        let outcome = predicted(&moves, ms(interval), 0);
        prop_assert!(outcome.longest_rest <= interval.max(LONGEST.as_millis().try_into().unwrap()));
        prop_assert!(outcome.asks_a_minute <= 60_000.0 / interval as f64 + 8.0, "{:?}", outcome.asks_a_minute);
    }
}

//! `--until-caught-up`: waits until everything that was final at the start is in the tables.
//!
//! That is every fill up to the head of the beginning, one pass of the markets, and one attempt at every token whose market
//! is not known. It never waits for a token to resolve.
//!
//! A pass counts as long as what it appended is still in the streams: where those were lost meanwhile it is made again. So
//! at the end the ingesters are asked once more whether their cursors are where they left them.

use std::time::{Duration, Instant};
use std::{fmt, io::Write};

use crate::flow::StageId;
use crate::monitor::{Collector, Source};
use crate::source::{Head, Position};
use crate::streams::{MarketProgress, SourceProgress, TokenProgress};
use crate::{clock::since_epoch, control::DesiredState, model::ChainPosition};

use crate::units::{self, thousands};
use crate::warehouse::counted_tables;

/// How often to look, and where somebody rests on the last stretch, how often to urge.
const POLL: Duration = Duration::from_millis(50);

/// How often to look at most, however fast something moves.
const SHORTEST: Duration = Duration::from_millis(5);

/// Why it did not catch up.
#[derive(Debug, thiserror::Error)]
pub enum NotCaughtUp {
    /// The source has told no head.
    #[error("not caught up: the source told no head within {patience:?}{cause}")]
    NoHead {
        /// How long was waited.
        patience: Duration,
        /// What a stage says of it.
        cause: String,
    },
    /// The newest final block is old, and no newer one comes.
    #[error("not caught up: the source is frozen, its newest final block {block} is {age_seconds} s old")]
    Frozen {
        /// The block.
        block: u64,
        /// Its age.
        age_seconds: u64,
    },
    /// Nothing moved.
    #[error("not caught up: no progress for {patience:?} on the way to {goal}{cause}")]
    Stuck {
        /// How long was waited.
        patience: Duration,
        /// Where it was going.
        goal: Goal,
        /// What a stage says of it.
        cause: String,
    },
    /// A stage is paused or stopped on purpose.
    #[error("not caught up: {stage} is {how}: resume it, and it goes on")]
    Held {
        /// The stage.
        stage: StageId,
        /// `paused` or `stopped`.
        how: &'static str,
    },
    /// It was told to stop.
    #[error("not caught up: interrupted")]
    Interrupted,
}

/// What is to be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// The tables hold every fill up to this block.
    Block(u64),
    /// The tables hold every fill up to where this source, which is no chain, could be read at the start.
    Source(&'static str),
    /// All open markets have been read once.
    OpenMarkets,
    /// So have all closed ones.
    ClosedMarkets,
    /// Somebody was asked about every token.
    Tokens,
    /// The ingesters have found the streams as they left them, after all of the above.
    Confirmation,
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Block(block) => write!(f, "block {block}"),
            Self::Source(name) => write!(f, "the end of {name}"),
            Self::OpenMarkets => f.write_str("the end of the open markets"),
            Self::ClosedMarkets => f.write_str("the end of the closed markets"),
            Self::Tokens => f.write_str("an answer about every unresolved token"),
            Self::Confirmation => f.write_str("the proof that no stream was lost meanwhile"),
        }
    }
}

/// What has been reached, and what is to be. Fixed at the start, as far as it can be known then.
#[derive(Clone, Debug, Default)]
struct Way {
    history: bool,
    head: Option<Head>,
    /// The sources beside the chain.
    beside: Vec<Beside>,
    /// The reading of markets that the next two are about.
    session: u64,
    /// The move with which the pass of the markets was complete.
    markets: Option<u64>,
    /// The sweep over all tokens that began behind all of the above.
    sweep: Option<u64>,
    /// Since when all of it is reached.
    reached: Option<Instant>,
}

/// A source beside the chain: where it is, and where it could be read to when that was first told.
#[derive(Clone, Debug, Default)]
struct Beside {
    name: &'static str,
    now: SourceProgress,
    end: Option<Position>,
}

impl Beside {
    fn is_reached(&self) -> bool {
        self.end.is_some() && self.now.watermark >= self.end
    }

    /// How far it has come on that way.
    fn places(&self) -> [Option<Position>; 2] {
        [&self.now.cursor, &self.now.watermark].map(|place| place.clone().min(self.end.clone()))
    }
}

/// What tells that something moves on the way to a goal.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Steps {
    Counts([u64; 2]),
    Places([Option<Position>; 2]),
}

impl Way {
    /// Takes in where the sources beside the chain are now.
    fn look_beside(&mut self, now: Vec<(&'static str, StageId, SourceProgress)>) {
        for (name, _, now) in now {
            let at = self.beside.iter().position(|beside| beside.name == name).unwrap_or_else(|| {
                self.beside.push(Beside { name, ..Beside::default() });
                self.beside.len() - 1
            });
            let beside = &mut self.beside[at];
            beside.end = beside.end.take().or_else(|| now.frontier.as_ref().map(|(frontier, _)| frontier.end.clone()));
            beside.now = now;
        }
    }

    /// What is next, if anything is.
    fn goal(
        &mut self,
        source: &Source,
        markets: Option<&MarketProgress>,
        tokens: Option<TokenProgress>,
        now: Instant,
    ) -> Option<Goal> {
        if let Some(goal) = self.next(source, markets, tokens) {
            self.reached = None;
            return Some(goal);
        }
        let reached = *self.reached.get_or_insert(now);
        let is_confirmed = |at: Option<Instant>| at.is_some_and(|at| at > reached);
        let all = is_confirmed(source.confirmed)
            && self.beside.iter().all(|beside| is_confirmed(beside.now.confirmed))
            && markets.is_none_or(|markets| is_confirmed(markets.confirmed));
        (!all).then_some(Goal::Confirmation)
    }

    fn next(
        &mut self,
        source: &Source,
        markets: Option<&MarketProgress>,
        tokens: Option<TokenProgress>,
    ) -> Option<Goal> {
        let block = self.head.map_or(0, |head| head.block);
        if self.end().is_none() || source.watermark < self.end() {
            return Some(Goal::Block(block));
        }
        if let Some(beside) = self.beside.iter().find(|beside| !beside.is_reached()) {
            return Some(Goal::Source(beside.name));
        }
        let markets = markets?;
        if self.session != markets.session {
            (self.session, self.markets, self.sweep) = (markets.session, None, None);
        }
        if markets.rounds == 0 {
            return Some(Goal::OpenMarkets);
        }
        if self.history && !markets.history_read {
            return Some(Goal::ClosedMarkets);
        }
        let complete = *self.markets.get_or_insert_with(|| markets.cursor.unwrap_or(0));
        if markets.watermark < Some(complete) {
            return Some(Goal::OpenMarkets);
        }
        let swept = tokens.map_or(0, |tokens| tokens.sweeps);
        // One that is under way, or may be, began before.
        let begins = swept + 1 + u64::from(tokens.is_none_or(|tokens| tokens.is_sweeping));
        let sweep = *self.sweep.get_or_insert(begins);
        let all_tried = tokens.is_some_and(|tokens| tokens.untried == 0);
        (swept < sweep || !all_tried).then_some(Goal::Tokens)
    }

    /// Whether all that leads to a goal is read, so that what is left is to prove it.
    fn is_nearly_at(&self, goal: Goal, source: &Source) -> bool {
        match goal {
            Goal::Block(_) => self.end().is_some() && source.cursor >= self.end(),
            Goal::OpenMarkets => self.markets.is_some(),
            Goal::Source(_) | Goal::ClosedMarkets => false,
            Goal::Tokens | Goal::Confirmation => true,
        }
    }

    /// How far the fills have come. Behind the head only the watermark counts: a cursor that goes on with the chain is no
    /// progress.
    fn steps_to_block(&self, source: &Source) -> [u64; 2] {
        let end = self.end().unwrap_or(ChainPosition::start_of(u64::MAX));
        let place = |position: Option<ChainPosition>| {
            let position = position.unwrap_or(ChainPosition::start_of(0)).min(end);
            (position.block << 20) | u64::from(position.log_index)
        };
        [place(source.cursor), place(source.watermark)]
    }

    /// How far a source beside the chain has come.
    fn places(&self, name: &str) -> [Option<Position>; 2] {
        let beside = self.beside.iter().find(|beside| beside.name == name);
        beside.map_or([None, None], Beside::places)
    }

    /// How far the markets have come: by pages until all are read, and then as far as those are in the table.
    fn steps_to_markets(&self, markets: &MarketProgress) -> [u64; 2] {
        match self.markets {
            None => [markets.open_pages, markets.history_pages],
            Some(complete) => [complete, markets.watermark.unwrap_or(0).min(complete)],
        }
    }

    /// The position behind the last block.
    fn end(&self) -> Option<ChainPosition> {
        self.head.map(|head| ChainPosition::start_of(head.block.saturating_add(1)))
    }
}

/// Waits until everything is reached.
pub(super) async fn wait(collector: &Collector, history: bool, patience: Duration) -> Result<(), NotCaughtUp> {
    let mut way = Way { history, ..Way::default() };
    let (mut seen, mut moved, mut untried) = (None, Instant::now(), u64::MAX);
    loop {
        let (source, markets, tokens) = (collector.source(), collector.markets(), collector.tokens());
        let fresh = || source.head.map(|(head, _)| head).filter(|head| head.age(since_epoch()) <= Head::FRESH);
        way.head = way.head.or_else(fresh);
        way.look_beside(collector.beside());
        let Some(goal) = way.goal(&source, markets.as_ref(), tokens, Instant::now()) else { return Ok(()) };
        if let Some(held) = held(collector) {
            return Err(held);
        }
        untried = untried.min(tokens.map_or(u64::MAX, |tokens| tokens.untried));
        // Only what leads to the goal is progress: all else may go on for ever beside a source that stands still.
        let steps = match goal {
            Goal::Block(_) => Steps::Counts(way.steps_to_block(&source)),
            Goal::Source(name) => Steps::Places(way.places(name)),
            Goal::OpenMarkets | Goal::ClosedMarkets => {
                Steps::Counts(markets.map_or([0; 2], |markets| way.steps_to_markets(&markets)))
            }
            Goal::Confirmation => Steps::Counts([0; 2]),
            Goal::Tokens => Steps::Counts([
                tokens.map_or(0, |tokens| tokens.sweeps.min(way.sweep.unwrap_or(0))),
                u64::MAX - untried,
            ]),
        };
        let now = Some((goal, steps));
        if now != seen {
            (seen, moved) = (now, Instant::now());
        }
        if moved.elapsed() >= patience {
            return Err(why(collector, way.head, &source, goal, patience));
        }
        if way.is_nearly_at(goal, &source) {
            collector.urge();
        }
        tokio::select! {
            () = tokio::time::sleep(POLL) => {}
            () = collector.moved() => tokio::time::sleep(SHORTEST).await,
        }
    }
}

/// A stage that will not do its part.
fn held(collector: &Collector) -> Option<NotCaughtUp> {
    let is_held =
        |status: &crate::control::StageStatus| matches!(status.desired, Some(DesiredState::Pause | DesiredState::Stop));
    let (stage, status) = collector.stages().into_iter().find(|(_, status)| is_held(status))?;
    let how = if status.desired == Some(DesiredState::Stop) { "stopped" } else { "paused" };
    Some(NotCaughtUp::Held { stage, how })
}

fn why(collector: &Collector, target: Option<Head>, source: &Source, goal: Goal, patience: Duration) -> NotCaughtUp {
    // One root cause says more than one of its consequences.
    let cause = collector.root_cause().map_or(String::new(), |root| format!(": {root}"));
    match (target, source.head) {
        (Some(_), _) => NotCaughtUp::Stuck { patience, goal, cause },
        (None, Some((head, _))) => {
            NotCaughtUp::Frozen { block: head.block, age_seconds: head.age(since_epoch()).as_secs() }
        }
        (None, None) => NotCaughtUp::NoHead { patience, cause },
    }
}

/// Says what there is now.
pub(super) async fn report(collector: &Collector) {
    let before = collector.source().watermark.map_or("unknown".into(), |position| thousands(position.block));
    let rows = match collector.tables().await {
        Ok(rows) => {
            let count = |table| units::rows(rows[table].rows, rows[table].is_estimate, thousands);
            let told = counted_tables(&rows).map(|table| format!("{} {}", count(table), table.words()));
            told.collect::<Vec<_>>().join(", ")
        }
        Err(error) => format!("rows unknown ({error})"),
    };
    let tokens = collector
        .tokens()
        .map_or(String::new(), |tokens| format!(", {} tokens unresolved", thousands(tokens.unresolved)));
    let _ = writeln!(std::io::stdout(), "caught up before block {before}: {rows}{tokens}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Frontier;

    /// Everything as it is when all is reached: fills up to block 9, a pass of markets that is in the table, and all tokens.
    fn reached() -> (Way, Source, MarketProgress, TokenProgress) {
        let way = Way { head: Some(Head { block: 9, timestamp: 1 }), ..Way::default() };
        let source = Source { watermark: Some(ChainPosition::start_of(10)), ..Source::default() };
        let markets =
            MarketProgress { session: 1, rounds: 1, cursor: Some(8), watermark: Some(8), ..MarketProgress::default() };
        (
            way,
            source,
            markets,
            TokenProgress { sweeps: 9, is_sweeping: true, unresolved: 9, untried: 0, missed: 0, at: None },
        )
    }

    #[test]
    fn one_goal_after_the_other() {
        let mut way = Way { history: true, ..Way::default() };
        let mut source = Source::default();
        let (mut markets, mut tokens) = (MarketProgress::default(), None);
        assert_eq!(way.next(&source, Some(&markets), tokens), Some(Goal::Block(0)), "nobody has told a head");
        way.head = Some(Head { block: 9, timestamp: 1 });
        let mut goal = |source: &Source, markets: &MarketProgress, tokens| way.next(source, Some(markets), tokens);
        source.watermark = Some(ChainPosition::start_of(9));
        assert_eq!(goal(&source, &markets, tokens), Some(Goal::Block(9)));
        source.watermark = Some(ChainPosition::start_of(10));
        assert_eq!(goal(&source, &markets, tokens), Some(Goal::OpenMarkets));
        markets.rounds = 1;
        assert_eq!(goal(&source, &markets, tokens), Some(Goal::ClosedMarkets));
        (markets.history_read, markets.cursor, markets.watermark) = (true, Some(7), Some(6));
        assert_eq!(goal(&source, &markets, tokens), Some(Goal::OpenMarkets), "not yet in the table");
        (markets.cursor, markets.watermark) = (Some(8), Some(7));
        for (sweeps, untried, expected) in [(5, 0, true), (6, 0, true), (7, 3, true), (8, 0, false)] {
            tokens = Some(TokenProgress { sweeps, is_sweeping: true, unresolved: 9, untried, missed: 0, at: None });
            assert_eq!(goal(&source, &markets, tokens).is_some(), expected, "{sweeps} {untried}");
        }
    }

    #[test]
    fn the_first_sweep_that_begins_behind_all_is_enough() {
        for (is_sweeping, enough) in [(true, 11), (false, 10)] {
            let (mut way, source, markets, tokens) = reached();
            let tokens = TokenProgress { is_sweeping, ..tokens };
            let mut goal = |sweeps| way.next(&source, Some(&markets), Some(TokenProgress { sweeps, ..tokens }));
            assert_eq!((goal(9), goal(enough - 1)), (Some(Goal::Tokens), Some(Goal::Tokens)));
            assert_eq!(goal(enough), None, "sweeping: {is_sweeping}");
        }
        // Where none has ended yet, the first one may be under way.
        let (mut way, source, markets, tokens) = reached();
        assert_eq!(way.next(&source, Some(&markets), None), Some(Goal::Tokens));
        let at = |sweeps| Some(TokenProgress { sweeps, ..tokens });
        assert_eq!(way.next(&source, Some(&markets), at(1)), Some(Goal::Tokens));
        assert_eq!(way.next(&source, Some(&markets), at(2)), None);
    }

    #[test]
    fn nobody_is_urged_while_there_is_something_to_read() {
        let (mut way, mut source, ..) = reached();
        for (cursor, nearly) in [(9, false), (10, true), (11, true)] {
            source.cursor = Some(ChainPosition::start_of(cursor));
            assert_eq!(way.is_nearly_at(Goal::Block(9), &source), nearly, "{cursor}");
        }
        assert!(!way.is_nearly_at(Goal::OpenMarkets, &source) && !way.is_nearly_at(Goal::ClosedMarkets, &source));
        way.markets = Some(8);
        assert!(
            [Goal::OpenMarkets, Goal::Tokens, Goal::Confirmation].map(|it| way.is_nearly_at(it, &source)) == [true; 3]
        );
        assert!(!Way::default().is_nearly_at(Goal::Block(0), &Source::default()), "no head is known");
    }

    #[test]
    fn a_pass_whose_streams_were_lost_is_made_again() {
        let (mut way, source, mut markets, mut tokens) = reached();
        assert_eq!(way.next(&source, Some(&markets), Some(tokens)), Some(Goal::Tokens));
        tokens.sweeps += 2;
        assert_eq!(way.next(&source, Some(&markets), Some(tokens)), None);
        markets = MarketProgress { session: 2, cursor: Some(3), watermark: Some(8), ..MarketProgress::default() };
        assert_eq!(way.next(&source, Some(&markets), Some(tokens)), Some(Goal::OpenMarkets), "in this session");
        (markets.rounds, markets.cursor) = (1, Some(11));
        assert_eq!(way.next(&source, Some(&markets), Some(tokens)), Some(Goal::OpenMarkets), "not yet in the table");
        markets.watermark = Some(11);
        assert_eq!(way.next(&source, Some(&markets), Some(tokens)), Some(Goal::Tokens), "which may complete rows");
    }

    #[test]
    fn it_is_said_when_the_streams_were_as_they_were_left_after_all_was_reached() {
        let (mut way, mut source, mut markets, tokens) = reached();
        (way.session, way.sweep) = (1, Some(9));
        let at = Instant::now();
        let [before, after] = [at, at + Duration::from_millis(1)];
        (source.confirmed, markets.confirmed) = (Some(before), Some(before));
        let mut goal = |source: &Source, markets: &MarketProgress| way.goal(source, Some(markets), Some(tokens), at);
        assert_eq!(goal(&source, &markets), Some(Goal::Confirmation));
        source.confirmed = Some(after);
        assert_eq!(goal(&source, &markets), Some(Goal::Confirmation), "the markets alike");
        markets.confirmed = Some(after);
        assert_eq!(goal(&source, &markets), None);
    }

    #[test]
    fn each_source_has_an_end_of_its_own() {
        let (mut way, source, ..) = reached();
        let at = |place: &str| Some(Position::own(place, place));
        let beside = |end: &str, watermark: &str| {
            let frontier = Frontier { end: Position::own(end, end), timestamp: 1, subgraph: None };
            let frontier = Some((frontier, Instant::now()));
            vec![(
                "other",
                StageId::IngestFills,
                SourceProgress { frontier, watermark: at(watermark), ..Default::default() },
            )]
        };
        way.look_beside(beside("5", "3"));
        assert_eq!(way.next(&source, None, None), Some(Goal::Source("other")));
        assert_eq!(way.places("other"), [None, at("3")]);
        way.look_beside(beside("9", "5"));
        assert_eq!(way.next(&source, None, None), None, "what came later is another matter");
        assert_eq!(way.places("other"), [None, at("5")]);
        way.look_beside(beside("9", "8"));
        assert_eq!(way.places("other"), [None, at("5")], "behind its end nothing counts");
        assert_eq!(way.goal(&source, None, None, Instant::now()), Some(Goal::Confirmation));
    }

    #[test]
    fn without_markets_only_the_block_counts() {
        let (mut way, mut source, ..) = reached();
        let at = Instant::now();
        assert_eq!(way.goal(&source, None, None, at), Some(Goal::Confirmation));
        source.confirmed = Some(at + Duration::from_millis(1));
        assert_eq!(way.goal(&source, None, None, at), None);
    }
}

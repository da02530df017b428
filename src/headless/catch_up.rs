//! `--until-caught-up`: waits until everything that was final at the start is in the tables.
//!
//! That is every fill up to the head of the beginning, one pass of the markets, and one attempt at every token whose market
//! is not known. It never waits for a token to resolve.
//!
//! A pass counts as long as what it appended is still in the streams: where those were lost meanwhile it is made again. So
//! at the end the ingesters are asked once more whether their cursors are where they left them.

use std::fmt;
use std::io::Write;
use std::time::{Duration, Instant};

use crate::clock::since_epoch;
use crate::model::ChainPosition;
use crate::monitor::{Collector, Source};
use crate::source::Head;
use crate::stage::{Desired, MarketProgress, StageName, StageState, TokenProgress};

use crate::units::{self, thousands};

/// How often to look.
const POLL: Duration = Duration::from_millis(50);

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
        stage: StageName,
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
            Self::OpenMarkets => f.write_str("the end of the open markets"),
            Self::ClosedMarkets => f.write_str("the end of the closed markets"),
            Self::Tokens => f.write_str("an answer about every unresolved token"),
            Self::Confirmation => f.write_str("the proof that no stream was lost meanwhile"),
        }
    }
}

/// What has been reached, and what is to be. Fixed at the start, as far as it can be known then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Way {
    history: bool,
    head: Option<Head>,
    /// The reading of markets that the next two are about.
    session: u64,
    /// The move with which the pass of the markets was complete.
    markets: Option<u64>,
    /// The sweep over all tokens that began behind all of the above.
    sweep: Option<u64>,
    /// Since when all of it is reached.
    reached: Option<Instant>,
}

impl Way {
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
        let all = is_confirmed(source.confirmed) && markets.is_none_or(|markets| is_confirmed(markets.confirmed));
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
        // The one that is under way began before.
        let sweep = *self.sweep.get_or_insert(swept + 2);
        let all_tried = tokens.is_some_and(|tokens| tokens.untried == 0);
        (swept < sweep || !all_tried).then_some(Goal::Tokens)
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
        let Some(goal) = way.goal(&source, markets.as_ref(), tokens, Instant::now()) else { return Ok(()) };
        if let Some(held) = held(collector) {
            return Err(held);
        }
        untried = untried.min(tokens.map_or(u64::MAX, |tokens| tokens.untried));
        // Only what leads to the goal is progress: all else may go on for ever beside a source that stands still.
        let steps = match goal {
            Goal::Block(_) => way.steps_to_block(&source),
            Goal::OpenMarkets | Goal::ClosedMarkets => markets.map_or([0; 2], |markets| way.steps_to_markets(&markets)),
            Goal::Confirmation => [0; 2],
            Goal::Tokens => [tokens.map_or(0, |tokens| tokens.sweeps.min(way.sweep.unwrap_or(0))), u64::MAX - untried],
        };
        let now = Some((goal, steps));
        if now != seen {
            (seen, moved) = (now, Instant::now());
        }
        if moved.elapsed() >= patience {
            return Err(why(collector, way.head, &source, goal, patience));
        }
        tokio::time::sleep(POLL).await;
    }
}

/// A stage that will not do its part.
fn held(collector: &Collector) -> Option<NotCaughtUp> {
    let is_held = |status: &crate::stage::StageStatus| matches!(status.desired, Some(Desired::Pause | Desired::Stop));
    let (stage, status) = collector.stages().into_iter().find(|(_, status)| is_held(status))?;
    let how = if status.desired == Some(Desired::Stop) { "stopped" } else { "paused" };
    Some(NotCaughtUp::Held { stage, how })
}

fn why(collector: &Collector, target: Option<Head>, source: &Source, goal: Goal, patience: Duration) -> NotCaughtUp {
    let waiting = collector.stages().into_iter().find(|(_, status)| matches!(status.state, StageState::Wait(_)));
    let cause = waiting.map_or(String::new(), |(stage, status)| format!(": {stage}: {}", status.state));
    // One root cause says more than one of its consequences.
    let cause = collector.root_cause().map_or(cause, |root| format!(": {root}"));
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
            let [trades, markets, letters] =
                [rows.trades, rows.markets, rows.dead_letters].map(|count| units::rows(count, thousands));
            format!("{trades} trades, {markets} markets, {letters} dead letters")
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

    /// Everything as it is when all is reached: fills up to block 9, a pass of markets that is in the table, and all tokens.
    fn reached() -> (Way, Source, MarketProgress, TokenProgress) {
        let way = Way { head: Some(Head { block: 9, timestamp: 1 }), ..Way::default() };
        let source = Source { watermark: Some(ChainPosition::start_of(10)), ..Source::default() };
        let markets =
            MarketProgress { session: 1, rounds: 1, cursor: Some(8), watermark: Some(8), ..MarketProgress::default() };
        (way, source, markets, TokenProgress { sweeps: 9, unresolved: 9, untried: 0, missed: 0, at: None })
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
            tokens = Some(TokenProgress { sweeps, unresolved: 9, untried, missed: 0, at: None });
            assert_eq!(goal(&source, &markets, tokens).is_some(), expected, "{sweeps} {untried}");
        }
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
    fn without_markets_only_the_block_counts() {
        let (mut way, mut source, ..) = reached();
        let at = Instant::now();
        assert_eq!(way.goal(&source, None, None, at), Some(Goal::Confirmation));
        source.confirmed = Some(at + Duration::from_millis(1));
        assert_eq!(way.goal(&source, None, None, at), None);
    }
}

//! The form of a replay: stage, from, to; then what it would do; then Enter.

use crate::tui::key::{Key, KeyCode};

use super::outcome::Outcome;
use crate::control::{Answer, Command, Plan, Replay};
use crate::flow::{Replays, StageId};

/// Characters of a point in time, at most.
const LONGEST: usize = 40;

/// A field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Stage,
    From,
    To,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReplayForm {
    /// The stages that run and whose work can be repeated.
    stages: Vec<StageId>,
    pub(crate) stage: StageId,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) field: Field,
    /// What it would do, of the fields as they are.
    pub(crate) plan: Option<Result<Plan, String>>,
    /// Whether somebody is finding that out.
    pub(crate) asking: bool,
}

impl ReplayForm {
    /// Of a stage, or of the first of those that run where that one has nothing to repeat.
    pub(crate) fn new(stage: StageId, running: impl Iterator<Item = StageId>) -> Self {
        let is_repeated = |stage: &StageId| stage.declared().replays != Replays::Nothing;
        let stages: Vec<StageId> = running.filter(is_repeated).collect();
        let is_there = stages.contains(&stage);
        let stage = if is_there { stage } else { stages.first().copied().unwrap_or(StageId::IngestFills) };
        Self { stages, stage, from: "15m".into(), to: "now".into(), field: Field::From, plan: None, asking: false }
    }

    fn replay(&self, dry_run: bool) -> Result<Replay, String> {
        Ok(Replay { stage: self.stage, from: self.from.parse()?, to: self.to.parse()?, dry_run })
    }

    /// Takes what a replay would do, if it is still the one that is meant.
    pub(crate) fn planned(&mut self, replay: &Replay, answer: Answer) {
        if self.replay(true).as_ref() != Ok(replay) {
            return;
        }
        self.asking = false;
        self.plan = match answer {
            Answer::Plan(plan) => Some(Ok(plan)),
            Answer::Refused(why) => Some(Err(why)),
            Answer::Done(_) => None,
        };
    }

    /// Types into the field.
    pub(crate) fn insert(&mut self, text: &str) {
        self.edit(|typed| typed.extend(text.chars().take(LONGEST.saturating_sub(typed.chars().count()))));
    }

    /// Changes what is typed in the field.
    fn edit(&mut self, change: impl FnOnce(&mut String)) {
        match self.field {
            Field::Stage => return,
            Field::From => change(&mut self.from),
            Field::To => change(&mut self.to),
        }
        self.changed();
    }

    fn changed(&mut self) {
        (self.plan, self.asking) = (None, false);
    }

    fn turn(&mut self, by: usize) {
        let at = self.stages.iter().position(|stage| *stage == self.stage).unwrap_or(0);
        self.stage = self.stages.iter().copied().cycle().nth(at + by).unwrap_or(self.stage);
        self.changed();
    }

    pub(crate) fn key(&mut self, key: Key) -> Outcome {
        match key.code {
            KeyCode::Esc => return Outcome::Closes,
            KeyCode::Enter => return self.enter(),
            KeyCode::Tab | KeyCode::Down => self.field = next(self.field),
            KeyCode::BackTab | KeyCode::Up => self.field = next(next(self.field)),
            KeyCode::Left if self.field == Field::Stage => self.turn(self.stages.len().saturating_sub(1)),
            KeyCode::Right | KeyCode::Char(' ') if self.field == Field::Stage => self.turn(1),
            KeyCode::Char('u') if key.has_control() => self.edit(String::clear),
            KeyCode::Backspace => self.edit(|typed| _ = typed.pop()),
            KeyCode::Char(typed) if !key.has_control() => self.insert(typed.encode_utf8(&mut [0; 4])),
            _ => {}
        }
        Outcome::Stays
    }

    /// First asks what it would do, and only then does it.
    fn enter(&mut self) -> Outcome {
        let is_planned = matches!(self.plan, Some(Ok(_)));
        let replay = match self.replay(!is_planned) {
            Ok(replay) => replay,
            Err(why) => {
                self.plan = Some(Err(why));
                return Outcome::Stays;
            }
        };
        if !is_planned {
            if self.asking {
                return Outcome::Stays;
            }
            (self.asking, self.plan) = (true, None);
        }
        Outcome::Asks(Command::Replay(replay))
    }
}

const fn next(field: Field) -> Field {
    match field {
        Field::Stage => Field::From,
        Field::From => Field::To,
        Field::To => Field::Stage,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where no subgraph is read.
    fn form(stage: StageId) -> ReplayForm {
        let reads_none = |stage: &StageId| !matches!(stage, StageId::IngestGoldsky | StageId::WriteGoldskyTrades);
        ReplayForm::new(stage, StageId::ALL.into_iter().filter(reads_none))
    }

    fn press(form: &mut ReplayForm, code: KeyCode) -> Outcome {
        form.key(Key::from(code))
    }

    /// The replay that is asked for, or what it would do.
    fn asked_of(outcome: Outcome, dry_run: bool) -> Replay {
        let Outcome::Asks(Command::Replay(replay)) = outcome else { panic!("it asks") };
        assert_eq!(replay.dry_run, dry_run);
        replay
    }

    fn plan() -> Plan {
        Plan { from: "block 1".into(), to: "block 9".into(), amount: "9 blocks".into(), way: "w".into() }
    }

    #[test]
    fn nothing_runs_before_it_was_shown_what_it_would_do() {
        let mut form = form(StageId::Resolver);
        assert_eq!(form.stage, StageId::IngestFills, "the resolver has nothing to replay");
        let asked = asked_of(press(&mut form, KeyCode::Enter), true);
        assert_eq!(press(&mut form, KeyCode::Enter), Outcome::Stays, "once");
        form.planned(&asked, Answer::Plan(plan()));
        // Another key, and the plan is of something else.
        press(&mut form, KeyCode::Backspace);
        assert_eq!(form.plan, None);
        press(&mut form, KeyCode::Char('m'));
        asked_of(press(&mut form, KeyCode::Enter), true);
        form.planned(&asked, Answer::Plan(plan()));
        asked_of(press(&mut form, KeyCode::Enter), false);
    }

    #[test]
    fn what_is_no_time_is_said_and_a_late_answer_counts_for_nothing() {
        let mut form = form(StageId::WriteTrades);
        press(&mut form, KeyCode::Char('x'));
        assert_eq!(press(&mut form, KeyCode::Enter), Outcome::Stays);
        assert!(form.plan.as_ref().is_some_and(|plan| plan.as_ref().is_err_and(|why| why.contains("15mx"))));
        press(&mut form, KeyCode::Backspace);
        let asked = asked_of(press(&mut form, KeyCode::Enter), true);
        press(&mut form, KeyCode::Up);
        press(&mut form, KeyCode::Right);
        assert_eq!(form.stage, StageId::WriteDeadLetters, "there is no subgraph");
        form.planned(&asked, Answer::Plan(plan()));
        assert_eq!(form.plan, None);
    }

    #[test]
    fn a_field_has_an_end() {
        let mut form = form(StageId::IngestFills);
        form.insert(&"9".repeat(500));
        assert_eq!(form.from.len(), LONGEST);
    }
}

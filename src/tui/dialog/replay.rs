//! The form of a replay: stage, from, to; then what it would do; then Enter.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::Outcome;
use crate::stage::{Answer, Command, Plan, Replay, StageName};

/// The stages whose work can be repeated.
const STAGES: [StageName; 5] = [
    StageName::IngestFills,
    StageName::ProcessTrades,
    StageName::WriteTrades,
    StageName::WriteMarkets,
    StageName::WriteDeadLetters,
];

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
    pub(crate) stage: StageName,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) field: Field,
    /// What it would do, of the fields as they are.
    pub(crate) plan: Option<Result<Plan, String>>,
    /// Whether somebody is finding that out.
    pub(crate) asking: bool,
}

impl ReplayForm {
    pub(crate) fn new(stage: StageName) -> Self {
        let stage = if STAGES.contains(&stage) { stage } else { StageName::IngestFills };
        Self { stage, from: "15m".into(), to: "now".into(), field: Field::From, plan: None, asking: false }
    }

    fn replay(&self) -> Result<Replay, String> {
        Ok(Replay { stage: self.stage, from: self.from.parse()?, to: self.to.parse()? })
    }

    /// Takes what a replay would do, if it is still the one that is meant.
    pub(crate) fn planned(&mut self, replay: &Replay, answer: Answer) {
        if self.replay().as_ref() != Ok(replay) {
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
        let field = match self.field {
            Field::Stage => return,
            Field::From => &mut self.from,
            Field::To => &mut self.to,
        };
        field.extend(text.chars().take(LONGEST.saturating_sub(field.chars().count())));
        self.changed();
    }

    fn changed(&mut self) {
        (self.plan, self.asking) = (None, false);
    }

    fn turn(&mut self, by: usize) {
        let at = STAGES.iter().position(|stage| *stage == self.stage).unwrap_or(0);
        self.stage = STAGES[(at + by) % STAGES.len()];
        self.changed();
    }

    pub(crate) fn key(&mut self, key: KeyEvent) -> Outcome {
        match key.code {
            KeyCode::Esc => return Outcome::Closes,
            KeyCode::Enter => return self.enter(),
            KeyCode::Tab | KeyCode::Down => self.field = next(self.field),
            KeyCode::BackTab | KeyCode::Up => self.field = next(next(self.field)),
            KeyCode::Left if self.field == Field::Stage => self.turn(STAGES.len() - 1),
            KeyCode::Right | KeyCode::Char(' ') if self.field == Field::Stage => self.turn(1),
            KeyCode::Char('u') if key.modifiers.contains(KeyModifiers::CONTROL) => {
                match self.field {
                    Field::Stage => {}
                    Field::From => self.from.clear(),
                    Field::To => self.to.clear(),
                }
                self.changed();
            }
            KeyCode::Backspace => {
                match self.field {
                    Field::Stage => {}
                    Field::From => drop(self.from.pop()),
                    Field::To => drop(self.to.pop()),
                }
                self.changed();
            }
            KeyCode::Char(typed) if !key.modifiers.contains(KeyModifiers::CONTROL) => {
                self.insert(typed.encode_utf8(&mut [0; 4]));
            }
            _ => {}
        }
        Outcome::Stays
    }

    /// First asks what it would do, and only then does it.
    fn enter(&mut self) -> Outcome {
        let replay = match self.replay() {
            Ok(replay) => replay,
            Err(why) => {
                self.plan = Some(Err(why));
                return Outcome::Stays;
            }
        };
        match &self.plan {
            Some(Ok(_)) => Outcome::Asks(Command::Replay(replay)),
            _ if self.asking => Outcome::Stays,
            _ => {
                (self.asking, self.plan) = (true, None);
                Outcome::Asks(Command::Plan(replay))
            }
        }
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

    fn press(form: &mut ReplayForm, code: KeyCode) -> Outcome {
        form.key(KeyEvent::new(code, KeyModifiers::NONE))
    }

    fn plan() -> Plan {
        Plan { from: "block 1".into(), to: "block 9".into(), amount: "9 blocks".into(), way: "w".into() }
    }

    #[test]
    fn nothing_runs_before_it_was_shown_what_it_would_do() {
        let mut form = ReplayForm::new(StageName::Resolver);
        assert_eq!(form.stage, StageName::IngestFills, "the resolver has nothing to replay");
        let Outcome::Asks(Command::Plan(asked)) = press(&mut form, KeyCode::Enter) else { panic!("it asks") };
        assert_eq!(press(&mut form, KeyCode::Enter), Outcome::Stays, "once");
        form.planned(&asked, Answer::Plan(plan()));
        // Another key, and the plan is of something else.
        press(&mut form, KeyCode::Backspace);
        assert_eq!(form.plan, None);
        press(&mut form, KeyCode::Char('m'));
        assert!(matches!(press(&mut form, KeyCode::Enter), Outcome::Asks(Command::Plan(_))));
        form.planned(&asked, Answer::Plan(plan()));
        assert!(matches!(press(&mut form, KeyCode::Enter), Outcome::Asks(Command::Replay(_))));
    }

    #[test]
    fn what_is_no_time_is_said_and_a_late_answer_counts_for_nothing() {
        let mut form = ReplayForm::new(StageName::WriteTrades);
        press(&mut form, KeyCode::Char('x'));
        assert_eq!(press(&mut form, KeyCode::Enter), Outcome::Stays);
        assert!(form.plan.as_ref().is_some_and(|plan| plan.as_ref().is_err_and(|why| why.contains("15mx"))));
        press(&mut form, KeyCode::Backspace);
        let Outcome::Asks(Command::Plan(asked)) = press(&mut form, KeyCode::Enter) else { panic!("it asks") };
        press(&mut form, KeyCode::Up);
        press(&mut form, KeyCode::Right);
        assert_eq!(form.stage, StageName::WriteMarkets);
        form.planned(&asked, Answer::Plan(plan()));
        assert_eq!(form.plan, None);
    }

    #[test]
    fn a_field_has_an_end() {
        let mut form = ReplayForm::new(StageName::IngestFills);
        form.insert(&"9".repeat(500));
        assert_eq!(form.from.len(), LONGEST);
    }
}

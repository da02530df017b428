//! The stages and the replays: what each does, how fast, and what it waits for.
//!
//! ```text
//!   STATE       STAGE               EV/S  MOVED   SINCE NOTE
//! ▶ ● RUN       ingest-fills         812  1.64M      3d block 97,812,345
//!   ‖ PAUS      write-markets          0  56.7k      6m
//!   ↻ REPL      a3f09c ingest-fills 2400  98.7k   41% left 41s
//! ```

use ratatui::layout::Rect;

use crate::monitor::{JobView, Snapshot, StageView, State as Word};
use crate::stage::{Desired, StageName};
use crate::tui::state::{Pane, State, goes_on};
use crate::tui::text;
use crate::tui::theme::Token;
use crate::tui::widget::{Canvas, Cell, Column, Frame, pane, table};
use crate::units::{about, age, count, percent, thousands};
use crate::warehouse::JobState;

const COLUMNS: [Column; 6] = [
    Column::text("STATE", 11, 0),
    Column::text("STAGE", 19, 0),
    Column::number("EV/S", 5, 2),
    Column::number("MOVED", 5, 4),
    Column::number("SINCE", 5, 3),
    Column::text("NOTE", 8, 1),
];

pub(super) fn draw(state: &State, area: Rect, frame: Frame, canvas: &mut Canvas<'_>) {
    let shown = state.shown();
    let has_keys = state.focused() == Pane::Stages;
    let inner = pane(canvas, area, frame, "1 Stages", "", has_keys);
    let mut lines: Vec<Vec<Cell>> = shown.stages.iter().map(|stage| line(stage, shown, canvas)).collect();
    lines.extend(shown.jobs.iter().map(|job| replay(job, canvas)));
    table(canvas, inner, &COLUMNS, &lines, has_keys.then(|| state.selected(Pane::Stages)));
}

fn line(stage: &StageView, shown: &Snapshot, canvas: &Canvas<'_>) -> Vec<Cell> {
    let style = canvas.look.theme.state(stage.state);
    let glyph = canvas.charset().state(stage.state);
    let wanted = stage.requested.map(|desired| match desired {
        Desired::Run => ">RUN",
        Desired::Pause => ">PAUS",
        Desired::Stop => ">STOP",
    });
    let word = format!("{glyph} {}{}", stage.state, wanted.unwrap_or_default());
    let note_style = match stage.state {
        Word::Run | Word::Idle => canvas.style(Token::Dim),
        _ => style,
    };
    vec![
        Cell::new(word, style),
        stage.name.as_str().into(),
        rate(stage.rate, canvas),
        count(stage.moved).into(),
        Cell::new(about(stage.since), canvas.style(Token::Dim)),
        Cell::new(text::clean(&note(stage, shown), canvas.charset()), note_style),
    ]
}

fn rate(rate: Option<u64>, canvas: &Canvas<'_>) -> Cell {
    rate.map_or_else(|| Cell::new("-", canvas.style(Token::Dim)), |rate| count(rate).into())
}

/// What it waits for; or else where it is.
fn note(stage: &StageView, shown: &Snapshot) -> String {
    if let Some(cause) = &stage.cause {
        let again = stage.retry_in.filter(|wait| *wait > 1_000 && stage.state == Word::Wait);
        return match again {
            Some(wait) => format!("{cause}; again in {}", age(wait)),
            None => cause.clone(),
        };
    }
    match stage.name {
        StageName::IngestFills => {
            let at = shown.source.cursor.map(|cursor| format!("block {}", thousands(cursor.block.saturating_sub(1))));
            at.unwrap_or_default()
        }
        StageName::IngestMarkets => match shown.markets.as_ref().and_then(|markets| markets.last_round) {
            Some(last) => format!("all read {} ago", about(last)),
            None => "reading all open markets".into(),
        },
        StageName::Resolver => {
            shown.tokens.map_or(String::new(), |tokens| format!("{} tokens unresolved", thousands(tokens.unresolved)))
        }
        _ => String::new(),
    }
}

fn replay(job: &JobView, canvas: &Canvas<'_>) -> Vec<Cell> {
    let (word, token) = match job.state {
        JobState::Running => (Word::Repl, Token::Control),
        JobState::Done => (Word::Idle, Token::Dim),
        JobState::Cancelled => (Word::Stop, Token::Dim),
        JobState::Failed => (Word::Fail, Token::Bad),
    };
    let style = canvas.style(token);
    let shown = if goes_on(job) { word.word() } else { job.state.as_str() };
    let done = percent(job.done, job.total);
    let note = match (job.state, &job.cause, job.left) {
        (JobState::Running, Some(cause), _) => cause.clone(),
        (JobState::Running, None, Some(left)) => format!("{} left, of {}", age(left), count(job.total)),
        (JobState::Running, None, None) => format!("of {}", count(job.total)),
        (_, Some(cause), _) => cause.clone(),
        _ => format!("{} rows, {} ago", thousands(job.moved), about(job.ended.unwrap_or(0))),
    };
    vec![
        Cell::new(format!("{} {shown}", canvas.charset().state(word)), style),
        Cell::new(format!("{} {}", job.id, job.stage), style),
        rate(job.rate, canvas),
        count(job.moved).into(),
        Cell::new(done, style),
        Cell::new(text::clean(&note, canvas.charset()), style),
    ]
}

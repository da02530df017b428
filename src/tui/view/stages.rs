//! The stages and the replays: what each does, how fast, and what it waits for.
//!
//! ```text
//!   STATE       STAGE               EV/S  MOVED   SINCE NOTE
//! ▶ ● RUN       ingest-fills         812  1.64M      3d block 97,812,345
//!   ‖ PAUS      write-markets          0  56.7k      6m
//!   ↻ REPL      a3f09c ingest-fills 2400  98.7k   41% left 41s
//! ```

use ratatui::layout::Rect;

use super::pane::{Opens, Pane};
use super::title::titled;
use crate::monitor::{JobView, Snapshot, StageView, State as Word};
use crate::tui::target::{Target, goes_on};
use crate::tui::widget::{Canvas, Cell, Column, Frame, pane, table};
use crate::tui::{state::State, text as texts, theme::Token, view_id::ViewId};
use crate::units::{about, age, count, percent, thousands};
use crate::{control::DesiredState, flow::StageId, warehouse::JobState};

const COLUMNS: [Column; 6] = [
    Column::text("STATE", 11, 0),
    Column::text("STAGE", 19, 0),
    Column::number("EV/S", 5, 2),
    Column::number("MOVED", 5, 4),
    Column::number("SINCE", 5, 3),
    Column::text("NOTE", 8, 1),
];

/// The stages, and behind them the replays.
pub(crate) const PANE: Pane = Pane { name: Target::PANE, lines: Target::count, text, opens: Opens::Detail, draw };

/// A line as a text.
fn text(state: &State, _: usize) -> Option<String> {
    Some(match state.target()? {
        Target::Stage(stage) => {
            let cause = stage.cause.as_deref().unwrap_or_default();
            format!("{} {} {} moved {cause}", stage.name, stage.state, thousands(stage.moved)).trim_end().to_owned()
        }
        Target::Job(job) => format!("replay {} of {}: {} of {}", job.id, job.stage, job.done, job.total),
    })
}

fn draw(state: &State, area: Rect, frame: Frame, has_keys: bool, canvas: &mut Canvas<'_>) {
    let shown = state.shown();
    let inner = pane(canvas, area, frame, &titled(state, ViewId::OVERVIEW, "Stages"), "", has_keys);
    let mut lines: Vec<Vec<Cell>> = shown.stages.iter().map(|stage| line(stage, shown, canvas)).collect();
    lines.extend(shown.jobs.iter().map(|job| replay(job, canvas)));
    table(canvas, inner, &COLUMNS, &lines, has_keys.then(|| PANE.selected(state)));
}

fn line(stage: &StageView, shown: &Snapshot, canvas: &Canvas<'_>) -> Vec<Cell> {
    let style = canvas.look.theme.state(stage.state);
    let glyph = canvas.charset().state(stage.state);
    let wanted = stage.requested.map(|desired| match desired {
        DesiredState::Run => ">RUN",
        DesiredState::Pause => ">PAUS",
        DesiredState::Stop => ">STOP",
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
        Cell::new(texts::clean(&note(stage, shown), canvas.charset()), note_style),
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
        StageId::IngestFills => {
            let at = shown.source.cursor.map(|cursor| format!("block {}", thousands(cursor.block.saturating_sub(1))));
            at.unwrap_or_default()
        }
        StageId::IngestMarkets => match shown.markets.as_ref().and_then(|markets| markets.last_round) {
            Some(last) => format!("all read {} ago", about(last)),
            None => "reading all open markets".into(),
        },
        StageId::Resolver => {
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
        Cell::new(texts::clean(&note, canvas.charset()), style),
    ]
}

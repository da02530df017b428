//! Tests of the screen as a person sees it: frames with their styles, keys, sizes, and what a frame costs.

mod budgets;
mod frames;
mod keys;
mod readme;
mod sweep;
mod words;

use std::fmt::Write;
use std::sync::Arc;

use crate::tui::key::{Key, KeyCode, Modifiers};
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};
use tracing::Level;

use super::effect::Effect;
use super::glyphs::Charset;
use super::keymap::Keymap;
use super::look::UiOptions;
use super::screen;
use super::state::State;
use super::theme::Theme;
use super::update::{Message, update};
use crate::logs::{LogRecord, LogRing, Sink, TuiLog};
use crate::monitor::Snapshot;

/// As most see it.
fn colour() -> UiOptions {
    UiOptions { theme: Theme::Ansi, charset: Charset::Unicode, keymap: Keymap::defaults() }
}

/// As it is seen with the least.
fn plain() -> UiOptions {
    UiOptions { theme: Theme::Mono, charset: Charset::Ascii, keymap: Keymap::defaults() }
}

fn state(look: UiOptions, snapshot: Snapshot) -> State {
    State::new(look, Arc::new(snapshot), Arc::new(LogRing::default()), super::Exits::StopOrDetach)
}

fn draw(state: &mut State, (width, height): (u16, u16)) -> Buffer {
    (state.width, state.height) = (width, height);
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    screen::draw(state, area, &mut buffer);
    buffer
}

fn press(state: &mut State, code: KeyCode) -> Option<Effect> {
    let now = state.now;
    update(state, Message::Key(Key::new(code, Modifiers::NONE)), now)
}

fn type_keys(state: &mut State, keys: &str) -> Option<Effect> {
    keys.chars().map(|key| press(state, KeyCode::Char(key))).last().flatten()
}

/// The text of a buffer, line by line.
fn lines(buffer: &Buffer) -> Vec<String> {
    let area = buffer.area;
    (area.top()..area.bottom())
        .map(|y| {
            let mut line = String::new();
            let mut covered = 0;
            for x in area.left()..area.right() {
                let symbol = buffer[(x, y)].symbol();
                // What is behind a wide character is not there.
                if covered == 0 {
                    line.push_str(symbol);
                    covered = super::text::width(symbol);
                }
                covered = covered.saturating_sub(1);
            }
            line.trim_end().to_owned()
        })
        .collect()
}

/// The text of a buffer, and below it the styles, as runs of columns.
fn dump(buffer: &Buffer) -> String {
    let mut dump = lines(buffer).join("\n");
    dump.push_str("\n\n");
    for y in buffer.area.top()..buffer.area.bottom() {
        let mut runs: Vec<(u16, u16, String)> = Vec::new();
        for x in buffer.area.left()..buffer.area.right() {
            let style = style(&buffer[(x, y)]);
            match runs.last_mut() {
                Some((_, end, last)) if *last == style && *end + 1 == x => *end = x,
                _ => runs.push((x, x, style)),
            }
        }
        runs.retain(|(_, _, style)| !style.is_empty());
        if !runs.is_empty() {
            let runs: Vec<_> = runs.iter().map(|(from, to, style)| format!("{from}-{to} {style}")).collect();
            let _ = writeln!(dump, "{y}: {}", runs.join(", "));
        }
    }
    dump
}

fn style(cell: &Cell) -> String {
    let mut words = Vec::new();
    if cell.fg != Color::Reset {
        words.push(format!("{:?}", cell.fg).to_lowercase());
    }
    assert_eq!(cell.bg, Color::Reset, "no background is ever set");
    for (flag, word) in [
        (Modifier::BOLD, "bold"),
        (Modifier::DIM, "dim"),
        (Modifier::UNDERLINED, "underlined"),
        (Modifier::REVERSED, "reversed"),
    ] {
        if cell.modifier.contains(flag) {
            words.push(word.to_owned());
        }
    }
    words.join("+")
}

/// Puts the same lines into the log, whatever was there.
fn fill_log(ring: &LogRing) {
    tui_logger::move_events();
    let log = TuiLog::default();
    let lines = [
        (Level::INFO, Some("ingest-fills"), "state", &[("from", "WAIT"), ("to", "RUN")][..]),
        (Level::INFO, None, "demo world with seed 42", &[("port", "41791")]),
        (Level::WARN, Some("ingest-markets"), "gamma: the field outcomes of market 158434 is not as expected", &[]),
        (Level::WARN, Some("ingest-fills"), "state", &[("from", "RUN"), ("to", "WAIT"), ("cause", "node: refused")]),
        (
            Level::ERROR,
            Some("write-trades"),
            "東京で明日雨が降りますか？ the insert failed ☔ and its text is long",
            &[("code", "252")],
        ),
        (Level::INFO, Some("process-trades"), "a line\nwith a break and \x1b[31m an escape", &[]),
    ];
    for (at, (level, stage, message, fields)) in (1_795_579_451_000..).step_by(3_217).zip(lines) {
        let fields = fields.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let record = LogRecord {
            at,
            level,
            stage: stage.map(str::to_owned),
            target: "polytape::stage".into(),
            message: message.to_owned(),
            fields,
        };
        log.accept(&record);
        ring.push(record);
    }
    tui_logger::move_events();
}

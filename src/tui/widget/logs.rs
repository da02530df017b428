//! The log, as tui-logger keeps it: its lines, and the selector of targets and levels.

use ratatui::text::{Line, Span};
use ratatui::{layout::Rect, style::Style, widgets::Widget};
use tui_logger::{ExtLogRecord, LogFormatter, TuiLoggerTargetWidget, TuiLoggerWidget, TuiWidgetState};

use super::canvas::Canvas;
use crate::tui::theme::{Theme, Token};
use crate::tui::{glyphs::Charset, text};

/// Columns of the time, and of the target.
const TIME: usize = 8;
const TARGET: usize = 18;

/// Draws the newest lines, or those to which somebody has scrolled.
pub(crate) fn log_lines(canvas: &mut Canvas<'_>, area: Rect, state: &TuiWidgetState) {
    let area = area.intersection(canvas.buffer.area);
    if area.is_empty() {
        return;
    }
    let formatter = Formatter { theme: canvas.look.theme, charset: canvas.charset() };
    TuiLoggerWidget::default().formatter(Box::new(formatter)).state(state).render(area, canvas.buffer);
}

/// Draws the targets, and how much of each is recorded and shown.
pub(crate) fn log_targets(canvas: &mut Canvas<'_>, area: Rect, state: &TuiWidgetState) {
    let area = area.intersection(canvas.buffer.area);
    if area.is_empty() {
        return;
    }
    TuiLoggerTargetWidget::default()
        .style_show(canvas.style(Token::Label).patch(canvas.style(Token::Selected)))
        .style_hide(canvas.style(Token::Text))
        .style_off(canvas.style(Token::Dim))
        .highlight_style(canvas.style(Token::Selected))
        .state(state)
        .render(area, canvas.buffer);
}

/// `12:04:31 WARN  write-trades       insert slow rows=50000`: one line each, cut off by columns.
struct Formatter {
    theme: Theme,
    charset: Charset,
}

impl LogFormatter for Formatter {
    fn min_width(&self) -> u16 {
        1
    }

    fn format(&self, width: usize, event: &ExtLogRecord) -> Vec<Line<'_>> {
        // Texts begin with their time: see `logs::TuiLog`. What tui-logger says itself does not.
        let (time, said) = match event.msg().split_once(' ') {
            Some((time, said)) if time.len() >= TIME && time.as_bytes()[2] == b':' => (&time[..TIME], said),
            _ => ("", event.msg()),
        };
        let Self { theme, charset } = *self;
        let (level, style) = level(event.level, theme);
        let said = text::clean(said, charset);
        let rest = width.saturating_sub(TIME + 1 + 5 + 1 + TARGET + 1);
        let said_style = if event.level <= log::Level::Warn { style } else { theme.style(Token::Text) };
        vec![line(time, level, style, event.target(), text::fit(&said, rest, charset), said_style, (theme, charset))]
    }
}

/// A level and how it looks.
fn level(level: log::Level, theme: Theme) -> (&'static str, Style) {
    match level {
        log::Level::Error => ("ERROR", theme.style(Token::Bad)),
        log::Level::Warn => ("WARN ", theme.style(Token::Warn)),
        log::Level::Info => ("INFO ", theme.style(Token::Text)),
        log::Level::Debug => ("DEBUG", theme.style(Token::Dim)),
        log::Level::Trace => ("TRACE", theme.style(Token::Dim)),
    }
}

fn line(
    time: &str,
    level: &'static str,
    style: Style,
    target: &str,
    said: String,
    said_style: Style,
    (theme, charset): (Theme, Charset),
) -> Line<'static> {
    Line::from(vec![
        Span::styled(format!("{time:TIME$} "), theme.style(Token::Dim)),
        Span::styled(format!("{level} "), style),
        Span::styled(
            format!("{} ", text::left(&text::clean(target, charset), TARGET, charset)),
            theme.style(Token::Label),
        ),
        Span::styled(said, said_style),
    ])
}

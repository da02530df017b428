//! Where the source's events are: head, cursor, watermark, and what is left over.

use ratatui::{layout::Rect, style::Style};

use crate::flow::TableId;
use crate::tui::{state::State, theme::Token, widget::Canvas};
use crate::units::{about, age, rows, thousands};

/// Below half a minute the age is that of the newest block and says nothing.
fn short(millis: u64) -> String {
    if millis < 30_000 { "<30s old".into() } else { format!("{} old", age(millis)) }
}

/// One line. Wider terminals see more of it.
pub(super) fn draw(state: &State, area: Rect, canvas: &mut Canvas<'_>) {
    let shown = state.shown();
    let source = &shown.source;
    let (label, dim, plain) = (canvas.style(Token::Label), canvas.style(Token::Dim), Style::new());
    // While there is a backlog to read it is asked for every ten seconds.
    let (is_old, is_wide) = (source.head.age > 20_000, area.width >= 116);
    let head = match source.head.value {
        Some(head) if is_old => (format!("{} ({} unseen)", thousands(head.block), age(source.head.age)), Token::Warn),
        // The age of a head that comes every second says nothing but that it is new.
        Some(head) if head.age < 20_000 => (format!("{} new", thousands(head.block)), Token::Text),
        Some(head) => (format!("{} {} old", thousands(head.block), age(head.age)), Token::Warn),
        None => ("unknown".into(), Token::Dim),
    };
    let watermark = match (source.watermark, source.blocks_behind()) {
        (Some(watermark), Some(behind)) => {
            let token = if behind > 30 { Token::Warn } else { Token::Text };
            let block = thousands(watermark.block.saturating_sub(1));
            let behind = thousands(behind);
            let old = source.behind().map_or(String::new(), |age| format!(" ({})", short(age)));
            (if is_wide { format!("{block}, {behind} behind{old}") } else { format!("{block} -{behind}") }, token)
        }
        (Some(watermark), None) => (thousands(watermark.block.saturating_sub(1)), Token::Text),
        _ => ("unknown".into(), Token::Dim),
    };
    let unresolved = match shown.tokens {
        Some(tokens) if tokens.age > 60_000 => {
            (format!("{} ({} ago)", thousands(tokens.unresolved), about(tokens.age)), Token::Dim)
        }
        Some(tokens) => (thousands(tokens.unresolved), Token::Text),
        None => ("?".into(), Token::Dim),
    };
    let dead = shown
        .tables
        .iter()
        .find(|table| table.name == TableId::DeadLetters.as_str())
        .and_then(|table| table.rows.value);
    let dead = match dead {
        Some(dead) => {
            (rows(dead.rows, dead.is_estimate, thousands), if dead.rows > 0 { Token::Warn } else { Token::Text })
        }
        None => ("?".into(), Token::Dim),
    };
    let mut parts = vec![
        (source.name.as_str(), "head", head),
        ("", "in tables", watermark),
        ("", "unresolved", unresolved),
        ("", "dead", dead),
    ];
    for beside in &shown.beside {
        let place = beside.watermark.clone().unwrap_or_else(|| "unknown".into());
        parts.push((&beside.name, "in tables to", (place, Token::Text)));
    }
    // What speaks against the source comes first.
    if let Some(block) = source.in_doubt {
        parts.insert(1, ("", "in doubt from", (thousands(block), Token::Warn)));
    }
    let doubts: u64 = source.nodes.iter().filter_map(|node| node.doubts_per_minute).sum();
    if doubts > 0 {
        parts.insert(1, ("", "doubts", (format!("{}/min", thousands(doubts)), Token::Warn)));
    }
    if let Some((count, _)) = &source.unknown_events {
        parts.insert(1, ("", "unknown events", (thousands(*count), Token::Warn)));
    }
    if is_wide {
        if let Some(cursor) = source.cursor.filter(|_| area.width >= 150) {
            let old = source.read_behind().map_or(String::new(), |age| format!(" ({})", short(age)));
            parts.insert(1, ("", "read", (thousands(cursor.block.saturating_sub(1)) + &old, Token::Text)));
        }
        if let Some(markets) = &shown.markets {
            let round = markets.last_round.map_or("first round".to_owned(), |last| format!("{} ago", about(last)));
            parts.push(("", "markets read", (round, Token::Text)));
            if !markets.gaps.is_empty() {
                parts.push(("", "not listed", (markets.gaps.join(", "), Token::Warn)));
            }
        }
    }
    let mut at = 1;
    for (nth, (who, what, (value, token))) in parts.into_iter().enumerate() {
        let (style, gap) = (canvas.style(token), if nth == 0 { "" } else { "  " });
        let space = if who.is_empty() { "" } else { " " };
        at += canvas.puts(
            area,
            at,
            0,
            &[(gap, plain), (who, plain), (space, plain), (what, label), (" ", dim), (&value, style)],
        );
    }
}

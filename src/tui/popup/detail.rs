//! All that is known of a stage or a replay.

use ratatui::{layout::Rect, style::Style};

use crate::flow::{StageId, StreamId};
use crate::monitor::{JobView, NodeView, StageView};
use crate::tui::widget::{Canvas, popup};
use crate::tui::{action::Action, catalogue, state::State, target::Target, text, theme::Token};
use crate::units::{age, percent, thousands};

pub(crate) fn draw(state: &State, area: Rect, canvas: &mut Canvas<'_>) {
    let (title, lines) = match state.target() {
        Some(Target::Stage(stage)) => {
            let mut lines = of_stage(stage);
            if stage.name == StageId::IngestFills {
                lines.extend(state.shown().source.nodes.iter().map(|node| ("node", of_node(node))));
            }
            (stage.name.to_string(), lines)
        }
        Some(Target::Job(job)) => (format!("replay {} of {}", job.id, job.stage), of_job(job)),
        None => return,
    };
    let width = area.width.saturating_sub(4).min(100);
    let columns = usize::from(width.saturating_sub(18)).max(1);
    let mut shown = Vec::new();
    for (name, value) in lines {
        for (at, part) in text::wrap(&text::clean(&value, canvas.charset()), columns).into_iter().enumerate() {
            shown.push((if at == 0 { name } else { "" }, part));
        }
    }
    let height = u16::try_from(shown.len()).unwrap_or(u16::MAX).saturating_add(4).min(area.height.saturating_sub(2));
    let inner = popup(canvas, area, (width, height), &title, "Esc closes");
    let (label, dim) = (canvas.style(Token::Label), canvas.style(Token::Dim));
    for (line, (name, value)) in (0..).zip(&shown) {
        canvas.put(inner, 0, line, name, label);
        canvas.put(inner, 13, line, value, Style::new());
    }
    let can_skip = matches!(state.target(), Some(Target::Stage(stage)) if stage.can_skip);
    let verbs = [Action::Pause, Action::Restart, Action::Replay, Action::Stop, Action::Skip];
    let verbs = verbs.iter().filter(|action| can_skip || **action != Action::Skip);
    let key = |action: &Action| state.look.keymap.key(*action).unwrap_or_default();
    let keys: String = verbs.map(|action| format!("{} {}  ", key(action), catalogue::name(*action))).collect();
    canvas.put(inner, 0, height.saturating_sub(3), &format!("{keys}j/k the next one"), dim);
}

fn of_stage(stage: &StageView) -> Vec<(&'static str, String)> {
    let wanted = stage.requested.map_or(String::new(), |desired| format!(", {} is wanted", desired.as_str()));
    let mut lines =
        vec![("does", does(stage.name)), ("state", format!("{} for {}{wanted}", stage.state, age(stage.since)))];
    if let Some(cause) = &stage.cause {
        lines.push(("because", cause.clone()));
    }
    if let Some(wait) = stage.retry_in {
        lines.push(("tries again", format!("in {}, after {} failures in a row", age(wait), stage.failures_in_a_row)));
    }
    let rate = stage.rate.map_or("unknown".to_owned(), |rate| format!("{} a second", thousands(rate)));
    lines.push(("moved", format!("{} in this run, {rate}", thousands(stage.moved))));
    lines.push(("failures", format!("{} in this run, {} new beginnings", thousands(stage.failures), stage.restarts)));
    if let Some((ago, failure)) = &stage.last_failure {
        lines.push(("last failure", format!("{} ago: {failure}", age(*ago))));
    }
    lines
}

/// A node, and how often there was reason to look twice at what it said.
fn of_node(node: &NodeView) -> String {
    let rate = node.doubts_per_minute.map_or("doubts unknown".to_owned(), |rate| format!("{rate} doubts a minute"));
    let told = node.doubts.iter().filter(|(_, count)| *count > 0);
    let kinds: Vec<String> = told.map(|(kind, count)| format!("{kind} {}", thousands(*count))).collect();
    let kinds = if kinds.is_empty() { String::new() } else { format!(" ({} in this run)", kinds.join(", ")) };
    let verdict = match (node.other_chain, node.is_distrusted) {
        (Some(chain), _) => format!(", left out: it shows chain {chain}"),
        (None, true) => ", distrusted: it leaves events out".to_owned(),
        (None, false) => String::new(),
    };
    format!("{}: {rate}{kinds}{verdict}", node.name)
}

/// What a stage is there for.
fn does(stage: StageId) -> String {
    match stage {
        StageId::IngestFills => format!("reads fills from the chain into {}", StreamId::OrderEvents),
        StageId::IngestGoldsky => format!("reads fills from Goldsky's subgraph into {}", StreamId::OrderEvents),
        StageId::IngestMarkets => format!("reads markets from Gamma into {}", StreamId::Markets),
        StageId::ProcessTrades => {
            format!("makes trades of fills: {} to {}", StreamId::OrderEvents, StreamId::Trades)
        }
        StageId::Resolver => "finds the markets of trades that landed without one".to_owned(),
        writer => match (writer.reads(), writer.declared().lands_in) {
            (Some(stream), [table]) => format!("writes {stream} to the table {table}"),
            _ => String::new(),
        },
    }
}

fn of_job(job: &JobView) -> Vec<(&'static str, String)> {
    let rate = job.rate.map_or("unknown".to_owned(), |rate| format!("{} a second", thousands(rate)));
    let mut lines = vec![
        ("state", job.state.as_str().to_owned()),
        ("done", format!("{} of {}, {}", thousands(job.done), thousands(job.total), percent(job.done, job.total))),
        ("rows", format!("{}, {rate}", thousands(job.moved))),
        ("came further", format!("{} ago", age(job.progressed))),
    ];
    if let Some(left) = job.left {
        lines.push(("left", age(left)));
    }
    if let Some(ended) = job.ended {
        lines.push(("ended", format!("{} ago", age(ended))));
    }
    if let Some(cause) = &job.cause {
        lines.push(("because", cause.clone()));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_says_how_far_it_is_trusted() {
        let mut node = NodeView {
            name: "a.b:443".into(),
            doubts: vec![("missing".into(), 1_200), ("empty".into(), 0), ("time".into(), 3)],
            doubts_per_minute: Some(7),
            is_distrusted: true,
            other_chain: None,
        };
        let text = "a.b:443: 7 doubts a minute (missing 1,200, time 3 in this run), distrusted: it leaves events out";
        assert_eq!(of_node(&node), text);
        (node.doubts, node.doubts_per_minute, node.other_chain) = (vec![], None, Some(1));
        assert_eq!(of_node(&node), "a.b:443: doubts unknown, left out: it shows chain 1");
    }
}

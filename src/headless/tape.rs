//! Rows as they arrive, as plain lines on stdout.

use std::io::{self, Write};
use std::{convert::Infallible, time::Duration};

use jiff::Timestamp;

use crate::warehouse::{Inspection, TapeLine};
use crate::{flow::TableId, logs::printable};

const INTERVAL: Duration = Duration::from_millis(500);

/// Lines at a time: more than this nobody reads.
const LINES: u32 = 12;

/// Prints the newest rows whenever there are new ones. A stdout that is full or gone holds up nobody: lines are dropped.
pub(super) async fn print(warehouse: &dyn Inspection) -> Infallible {
    let (mut stdout, _guard) = tracing_appender::non_blocking(io::stdout());
    let (mut last, mut counted) = (None, 0);
    loop {
        tokio::time::sleep(INTERVAL).await;
        let (Ok(lines), Ok(counts)) = (warehouse.newest_trades(LINES).await, warehouse.row_counts().await) else {
            continue;
        };
        let key = |line: &TapeLine| (line.block_number, line.log_index);
        let new = lines.iter().position(|line| Some(key(line)) == last).unwrap_or(lines.len());
        let mut text: Vec<String> = lines[..new].iter().rev().map(format_line).collect();
        let more = counts[TableId::Trades].rows.saturating_sub(counted).saturating_sub(new as u64);
        if more > 0 && new == lines.len() && new > 0 {
            let about = if counts[TableId::Trades].is_estimate { "about " } else { "" };
            text.insert(0, format!("          … and {about}{more} more rows"));
        }
        last = lines.first().map(key);
        counted = counts[TableId::Trades].rows;
        for line in text {
            let _ = stdout.write_all(format!("{line}\n").as_bytes());
        }
    }
}

/// What is shown of a question.
const QUESTION: usize = 44;

/// `17:26:07  ctf_v2      SELL         1.270681 shares at 0.5911 for         0.751111 usd  taker  Yes of Will it rain?`
fn format_line(line: &TapeLine) -> String {
    let time =
        Timestamp::from_second(line.timestamp).map_or("--:--:--".into(), |time| time.strftime("%H:%M:%S").to_string());
    let price = line.price.map_or("   -  ".into(), |price| format!("{price:.4}"));
    let token = match (line.token_id.get(..6), line.token_id.get(line.token_id.len().saturating_sub(6)..)) {
        (Some(first), Some(last)) if line.token_id.len() > 13 => format!("{first}…{last}"),
        _ => line.token_id.clone(),
    };
    let outcome = if line.outcome.is_empty() { String::new() } else { format!("{} of ", shown(&line.outcome)) };
    let what = if line.question.is_empty() { token } else { shown(&line.question) };
    let role = if line.is_taker_row { "taker" } else { "maker" };
    format!(
        "{time}  {:<11} {:<4} {:>16} shares at {price} for {:>16} usd  {role}  {outcome}{what}",
        line.exchange, line.maker_direction, line.token_amount, line.usd_amount
    )
}

/// A text of the outside on one short line, and nothing in it that a terminal would obey.
fn shown(text: &str) -> String {
    let mut clean: String = printable(text).chars().take(QUESTION + 1).collect();
    if let Some((end, _)) = clean.char_indices().nth(QUESTION) {
        clean.truncate(end);
        clean.push('…');
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(outcome: &str, question: &str) -> TapeLine {
        TapeLine {
            timestamp: 1_784_851_200,
            block_number: 1,
            log_index: 1,
            exchange: "ctf_v2".into(),
            maker_direction: "SELL".into(),
            token_amount: "1.270681".into(),
            usd_amount: "0.751111".into(),
            price: Some(0.591_1),
            token_id: "10561788888888888169512".into(),
            outcome: outcome.into(),
            question: question.into(),
            is_taker_row: true,
        }
    }

    #[test]
    fn names_what_was_traded_as_far_as_it_is_known() {
        let end = |outcome, question| format_line(&line(outcome, question)).split_once(" usd  ").unwrap().1.to_owned();
        assert_eq!(end("", ""), "taker  105617…169512");
        assert_eq!(end("Yes", ""), "taker  Yes of 105617…169512");
        assert_eq!(end("Yes", "Will it rain?"), "taker  Yes of Will it rain?");
        assert_eq!(end("Up", "a\nb\u{1b}[31m"), "taker  Up of a b [31m");
        assert_eq!(end("Up", &"雨".repeat(99)), format!("taker  Up of {}…", "雨".repeat(QUESTION)));
    }
}

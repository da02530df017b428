//! Rows as they arrive, as plain lines on stdout.

use std::convert::Infallible;
use std::io::{self, Write};
use std::time::Duration;

use jiff::Timestamp;

use crate::warehouse::{TapeLine, Warehouse};

const INTERVAL: Duration = Duration::from_millis(500);

/// Lines at a time: more than this nobody reads.
const LINES: u32 = 12;

/// Prints the newest rows whenever there are new ones. A stdout that is full or gone holds up nobody: lines are dropped.
pub(super) async fn print(warehouse: &dyn Warehouse) -> Infallible {
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
        let more = counts.trades.saturating_sub(counted).saturating_sub(new as u64);
        if more > 0 && new == lines.len() && new > 0 {
            text.insert(0, format!("          … and {more} more rows"));
        }
        last = lines.first().map(key);
        counted = counts.trades;
        for line in text {
            let _ = stdout.write_all(format!("{line}\n").as_bytes());
        }
    }
}

/// `17:26:07  ctf_v2      SELL         1.270681 shares at 0.5911 for         0.751111 usd  105617…169512  taker`
fn format_line(line: &TapeLine) -> String {
    let time =
        Timestamp::from_second(line.timestamp).map_or("--:--:--".into(), |time| time.strftime("%H:%M:%S").to_string());
    let price = line.price.map_or("   -  ".into(), |price| format!("{price:.4}"));
    let token = match (line.token_id.get(..6), line.token_id.get(line.token_id.len().saturating_sub(6)..)) {
        (Some(first), Some(last)) if line.token_id.len() > 13 => format!("{first}…{last}"),
        _ => line.token_id.clone(),
    };
    let outcome = if line.outcome.is_empty() { String::new() } else { format!("{} of ", line.outcome) };
    let role = if line.is_taker_row { "  taker" } else { "" };
    format!(
        "{time}  {:<11} {:<4} {:>16} shares at {price} for {:>16} usd  {outcome}{token}{role}",
        line.exchange, line.maker_direction, line.token_amount, line.usd_amount
    )
}

//! How far catching up has come: blocks done, rows a second, time left.
//!
//! On a terminal it is a bar below the log, which goes when nothing is left to catch up with; elsewhere, if asked for, a
//! line of the log now and then.

use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::{convert::Infallible, sync::Arc, time::Duration};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::{sync::watch, time::Instant};

use super::bar_terminal::BarTerminal;
use crate::units::{age, thousands};
use crate::{flow::StageId, monitor::Snapshot};

/// Fewer blocks than this are no backlog.
const BACKLOG: u64 = 30;

/// How often a line is logged.
const LINES: Duration = Duration::from_secs(5);

/// How long the bar may take to go.
const GOING: Duration = Duration::from_millis(200);

/// When it is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum When {
    /// On a terminal.
    #[default]
    Auto,
    /// Elsewhere, too, as lines.
    Always,
    /// Not at all.
    Never,
}

/// Shows progress. Clones show the same.
#[derive(Clone)]
pub struct Progress {
    bars: MultiProgress,
    when: When,
    is_terminal: bool,
}

/// What there is to catch up with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Way {
    done: u64,
    total: u64,
    rows: Option<u64>,
    left: Option<u64>,
}

impl Progress {
    /// On stderr.
    pub fn new(when: When) -> Self {
        let is_terminal = io::stderr().is_terminal() && when != When::Never;
        let target = match is_terminal {
            true => ProgressDrawTarget::term_like_with_hz(Box::new(BarTerminal::default()), 4),
            false => ProgressDrawTarget::hidden(),
        };
        Self { bars: MultiProgress::with_draw_target(target), when, is_terminal }
    }

    /// Whether there is a bar on a terminal.
    pub const fn has_bar(&self) -> bool {
        self.is_terminal
    }

    /// A stderr that writes beside the bar, and not through it.
    pub fn beside(&self) -> impl Write + Send + use<> {
        Beside(self.is_terminal.then(|| self.bars.clone()))
    }

    /// Shows it for ever.
    pub(super) async fn watch(&self, mut snapshots: watch::Receiver<Arc<Snapshot>>) -> Infallible {
        let (mut from, mut logged) = (None, None::<Instant>);
        let bar = self.is_terminal.then(|| Bar::start(self.bars.clone()));
        loop {
            if self.when == When::Never || snapshots.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
            let now = Arc::clone(&snapshots.borrow_and_update());
            let way = way(&now, &mut from);
            if let Some(bar) = &bar {
                bar.show(way);
            } else if let Some(way) = way.filter(|_| self.when == When::Always)
                && logged.is_none_or(|logged| logged.elapsed() >= LINES)
            {
                logged = Some(Instant::now());
                tracing::info!(done = way.done, total = way.total, "{}", text(way));
            }
        }
    }
}

/// The bar, on a thread of its own: a terminal that is held holds up nobody else. It goes when this is dropped.
struct Bar {
    ways: Option<SyncSender<Option<Way>>>,
    gone: Receiver<()>,
}

impl Bar {
    fn start(bars: MultiProgress) -> Self {
        let (ways, shown) = sync_channel::<Option<Way>>(1);
        let (going, gone) = sync_channel(1);
        let drawing = move || {
            let mut bar: Option<ProgressBar> = None;
            for way in shown {
                let Some(way) = way else {
                    drop(bar.take().inspect(ProgressBar::finish_and_clear));
                    continue;
                };
                let bar = bar.get_or_insert_with(|| bars.add(new_bar()));
                bar.set_length(way.total);
                bar.set_position(way.done);
                bar.set_message(text(way));
            }
            drop(bar.inspect(ProgressBar::finish_and_clear));
            let _ = going.send(());
        };
        // Without a thread there is no bar, and all else goes on.
        let _ = std::thread::Builder::new().name("progress".into()).spawn(drawing);
        Self { ways: Some(ways), gone }
    }

    /// Shows a state, unless the last one is still being shown.
    fn show(&self, way: Option<Way>) {
        if let Some(ways) = &self.ways {
            let _ = ways.try_send(way);
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.ways = None;
        let _ = self.gone.recv_timeout(GOING);
    }
}

fn new_bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style)
}

/// What there is to catch up with, from where it was first seen.
fn way(now: &Snapshot, from: &mut Option<u64>) -> Option<Way> {
    let (watermark, head) = (now.source.watermark?.block, now.source.head.value?.block);
    let from = *from.get_or_insert(watermark);
    let behind = now.source.blocks_behind()?;
    if behind <= BACKLOG {
        return None;
    }
    let rows = now.stages.iter().find(|stage| stage.name == StageId::WriteTrades).and_then(|stage| stage.rate);
    // The chain goes on by half a block a second while it is being read.
    let pace = now.source.rate.map(|rate| rate.saturating_mul(2).saturating_sub(1)).filter(|pace| *pace > 0);
    let left = pace.map(|pace| behind.saturating_mul(2_000) / pace);
    let total = (head + 1).saturating_sub(from);
    Some(Way { done: watermark.saturating_sub(from), total, rows, left })
}

fn text(way: Way) -> String {
    let rows = way.rows.map_or("?".to_owned(), thousands);
    let left = way.left.map_or("?".to_owned(), age);
    format!("{} of {} blocks, {rows} rows/s, {left} left", thousands(way.done), thousands(way.total))
}

struct Beside(Option<MultiProgress>);

impl Write for Beside {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &self.0 {
            Some(bars) => bars.suspend(|| io::stderr().write(bytes)),
            None => io::stderr().write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ChainPosition;
    use crate::monitor::sample;

    #[test]
    fn counts_from_where_it_began_and_ends_when_there_is_no_backlog() {
        let mut snapshot = sample::healthy();
        let head = snapshot.source.head.value.expect("it is known").block;
        let mut from = None;
        snapshot.source.watermark = Some(ChainPosition::start_of(head - 9_999));
        snapshot.source.rate = Some(101);
        assert_eq!(
            way(&snapshot, &mut from),
            Some(Way { done: 0, total: 10_000, rows: Some(812), left: Some(99_502) })
        );
        snapshot.source.watermark = Some(ChainPosition::start_of(head - 4_999));
        let half = way(&snapshot, &mut from).expect("it is behind");
        assert_eq!(text(half), "5,000 of 10,000 blocks, 812 rows/s, 49s left");
        snapshot.source.watermark = Some(ChainPosition::start_of(head));
        assert_eq!(way(&snapshot, &mut from), None);
    }

    #[test]
    fn what_is_unknown_is_no_progress() {
        assert_eq!(way(&sample::loading(), &mut None), None);
    }
}

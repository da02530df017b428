//! The whole of it: a burst, and a panic.

use std::fs;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;
use tempfile::TempDir;
use tracing::{Dispatch, Level, dispatcher, info_span};
use tracing_subscriber::layer::SubscriberExt;
use tui_logger::{TuiLoggerTargetWidget, TuiLoggerWidget};

use super::*;

const EVENTS: u64 = 50_000;
const THREADS: u64 = 4;

fn drawn(widget: impl Widget) -> String {
    let area = Rect::new(0, 0, 120, 200);
    let mut buffer = Buffer::empty(area);
    widget.render(area, &mut buffer);
    buffer.content.iter().map(|cell| cell.symbol()).collect()
}

fn dispatch(ring: &Arc<LogRing>, sinks: Vec<Box<dyn Sink>>) -> Dispatch {
    Dispatch::new(tracing_subscriber::registry().with(RecordLayer::new(Arc::clone(ring), sinks)))
}

#[test]
fn a_burst_loses_nothing_silently() {
    let dir = TempDir::new().unwrap();
    let ring = Arc::new(LogRing::default());
    let file = FileLog::open(dir.path(), super::Bounds { days: 7, day_bytes: 1 << 30 }).unwrap();
    let dispatch = dispatch(&ring, vec![Box::new(file.sink()), Box::new(TuiLog::default())]);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let dispatch = dispatch.clone();
            scope.spawn(move || {
                dispatcher::with_default(&dispatch, || {
                    let _stage = info_span!("stage", stage = "write-trades").entered();
                    (0..EVENTS / THREADS).for_each(|number| tracing::info!(thread, number, "a row was written"));
                });
            });
        }
    });
    let counts = ring.counts();
    assert_eq!((counts.seen, counts.kept + counts.evicted), (EVENTS, EVENTS));
    assert_eq!(ring.sequence(), EVENTS);

    tui_logger::move_events();
    let lines = drawn(TuiLoggerWidget::default());
    assert!(lines.contains("a row was written thread="), "{lines}");
    // It says what it has lost under this name, and a name stays in its list.
    let targets = drawn(TuiLoggerTargetWidget::default());
    assert!(targets.contains("write-trades") && !targets.contains("TuiLogger"), "{targets}");

    let path = &files_in(dir.path()).unwrap()[0];
    let read = || fs::read_to_string(path).unwrap();
    let begin = Instant::now();
    // However slow the disk is.
    while read().lines().count() as u64 + file.dropped() < EVENTS && begin.elapsed() < Duration::from_secs(30) {
        thread::sleep(Duration::from_millis(10));
    }
    let text = read();
    let records: Vec<LogRecord> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(records.len() as u64 + file.dropped(), EVENTS);
    assert!(!records.is_empty() && text.ends_with('\n'));
}

#[test]
fn a_panic_is_logged_with_its_stage_and_place() {
    let ring = Arc::new(LogRing::default());
    let before = std::panic::take_hook();
    log_panics();
    dispatcher::with_default(&dispatch(&ring, Vec::new()), || {
        let _stage = info_span!("stage", stage = "resolver").entered();
        let number = 7;
        let _ = std::panic::catch_unwind(|| panic!("boom {number}"));
        let _ = std::panic::catch_unwind(|| std::panic::panic_any(number));
    });
    std::panic::set_hook(before);
    let records: Vec<_> = ring.newest(9).into_iter().map(|(_, record)| record).collect();
    let messages: Vec<_> = records.iter().map(|record| record.message.as_str()).collect();
    assert_eq!(messages, ["panicked: boom 7", "panicked: no message"]);
    for record in records {
        assert_eq!((record.level, record.stage.as_deref()), (Level::ERROR, Some("resolver")));
        let field = |name: &str| record.fields.iter().find(|(key, _)| key == name).unwrap().1.clone();
        assert!(field("location").contains("src/logs/tests.rs:"), "{record:?}");
        assert!(!field("thread").is_empty());
    }
}

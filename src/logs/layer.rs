//! Makes a record of every event and hands it on.

use std::fmt::{Debug, Write};
use std::{borrow::Cow, cell::Cell, sync::Arc};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

use super::{record::LogRecord, ring::LogRing, sink::Sink};
use crate::{clock::unix_ms, secrets::redact};

/// The field of an event or a span that names a stage.
const STAGE: &str = "stage";

thread_local! {
    /// Whether this thread is handing on a record. Whatever is logged meanwhile, by a sink or because a sink panicked,
    /// would meet the sink's locks.
    static BUSY: Cell<bool> = const { Cell::new(false) };
}

/// Makes a [`LogRecord`] of every event, of the event's own `stage` or else of the nearest span's that has one, and hands
/// it to the ring and the sinks.
pub struct RecordLayer {
    ring: Arc<LogRing>,
    sinks: Vec<Box<dyn Sink>>,
}

impl RecordLayer {
    /// Hands records to a ring and to sinks.
    pub fn new(ring: Arc<LogRing>, sinks: Vec<Box<dyn Sink>>) -> Self {
        Self { ring, sinks }
    }

    fn hand_on(&self, record: LogRecord) {
        let Some(_busy) = Busy::begin() else { return };
        let record = self.ring.push(record);
        self.sinks.iter().for_each(|sink| sink.accept(&record));
    }
}

/// The stage of a span.
struct SpanStage(String);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for RecordLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if attributes.metadata().fields().field(STAGE).is_none() {
            return;
        }
        let mut parts = Parts::default();
        attributes.record(&mut parts);
        if let (Some(stage), Some(span)) = (parts.stage, context.span(id)) {
            span.extensions_mut().replace(SpanStage(stage));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let mut parts = Parts::default();
        values.record(&mut parts);
        if let (Some(stage), Some(span)) = (parts.stage, context.span(id)) {
            span.extensions_mut().replace(SpanStage(stage));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut parts = Parts::default();
        event.record(&mut parts);
        let of_span = || {
            let stage_of = |stage: &SpanStage| stage.0.clone();
            context.event_scope(event)?.find_map(|span| span.extensions().get::<SpanStage>().map(stage_of))
        };
        self.hand_on(LogRecord {
            at: unix_ms(),
            level: *event.metadata().level(),
            stage: parts.stage.or_else(of_span),
            target: parts.target.unwrap_or_else(|| event.metadata().target().to_owned()),
            message: parts.message,
            fields: parts.fields,
        });
    }
}

/// What the fields of an event or a span say.
#[derive(Default)]
struct Parts {
    stage: Option<String>,
    /// Of an event that came through the `log` crate: the event's own target is `log`.
    target: Option<String>,
    message: String,
    fields: Vec<(String, String)>,
}

impl Parts {
    fn take(&mut self, name: &str, value: String) {
        // Whoever wrote it: nothing that is secret gets as far as a record.
        let value = match redact(&value) {
            Cow::Borrowed(_) => value,
            Cow::Owned(value) => value,
        };
        match name {
            "message" => self.message = value,
            STAGE => self.stage = Some(value).filter(|stage| !stage.is_empty()),
            "log.target" => self.target = Some(value),
            "log.module_path" | "log.file" | "log.line" => {}
            _ => self.fields.push((name.to_owned(), value)),
        }
    }
}

impl Visit for Parts {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.take(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut text = String::new();
        // A value that cannot be shown says as much as it could.
        let _ = write!(text, "{value:?}");
        self.take(field.name(), text);
    }
}

/// This thread hands on a record.
struct Busy;

impl Busy {
    /// Begins, unless it does already or is about to end.
    fn begin() -> Option<Self> {
        BUSY.try_with(|busy| !busy.replace(true)).unwrap_or(false).then_some(Self)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let _ = BUSY.try_with(|busy| busy.set(false));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::{Level, info_span, subscriber};
    use tracing_subscriber::layer::SubscriberExt;

    fn logged(log: impl FnOnce()) -> Vec<LogRecord> {
        logged_to(Vec::new(), log)
    }

    fn logged_to(sinks: Vec<Box<dyn Sink>>, log: impl FnOnce()) -> Vec<LogRecord> {
        let ring = Arc::new(LogRing::default());
        let layer = RecordLayer::new(Arc::clone(&ring), sinks);
        subscriber::with_default(tracing_subscriber::registry().with(layer), log);
        ring.newest(100).into_iter().map(|(_, record)| record.as_ref().clone()).collect()
    }

    #[test]
    fn keeps_what_an_event_says() {
        let before = unix_ms();
        let records =
            logged(|| tracing::warn!(stage = "resolver", rows = 5, name = "a", left = ?Some(2), "{} rows", 5));
        let [record] = &records[..] else { panic!("{records:?}") };
        assert!((before..=unix_ms()).contains(&record.at));
        let fields = [("rows", "5"), ("name", "a"), ("left", "Some(2)")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(record.fields, fields);
        assert_eq!((record.level, record.message.as_str()), (Level::WARN, "5 rows"));
        assert_eq!((record.stage.as_deref(), record.target.as_str()), (Some("resolver"), module_path!()));
    }

    #[test]
    fn an_event_belongs_to_the_nearest_stage() {
        let records = logged(|| {
            tracing::info!("outside");
            info_span!("stage", stage = "ingest-fills").in_scope(|| {
                tracing::info!("in it");
                info_span!("request", url = "x").in_scope(|| tracing::info!("deeper"));
                tracing::info!(stage = "resolver", "its own");
                info_span!("stage", stage = "write-trades").in_scope(|| tracing::info!("nearer"));
            });
            let late = info_span!("stage", stage = tracing::field::Empty);
            late.in_scope(|| tracing::info!("not known yet"));
            late.record("stage", "process-trades");
            late.in_scope(|| tracing::info!("known"));
        });
        let found: Vec<_> =
            records.iter().map(|record| (record.message.as_str(), record.stage.as_deref().unwrap_or("-"))).collect();
        let expected = [
            ("outside", "-"),
            ("in it", "ingest-fills"),
            ("deeper", "ingest-fills"),
            ("its own", "resolver"),
            ("nearer", "write-trades"),
            ("not known yet", "-"),
            ("known", "process-trades"),
        ];
        assert_eq!(found, expected);
        assert!(records.iter().all(|record| record.fields.is_empty()), "{records:?}");
    }

    #[test]
    fn what_a_sink_logs_goes_nowhere() {
        struct Talker;
        impl Sink for Talker {
            fn accept(&self, _: &LogRecord) {
                tracing::error!("I have taken it");
            }
        }
        let records = logged_to(vec![Box::new(Talker)], || (0..3).for_each(|n| tracing::info!("{n}")));
        assert_eq!(records.iter().map(|record| record.message.as_str()).collect::<Vec<_>>(), ["0", "1", "2"]);
    }

    #[test]
    fn a_sink_that_panics_stops_nothing() {
        struct Bad;
        impl Sink for Bad {
            fn accept(&self, record: &LogRecord) {
                assert_ne!(record.message, "1");
            }
        }
        let records = logged_to(vec![Box::new(Bad)], || {
            for n in 0..3 {
                let _ = std::panic::catch_unwind(|| tracing::info!("{n}"));
            }
        });
        assert_eq!(records.len(), 3);
    }
}

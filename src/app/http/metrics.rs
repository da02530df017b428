//! Metrics of a snapshot, in the text format that is asked for.
//!
//! Times are given as timestamps, so that `time() - x` grows by itself where nobody refreshes them. What was not seen lately is
//! left out rather than told again. What all processes of a pipeline see alike, its streams and tables, is told by one of them.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, prometheus_text, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use crate::monitor::{GroupView, Seen, Snapshot, State, StreamView, TableView};
use crate::streams::{InsertTimes, WaitCause};
use crate::warehouse::JobState;

/// The text formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// What an older Prometheus and curl get.
    Plain,
    /// What is given to who asks for it.
    OpenMetrics,
}

impl Format {
    /// The content type.
    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Plain => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// The one that a reader prefers, by what it accepts.
    pub(super) fn accepted(accept: &str) -> Self {
        let quality = |name: &str| {
            let wanted = accept.split(',').filter(|kind| kind.split(';').next().unwrap_or("").trim() == name);
            let quality = |kind: &str| {
                let given = kind.split(';').find_map(|part| part.trim().strip_prefix("q="));
                given.map_or(1.0, |quality| quality.trim().parse::<f64>().unwrap_or(0.0))
            };
            wanted.map(quality).fold(0.0, f64::max)
        };
        let open = quality("application/openmetrics-text");
        if open > 0.0 && open >= quality("text/plain") { Self::OpenMetrics } else { Self::Plain }
    }
}

/// A process as it is told.
#[derive(Clone, Debug)]
pub(super) struct Process {
    pub(super) snapshot: std::sync::Arc<Snapshot>,
    /// Whether it tells what all processes of its pipeline see alike.
    pub(super) tells_shared: bool,
    /// Whether the snapshot is young enough to say how things are now.
    pub(super) is_fresh: bool,
}

/// All that is told of a process.
pub(super) fn encoded(process: Process, format: Format) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix("polytape");
    registry.register_collector(Box::new(process));
    let mut told = String::new();
    match format {
        Format::Plain => prometheus_text::encode(&mut told, &registry)?,
        Format::OpenMetrics => text::encode(&mut told, &registry)?,
    }
    Ok(told)
}

/// One sample: the values of its labels, and its own.
type Sample<'a> = (Vec<(&'static str, String)>, f64);

/// What one metric is.
struct Metric {
    name: &'static str,
    help: &'static str,
    unit: Option<Unit>,
    kind: MetricType,
}

const fn gauge(name: &'static str, help: &'static str) -> Metric {
    Metric { name, help, unit: None, kind: MetricType::Gauge }
}

const fn counter(name: &'static str, help: &'static str) -> Metric {
    Metric { name, help, unit: None, kind: MetricType::Counter }
}

impl Metric {
    fn of(self, unit: Unit) -> Self {
        Self { unit: Some(unit), ..self }
    }

    fn encode<'a>(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        samples: impl IntoIterator<Item = Sample<'a>>,
    ) -> fmt::Result {
        let mut samples = samples.into_iter().peekable();
        // A metric without samples is not told at all.
        if samples.peek().is_none() {
            return Ok(());
        }
        let mut metric = encoder.encode_descriptor(self.name, self.help, self.unit.as_ref(), self.kind)?;
        for (labels, value) in samples {
            self.sample(metric.encode_family(&labels)?, value)?;
        }
        Ok(())
    }

    fn sample(&self, mut metric: MetricEncoder<'_>, value: f64) -> fmt::Result {
        match self.kind {
            MetricType::Counter => metric.encode_counter::<NoLabelSet, _, f64>(&value, None),
            _ => metric.encode_gauge(&value),
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "metrics are floats")]
const fn number(value: u64) -> f64 {
    value as f64
}

fn seconds(millis: u64) -> f64 {
    number(millis) / 1_000.0
}

fn label(name: &'static str, value: impl ToString) -> Vec<(&'static str, String)> {
    vec![(name, value.to_string())]
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let (encoder, now) = (&mut encoder, &*self.snapshot);
        let info = vec![("version", now.about.version.clone()), ("store", now.about.store.clone())];
        gauge("build_info", "Which polytape runs; always 1").encode(encoder, [(info, 1.0)])?;
        self.timestamp(encoder, "start_timestamp", "When this process began", [(vec![], now.uptime)])?;
        self.timestamp(encoder, "snapshot_timestamp", "When what follows was seen", [(vec![], 0)])?;
        self.stages(encoder)?;
        self.jobs(encoder)?;
        self.source(encoder)?;
        self.tables_written(encoder)?;
        if self.tells_shared && self.is_fresh {
            self.streams(encoder)?;
            self.tables(encoder)?;
        }
        let log = now.log.dropped.map(|dropped| (vec![], number(dropped)));
        counter("log_dropped_lines", "Log lines that did not get into the file").encode(encoder, log)
    }
}

impl Process {
    /// Times that lie so many milliseconds before the snapshot.
    fn timestamp(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        name: &'static str,
        help: &'static str,
        ages: impl IntoIterator<Item = (Vec<(&'static str, String)>, u64)>,
    ) -> fmt::Result {
        let at = seconds(u64::try_from(self.snapshot.at).unwrap_or(0));
        let samples = ages.into_iter().map(|(labels, age)| (labels, at - seconds(age)));
        gauge(name, help).of(Unit::Seconds).encode(encoder, samples)
    }

    fn stages(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let stages = &self.snapshot.stages;
        let states = stages.iter().filter(|_| self.is_fresh).flat_map(|stage| {
            State::ALL.map(|state| {
                let labels = vec![("stage", stage.name.to_string()), ("state", state.word().to_owned())];
                (labels, f64::from(u8::from(stage.state == state)))
            })
        });
        gauge("stage_state", "1 for the state that a stage is in, 0 for the others").encode(encoder, states)?;
        let of_stages = |value: fn(&crate::monitor::StageView) -> u64| {
            stages.iter().map(move |stage| (label("stage", stage.name), number(value(stage))))
        };
        counter("stage_events", "Events that a stage has moved").encode(encoder, of_stages(|stage| stage.moved))?;
        counter("stage_failures", "Steps of a stage that failed").encode(encoder, of_stages(|stage| stage.failures))?;
        counter("stage_restarts", "How often a stage began again")
            .encode(encoder, of_stages(|stage| stage.restarts))?;
        let waited = stages.iter().flat_map(|stage| {
            WaitCause::KINDS.into_iter().map(|kind| {
                let waited = stage.waited.iter().find(|(waited, _)| waited == kind).map_or(0, |(_, time)| *time);
                (vec![("stage", stage.name.to_string()), ("cause", kind.to_owned())], seconds(waited))
            })
        });
        let metric = counter("stage_waited", "How long a stage has waited, by what it waited for").of(Unit::Seconds);
        metric.encode(encoder, waited)
    }

    fn jobs(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let running = self.snapshot.jobs.iter().filter(|job| job.state == JobState::Running).count();
        let running = self.is_fresh.then(|| (vec![], number(running as u64)));
        gauge("replays_running", "Replays that go on").encode(encoder, running)
    }

    fn source(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let source = &self.snapshot.source;
        let named = || label("source", &source.name);
        let head = source.head.value.filter(|_| self.is_fresh && !source.head.is_stale());
        let block = |block: u64| (named(), number(block));
        gauge("source_head_block", "The newest final block").encode(encoder, head.map(|head| block(head.block)))?;
        let ages = head.map(|head| (named(), head.age));
        self.timestamp(encoder, "source_head_timestamp", "The time of the newest final block", ages)?;
        let cursor = source.cursor.map(|position| block(position.block));
        gauge("source_cursor_block", "All fills of earlier blocks are in the streams or beyond")
            .encode(encoder, cursor)?;
        let watermark = source.watermark.map(|position| block(position.block));
        gauge("source_watermark_block", "All fills of earlier blocks are in the tables").encode(encoder, watermark)?;
        let behind = source.behind().filter(|_| head.is_some()).map(|behind| (named(), behind));
        let help = "About the time of the newest block whose fills are all in the tables";
        self.timestamp(encoder, "source_watermark_timestamp", help, behind)?;
        let doubts = source.nodes.iter().flat_map(|node| {
            node.doubts
                .iter()
                .map(|(kind, count)| (vec![("node", node.name.clone()), ("kind", kind.clone())], number(*count)))
        });
        counter("node_doubts", "How often there was reason to look twice at what a node said")
            .encode(encoder, doubts)?;
        let distrusted = source.nodes.iter().filter(|_| self.is_fresh);
        let distrusted = distrusted.map(|node| (label("node", &node.name), f64::from(u8::from(node.is_distrusted))));
        gauge("node_distrusted", "1 for a node that left logs out").encode(encoder, distrusted)?;
        let tokens = self.snapshot.tokens.filter(|_| self.is_fresh);
        let tokens = tokens.map(|tokens| (vec![], number(tokens.unresolved)));
        gauge("unresolved_tokens", "Tokens whose market is not known").encode(encoder, tokens)
    }

    /// What this process does, whatever others do.
    fn tables_written(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let tables = &self.snapshot.tables;
        let written = tables.iter().filter_map(|table| Some((label("table", &table.name), number(table.written?))));
        counter("table_written_rows", "Rows that this process has written").encode(encoder, written)?;
        let inserts: Vec<&TableView> = tables.iter().filter(|table| table.written.is_some()).collect();
        if inserts.is_empty() {
            return Ok(());
        }
        let help = "How long inserts took until they were confirmed";
        let name = "insert_duration";
        let mut metric = encoder.encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Histogram)?;
        for table in inserts {
            let bounds = InsertTimes::BOUNDS.into_iter().map(seconds).chain([f64::MAX]);
            let buckets: Vec<(f64, u64)> = bounds.zip(table.inserts.took).collect();
            let (sum, count) = (seconds(table.inserts.took_in_all), table.inserts.took.iter().sum());
            let labels = label("table", &table.name);
            metric.encode_family(&labels)?.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)?;
        }
        Ok(())
    }

    fn streams(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let seen: Vec<&StreamView> = self.snapshot.streams.iter().filter(|stream| is_seen(&stream.entries)).collect();
        let of_streams = |value: fn(&StreamView) -> u64| {
            seen.iter().map(move |stream| (label("stream", &stream.name), number(value(stream))))
        };
        let held = |stream: &StreamView| stream.entries.value.unwrap_or(0);
        gauge("stream_events", "Events that a stream holds").encode(encoder, of_streams(held))?;
        let bytes = gauge("stream_size", "Bytes that the events of a stream take").of(Unit::Bytes);
        bytes.encode(encoder, of_streams(|stream| stream.bytes))?;
        counter("stream_added_events", "Events that were added to a stream")
            .encode(encoder, of_streams(|it| it.added))?;
        let oldest = seen.iter().filter_map(|stream| Some((label("stream", &stream.name), stream.oldest?)));
        self.timestamp(encoder, "stream_oldest_timestamp", "When the oldest entry of a stream was added", oldest)?;

        // Groups of replays come and go, with names of their own.
        let groups = || seen.iter().filter_map(|stream| Some((*stream, stream.live()?)));
        let labels = |stream: &StreamView, group: &GroupView| {
            vec![("stream", stream.name.clone()), ("group", group.name.clone())]
        };
        let of_groups = |value: fn(&GroupView) -> u64| {
            groups().map(move |(stream, group)| (labels(stream, group), number(value(group))))
        };
        let lag = gauge("group_lag_events", "Events that a group was not given yet");
        lag.encode(encoder, of_groups(|group| group.lag))?;
        let pending = gauge("group_pending_events", "Events that a group was given and has not acknowledged");
        pending.encode(encoder, of_groups(|group| group.pending))?;
        let unread = gauge("group_unread", "Bytes of what a group has not acknowledged").of(Unit::Bytes);
        unread.encode(encoder, of_groups(|group| group.unread_bytes))?;
        let oldest = groups().filter_map(|(stream, group)| Some((labels(stream, group), group.oldest?)));
        let help = "When the oldest entry was added that a group has not acknowledged";
        self.timestamp(encoder, "group_oldest_timestamp", help, oldest)?;

        let memory = self.snapshot.memory.as_ref().filter(|memory| is_seen(memory)).and_then(|memory| memory.value);
        let used = gauge("redis_memory", "Memory that Redis uses").of(Unit::Bytes);
        used.encode(encoder, memory.map(|memory| (vec![], number(memory.used))))?;
        let limit = memory.and_then(|memory| memory.limit).map(|limit| (vec![], number(limit)));
        gauge("redis_memory_limit", "Memory that Redis may use").of(Unit::Bytes).encode(encoder, limit)
    }

    fn tables(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let tables = &self.snapshot.tables;
        let rows = tables.iter().filter(|table| is_seen(&table.rows));
        let rows = rows.filter_map(|table| Some((label("table", &table.name), number(table.rows.value?.rows))));
        gauge("table_rows", "Rows of a table").encode(encoder, rows)?;
        let parts = tables.iter().filter_map(|table| {
            let parts = table.parts.as_ref().filter(|parts| is_seen(parts))?.value?;
            Some((label("table", &table.name), number(parts)))
        });
        gauge("table_parts", "The most parts that a partition of a table is made of").encode(encoder, parts)?;
        let read = self.snapshot.queries.iter();
        let read = read.filter_map(|query| Some((label("query", &query.name), number(query.read_rows?))));
        gauge("query_read_rows", "Rows that a periodic query read the last time").encode(encoder, read)
    }
}

fn is_seen<T>(seen: &Seen<T>) -> bool {
    seen.value.is_some() && !seen.is_stale()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::monitor::sample;

    fn told(tells_shared: bool, is_fresh: bool, format: Format) -> String {
        encoded(Process { snapshot: Arc::new(sample::healthy()), tells_shared, is_fresh }, format).unwrap()
    }

    #[test]
    fn both_formats_have_their_own_names_and_ends() {
        let open = told(true, true, Format::OpenMetrics);
        assert!(open.contains("# TYPE polytape_stage_events counter\n"), "{open}");
        assert!(open.contains("polytape_stage_events_total{stage=\"write-trades\"} 1639800"), "{open}");
        assert!(open.ends_with("# EOF\n"), "{open}");
        let plain = told(true, true, Format::Plain);
        assert!(plain.contains("# TYPE polytape_stage_events_total counter\n"), "{plain}");
        assert!(plain.contains("polytape_insert_duration_seconds_bucket"), "{plain}");
        assert!(!plain.contains("# EOF"), "{plain}");
    }

    #[test]
    fn who_asks_for_nothing_special_gets_plain_text() {
        for (accept, format) in [
            ("", Format::Plain),
            ("*/*", Format::Plain),
            ("text/plain", Format::Plain),
            ("application/openmetrics-text;version=1.0.0", Format::OpenMetrics),
            (
                "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1",
                Format::OpenMetrics,
            ),
            ("application/openmetrics-text;q=0.1, text/plain", Format::Plain),
            ("application/openmetrics-text;q=0", Format::Plain),
        ] {
            assert_eq!(Format::accepted(accept), format, "{accept}");
        }
    }

    #[test]
    fn what_is_not_seen_now_is_not_told_again() {
        let fresh = told(true, true, Format::Plain);
        for name in
            ["polytape_stage_state", "polytape_source_head_block", "polytape_stream_events", "polytape_table_rows"]
        {
            assert!(fresh.contains(name), "{name}");
            assert!(!told(true, false, Format::Plain).contains(&format!("{name}{{")), "{name}");
        }
        let mut snapshot = sample::healthy();
        snapshot.streams[0].entries.age = 60_000;
        let name = format!("polytape_stream_events{{stream=\"{}\"}}", snapshot.streams[0].name);
        let told_now =
            encoded(Process { snapshot: Arc::new(snapshot), tells_shared: true, is_fresh: true }, Format::Plain);
        assert!(fresh.contains(&name) && !told_now.unwrap().contains(&name));
    }

    #[test]
    fn what_is_shared_is_told_by_one() {
        let other = told(false, true, Format::Plain);
        assert!(other.contains("polytape_stage_events_total") && other.contains("polytape_table_written_rows_total"));
        assert!(!other.contains("polytape_stream_") && !other.contains("polytape_table_rows"), "{other}");
    }
}

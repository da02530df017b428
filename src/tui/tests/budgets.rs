//! What a frame may cost.

use std::sync::Arc;

use super::{colour, fill_log};
use crate::logs::LogRing;
use crate::model::ChainPosition;
use crate::monitor::{HeadView, Snapshot, sample};
use crate::tui::Preview;

/// A second later: numbers have changed, and nothing else.
fn later(snapshot: &Snapshot, second: u64) -> Snapshot {
    let mut later = snapshot.clone();
    later.at += 1_000;
    later.uptime += 1_000;
    for stage in &mut later.stages {
        stage.since += 1_000;
        if let Some(rate) = stage.rate.filter(|rate| *rate > 0) {
            stage.moved += rate;
            stage.rate = Some(800 + (second * 37) % 50);
        }
    }
    if let Some(HeadView { block, .. }) = &mut later.source.head.value {
        *block += 1;
    }
    later.source.cursor = later.source.cursor.map(|cursor| ChainPosition::start_of(cursor.block + 1));
    later.source.watermark = later.source.watermark.map(|watermark| ChainPosition::start_of(watermark.block + 1));
    for stream in &mut later.streams[1..3] {
        stream.entries.value = stream.entries.value.map(|entries| entries + 812);
        stream.bytes += 140_000;
        stream.groups[0].lag = (second * 71) % 400;
        stream.groups[0].pending = (second * 13) % 20;
    }
    later.tables[0].rows.value = later.tables[0].rows.value.map(|count| (count.rows + 812).into());
    later.tables[0].rate = Some(800 + (second * 37) % 50);
    later
}

#[test]
fn a_frame_in_which_only_numbers_change_takes_400_bytes_at_most() {
    fill_log(&LogRing::default());
    let mut snapshot = sample::healthy();
    let mut preview = Preview::new(colour(), Arc::new(snapshot.clone()), (80, 24), Vec::new());
    preview.show(Arc::new(snapshot.clone())).unwrap();
    let mut most = 0;
    for second in 0..120 {
        snapshot = later(&snapshot, second);
        let bytes = preview.show(Arc::new(snapshot.clone())).unwrap();
        assert!(bytes > 0);
        most = most.max(bytes);
    }
    assert!(most <= 400, "{most} bytes");
}

#[test]
fn nothing_is_written_where_nothing_has_changed() {
    fill_log(&LogRing::default());
    for size in [(80, 24), (120, 40), (200, 60)] {
        let mut snapshot = sample::healthy();
        let mut preview = Preview::new(colour(), Arc::new(snapshot.clone()), size, Vec::new());
        preview.show(Arc::new(snapshot.clone())).unwrap();
        // Time goes on; within a minute that is nothing to be shown.
        snapshot.at += 1_000;
        for stage in &mut snapshot.stages {
            stage.since += 1_000;
        }
        assert_eq!(preview.show(Arc::new(snapshot)).unwrap(), 0, "{size:?}");
    }
}

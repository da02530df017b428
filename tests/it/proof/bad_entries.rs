//! Many bad entries in a row end their stage, and somebody who has looked at them gets it out.

use rusqlite::Connection;

use crate::pty::rig::{Rig, SOON, stage};
use crate::support::process::{Workplace, until};

/// More than end a stage.
const BAD: usize = 40;

fn write(place: &Workplace) -> Connection {
    let store = Connection::open(place.data_dir().join("polytape.db")).unwrap();
    store.busy_timeout(SOON).unwrap();
    store
}

/// The entries of `stream:order_events` that `process-trades` has not acknowledged.
const UNREAD: &str = "SELECT id FROM {entries} WHERE id > (SELECT acknowledged FROM groups JOIN streams USING (stream)
    WHERE groups.name = 'trade_processors' AND streams.name = 'stream:order_events')";

fn entries(store: &Connection) -> String {
    let sql = "SELECT 'entries_' || stream FROM streams WHERE name = 'stream:order_events'";
    store.query_row(sql, [], |row| row.get(0)).unwrap()
}

fn unread(place: &Workplace) -> usize {
    let Some(store) = place.store() else { return 0 };
    let sql = format!("SELECT count(*) FROM ({})", UNREAD.replace("{entries}", &entries(&store)));
    store.query_row(&sql, [], |row| row.get(0)).unwrap()
}

/// Makes every unread entry begin with this byte. Gives their bytes.
fn damage(place: &Workplace, first: u8) -> Vec<Vec<u8>> {
    let store = write(place);
    let table = entries(&store);
    let unread = UNREAD.replace("{entries}", &table);
    let mut select = store.prepare(&format!("SELECT id, body FROM {table} WHERE id IN ({unread})")).unwrap();
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let found: Vec<(i64, Vec<u8>)> = select.query_map([], read).unwrap().collect::<Result<_, _>>().unwrap();
    store.execute_batch("BEGIN IMMEDIATE").unwrap();
    let damaged = found.into_iter().map(|(id, mut body)| {
        body[0] = first;
        store.execute(&format!("UPDATE {table} SET body = ? WHERE id = ?"), (&body, id)).unwrap();
        body
    });
    let damaged = damaged.collect();
    store.execute_batch("COMMIT").unwrap();
    damaged
}

/// What became dead letters, with a reason.
fn letters(place: &Workplace) -> Vec<Vec<u8>> {
    let store = place.store().unwrap();
    let sql = "SELECT raw FROM dead_letters WHERE source = 'stream:order_events' AND reason <> ''";
    let mut select = store.prepare(sql).unwrap();
    select.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

fn pause(rig: &mut Rig, name: &str) {
    rig.press("P");
    rig.until(&format!("{name} is paused"), |screen| stage(screen, name).contains("PAUS"));
}

/// Row 16: sixteen bad entries in a row end their stage, and nothing got it out.
#[test]
fn a_stage_that_failed_for_bad_entries_is_let_out() {
    let place = Workplace::new("streams.batch = 1");
    let mut rig = Rig::demo(&place, &[]);
    rig.shows("1 Stages");
    until(SOON, "rows flow", || place.count("trades") > 100);
    // The source stands, so that what is bad is all that there is.
    rig.press("gjj");
    rig.until("process-trades is selected", |screen| stage(screen, "process-trades").contains('▶'));
    pause(&mut rig, "process-trades");
    until(SOON, "entries wait for it", || unread(&place) >= BAD);
    rig.press("g");
    pause(&mut rig, "ingest-fills");

    // What a newer polytape wrote is not bad, and is not given up.
    damage(&place, 9);
    rig.press("gjj");
    rig.press("P");
    rig.until("it fails", |screen| stage(screen, "process-trades").contains("FAIL"));
    rig.press("S");
    rig.shows("there is nothing to skip: process-trades is FAIL: stream:order_events holds");
    assert_eq!(letters(&place).len(), 0);

    let mut bad = damage(&place, 0);
    assert!(bad.len() >= BAD, "{}", bad.len());
    rig.press("R");
    rig.press("y");
    rig.shows("rows in a row were refused, so nothing more is given up");
    rig.press("S");
    rig.shows("Skip what process-trades cannot take?");
    rig.press("y");
    rig.until("it goes on", |screen| !stage(screen, "process-trades").contains("FAIL"));
    until(SOON, "all of them are dead letters", || letters(&place).len() >= bad.len());
    let mut kept = letters(&place);
    bad.sort();
    kept.sort();
    assert!(bad == kept, "{} bad entries, {} dead letters, and they differ", bad.len(), kept.len());
    assert_eq!(unread(&place), 0, "they are acknowledged");

    let rows = place.count("trades");
    rig.press("g");
    rig.press("P");
    until(SOON, "rows flow again", || place.count("trades") > rows);
}

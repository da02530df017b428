//! From nothing to the first picture.

use std::time::Duration;

use super::rig::{Rig, USUAL};
use crate::support::process::Workplace;

/// How soon there is a picture: 100 ms, and three times that without optimisation.
const FIRST: Duration = Duration::from_millis(if cfg!(debug_assertions) { 300 } else { 100 });

#[test]
fn the_overview_shows_everything_within_five_seconds() {
    let place = Workplace::new("");
    let rig = Rig::demo(&place, &[]);
    let took = rig.until("stages, streams, tables, the source and the log show", |screen| {
        let contents = screen.contents();
        let words = [
            "polytape main",
            "● ",
            "demo",
            "polygon head 1",
            "in tables 1",
            "1 Stages",
            "ingest-fills",
            "write-trades",
            "resolver",
            "trades/s",
            "2 Streams",
            "order_events",
            "dead_letters",
            "3 Tables",
            "markets",
            "4 Logs",
            "first run: starting at block",
            "state from=WAIT to=RUN",
            "? help",
            "q quit",
        ];
        words.iter().all(|word| contents.contains(word))
    });
    println!("{took:?} to all of the overview");
    assert!(took < Duration::from_secs(5), "{took:?}");
}

/// Nobody answers at any address.
#[test]
fn the_first_picture_waits_for_no_network() {
    let nowhere = "http://127.0.0.1:9";
    let place = Workplace::new(&format!(
        r#"
        sources.polygon = {{ urls = ["{nowhere}"] }}
        sources.gamma = {{ url = "{nowhere}" }}
        sources.data_api = {{ url = "{nowhere}" }}
        storage.min_free = "0B"
        "#
    ));
    // Others use the machine, too: what counts is how quick it can be.
    let took = (0..5).map(|_| {
        let rig = Rig::start(&place.command(&["run"]), USUAL, &place);
        rig.until_picture("there is a picture", |picture| picture.painted.is_some());
        assert!(rig.lines()[0].starts_with(" polytape main"), "{:?}", rig.lines());
        let took = rig.first_picture().unwrap();
        rig.kill();
        took
    });
    let took = took.min().unwrap();
    println!("{took:?} from the start of the process to the first picture");
    assert!(took < FIRST, "{took:?}");

    let mut rig = Rig::start(&place.command(&["run"]), USUAL, &place);
    rig.until("it says what it waits for", |screen| {
        let contents = screen.contents();
        contents.contains("▲ WAIT      ingest-fills") || contents.contains("WAIT") && contents.contains("127.0.0.1:9")
    });
    rig.press("q");
    rig.shows("Detach");
    rig.press("s");
    assert_eq!(rig.wait(), Ok(0));
    rig.assert_restored();
}

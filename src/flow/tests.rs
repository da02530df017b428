use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::*;

/// What stores hold since the first release.
#[test]
fn names_are_those_of_the_stores_of_today() {
    for stage in [
        "ingest-fills",
        "ingest-markets",
        "process-trades",
        "write-markets",
        "write-trades",
        "write-dead-letters",
        "resolver",
        "ingest-goldsky",
        "write-goldsky-trades",
    ] {
        assert!(StageId::named(stage).is_some(), "{stage}");
    }
    for (stream, group) in [
        ("stream:markets", "market_writers"),
        ("stream:order_events", "trade_processors"),
        ("stream:trades", "trade_writers"),
        ("stream:dead_letters", "dead_letter_writers"),
        ("stream:goldsky_trades", "goldsky_trade_writers"),
    ] {
        assert_eq!(StreamId::named(stream).map(|stream| stream.group().as_str()), Some(group), "{stream}");
    }
    for table in ["trades", "markets", "dead_letters", "trades_goldsky"] {
        assert!(TableId::named(table).is_some(), "{table}");
    }
    assert_eq!(StageId::IngestFills.cursor_key("polygon"), "state:ingest-fills:polygon");
    assert_eq!(StageId::IngestMarkets.cursor_key("gamma"), "state:ingest-markets:gamma");
}

#[test]
fn names_are_unique_and_found_again() {
    let stages: HashSet<&str> = StageId::ALL.into_iter().map(StageId::as_str).collect();
    assert_eq!(stages.len(), StageId::ALL.len());
    let groups: HashSet<&str> = StreamId::ALL.into_iter().map(|stream| stream.group().as_str()).collect();
    assert_eq!(groups.len(), StreamId::ALL.len());
    for stage in StageId::ALL {
        assert_eq!(stage.as_str().parse(), Ok(stage));
        assert_eq!(serde_json::to_value(stage).unwrap(), stage.as_str());
    }
    assert!(StreamId::ALL.into_iter().all(|stream| StreamId::named(stream.as_str()) == Some(stream)));
    assert!(TableId::ALL.into_iter().all(|table| TableId::named(table.as_str()) == Some(table)));
    assert_eq!((StreamId::named("trades"), TableId::named("stream:trades")), (None, None));
}

#[test]
fn each_stream_has_one_reader_and_each_table_one_writer() {
    for stream in StreamId::ALL {
        let readers: Vec<StageId> = StageId::ALL.into_iter().filter(|stage| stage.reads() == Some(stream)).collect();
        assert_eq!((readers.len(), readers.first().copied()), (1, stream.reader()), "{stream}");
        let writes = |stage: StageId| stage.declared().writes.contains(&stream);
        assert!(StageId::ALL.into_iter().any(writes), "nobody writes {stream}");
    }
    for table in TableId::ALL {
        let writes = |stage: &StageId| stage.reads().is_some() && stage.declared().lands_in.contains(&table);
        let writers: Vec<StageId> = StageId::ALL.into_iter().filter(writes).collect();
        assert_eq!(writers, [table.writer()], "{table}");
    }
}

#[test]
fn what_is_kept_per_table_is_that_tables() {
    let lengths = PerTable::of(|table| table.as_str().len());
    assert!(lengths.iter().all(|(table, length)| table.as_str().len() == *length && lengths[table] == *length));
    let changed = lengths.with(TableId::Markets, 1);
    assert_eq!((changed[TableId::Trades], changed[TableId::Markets]), (6, 1));
}

#[test]
fn nothing_flows_in_a_circle() {
    for stream in StreamId::ALL {
        assert!(!stream.downstream().contains(&stream), "{stream}");
    }
}

#[test]
fn what_comes_of_a_stream_lies_behind_it() {
    assert_eq!(StreamId::OrderEvents.downstream(), [StreamId::Trades, StreamId::GoldskyTrades, StreamId::DeadLetters]);
    assert_eq!(StreamId::Markets.downstream(), [StreamId::DeadLetters]);
    assert_eq!(StreamId::DeadLetters.downstream(), []);
}

#[test]
fn only_what_reads_a_stream_is_replayed_from_one() {
    for stage in StageId::ALL {
        let is_replayed = stage.declared().replays == Replays::Stream;
        assert_eq!(is_replayed, stage.reads().is_some(), "{stage}");
    }
}

/// Sentences that name a stage or a stream are made of its id, too.
#[test]
fn nothing_else_spells_a_name() {
    let tables = TableId::ALL.map(|table| format!("{:?}", table.as_str()));
    let names: Vec<String> = StageId::ALL
        .into_iter()
        // A word like any other.
        .filter(|stage| *stage != StageId::Resolver)
        .map(|stage| stage.to_string())
        .chain(StreamId::ALL.into_iter().flat_map(|stream| [stream.to_string(), stream.group().to_string()]))
        .chain(tables)
        .collect();
    let mut spelled = Vec::new();
    for file in sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))) {
        let text = fs::read_to_string(&file).unwrap();
        let production = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        for (at, line) in production.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if names.iter().any(|name| code.contains(name)) {
                spelled.push(format!("{}:{}: {}", file.display(), at + 1, line.trim()));
            }
        }
    }
    assert!(spelled.is_empty(), "{}", spelled.join("\n"));
}

/// The files of a room and those below it, but for tests, this room, and the world that the demo makes.
fn sources(room: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(room).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        match path.is_dir() {
            true if ["flow", "demo", "tests"].contains(&name.as_str()) => {}
            true => files.extend(sources(&path)),
            false if name == "tests" => {}
            false => files.extend(Some(path).filter(|path| path.extension().is_some_and(|kind| kind == "rs"))),
        }
    }
    files
}

//! Frames, with styles, in every state that there is.

use crate::tui::key::KeyCode;

use super::{colour, draw, dump, fill_log, lines, plain, press, state, type_keys};
use crate::broker::Product;
use crate::control::{Answer, Command, Plan, Replay};
use crate::flow::StageId;
use crate::monitor::{InsertsView, MemoryView, Seen, Severity, Snapshot, sample};
use crate::tui::look::UiOptions;
use crate::tui::state::State;
use crate::tui::update::{Message, update};
use crate::tui::view;

const SMALL: (u16, u16) = (80, 24);
const MEDIUM: (u16, u16) = (120, 40);
const LARGE: (u16, u16) = (200, 60);

fn looks() -> [(&'static str, UiOptions); 2] {
    [("colour", colour()), ("plain", plain())]
}

fn shown(look: UiOptions, snapshot: Snapshot) -> State {
    let state = state(look, snapshot);
    fill_log(&state.ring);
    state
}

fn check(name: &str, state: &mut State, size: (u16, u16)) {
    let buffer = draw(state, size);
    // However many views there are: one more is no reason to look at every frame again.
    let dumped = dump(&buffer).replace(&format!("1-{} view", view::all().count()), "1-5 view");
    insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), dumped);
}

#[test]
fn overview() {
    let states = [
        ("loading", sample::loading as fn() -> Snapshot),
        ("empty", sample::empty),
        ("healthy", sample::healthy),
        ("warning", sample::warning),
        ("failing", sample::failing),
        ("stale", sample::stale),
    ];
    for (look_name, look) in looks() {
        for (state_name, snapshot) in states {
            for size in [SMALL, MEDIUM, LARGE] {
                let mut state = shown(look.clone(), snapshot());
                check(&format!("overview_{state_name}_{look_name}"), &mut state, size);
            }
        }
    }
}

#[test]
fn other_views() {
    let states =
        [("healthy", sample::healthy as fn() -> Snapshot), ("failing", sample::failing), ("stale", sample::stale)];
    for (look_name, look) in looks() {
        for (state_name, snapshot) in states {
            for view in view::all().skip(1) {
                for size in [SMALL, LARGE] {
                    let mut state = shown(look.clone(), snapshot());
                    state.show(view.id());
                    check(&format!("{}_{state_name}_{look_name}", view.id().name()), &mut state, size);
                }
            }
        }
    }
}

#[test]
fn on_redis_and_clickhouse() {
    let states = [("servers", sample::on_servers as fn() -> Snapshot), ("servers_failing", sample::servers_failing)];
    for (look_name, look) in looks() {
        for (state_name, snapshot) in states {
            for (key, view) in [('1', "overview"), ('2', "streams"), ('3', "tables")] {
                for size in [SMALL, LARGE] {
                    let mut state = shown(look.clone(), snapshot());
                    type_keys(&mut state, &key.to_string());
                    check(&format!("{view}_{state_name}_{look_name}"), &mut state, size);
                }
            }
        }
    }
}

#[test]
fn memory_and_parts_that_are_unknown_zero_old_or_not_there_differ() {
    let frame = |key: &str, change: &dyn Fn(&mut Snapshot)| {
        let mut snapshot = sample::on_servers();
        change(&mut snapshot);
        let mut state = shown(plain(), snapshot);
        type_keys(&mut state, key);
        lines(&draw(&mut state, SMALL)).join("\n")
    };
    let memory = |value: Option<MemoryView>, age| {
        let missing = value.is_none().then(|| "no answer within 5 s".to_owned());
        let seen = Seen { missing, ..Seen::of(value, age) };
        frame("2", &|snapshot| snapshot.memory = Some(seen.clone()))
    };
    assert!(memory(None, 0).contains("redis unknown: no answer within 5 s"));
    let zero = MemoryView { server: Product::Redis, used: 0, limit: Some(1 << 30), percent: Some(0) };
    assert!(memory(Some(zero), 0).contains("redis 0B of 1.00G, 0%"));
    assert!(memory(Some(zero), 42_000).contains("redis 0B of 1.00G, 0%, 42s old"));
    assert!(memory(Some(MemoryView { limit: None, percent: None, ..zero }), 0).contains("redis 0B, no limit"));
    assert!(memory(Some(MemoryView { server: Product::Valkey, ..zero }), 0).contains("valkey 0B of 1.00G, 0%"));
    assert!(!frame("2", &|snapshot| snapshot.memory = None).contains("redis 4"));
    let parts = |value: Option<Seen<u64>>, key| frame(key, &|snapshot| snapshot.tables[0].parts = value.clone());
    let unknown = Seen { missing: Some("away".into()), ..Seen::of(None, 0) };
    assert!(parts(Some(unknown), "3").contains("  38ms     - complete"));
    assert!(parts(Some(Seen::of(Some(0), 0)), "3").contains("  38ms     0 complete"));
    let none = frame("3", &|snapshot| snapshot.tables.iter_mut().for_each(|table| table.parts = None));
    assert!(!none.contains("PARTS"), "{none}");
    let idle = frame("3", &|snapshot| snapshot.tables[0].inserts = InsertsView::default());
    assert!(idle.contains("  <30s      -    14"), "{idle}");
}

#[test]
fn what_opens_over_a_view() {
    for (look_name, look) in looks() {
        let open = |name: &str, make: &dyn Fn(&mut State)| {
            let mut state = shown(look.clone(), sample::warning());
            make(&mut state);
            check(&format!("{name}_{look_name}"), &mut state, SMALL);
        };
        open("help", &|state| drop(type_keys(state, "?")));
        open("alerts", &|state| drop(type_keys(state, "!")));
        open("palette", &|state| drop(type_keys(state, ":re")));
        open("restart", &|state| drop(type_keys(state, "jjR")));
        open("stop", &|state| {
            type_keys(state, "X");
            press(state, KeyCode::Tab);
        });
        open("skip", &|state| {
            update(state, Message::Snapshot(sample::with_bad_entries().into()), 0);
            type_keys(state, "jjjjS");
        });
        open("detail_skip", &|state| {
            update(state, Message::Snapshot(sample::with_bad_entries().into()), 0);
            type_keys(state, "jjjj");
            press(state, KeyCode::Enter);
        });
        open("cancel", &|state| drop(type_keys(state, "GX")));
        open("quit", &|state| drop(type_keys(state, "q")));
        open("detail", &|state| {
            type_keys(state, "jjjj");
            press(state, KeyCode::Enter);
        });
        open("detail_replay", &|state| {
            type_keys(state, "G");
            press(state, KeyCode::Enter);
        });
        open("replay", &|state| drop(type_keys(state, "B")));
        open("replay_planned", &|state| {
            type_keys(state, "B");
            press(state, KeyCode::Enter);
            let replay = Replay {
                stage: StageId::IngestFills,
                from: "15m".parse().unwrap(),
                to: "now".parse().unwrap(),
                dry_run: true,
            };
            let plan = Plan {
                from: "block 97,811,895".into(),
                to: "block 97,812,345".into(),
                amount: "451 blocks".into(),
                way: "read again from the source, straight into the tables".into(),
            };
            update(state, Message::Answer(Command::Replay(replay), Answer::Plan(plan)), 100);
        });
        open("replay_refused", &|state| {
            type_keys(state, "Bx");
            press(state, KeyCode::Enter);
        });
        open("find", &|state| drop(type_keys(state, "4/the")));
        open("found", &|state| {
            type_keys(state, "4/the");
            press(state, KeyCode::Enter);
            type_keys(state, "n");
        });
        open("toast", &|state| {
            let command = Command::Pause { stage: StageId::WriteTrades };
            update(state, Message::Answer(command, Answer::Refused("write-trades does not run here".into())), 100);
        });
        open("frozen", &|state| {
            type_keys(state, " ");
            update(state, Message::Snapshot(sample::failing().into()), 130_000);
        });
        open("zoom", &|state| drop(type_keys(state, "z")));
        open("silent", &|state| drop(update(state, Message::Tick, 42_000)));
    }
}

#[test]
fn too_small_for_anything_but_the_worst_thing() {
    for (look_name, look) in looks() {
        let mut state = shown(look, sample::failing());
        check(&format!("tiny_{look_name}"), &mut state, (40, 6));
    }
}

#[test]
fn every_state_is_told_by_its_word_without_any_colour() {
    use crate::monitor::State as Word;
    for word in Word::ALL {
        let mut snapshot = sample::healthy();
        snapshot.stages[3].state = word;
        let mut state = shown(plain(), snapshot);
        let text = lines(&draw(&mut state, SMALL));
        let line = text.iter().find(|line| line.contains("write-markets")).unwrap();
        assert!(line.contains(word.word()), "{line}");
        assert!(text.iter().all(|line| line.is_ascii()), "{text:#?}");
    }
}

#[test]
fn columns_stay_where_they_are_whatever_stands_in_them() {
    let mut state = shown(colour(), sample::healthy());
    type_keys(&mut state, "5");
    let text = lines(&draw(&mut state, LARGE));
    let columns: std::collections::BTreeSet<usize> =
        text.iter().filter_map(|line| line.find(".500000").map(|at| super::super::text::width(&line[..at]))).collect();
    assert_eq!(columns.len(), 1, "{text:#?}");
}

#[test]
fn what_is_unknown_is_never_zero_and_what_is_stale_says_so() {
    let mut state = shown(colour(), sample::loading());
    let text = lines(&draw(&mut state, SMALL)).join("\n");
    assert!(text.contains("trades            -     -      -"), "{text}");
    let mut state = shown(colour(), sample::stale());
    let text = lines(&draw(&mut state, SMALL)).join("\n");
    assert!(text.contains("42s old") && text.contains("812M"), "{text}");
    assert!(state.snapshot.alerts.iter().any(|alert| alert.severity == Severity::Warn));
}

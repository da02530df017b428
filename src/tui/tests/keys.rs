//! What keys do.

use std::time::Duration;

use crate::tui::key::{Key, KeyCode, Modifiers};

use super::{colour, draw, lines, press, state, type_keys};
use crate::control::{Answer, Command, DesiredState, Point, Replay};
use crate::flow::StageId;
use crate::monitor::{State as Word, sample};
use crate::tui::effect::{Effect, Leave};
use crate::tui::state::{Mode, State};
use crate::tui::update::{Message, update};
use crate::tui::view::STAGES;

fn healthy() -> State {
    state(colour(), sample::healthy())
}

fn control(state: &mut State, letter: char) -> Option<Effect> {
    update(state, Message::Key(Key::new(KeyCode::Char(letter), Modifiers::CONTROL)), 0)
}

#[test]
fn a_pause_is_asked_for_at_once_and_u_takes_it_back() {
    let mut state = healthy();
    assert_eq!(type_keys(&mut state, "jjjjP"), Some(Effect::Ask(Command::Pause { stage: StageId::WriteTrades })));
    update(
        &mut state,
        Message::Answer(Command::Pause { stage: StageId::WriteTrades }, Answer::Done("write-trades is paused".into())),
        10,
    );
    assert!(state.toast.as_ref().is_some_and(|toast| toast.text == "write-trades is paused  (u takes it back)"));
    assert_eq!(type_keys(&mut state, "u"), Some(Effect::Ask(Command::Resume { stage: StageId::WriteTrades })));
    assert_eq!(type_keys(&mut state, "u"), None, "once");
    // For some seconds only.
    type_keys(&mut state, "P");
    update(&mut state, Message::Tick, 60_000);
    assert_eq!(type_keys(&mut state, "u"), None);
}

#[test]
fn a_key_among_others_steers_nothing_but_is_typed_where_that_is_asked_for() {
    let crowded = |state: &mut State, letter| update(state, Message::Crowded(Key::from(KeyCode::Char(letter))), 0);
    let mut state = healthy();
    for letter in ['P', 'u', 'R', 'B', 'X', 'q'] {
        assert_eq!(crowded(&mut state, letter), None);
        assert_eq!(state.mode, Mode::Normal, "{letter} opened something");
        assert!(state.toast.take().is_some_and(|toast| toast.text.ends_with("press again")), "{letter}");
    }
    press(&mut state, KeyCode::Enter);
    assert_eq!((crowded(&mut state, 'P'), state.toast.is_some()), (None, true), "nor where all of a stage is shown");
    type_keys(&mut state, "2/");
    state.mode = Mode::Find(String::new());
    crowded(&mut state, 'P');
    assert_eq!(state.mode, Mode::Find("P".into()));
}

#[test]
fn where_nothing_can_be_seen_keys_steer_nothing() {
    let mut state = healthy();
    draw(&mut state, (40, 10));
    for letter in ['P', 'R', 'X', 'B', 'u', 'q', ':'] {
        assert_eq!(type_keys(&mut state, &letter.to_string()), None, "{letter}");
        assert_eq!(state.mode, Mode::Normal, "{letter} opened something");
    }
    assert_eq!(control(&mut state, 'c'), None);
    assert!(lines(&draw(&mut state, (40, 10))).iter().any(|line| line == "Ctrl-C again stops the pipeline"));
    assert_eq!(type_keys(&mut state, "y"), None, "a dialog that cannot be seen takes no answer");
    assert_eq!(control(&mut state, 'c'), Some(Effect::Leave(Leave::Stop)));
    let mut state = healthy();
    draw(&mut state, (60, 14));
    assert!(type_keys(&mut state, "P").is_some());
}

#[test]
fn p_lets_go_on_what_holds_and_what_shall_hold() {
    let mut snapshot = sample::healthy();
    snapshot.stages[0].state = Word::Paus;
    snapshot.stages[1].state = Word::Stop;
    snapshot.stages[2].requested = Some(DesiredState::Pause);
    let mut state = state(colour(), snapshot);
    assert_eq!(type_keys(&mut state, "P"), Some(Effect::Ask(Command::Resume { stage: StageId::IngestFills })));
    assert_eq!(type_keys(&mut state, "jP"), Some(Effect::Ask(Command::Resume { stage: StageId::IngestMarkets })));
    assert_eq!(type_keys(&mut state, "u"), Some(Effect::Ask(Command::Stop { stage: StageId::IngestMarkets })));
    assert_eq!(type_keys(&mut state, "jP"), Some(Effect::Ask(Command::Resume { stage: StageId::ProcessTrades })));
}

#[test]
fn what_changes_more_asks_first() {
    let mut state = healthy();
    assert_eq!(type_keys(&mut state, "R"), None);
    assert!(matches!(state.mode, Mode::Confirm(_)));
    assert_eq!(press(&mut state, KeyCode::Enter), None, "Enter says no");
    assert_eq!(type_keys(&mut state, "Ry"), Some(Effect::Ask(Command::Restart { stage: StageId::IngestFills })));
    assert_eq!(type_keys(&mut state, "Xy"), Some(Effect::Ask(Command::Stop { stage: StageId::IngestFills })));
    assert_eq!(type_keys(&mut state, "Xn"), None);
    assert_eq!(state.mode, Mode::Normal);
}

#[test]
fn only_what_failed_for_bad_entries_is_skipped_and_that_asks_first() {
    let mut state = state(colour(), sample::failing());
    assert_eq!(type_keys(&mut state, "jjjjS"), None);
    assert_eq!(state.mode, Mode::Normal);
    let said = state.toast.as_ref().map(|toast| toast.text.clone()).unwrap_or_default();
    assert!(said.starts_with("there is nothing to skip: write-trades is FAIL: 16 rows"), "{said}");
    update(&mut state, Message::Snapshot(sample::with_bad_entries().into()), 0);
    type_keys(&mut state, "S");
    assert!(matches!(state.mode, Mode::Confirm(_)));
    assert_eq!(press(&mut state, KeyCode::Enter), None, "Enter says no");
    assert_eq!(type_keys(&mut state, "Sy"), Some(Effect::Ask(Command::Skip { stage: StageId::WriteTrades })));
    type_keys(&mut state, ":skip");
    assert_eq!(press(&mut state, KeyCode::Enter), None);
    assert!(matches!(state.mode, Mode::Confirm(_)), "the palette knows it, too");
}

#[test]
fn the_palette_takes_the_words_of_a_command_and_asks_whether_they_are_meant() {
    let mut state = healthy();
    type_keys(&mut state, ":pause write-trades");
    assert!(
        lines(&draw(&mut state, (80, 24))).iter().any(|line| line.contains("pause write-trades    Finish what is"))
    );
    assert_eq!(press(&mut state, KeyCode::Enter), None);
    let pause = Command::Pause { stage: StageId::WriteTrades };
    assert_eq!(type_keys(&mut state, "y"), Some(Effect::Ask(pause)));
    type_keys(&mut state, ":pause nobody");
    assert!(lines(&draw(&mut state, (80, 24))).iter().any(|line| line.contains("invalid value 'nobody'")));
    assert_eq!(press(&mut state, KeyCode::Enter), None);
    assert_eq!(state.mode, Mode::Normal);
}

#[test]
fn an_alert_names_the_keys_that_help() {
    let said = |snapshot| {
        let state = state(colour(), snapshot);
        crate::tui::alert::said(&state.shown().alerts[0], &state.look.keymap)
    };
    assert!(said(sample::failing()).ends_with("no such column: fee_unit. R tries again"));
    let both = "no such column: fee_unit. S leaves them to the dead letters. R tries again";
    assert!(said(sample::with_bad_entries()).ends_with(both));
}

#[test]
fn a_replay_is_planned_and_then_done() {
    let mut state = healthy();
    type_keys(&mut state, "jjB");
    let asked = press(&mut state, KeyCode::Enter);
    let replay = Replay {
        stage: StageId::ProcessTrades,
        from: Point::Age(Duration::from_secs(900)),
        to: Point::Now,
        dry_run: true,
    };
    assert_eq!(asked, Some(Effect::Ask(Command::Replay(replay.clone()))));
    let plan = crate::control::Plan { from: "a".into(), to: "b".into(), amount: "c".into(), way: "d".into() };
    update(&mut state, Message::Answer(Command::Replay(replay.clone()), Answer::Plan(plan)), 5);
    assert_eq!(
        press(&mut state, KeyCode::Enter),
        Some(Effect::Ask(Command::Replay(Replay { dry_run: false, ..replay })))
    );
    assert_eq!(state.mode, Mode::Normal);
}

#[test]
fn x_on_a_replay_cancels_it() {
    let mut state = state(colour(), sample::warning());
    type_keys(&mut state, "GXy");
    assert_eq!(type_keys(&mut state, "GXy"), Some(Effect::Ask(Command::Cancel { id: "a3f09c".into() })));
}

#[test]
fn quitting_asks_and_a_second_interrupt_means_it() {
    let mut state = healthy();
    assert_eq!(type_keys(&mut state, "q"), None);
    assert_eq!(press(&mut state, KeyCode::Esc), None);
    assert_eq!(state.mode, Mode::Normal);
    assert_eq!(type_keys(&mut state, "qs"), Some(Effect::Leave(Leave::Stop)));
    assert_eq!(type_keys(&mut state, "qd"), Some(Effect::Leave(Leave::Detach)));
    assert_eq!(control(&mut state, 'c'), None);
    assert_eq!(control(&mut state, 'c'), Some(Effect::Leave(Leave::Stop)));
    // From within anything that is open, too.
    type_keys(&mut state, "Bx");
    assert_eq!(control(&mut state, 'c'), None);
    assert!(matches!(state.mode, Mode::Quit(_)));
}

#[test]
fn a_frozen_picture_holds_while_news_come() {
    let mut state = healthy();
    let before = lines(&draw(&mut state, (80, 24)));
    type_keys(&mut state, " ");
    update(&mut state, Message::Snapshot(sample::failing().into()), 100);
    let frozen = lines(&draw(&mut state, (80, 24)));
    assert_eq!(frozen[1..], before[1..], "but for the first line, which says that it is frozen");
    assert!(frozen[0].contains("FROZEN"));
    type_keys(&mut state, " ");
    assert!(lines(&draw(&mut state, (80, 24)))[1].contains("failed for good"));
}

#[test]
fn views_panes_and_the_way_back() {
    let mut state = healthy();
    for (key, view) in [('2', "streams"), ('3', "tables"), ('4', "logs"), ('5', "tape"), ('1', "overview")] {
        type_keys(&mut state, &key.to_string());
        assert_eq!(state.view.name(), view);
    }
    press(&mut state, KeyCode::Tab);
    press(&mut state, KeyCode::Enter);
    assert_eq!(state.view.name(), "streams", "from a pane to its view");
    press(&mut state, KeyCode::Esc);
    assert_eq!(state.view.name(), "overview");
    press(&mut state, KeyCode::BackTab);
    type_keys(&mut state, "jjjjjjjjjjjjjjjjjj");
    assert_eq!(STAGES.selected(&state), 6, "the last line is the last");
    press(&mut state, KeyCode::Enter);
    assert_eq!(state.mode, Mode::Detail);
}

#[test]
fn the_palette_knows_every_action() {
    let mut state = healthy();
    type_keys(&mut state, ":tape");
    press(&mut state, KeyCode::Enter);
    assert_eq!(state.view.name(), "tape");
    type_keys(&mut state, ":find");
    press(&mut state, KeyCode::Enter);
    assert_eq!((state.view.name(), state.mode), ("logs", Mode::Find(String::new())));
}

#[test]
fn answers_are_said_for_a_while() {
    let mut state = healthy();
    let restart = Command::Restart { stage: StageId::Resolver };
    update(&mut state, Message::Answer(restart, Answer::Refused("it is away".into())), 1_000);
    assert!(lines(&draw(&mut state, (80, 24)))[23].contains("it is away"));
    update(&mut state, Message::Tick, 20_000);
    assert!(lines(&draw(&mut state, (80, 24)))[23].contains("quit"));
}

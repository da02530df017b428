//! What a message changes. No clock, no terminal, no pipeline: what is to be done outside is returned.

use std::{ops::ControlFlow, sync::Arc};

use crate::tui::key::{Key, KeyCode};

use super::catalogue::{self, offered};
use super::dialog::{Confirm, Outcome, QuitDialog, ReplayForm};
use super::effect::Effect;
use super::state::{Found, Millis, Mode, State, Toast};
use super::target::{Target, goes_on};
use super::view::{focused, view};
use super::{action::Action, screen::is_too_small, text, view_id::ViewId};
use crate::control::{Answer, Command, DesiredState};
use crate::monitor::{Severity, Snapshot, StageView};
use crate::secrets;

/// How long something is said.
const SAID: Millis = 6_000;

/// How long a pause can be taken back.
const UNDO: Millis = 8_000;

/// How long a snapshot may not show yet what was asked for.
const UNSEEN: Millis = 2_500;

/// Lines of a page.
const PAGE: usize = 10;

/// Something happened.
#[derive(Clone, Debug)]
pub(crate) enum Message {
    Key(Key),
    /// A key that steers the pipeline, and came with others: so do parts of what a terminal sends by itself.
    Crowded(Key),
    Paste(String),
    Snapshot(Arc<Snapshot>),
    Answer(Command, Answer),
    /// Something is to be said.
    Say(Severity, String),
    /// Time went by.
    Tick,
}

/// Takes a message in.
pub(crate) fn update(state: &mut State, message: Message, now: Millis) -> Option<Effect> {
    state.now = now;
    state.toast.take_if(|toast| toast.until <= now);
    state.undo.take_if(|(_, until)| *until <= now);
    match message {
        Message::Key(key) | Message::Crowded(key) if is_too_small(state) => return unseen(state, key),
        Message::Key(key) => return pressed(state, key),
        Message::Crowded(key) => return crowded(state, key),
        Message::Paste(_) if is_too_small(state) => {}
        Message::Paste(pasted) => paste(state, &pasted),
        Message::Tick => {}
        Message::Snapshot(snapshot) => (state.snapshot, state.received) = (snapshot, now),
        Message::Say(severity, text) => say(state, severity, text),
        Message::Answer(command, answer) => answered(state, &command, answer),
    }
    None
}

fn say(state: &mut State, severity: Severity, text: String) {
    let text = secrets::line(&text);
    state.toast = Some(Toast { text, severity, until: state.now + SAID });
}

fn answered(state: &mut State, command: &Command, answer: Answer) {
    state.asked = state.asked.saturating_sub(1);
    if let (Command::Replay(replay), Mode::Replay(form)) = (command, &mut state.mode)
        && replay.dry_run
    {
        form.planned(replay, answer);
        return;
    }
    match answer {
        Answer::Done(said) => {
            let takes_back = match command {
                Command::Pause { .. } | Command::Resume { .. } if state.undo.is_some() => {
                    format!("  ({} takes it back)", state.look.keymap.key(Action::Undo).unwrap_or_default())
                }
                _ => String::new(),
            };
            say(state, Severity::Info, format!("{said}{takes_back}"));
        }
        Answer::Refused(why) => say(state, Severity::Bad, why),
        Answer::Plan(_) => {}
    }
}

fn paste(state: &mut State, pasted: &str) {
    let pasted = text::clean(pasted, state.look.charset);
    match &mut state.mode {
        Mode::Find(text) | Mode::Palette { text, .. } => text.push_str(&pasted),
        Mode::Replay(form) => form.insert(&pasted),
        _ => {}
    }
}

/// A key that did not come alone: it counts where it is typed or chooses, and steers nothing.
fn crowded(state: &mut State, key: Key) -> Option<Effect> {
    if !matches!(state.mode, Mode::Normal | Mode::Detail) {
        return pressed(state, key);
    }
    match state.look.keymap.action(key, Some(state.view)).filter(|action| action.steers()) {
        None => pressed(state, key),
        Some(action) => {
            let name = catalogue::name(action);
            say(state, Severity::Warn, format!("{name}: its key came together with other input, press again"));
            None
        }
    }
}

/// A key where nothing but the worst thing is drawn: what it would do to the pipeline, or to a dialog, could not be seen.
fn unseen(state: &mut State, key: Key) -> Option<Effect> {
    if is_interrupt(key) {
        return pressed(state, key);
    }
    let action = state.look.keymap.action(key, None)?;
    matches!(action, Action::Suspend | Action::Repaint).then(|| act(state, action))?
}

fn is_interrupt(key: Key) -> bool {
    key.code == KeyCode::Char('c') && key.has_control()
}

/// A key, wherever it goes.
fn pressed(state: &mut State, key: Key) -> Option<Effect> {
    let is_interrupt = is_interrupt(key);
    match std::mem::replace(&mut state.mode, Mode::Normal) {
        Mode::Normal => {
            let action = state.look.keymap.action(key, Some(state.view))?;
            return act(state, action);
        }
        // Asked twice, it is meant.
        Mode::Quit(dialog) if is_interrupt => return Some(Effect::Leave(dialog.exits.interrupted())),
        _ if is_interrupt => return act(state, Action::Quit),
        Mode::Help { scroll } => {
            let scroll = match key.code {
                KeyCode::Char('j') | KeyCode::Down => scroll.saturating_add(1),
                KeyCode::Char('k') | KeyCode::Up => scroll.saturating_sub(1),
                KeyCode::PageDown | KeyCode::Char(' ') => scroll.saturating_add(10),
                KeyCode::PageUp => scroll.saturating_sub(10),
                _ => return None,
            };
            state.mode = Mode::Help { scroll: scroll.min(200) };
        }
        Mode::Alerts => {}
        Mode::Detail => {
            let action = state.look.keymap.action(key, None)?;
            match action {
                Action::Pause | Action::Restart | Action::Stop | Action::Skip | Action::Replay | Action::Undo => {}
                Action::Up | Action::Down => state.mode = Mode::Detail,
                _ => return None,
            }
            return act(state, action);
        }
        Mode::Confirm(mut confirm) => match confirm.key(key) {
            Outcome::Stays => state.mode = Mode::Confirm(confirm),
            Outcome::Closes => {}
            Outcome::Asks(command) => return ask(state, command),
        },
        Mode::Replay(mut form) => match form.key(key) {
            Outcome::Stays => state.mode = Mode::Replay(form),
            Outcome::Closes => {}
            Outcome::Asks(command) => {
                if matches!(&command, Command::Replay(replay) if replay.dry_run) {
                    state.mode = Mode::Replay(form);
                }
                return ask(state, command);
            }
        },
        Mode::Quit(mut dialog) => match dialog.key(key) {
            Some(leave) => return leave.map(Effect::Leave),
            None => state.mode = Mode::Quit(dialog),
        },
        Mode::Find(text) => find(state, text, key),
        Mode::Palette { text, selected } => return palette(state, text, selected, key),
    }
    None
}

fn ask(state: &mut State, command: Command) -> Option<Effect> {
    let until = state.now + UNSEEN;
    match &command {
        Command::Pause { stage } => drop(state.wanted.insert(*stage, (DesiredState::Pause, until))),
        Command::Resume { stage } => drop(state.wanted.insert(*stage, (DesiredState::Run, until))),
        Command::Stop { stage } => drop(state.wanted.insert(*stage, (DesiredState::Stop, until))),
        _ => {}
    }
    state.asked += 1;
    Some(Effect::Ask(command))
}

fn act(state: &mut State, action: Action) -> Option<Effect> {
    if let ControlFlow::Break(effect) = (view(state.view).act)(state, action) {
        return effect;
    }
    match action {
        Action::View(view) => state.show(view),
        Action::NextPane => turn(state, 1),
        Action::PreviousPane => turn(state, view(state.view).panes.len() - 1),
        Action::Up => step(state, |at, _| at.saturating_sub(1)),
        Action::Down => step(state, |at, _| at + 1),
        Action::PageUp => step(state, |at, _| at.saturating_sub(PAGE)),
        Action::PageDown => step(state, |at, _| at + PAGE),
        Action::Top => step(state, |_, _| 0),
        Action::Bottom => step(state, |_, lines| lines),
        Action::Open => focused(state).opens.open(state),
        Action::Back => back(state),
        Action::Zoom => state.zoom = !state.zoom,
        Action::Freeze => {
            state.frozen = match state.frozen.take() {
                None => Some((Arc::clone(&state.snapshot), state.now)),
                Some(_) => None,
            };
        }
        Action::Alerts => state.mode = Mode::Alerts,
        Action::Palette => state.mode = Mode::Palette { text: String::new(), selected: 0 },
        Action::Help => state.mode = Mode::Help { scroll: 0 },
        Action::Copy => {
            let pane = focused(state);
            return (pane.text)(state, pane.selected(state)).map(Effect::Copy);
        }
        Action::Repaint => return Some(Effect::Repaint),
        Action::Suspend => return Some(Effect::Suspend),
        Action::Quit => state.mode = Mode::Quit(QuitDialog::new(state.exits)),
        Action::Pause => return pause(state),
        Action::Undo => {
            let (command, _) = state.undo.take()?;
            return ask(state, command);
        }
        Action::Restart => {
            let Some(stage) = state.stage() else { return no_stage(state) };
            confirm(state, Command::Restart { stage: stage.name });
        }
        Action::Skip => {
            let Some(stage) = state.stage() else { return no_stage(state) };
            if !stage.can_skip {
                let (name, word) = (stage.name, stage.state.word());
                let why = match &stage.cause {
                    Some(cause) => format!("{name} is {word}: {cause}"),
                    None => format!("{name} is {word}"),
                };
                say(state, Severity::Warn, format!("there is nothing to skip: {why}"));
                return None;
            }
            confirm(state, Command::Skip { stage: stage.name });
        }
        Action::Stop => match state.target()? {
            Target::Stage(stage) => confirm(state, Command::Stop { stage: stage.name }),
            Target::Job(job) if goes_on(job) => state.mode = Mode::Confirm(Confirm::cancel(&job.id, job.stage)),
            Target::Job(_) => {}
        },
        Action::Replay => {
            let name = match state.target()? {
                Target::Stage(stage) => stage.name,
                Target::Job(job) => job.stage,
            };
            let running = state.snapshot.stages.iter().map(|stage| stage.name);
            state.mode = Mode::Replay(ReplayForm::new(name, running));
        }
        // A view that offers them has done them.
        Action::Left
        | Action::Right
        | Action::Find
        | Action::FindNext
        | Action::FindPrevious
        | Action::LogMore
        | Action::LogLess
        | Action::LogFocus
        | Action::LogTargets
        | Action::LogSave => {}
    }
    None
}

/// Asks whether a command is meant.
fn confirm(state: &mut State, command: Command) {
    let resume = state.look.keymap.key(Action::Pause).unwrap_or_default();
    state.mode = Mode::Confirm(Confirm::new(command, resume));
}

/// Pauses the stage, or lets it go on, at once.
fn pause(state: &mut State) -> Option<Effect> {
    let Some(stage) = state.stage() else { return no_stage(state) };
    let name = stage.name;
    let (command, back) = match wanted(state, stage) {
        DesiredState::Run => (Command::Pause { stage: name }, Command::Resume { stage: name }),
        DesiredState::Pause => (Command::Resume { stage: name }, Command::Pause { stage: name }),
        DesiredState::Stop => (Command::Resume { stage: name }, Command::Stop { stage: name }),
    };
    state.undo = Some((back, state.now + UNDO));
    ask(state, command)
}

/// What is about a stage was asked of a replay.
fn no_stage(state: &mut State) -> Option<Effect> {
    let key = state.look.keymap.key(Action::Stop).unwrap_or_default();
    say(state, Severity::Warn, format!("that is a replay: {key} cancels it, the stages are above"));
    None
}

/// What is wanted of a stage: what was asked for just now, or else what is seen.
fn wanted(state: &State, stage: &StageView) -> DesiredState {
    if let Some((desired, _)) = state.wanted.get(&stage.name).filter(|(_, until)| state.now < *until) {
        return *desired;
    }
    stage.requested.unwrap_or(match stage.state {
        crate::monitor::State::Paus => DesiredState::Pause,
        crate::monitor::State::Stop => DesiredState::Stop,
        _ => DesiredState::Run,
    })
}

/// Gives the keys to another pane.
fn turn(state: &mut State, by: usize) {
    let panes = view(state.view).panes.len();
    let at = state.focus.entry(state.view).or_insert(0);
    *at = (*at + by) % panes;
}

/// Moves the selection.
fn step(state: &mut State, to: impl Fn(usize, usize) -> usize) {
    let pane = focused(state);
    let lines = (pane.lines)(state.shown());
    let at = to(pane.selected(state), lines).min(lines.saturating_sub(1));
    state.selected.insert(pane.name, at);
}

fn back(state: &mut State) {
    if state.found.take().is_some() {
        return;
    }
    if state.zoom {
        state.zoom = false;
    } else if state.view == ViewId::OVERVIEW {
        state.toast = None;
    } else {
        state.show(ViewId::OVERVIEW);
    }
}

/// Types what is looked for.
fn find(state: &mut State, mut text: String, key: Key) {
    match key.code {
        KeyCode::Esc => return,
        KeyCode::Enter => {
            state.found = (!text.is_empty()).then_some(Found { text, at: 0 });
            return;
        }
        KeyCode::Backspace => drop(text.pop()),
        KeyCode::Char(c) if !key.has_control() => text.push(c),
        _ => {}
    }
    state.mode = Mode::Find(text);
}

fn palette(state: &mut State, mut text: String, mut selected: usize, key: Key) -> Option<Effect> {
    match key.code {
        KeyCode::Esc => return None,
        KeyCode::Enter => {
            let Some(action) = offered(&text).get(selected).map(|about| about.action) else {
                // No name of an action: the words of a command.
                text.parse().into_iter().for_each(|command| confirm(state, command));
                return None;
            };
            if let Some(view) = catalogue::owner(action) {
                state.show(view);
            }
            return act(state, action);
        }
        KeyCode::Up => selected = selected.saturating_sub(1),
        KeyCode::Down | KeyCode::Tab => selected += 1,
        KeyCode::Backspace => drop(text.pop()),
        KeyCode::Char(c) if !key.has_control() => text.push(c),
        _ => {}
    }
    let selected = selected.min(offered(&text).len().saturating_sub(1));
    state.mode = Mode::Palette { text, selected };
    None
}

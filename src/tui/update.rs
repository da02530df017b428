//! What a message changes. No clock, no terminal, no pipeline: what is to be done outside is returned.

use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tui_logger::TuiWidgetEvent;

use super::action::{ACTIONS, Action, Place};
use super::dialog::{Confirm, Outcome, QuitDialog, ReplayForm};
use super::state::{Found, Millis, Mode, Pane, State, Target, Toast, View, goes_on};
use super::{line, text, view as screen};
use crate::monitor::{Severity, Snapshot, StageView};
use crate::secrets;
use crate::stage::{Answer, Command, Desired};

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
    Key(KeyEvent),
    /// A key that steers the pipeline, and came with others: so do parts of what a terminal sends by itself.
    Crowded(KeyEvent),
    Paste(String),
    Snapshot(Arc<Snapshot>),
    Answer(Command, Answer),
    /// Something is to be said.
    Say(Severity, String),
    /// Time went by.
    Tick,
}

/// Something is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Ask(Command),
    Leave(Leave),
    Suspend,
    Repaint,
    Copy(String),
    SaveLog,
}

/// How the screen is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// And the pipeline ends, too.
    Stop,
    /// And the pipeline goes on without a screen.
    Detach,
}

/// Takes a message in.
pub(crate) fn update(state: &mut State, message: Message, now: Millis) -> Option<Effect> {
    state.now = now;
    state.toast.take_if(|toast| toast.until <= now);
    state.undo.take_if(|(_, until)| *until <= now);
    match message {
        Message::Key(key) | Message::Crowded(key) if screen::is_too_small(state) => unseen(state, key),
        Message::Paste(_) if screen::is_too_small(state) => None,
        Message::Tick => None,
        Message::Snapshot(snapshot) => {
            (state.snapshot, state.received) = (snapshot, now);
            None
        }
        Message::Say(severity, text) => {
            say(state, severity, text);
            None
        }
        Message::Answer(command, answer) => {
            answered(state, &command, answer);
            None
        }
        Message::Paste(pasted) => {
            paste(state, &pasted);
            None
        }
        Message::Key(key) => pressed(state, key),
        Message::Crowded(key) => crowded(state, key),
    }
}

fn say(state: &mut State, severity: Severity, text: String) {
    let text = secrets::line(&text);
    state.toast = Some(Toast { text, severity, until: state.now + SAID });
}

fn answered(state: &mut State, command: &Command, answer: Answer) {
    state.asked = state.asked.saturating_sub(1);
    if let (Command::Plan(replay), Mode::Replay(form)) = (command, &mut state.mode) {
        form.planned(replay, answer);
        return;
    }
    match answer {
        Answer::Done(said) => {
            let takes_back = match command {
                Command::Pause(_) | Command::Resume(_) if state.undo.is_some() => "  (u takes it back)",
                _ => "",
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
fn crowded(state: &mut State, key: KeyEvent) -> Option<Effect> {
    if !matches!(state.mode, Mode::Normal | Mode::Detail) {
        return pressed(state, key);
    }
    let place = if state.view == View::Logs { Place::Logs } else { Place::Everywhere };
    match state.look.keymap.action(key, place).filter(|action| action.steers()) {
        None => pressed(state, key),
        Some(action) => {
            let name = action.about().name;
            say(state, Severity::Warn, format!("{name}: its key came together with other input, press again"));
            None
        }
    }
}

/// A key where nothing but the worst thing is drawn: what it would do to the pipeline, or to a dialog, could not be seen.
fn unseen(state: &mut State, key: KeyEvent) -> Option<Effect> {
    if is_interrupt(key) {
        return pressed(state, key);
    }
    let action = state.look.keymap.action(key, Place::Everywhere)?;
    matches!(action, Action::Suspend | Action::Repaint).then(|| act(state, action))?
}

fn is_interrupt(key: KeyEvent) -> bool {
    key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL)
}

/// A key, wherever it goes.
fn pressed(state: &mut State, key: KeyEvent) -> Option<Effect> {
    let is_interrupt = is_interrupt(key);
    match std::mem::replace(&mut state.mode, Mode::Normal) {
        Mode::Normal => {
            let place = if state.view == View::Logs { Place::Logs } else { Place::Everywhere };
            let action = state.look.keymap.action(key, place)?;
            act(state, action)
        }
        // Asked twice, it is meant.
        Mode::Quit(_) if is_interrupt => Some(Effect::Leave(Leave::Stop)),
        _ if is_interrupt => act(state, Action::Quit),
        Mode::Help { scroll } => {
            let scroll = match key.code {
                KeyCode::Char('j') | KeyCode::Down => scroll.saturating_add(1),
                KeyCode::Char('k') | KeyCode::Up => scroll.saturating_sub(1),
                KeyCode::PageDown | KeyCode::Char(' ') => scroll.saturating_add(10),
                KeyCode::PageUp => scroll.saturating_sub(10),
                _ => return None,
            };
            state.mode = Mode::Help { scroll: scroll.min(200) };
            None
        }
        Mode::Alerts => None,
        Mode::Detail => {
            let action = state.look.keymap.action(key, Place::Everywhere)?;
            match action {
                Action::Pause | Action::Restart | Action::Stop | Action::Skip | Action::Replay | Action::Undo => {
                    act(state, action)
                }
                Action::Up | Action::Down => {
                    state.mode = Mode::Detail;
                    act(state, action)
                }
                _ => None,
            }
        }
        Mode::Confirm(mut confirm) => match confirm.key(key) {
            Outcome::Stays => {
                state.mode = Mode::Confirm(confirm);
                None
            }
            Outcome::Closes => None,
            Outcome::Asks(command) => ask(state, command),
        },
        Mode::Replay(mut form) => match form.key(key) {
            Outcome::Stays => {
                state.mode = Mode::Replay(form);
                None
            }
            Outcome::Closes => None,
            Outcome::Asks(command) => {
                if matches!(command, Command::Plan(_)) {
                    state.mode = Mode::Replay(form);
                }
                ask(state, command)
            }
        },
        Mode::Quit(mut dialog) => match dialog.key(key) {
            Some(leave) => leave.map(Effect::Leave),
            None => {
                state.mode = Mode::Quit(dialog);
                None
            }
        },
        Mode::Find(text) => {
            find(state, text, key);
            None
        }
        Mode::Palette { text, selected } => palette(state, text, selected, key),
    }
}

fn ask(state: &mut State, command: Command) -> Option<Effect> {
    let until = state.now + UNSEEN;
    match &command {
        Command::Pause(stage) => drop(state.wanted.insert(*stage, (Desired::Pause, until))),
        Command::Resume(stage) => drop(state.wanted.insert(*stage, (Desired::Run, until))),
        Command::Stop(stage) => drop(state.wanted.insert(*stage, (Desired::Stop, until))),
        _ => {}
    }
    state.asked += 1;
    Some(Effect::Ask(command))
}

fn act(state: &mut State, action: Action) -> Option<Effect> {
    match action {
        Action::Overview => view(state, View::Overview),
        Action::Streams => view(state, View::Streams),
        Action::Tables => view(state, View::Tables),
        Action::Logs => view(state, View::Logs),
        Action::Tape => view(state, View::Tape),
        Action::NextPane => turn(state, 1),
        Action::PreviousPane => turn(state, state.view.panes().len() - 1),
        Action::Up => step(state, TuiWidgetEvent::UpKey, |at, _| at.saturating_sub(1)),
        Action::Down => step(state, TuiWidgetEvent::DownKey, |at, _| at + 1),
        Action::PageUp => step(state, TuiWidgetEvent::PrevPageKey, |at, _| at.saturating_sub(PAGE)),
        Action::PageDown => step(state, TuiWidgetEvent::NextPageKey, |at, _| at + PAGE),
        Action::Top => step(state, TuiWidgetEvent::PrevPageKey, |_, _| 0),
        Action::Bottom => step(state, TuiWidgetEvent::EscapeKey, |_, lines| lines),
        Action::Left => log(state, TuiWidgetEvent::LeftKey),
        Action::Right => log(state, TuiWidgetEvent::RightKey),
        Action::LogMore => log(state, TuiWidgetEvent::PlusKey),
        Action::LogLess => log(state, TuiWidgetEvent::MinusKey),
        Action::LogFocus => log(state, TuiWidgetEvent::FocusKey),
        // What is wanted is the other thing: on a small screen they are hidden at first.
        Action::LogTargets => state.targets = Some(!state.targets.unwrap_or(state.width >= 100)),
        Action::LogSave => return Some(Effect::SaveLog),
        Action::Find => state.mode = Mode::Find(String::new()),
        Action::FindNext => seek(state, |at| at + 1),
        Action::FindPrevious => seek(state, |at| at.saturating_sub(1)),
        Action::Open if state.focused() == Pane::Stages => state.mode = Mode::Detail,
        Action::Open => open(state),
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
        Action::Copy => return line::selected(state).map(Effect::Copy),
        Action::Repaint => return Some(Effect::Repaint),
        Action::Suspend => return Some(Effect::Suspend),
        Action::Quit => state.mode = Mode::Quit(QuitDialog::new(state.can_detach)),
        Action::Pause => return pause(state),
        Action::Undo => {
            let (command, _) = state.undo.take()?;
            return ask(state, command);
        }
        Action::Restart => {
            let Some(stage) = state.stage() else { return no_stage(state) };
            state.mode = Mode::Confirm(Confirm::restart(stage.name));
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
            state.mode = Mode::Confirm(Confirm::skip(stage.name));
        }
        Action::Stop => {
            let confirm = match state.target()? {
                Target::Stage(stage) => Confirm::stop(stage.name),
                Target::Job(job) if goes_on(job) => Confirm::cancel(&job.id, job.stage),
                Target::Job(_) => return None,
            };
            state.mode = Mode::Confirm(confirm);
        }
        Action::Replay => {
            let name = match state.target()? {
                Target::Stage(stage) => stage.name,
                Target::Job(job) => job.stage,
            };
            state.mode = Mode::Replay(ReplayForm::new(name));
        }
    }
    None
}

/// Pauses the stage, or lets it go on, at once.
fn pause(state: &mut State) -> Option<Effect> {
    let Some(stage) = state.stage() else { return no_stage(state) };
    let name = stage.name;
    let (command, back) = match wanted(state, stage) {
        Desired::Run => (Command::Pause(name), Command::Resume(name)),
        Desired::Pause => (Command::Resume(name), Command::Pause(name)),
        Desired::Stop => (Command::Resume(name), Command::Stop(name)),
    };
    state.undo = Some((back, state.now + UNDO));
    ask(state, command)
}

/// What is about a stage was asked of a replay.
fn no_stage(state: &mut State) -> Option<Effect> {
    say(state, Severity::Warn, "that is a replay: X cancels it, the stages are above".into());
    None
}

/// What is wanted of a stage: what was asked for just now, or else what is seen.
fn wanted(state: &State, stage: &StageView) -> Desired {
    if let Some((desired, _)) = state.wanted.get(&stage.name).filter(|(_, until)| state.now < *until) {
        return *desired;
    }
    stage.requested.unwrap_or(match stage.state {
        crate::monitor::State::Paus => Desired::Pause,
        crate::monitor::State::Stop => Desired::Stop,
        _ => Desired::Run,
    })
}

fn view(state: &mut State, view: View) {
    (state.view, state.zoom) = (view, false);
}

/// Gives the keys to another pane.
fn turn(state: &mut State, by: usize) {
    let panes = state.view.panes().len();
    let at = state.focus.entry(state.view).or_insert(0);
    *at = (*at + by) % panes;
}

/// Moves the selection; in the log, the selected target or the page.
fn step(state: &mut State, event: TuiWidgetEvent, to: impl Fn(usize, usize) -> usize) {
    let pane = state.focused();
    if pane == Pane::Logs {
        if state.found.is_some() {
            seek(state, |at| if event == TuiWidgetEvent::UpKey { at + 1 } else { at.saturating_sub(1) });
        } else {
            state.log.transition(event);
        }
        return;
    }
    let lines = state.lines(pane);
    let at = to(state.selected(pane), lines).min(lines.saturating_sub(1));
    state.selected.insert(pane, at);
}

fn log(state: &State, event: TuiWidgetEvent) {
    if state.view == View::Logs {
        state.log.transition(event);
    }
}

/// From a line of the overview to the view that knows more of it.
fn open(state: &mut State) {
    match state.focused() {
        Pane::Streams if state.view == View::Overview => view(state, View::Streams),
        Pane::Tables if state.view == View::Overview => view(state, View::Tables),
        _ => {}
    }
}

fn back(state: &mut State) {
    if state.found.take().is_some() {
        return;
    }
    match state.view {
        _ if state.zoom => state.zoom = false,
        View::Logs => state.log.transition(TuiWidgetEvent::EscapeKey),
        View::Overview => state.toast = None,
        _ => view(state, View::Overview),
    }
}

/// Types what is looked for.
fn find(state: &mut State, mut text: String, key: KeyEvent) {
    match key.code {
        KeyCode::Esc => return,
        KeyCode::Enter => {
            state.found = (!text.is_empty()).then_some(Found { text, at: 0 });
            return;
        }
        KeyCode::Backspace => drop(text.pop()),
        KeyCode::Char(c) if !key.modifiers.contains(KeyModifiers::CONTROL) => text.push(c),
        _ => {}
    }
    state.mode = Mode::Find(text);
}

fn seek(state: &mut State, to: impl Fn(usize) -> usize) {
    if let Some(mut found) = state.found.take() {
        let last = state.find(&found.text).len().saturating_sub(1);
        found.at = to(found.at).min(last);
        state.found = Some(found);
    }
}

/// The actions whose name or text holds what was typed.
pub(crate) fn offered(typed: &str) -> Vec<Action> {
    let typed = typed.to_lowercase();
    let offers =
        |about: &&super::action::About| about.name.contains(&typed) || about.text.to_lowercase().contains(&typed);
    let mut offered: Vec<_> = ACTIONS.iter().filter(offers).collect();
    offered.sort_by_key(|about| !about.name.starts_with(&typed));
    offered.into_iter().map(|about| about.action).collect()
}

fn palette(state: &mut State, mut text: String, mut selected: usize, key: KeyEvent) -> Option<Effect> {
    match key.code {
        KeyCode::Esc => return None,
        KeyCode::Enter => {
            let action = offered(&text).get(selected).copied()?;
            if action.about().place == Place::Logs {
                view(state, View::Logs);
            }
            return act(state, action);
        }
        KeyCode::Up => selected = selected.saturating_sub(1),
        KeyCode::Down | KeyCode::Tab => selected += 1,
        KeyCode::Backspace => drop(text.pop()),
        KeyCode::Char(c) if !key.modifiers.contains(KeyModifiers::CONTROL) => text.push(c),
        _ => {}
    }
    let selected = selected.min(offered(&text).len().saturating_sub(1));
    state.mode = Mode::Palette { text, selected };
    None
}

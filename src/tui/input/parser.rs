//! Finds keys and pastes among bytes. No clock and no terminal: who reads says when nothing came for a while.
//!
//! The states are those of a terminal's own parser (vt100.net/emu/dec_ansi_parser). Three things differ: what is to be
//! dropped is dropped without being kept, Ctrl-C ends everything that has no end yet, since no answer holds one, and an
//! unfinished sequence can be given up.

use std::time::Duration;

use crate::tui::key::{Event, Key, KeyCode, Modifiers};

use super::sequence;

/// How long after its last byte a sequence is given up that has no end.
const PATIENCE: Duration = Duration::from_millis(100);

/// The same of a paste, which may be long, and come over a network.
const PATIENCE_OF_PASTE: Duration = Duration::from_millis(250);

/// Bytes of a sequence that is a key, at most; longer ones are answers.
const LONGEST_KEY: usize = 32;

/// Bytes of a paste that are kept.
const LONGEST_PASTE: usize = 64 << 10;

const ESC: u8 = 0x1b;
const CTRL_C: u8 = 0x03;
const PASTE_ENDS: &[u8] = b"\x1b[201~";

#[derive(Debug, Default)]
pub(super) struct Parser {
    state: State,
    /// Something was dropped since somebody asked.
    dropped: bool,
}

#[derive(Debug, Default)]
enum State {
    /// Between keys.
    #[default]
    Ground,
    /// Behind ESC: the key, or the beginning of a sequence.
    Escape,
    /// In a character of several bytes.
    Char { bytes: Vec<u8>, length: usize, modifiers: Modifiers },
    /// Behind `CSI`. `None` where it is too long to be a key.
    Control(Option<Vec<u8>>),
    /// Behind `CSI [`, where the Linux console puts its first function keys.
    Console,
    /// Behind `CSI M`: three bytes of an old mouse.
    Mouse(u8),
    /// Behind `SS3`.
    Shift3,
    /// In the text of an answer: OSC, DCS, APC, PM, SOS. It ends with ST, OSC with BEL, too.
    Text { bell_ends: bool, eight_bits: bool },
    /// Behind ESC in it.
    TextEscape { bell_ends: bool, eight_bits: bool },
    /// Between the brackets of a paste.
    Paste(Vec<u8>),
}

impl Parser {
    /// Takes bytes, and adds what they are.
    pub(super) fn push(&mut self, bytes: &[u8], events: &mut Vec<Event>) {
        bytes.iter().for_each(|byte| self.take(*byte, events));
    }

    /// Nothing came for as long as it waits: what has no end will have none. ESC alone was the key.
    pub(super) fn give_up(&mut self, events: &mut Vec<Event>) {
        match std::mem::take(&mut self.state) {
            State::Ground => {}
            State::Escape => events.push(key(KeyCode::Esc)),
            _ => self.dropped = true,
        }
    }

    /// How long what it has begun may wait for more; nothing where it has begun nothing.
    pub(super) fn patience(&self) -> Option<Duration> {
        match self.state {
            State::Ground => None,
            State::Paste(_) => Some(PATIENCE_OF_PASTE),
            _ => Some(PATIENCE),
        }
    }

    /// Whether something was dropped since this was asked.
    pub(super) fn has_dropped(&mut self) -> bool {
        std::mem::take(&mut self.dropped)
    }

    fn take(&mut self, byte: u8, events: &mut Vec<Event>) {
        let state = std::mem::take(&mut self.state);
        self.state = match (state, byte) {
            (State::Ground, byte) => self.begin(byte, Modifiers::NONE, events),
            // Also in the middle of a sequence: nothing may keep anybody from leaving.
            (state, CTRL_C) => {
                self.dropped |= !matches!(state, State::Escape);
                if matches!(state, State::Escape) {
                    events.push(key(KeyCode::Esc));
                }
                events.push(control('c'));
                State::Ground
            }
            (State::Escape, byte) => self.escaped(byte, events),
            (State::Char { mut bytes, length, modifiers }, 0x80..=0xbf) => {
                bytes.push(byte);
                if bytes.len() < length {
                    State::Char { bytes, length, modifiers }
                } else {
                    self.character(&bytes, modifiers, events);
                    State::Ground
                }
            }
            (State::Control(parameters), _) => self.control(parameters, byte, events),
            (State::Console, byte) => {
                self.found(sequence::console(byte), events);
                State::Ground
            }
            (State::Mouse(1), _) => State::Ground,
            (State::Mouse(left), _) => State::Mouse(left - 1),
            (State::Shift3, 0x20..=0x7e) => {
                self.found(sequence::shift3(byte), events);
                State::Ground
            }
            (State::Text { bell_ends: true, .. }, 0x07) | (State::Text { eight_bits: true, .. }, 0x9c) => State::Ground,
            // CAN and SUB.
            (State::Text { .. } | State::TextEscape { .. }, 0x18 | 0x1a) => State::Ground,
            (State::Text { bell_ends, eight_bits }, ESC) => State::TextEscape { bell_ends, eight_bits },
            (State::TextEscape { .. }, b'\\') => State::Ground,
            (text @ State::Text { .. }, _) => text,
            // Another sequence begins: this one was cut off.
            (State::TextEscape { .. }, b'[' | b'O' | b']' | b'P' | b'X' | b'^' | b'_') => self.escaped(byte, events),
            (text @ State::TextEscape { .. }, ESC) => text,
            (State::TextEscape { bell_ends, eight_bits }, _) => State::Text { bell_ends, eight_bits },
            (State::Paste(text), byte) => paste(text, byte, events),
            // What cannot go on is over, and this is the beginning of something else.
            (State::Char { .. } | State::Shift3, byte) => {
                self.dropped = true;
                self.begin(byte, Modifiers::NONE, events)
            }
        };
    }

    /// The first byte of something.
    fn begin(&mut self, byte: u8, modifiers: Modifiers, events: &mut Vec<Event>) -> State {
        let code = match byte {
            ESC => return State::Escape,
            b'\r' => KeyCode::Enter,
            b'\t' => KeyCode::Tab,
            0x7f => KeyCode::Backspace,
            0x00 => return self.with_control(' ', modifiers, events),
            0x01..=0x1a => return self.with_control(char::from(byte - 1 + b'a'), modifiers, events),
            0x1c..=0x1f => return self.with_control(char::from(byte - 0x1c + b'4'), modifiers, events),
            0x20..=0x7e => {
                self.character(&[byte], modifiers, events);
                return State::Ground;
            }
            // The introducers as one byte, which is the beginning of no character.
            0x9b => return State::Control(Some(Vec::new())),
            0x9d => return self.text(true, true),
            0x90 | 0x98 | 0x9e | 0x9f => return self.text(false, true),
            0xc2..=0xdf => return State::Char { bytes: vec![byte], length: 2, modifiers },
            0xe0..=0xef => return State::Char { bytes: vec![byte], length: 3, modifiers },
            0xf0..=0xf4 => return State::Char { bytes: vec![byte], length: 4, modifiers },
            0x80..=0xff => {
                self.dropped = true;
                return State::Ground;
            }
        };
        events.push(Event::Key(Key::new(code, modifiers)));
        State::Ground
    }

    /// The byte behind ESC.
    fn escaped(&mut self, byte: u8, events: &mut Vec<Event>) -> State {
        match byte {
            b'[' => State::Control(Some(Vec::new())),
            b'O' => State::Shift3,
            b']' => self.text(true, false),
            b'P' | b'X' | b'^' | b'_' => self.text(false, false),
            // ST of a text that was given up.
            b'\\' => {
                self.dropped = true;
                State::Ground
            }
            ESC => {
                events.push(key(KeyCode::Esc));
                State::Escape
            }
            byte => self.begin(byte, Modifiers::ALT, events),
        }
    }

    fn text(&mut self, bell_ends: bool, eight_bits: bool) -> State {
        self.dropped = true;
        State::Text { bell_ends, eight_bits }
    }

    fn control(&mut self, parameters: Option<Vec<u8>>, byte: u8, events: &mut Vec<Event>) -> State {
        match byte {
            ESC => {
                self.dropped = true;
                State::Escape
            }
            b'[' if parameters.as_ref().is_some_and(Vec::is_empty) => State::Console,
            b'M' if parameters.as_ref().is_some_and(Vec::is_empty) => {
                self.dropped = true;
                State::Mouse(3)
            }
            0x20..=0x3f => {
                State::Control(parameters.filter(|parameters| parameters.len() < LONGEST_KEY).map(|mut all| {
                    all.push(byte);
                    all
                }))
            }
            0x40..=0x7e => match parameters {
                Some(parameters) if parameters == b"200" && byte == b'~' => State::Paste(Vec::new()),
                parameters => {
                    let found = parameters.and_then(|parameters| sequence::control(&parameters, byte));
                    self.found(found, events);
                    State::Ground
                }
            },
            byte => {
                self.dropped = true;
                self.begin(byte, Modifiers::NONE, events)
            }
        }
    }

    /// A sequence is whole: it is this key, or none.
    fn found(&mut self, found: Option<Key>, events: &mut Vec<Event>) {
        match found {
            Some(key) => events.push(Event::Key(key)),
            None => self.dropped = true,
        }
    }

    fn character(&mut self, bytes: &[u8], modifiers: Modifiers, events: &mut Vec<Event>) {
        let character = std::str::from_utf8(bytes).ok().and_then(|text| text.chars().next());
        // U+0080 to U+009F command, as the others do.
        match character.filter(|character| !character.is_control()) {
            Some(character) => events.push(Event::Key(sequence::character(character, modifiers))),
            None => self.dropped = true,
        }
    }

    #[allow(clippy::unused_self, reason = "stands beside its like")]
    fn with_control(&self, character: char, modifiers: Modifiers, events: &mut Vec<Event>) -> State {
        events.push(Event::Key(Key::new(KeyCode::Char(character), modifiers | Modifiers::CONTROL)));
        State::Ground
    }
}

/// A byte of a paste. It ends with its bracket.
fn paste(mut text: Vec<u8>, byte: u8, events: &mut Vec<Event>) -> State {
    text.push(byte);
    if text.ends_with(PASTE_ENDS) {
        text.truncate(text.len() - PASTE_ENDS.len());
        text.truncate(LONGEST_PASTE);
        events.push(Event::Paste(String::from_utf8_lossy(&text).into_owned()));
        return State::Ground;
    }
    if text.len() >= LONGEST_PASTE + 2 * PASTE_ENDS.len() {
        // The rest goes, but for what may be the beginning of the end.
        text.drain(LONGEST_PASTE..text.len() - PASTE_ENDS.len());
    }
    State::Paste(text)
}

fn key(code: KeyCode) -> Event {
    Event::Key(Key::new(code, Modifiers::NONE))
}

fn control(character: char) -> Event {
    Event::Key(Key::new(KeyCode::Char(character), Modifiers::CONTROL))
}

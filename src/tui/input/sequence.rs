//! Which key a whole sequence is: those of xterm, VT220, rxvt and the Linux console, as crossterm 0.29 takes them. What is no
//! key here is an answer, a report or a mouse, and none of them is wanted.

use crate::tui::key::{Key, KeyCode, Modifiers};

/// A character, of which capitals are said to be typed with Shift.
pub(super) fn character(character: char, modifiers: Modifiers) -> Key {
    let shift = if character.is_uppercase() { Modifiers::SHIFT } else { Modifiers::NONE };
    Key::new(KeyCode::Char(character), modifiers | shift)
}

/// `CSI [ A` to `CSI [ E`.
pub(super) fn console(last: u8) -> Option<Key> {
    matches!(last, b'A'..=b'E').then(|| plain(KeyCode::F(last - b'A' + 1)))
}

/// `SS3 A`
pub(super) fn shift3(last: u8) -> Option<Key> {
    match last {
        // The Enter of the keypad.
        b'M' => Some(plain(KeyCode::Enter)),
        b'R' => Some(plain(KeyCode::F(3))),
        _ => lettered(last).map(plain),
    }
}

/// `CSI parameters last`
pub(super) fn control(parameters: &[u8], last: u8) -> Option<Key> {
    // Others than these begin with a mark of their own, as answers do, or have something in their middle.
    if !parameters.iter().all(|byte| byte.is_ascii_digit() || b";:".contains(byte)) {
        return None;
    }
    let parameters = std::str::from_utf8(parameters).ok()?;
    let mut numbers = parameters.split(';');
    let (first, second, third) = (numbers.next()?, numbers.next(), numbers.next());
    if numbers.next().is_some() {
        return None;
    }
    let modifiers = |text: Option<&str>| match text {
        None | Some("") => Some(Modifiers::NONE),
        Some(text) => modifiers(text),
    };
    match last {
        b'Z' if parameters.is_empty() => Some(Key::new(KeyCode::BackTab, Modifiers::SHIFT)),
        b'~' if first == "27" => {
            let (held, code) = (modifiers(second)?, third?.parse().ok()?);
            typed(code, held)
        }
        b'~' if third.is_none() => Some(Key::new(numbered(first)?, modifiers(second)?)),
        b'u' if third.is_none() => typed(first.split(':').next()?.parse().ok()?, modifiers(second)?),
        // Where the cursor is: an answer, and not F3.
        b'R' => None,
        _ if third.is_none() && ["", "1"].contains(&first) => Some(Key::new(lettered(last)?, modifiers(second)?)),
        _ => None,
    }
}

const fn plain(code: KeyCode) -> Key {
    Key::new(code, Modifiers::NONE)
}

const fn lettered(last: u8) -> Option<KeyCode> {
    Some(match last {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        b'P' => KeyCode::F(1),
        b'Q' => KeyCode::F(2),
        b'S' => KeyCode::F(4),
        _ => return None,
    })
}

fn numbered(number: &str) -> Option<KeyCode> {
    Some(match number.parse().ok()? {
        1_u8 | 7 => KeyCode::Home,
        2 => KeyCode::Insert,
        3 => KeyCode::Delete,
        4 | 8 => KeyCode::End,
        5 => KeyCode::PageUp,
        6 => KeyCode::PageDown,
        number @ 11..=15 => KeyCode::F(number - 10),
        number @ 17..=21 => KeyCode::F(number - 11),
        number @ 23..=26 => KeyCode::F(number - 12),
        number @ 28..=29 => KeyCode::F(number - 13),
        number @ 31..=34 => KeyCode::F(number - 14),
        _ => return None,
    })
}

/// A key by its character, as it comes where somebody has told the terminal so.
fn typed(code: u32, held: Modifiers) -> Option<Key> {
    let code = match char::from_u32(code)? {
        '\r' => KeyCode::Enter,
        '\t' if held.contains(Modifiers::SHIFT) => KeyCode::BackTab,
        '\t' => KeyCode::Tab,
        '\u{1b}' => KeyCode::Esc,
        '\u{7f}' | '\u{8}' => KeyCode::Backspace,
        // Private use: keys that nothing is bound to.
        character if character.is_control() || ('\u{e000}'..='\u{f8ff}').contains(&character) => return None,
        character if held == Modifiers::SHIFT => {
            let mut upper = character.to_uppercase();
            let one = upper.next().filter(|_| upper.next().is_none()).unwrap_or(character);
            return Some(self::character(one, held));
        }
        character => return Some(self::character(character, held)),
    };
    Some(Key::new(code, held))
}

/// `5`, or `5:1`: one more than the sum of the keys that are held, and what is done. A key that is let go is none.
fn modifiers(text: &str) -> Option<Modifiers> {
    let (mask, done) = text.split_once(':').map_or((text, None), |(mask, done)| (mask, Some(done)));
    if done == Some("3") {
        return None;
    }
    let mask = mask.parse::<u8>().ok()?.checked_sub(1)?;
    Some(Modifiers::of_mask(mask))
}

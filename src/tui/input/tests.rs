//! Keys as terminals send them, and what terminals send by themselves.

use crate::tui::key::{Event, Key, KeyCode, Modifiers};
use proptest::prelude::*;

use super::parser::Parser;

fn key(code: KeyCode, modifiers: Modifiers) -> Event {
    Event::Key(Key::new(code, modifiers))
}

fn plain(code: KeyCode) -> Event {
    key(code, Modifiers::NONE)
}

/// What pieces are, of which each came before what was before it was given up; and that the last one is given up.
fn parsed(pieces: &[&[u8]]) -> Vec<Event> {
    let (mut parser, mut events) = (Parser::default(), Vec::new());
    pieces.iter().for_each(|piece| parser.push(piece, &mut events));
    parser.give_up(&mut events);
    assert_eq!(parser.patience(), None);
    events
}

/// What terminals send by themselves, and how their names are.
const ANSWERS: &[(&str, &[u8])] = &[
    ("title", b"\x1b]lPuXRB qs\x1b\\"),
    ("icon, with a bell", b"\x1b]LXB\x07"),
    ("title in UTF-8", "\x1b]l„P“ — Xé\u{9c}\x1b\\".as_bytes()),
    ("version", b"\x1bP>|XTerm(388)\x1b\\"),
    ("colour", b"\x1b]11;rgb:1e1e/1e1e/PPPP\x07"),
    ("clipboard", b"\x1b]52;c;UFhSQgo=\x1b\\"),
    ("settings", b"\x1bP1$r0m\x1b\\"),
    ("capability", b"\x1bP1+r544e=787465726D\x1b\\"),
    ("attributes", b"\x1b[?64;1;2;6;9;15;18;21;22c"),
    ("more attributes", b"\x1b[>41;388;0c"),
    ("unit", b"\x1bP!|00000000\x1b\\"),
    ("cursor", b"\x1b[24;80R"),
    ("cursor and page", b"\x1b[?24;80;1R"),
    ("mode", b"\x1b[?2026;2$y"),
    ("mode that is not private", b"\x1b[4;2$y"),
    ("status", b"\x1b[0n"),
    ("light or dark", b"\x1b[?997;1n"),
    ("size", b"\x1b[8;40;120t"),
    ("keyboard", b"\x1b[?1u"),
    ("graphics", b"\x1b[?2;0;1000;1000S"),
    ("parameters", b"\x1b[2;1;1;128;128;1;0x"),
    ("kitty graphics", b"\x1b_Gi=31;OK\x1b\\"),
    ("private message", b"\x1b^PXRB\x1b\\"),
    ("string", b"\x1bXPXRB\x1b\\"),
    ("focus", b"\x1b[I\x1b[O"),
    ("mouse", b"\x1b[<0;12;34M\x1b[<0;12;34m"),
    ("old mouse", b"\x1b[MPXR"),
    ("eight bits", b"\x9dlPX\x9c\x90>|X\x9c\x9b?62c"),
    ("long", b"\x1b[1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1P"),
    ("through tmux", b"\x1bPtmux;\x1b\x1b]11;rgb:0/0/0\x07\x1b\\"),
    ("cancelled", b"\x1b]lPX\x18"),
];

#[test]
fn an_answer_is_no_key_wherever_it_is_split() {
    for (name, answer) in ANSWERS {
        for at in 0..=answer.len() {
            let (first, second) = answer.split_at(at);
            assert_eq!(parsed(&[first, second, b"j"]), [plain(KeyCode::Char('j'))], "{name} at {at}");
        }
    }
}

#[test]
fn an_unfinished_answer_is_given_up_and_ctrl_c_ends_it_at_once() {
    for (name, answer) in ANSWERS {
        for at in 2..answer.len() {
            let (mut parser, mut events) = (Parser::default(), Vec::new());
            parser.push(&answer[..at], &mut events);
            if parser.patience().is_none() {
                continue;
            }
            events.clear();
            parser.push(b"\x03", &mut events);
            assert_eq!(events.last(), Some(&key(KeyCode::Char('c'), Modifiers::CONTROL)), "{name} at {at}");

            parser.push(&answer[..at], &mut events);
            events.clear();
            parser.give_up(&mut events);
            parser.push(b"j", &mut events);
            assert_eq!(events.last(), Some(&plain(KeyCode::Char('j'))), "{name} at {at}");
        }
    }
}

#[test]
fn keys_are_keys() {
    use KeyCode as K;
    let (none, shift, alt, control) = (Modifiers::NONE, Modifiers::SHIFT, Modifiers::ALT, Modifiers::CONTROL);
    for (bytes, code, modifiers) in [
        (&b"j"[..], K::Char('j'), none),
        (b"P", K::Char('P'), shift),
        ("é".as_bytes(), K::Char('é'), none),
        ("Ü".as_bytes(), K::Char('Ü'), shift),
        ("東".as_bytes(), K::Char('東'), none),
        ("🦀".as_bytes(), K::Char('🦀'), none),
        (b" ", K::Char(' '), none),
        (b"\r", K::Enter, none),
        (b"\n", K::Char('j'), control),
        (b"\t", K::Tab, none),
        (b"\x7f", K::Backspace, none),
        (b"\x03", K::Char('c'), control),
        (b"\x1a", K::Char('z'), control),
        (b"\x0c", K::Char('l'), control),
        (b"\x00", K::Char(' '), control),
        (b"\x1f", K::Char('7'), control),
        (b"\x1b", K::Esc, none),
        (b"\x1bx", K::Char('x'), alt),
        (b"\x1b\r", K::Enter, alt),
        (b"\x1b[A", K::Up, none),
        (b"\x1bOB", K::Down, none),
        (b"\x1b[C", K::Right, none),
        (b"\x1b[1;5D", K::Left, control),
        (b"\x1b[1;2A", K::Up, shift),
        (b"\x1b[Z", K::BackTab, shift),
        (b"\x1b[H", K::Home, none),
        (b"\x1bOF", K::End, none),
        (b"\x1b[1~", K::Home, none),
        (b"\x1b[8~", K::End, none),
        (b"\x1b[5~", K::PageUp, none),
        (b"\x1b[6;5~", K::PageDown, control),
        (b"\x1b[2~", K::Insert, none),
        (b"\x1b[3~", K::Delete, none),
        (b"\x1bOP", K::F(1), none),
        (b"\x1bOR", K::F(3), none),
        (b"\x1b[[E", K::F(5), none),
        (b"\x1b[15~", K::F(5), none),
        (b"\x1b[24;2~", K::F(12), shift),
        (b"\x1b[1;2S", K::F(4), shift),
        (b"\x1bOM", K::Enter, none),
        (b"\x1b[27;5;106~", K::Char('j'), control),
        (b"\x1b[112;2u", K::Char('P'), shift),
        (b"\x1b[13u", K::Enter, none),
    ] {
        for at in 0..bytes.len() {
            assert_eq!(parsed(&[&bytes[..at], &bytes[at..]]), [key(code, modifiers)], "{bytes:?} at {at}");
        }
    }
    // As crossterm has it.
    assert_eq!(parsed(&[b"\x1b\x1b"]), [plain(K::Esc), plain(K::Esc)]);
    assert_eq!(parsed(&[b"\x1b[1;1:3A"]), [], "a key that is let go");
}

#[test]
fn what_is_no_text_is_nothing() {
    for bytes in [&b"\xff"[..], b"\xc3", b"\xe6\x9d", b"\xc2\x9b", b"\xf5\x80\x80\x80", b"\xed\xa0\x80", b"\x80"] {
        assert_eq!(parsed(&[bytes, b"j"]), [plain(KeyCode::Char('j'))], "{bytes:?}");
    }
}

#[test]
fn a_paste_is_one_and_has_an_end() {
    let paste = |text: &str| Event::Paste(text.into());
    let whole = "\x1b[200~PXR\x1b[A é\r\n\x1b[201~".as_bytes();
    for at in 0..whole.len() {
        assert_eq!(parsed(&[&whole[..at], &whole[at..]]), [paste("PXR\x1b[A é\r\n")], "{at}");
    }
    let long = format!("\x1b[200~{}\x1b[201~j", "x".repeat(200_000));
    assert_eq!(parsed(&[long.as_bytes()]), [paste(&"x".repeat(64 << 10)), plain(KeyCode::Char('j'))]);
    assert_eq!(parsed(&[b"\x1b[200~PXR"]), [], "its end never came");
    let ctrl_c = key(KeyCode::Char('c'), Modifiers::CONTROL);
    assert_eq!(parsed(&[b"\x1b[200~PXR\x03"]), [ctrl_c]);
}

proptest! {
    /// However bytes are split, they are the same; and whatever they are, it is bounded, and keys are keys behind them.
    #[test]
    fn no_bytes_keep_keys_from_coming(
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(&b"\x1b\x1b[]P?;M~O\\\x07"[..])], 0..60),
        at in 0usize..60,
    ) {
        let at = at.min(bytes.len());
        let whole = parsed(&[&bytes]);
        prop_assert_eq!(&whole, &parsed(&[&bytes[..at], &bytes[at..]]));
        prop_assert!(whole.len() <= bytes.len());
        let (mut parser, mut events) = (Parser::default(), Vec::new());
        parser.push(&bytes, &mut events);
        parser.push(b"\x03", &mut events);
        prop_assert_eq!(events.last(), Some(&key(KeyCode::Char('c'), Modifiers::CONTROL)));
        prop_assert_eq!(parser.patience(), None);
        parser.push(&bytes, &mut events);
        parser.give_up(&mut events);
        parser.push(b"j", &mut events);
        prop_assert_eq!(events.last(), Some(&plain(KeyCode::Char('j'))));
    }

    /// The text of an answer may be anything that a terminal lets into one.
    #[test]
    fn no_text_of_an_answer_is_a_key(text in "[^\\x00-\\x1f\\x7f]{0,60}", kind in 0usize..5, ends in any::<bool>()) {
        let begin = ["\x1b]l", "\x1bP>|", "\x1b_", "\x1b^", "\x1bX"][kind];
        let end = if ends && kind == 0 { "\x07" } else { "\x1b\\" };
        prop_assert_eq!(parsed(&[format!("{begin}{text}{end}").as_bytes()]), []);
    }
}

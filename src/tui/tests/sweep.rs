//! Any size, any keys: nothing panics, and nothing is drawn outside.

use crate::tui::key::{Key, KeyCode, Modifiers};
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{colour, draw, fill_log, plain, state, type_keys};
use crate::control::Answer;
use crate::monitor::sample;
use crate::tui::effect::Effect;
use crate::tui::state::Mode;
use crate::tui::update::{Message, update};
use crate::tui::view;

#[test]
fn every_view_in_every_size() {
    let widths = (1..=100).chain((105..=300).step_by(13));
    for width in widths {
        for height in (1..=40).chain((45..=100).step_by(11)) {
            let (keys, look) = match (width + height) % 10 {
                0 => ("1", colour()),
                1 => ("2", plain()),
                2 => ("3", colour()),
                3 => ("4", colour()),
                4 => ("5", plain()),
                5 => ("?", colour()),
                6 => ("B", colour()),
                7 => ("!", plain()),
                8 => (":", colour()),
                _ => ("q", plain()),
            };
            let mut state = state(look, sample::failing());
            type_keys(&mut state, keys);
            draw(&mut state, (width, height));
        }
    }
}

#[test]
fn the_corners() {
    for snapshot in [sample::loading(), sample::empty(), sample::warning(), sample::stale()] {
        for size in [(1, 1), (1, 100), (300, 1), (300, 100), (60, 14), (59, 14), (60, 13)] {
            let fresh = || state(colour(), snapshot.clone());
            for keys in ["?", "!", "B", "X", "q", ":x", ":pause x", "4/x", "z", "G"] {
                let mut state = fresh();
                type_keys(&mut state, keys);
                draw(&mut state, size);
            }
            for view in view::all() {
                let mut state = fresh();
                state.show(view.id());
                draw(&mut state, size);
            }
        }
    }
}

#[test]
fn a_hundred_thousand_random_keys() {
    let seed: u64 = std::env::var("POLYTAPE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(11);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut state = state(colour(), sample::warning());
    fill_log(&state.ring);
    let codes = [
        KeyCode::Enter,
        KeyCode::Esc,
        KeyCode::Tab,
        KeyCode::BackTab,
        KeyCode::Up,
        KeyCode::Down,
        KeyCode::Left,
        KeyCode::Right,
        KeyCode::PageUp,
        KeyCode::PageDown,
        KeyCode::Home,
        KeyCode::End,
        KeyCode::Backspace,
        KeyCode::F(5),
    ];
    let snapshots = [sample::loading(), sample::empty(), sample::healthy(), sample::failing(), sample::stale()];
    let (mut asked, mut now) = (0, 0);
    for nth in 0..100_000 {
        now += rng.random_range(0..500);
        let code = match rng.random_range(0..10) {
            0..6 => KeyCode::Char(char::from(rng.random_range(b' '..=b'~'))),
            6 => KeyCode::Char(*['雨', 'é', '\u{301}', '👩'].choose(&mut rng).unwrap()),
            _ => *codes.choose(&mut rng).unwrap(),
        };
        let modifiers = if rng.random_bool(0.05) { Modifiers::CONTROL } else { Modifiers::NONE };
        let effect = update(&mut state, Message::Key(Key::new(code, modifiers)), now);
        if let Some(Effect::Ask(command)) = effect {
            asked += 1;
            let answer = if rng.random_bool(0.5) { Answer::Done("done".into()) } else { Answer::Refused("no".into()) };
            update(&mut state, Message::Answer(command, answer), now);
        }
        if rng.random_bool(0.02) {
            let snapshot = snapshots.choose(&mut rng).unwrap().clone();
            update(&mut state, Message::Snapshot(snapshot.into()), now);
        }
        if rng.random_bool(0.005) {
            update(&mut state, Message::Paste("a\nb\x1b[2J雨".repeat(20)), now);
        }
        if nth % 25 == 0 {
            let size = (rng.random_range(1..140), rng.random_range(1..50));
            draw(&mut state, size);
        }
    }
    assert!(asked > 100, "keys do something: {asked}");
    assert!(!matches!(&state.mode, Mode::Find(text) if text.len() > 1_000_000));
}

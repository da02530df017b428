//! Rooms below the screen name no keys: whoever shows a command says by which key it is given.

use std::fs;
use std::path::{Path, PathBuf};

use crate::tui::action::Action;
use crate::tui::catalogue;
use crate::tui::keymap::Keymap;

/// The rooms below `tui`.
const ROOMS: [&str; 12] = [
    "model",
    "flow",
    "secrets",
    "logs",
    "source",
    "sqlite",
    "broker",
    "warehouse",
    "streams",
    "stage",
    "control",
    "monitor",
];

fn files(under: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(under).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] });
    files.filter(|path| !path.ends_with("tests.rs")).collect()
}

/// The texts of a file: what stands between quotes, but for comments and tests.
fn texts(code: &str) -> impl Iterator<Item = &str> {
    let code = code.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.flat_map(|line| line.split('"').skip(1).step_by(2))
}

/// Whether a text names one of the keys that steer.
fn names_a_key(text: &str, keys: &[&str]) -> bool {
    let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '-');
    words.any(|word| keys.contains(&word) || word.starts_with("Ctrl-") || word.eq_ignore_ascii_case("press"))
}

#[test]
fn texts_of_lower_rooms_name_no_keys() {
    let keymap = Keymap::defaults();
    let steering = catalogue::all().into_iter().map(|about| about.action).filter(|action| action.steers());
    let keys = steering.flat_map(|action: Action| keymap.keys(action));
    let keys: Vec<&str> = keys.filter(|key| key.chars().all(char::is_uppercase)).collect();
    assert!(keys.contains(&"P") && names_a_key("it is resumed with P", &keys));
    let mut seen = 0;
    for room in ROOMS {
        for file in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(room)) {
            let code = fs::read_to_string(&file).unwrap();
            for text in texts(&code) {
                assert!(!names_a_key(text, &keys), "{}: {text:?}", file.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 1_000, "{seen}");
}

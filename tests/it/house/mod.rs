//! The house: in which order its rooms stand, and that what its documents name is there.

mod documents;
mod imports;

use std::collections::BTreeSet;

use imports::Imports;

/// The rooms, from the ground up. A room uses those of the lines before its own; those of one line do not use each other.
const ROOMS: &[&str] = &[
    "backoff clock failure nearest planted toml_file tty",
    "secrets io_words proxies",
    "peer breaker logs",
    "model flow units value",
    "source sqlite demo",
    "config broker warehouse",
    "streams",
    "stage",
    "control",
    "monitor",
    "app",
    "tui headless",
    "cli",
];

/// How many imports may run up inside a room: from a file to the one that declares it.
const UP: usize = 5;

#[test]
fn rooms_use_only_what_stands_below_them() {
    let floor = |room: &str| {
        let place = ROOMS.iter().position(|rooms| rooms.split(' ').any(|known| known == room));
        place.unwrap_or_else(|| panic!("{room} has no place in the house"))
    };
    let imports = Imports::of_the_sources();
    let room = |module: &str| module.split("::").next().unwrap_or_default().to_owned();
    let up: BTreeSet<String> = imports
        .arrows()
        .filter(|(from, to)| room(from) != room(to) && floor(&room(from)) <= floor(&room(to)))
        .map(|(from, to)| format!("{from} -> {to}"))
        .collect();
    assert!(up.is_empty(), "these run up: {up:#?}");
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let circles = Imports::of_the_sources().circles();
    assert!(circles.is_empty(), "{circles:#?}");
}

#[test]
fn few_imports_run_up_inside_a_room() {
    let imports = Imports::of_the_sources();
    let up: Vec<String> = imports
        .arrows()
        .filter(|(from, to)| from.starts_with(&format!("{to}::")))
        .map(|(from, to)| format!("{from} -> {to}"))
        .collect();
    println!("{up:#?}");
    assert!(up.len() <= UP, "{} of them: {up:#?}", up.len());
}

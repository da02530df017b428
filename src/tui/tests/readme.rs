//! README's table of keys is made of the table of actions.

use std::fmt::Write;

use crate::tui::catalogue;
use crate::tui::keymap::Keymap;

const README: &str = include_str!("../../../README.md");

fn table() -> String {
    let keymap = Keymap::defaults();
    let mut table = String::from("| key | does |\n|---|---|\n");
    for about in catalogue::all() {
        let keys: Vec<String> = keymap.keys(about.action).iter().map(|key| format!("`{key}`")).collect();
        let _ = writeln!(table, "| {} | {} |", keys.join(" "), about.text);
    }
    table
}

#[test]
fn every_key_is_in_the_readme() {
    assert!(README.contains(&table()), "README's table of keys shall be:\n\n{}", table());
}

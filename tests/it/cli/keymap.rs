//! A key map that is not there or is none: told with its line, by `check` and by every run alike.

use std::fs;

use super::{UNTIL_CAUGHT_UP, run};
use crate::support::process::Workplace;

#[test]
fn what_is_wrong_is_told_with_its_line_and_what_is_near() {
    for (text, words) in [
        (None, &["cannot read the key map", "keys.toml, which [ui] keymap names: it is not there"][..]),
        (
            Some("[everywhere]\n\"p\" = \"pausse\""),
            &["keys.toml line 2, \"p\": \"pausse\" is no action: is \"pause\" meant?"],
        ),
        (
            Some("[everywhere]\n\"crtl-p\" = \"pause\""),
            &["keys.toml line 2, \"crtl-p\": is no key: is ctrl meant?", "\"ctrl-p\""],
        ),
        (
            Some("[keys]\n\"p\" = \"pause\""),
            &["keys.toml line 1, [keys]: a key map has the sections [everywhere] and [logs]"],
        ),
        (Some("[logs]\n\"p\" = pause"), &["keys.toml line 2", "a text stands in quotes"]),
    ] {
        let place = Workplace::new("");
        let keys = place.data_dir().with_file_name("keys.toml");
        place.configure(&format!("[ui]\nkeymap = {keys:?}\n[sources.polygon]\nurls = [\"http://127.0.0.1:1\"]\n[sources.gamma]\nurl = \"http://127.0.0.1:1\"\n[sources.data_api]\nurl = \"http://127.0.0.1:1\""));
        if let Some(text) = text {
            fs::write(&keys, text).unwrap();
        }
        let ended = run(place.command(&UNTIL_CAUGHT_UP));
        ended.failed_with(2, words);
        let complaint = ended.stderr.lines().last().unwrap().strip_prefix("polytape: ").unwrap().to_owned();
        let found = run(place.command(&["check"]));
        assert_eq!(found.code, Some(1), "{found:?}");
        assert!(found.stdout.contains(&format!("FAIL  keymap    {complaint}")), "{complaint}: {}", found.stdout);
    }
}

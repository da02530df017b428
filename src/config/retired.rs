//! Keys of earlier releases that nobody reads any more: they are taken out of what was given, and told.

use toml::Table;
use toml::de::{DeTable, DeValue};

use super::environment::Variable;
use crate::toml_file::line_at;

/// `sources.fills.kind = "polygon"`, in a section of its own, which every configuration of an earlier release has.
const SOURCES: &str = "sources";
const FILLS: &str = "fills";
const KIND: &str = "kind";
const VALUE: &str = "polygon";

/// The same in the environment.
const VARIABLE: &str = "POLYTAPE_SOURCES__FILLS__KIND";

/// What to do about it.
const ADVICE: &str = "it is not needed any more and can be removed: each source has a section of its own";

/// Takes it out of a file. Says where it stood. What was never right stays, and is told as any other mistake.
pub(super) fn take(text: &str, given: &mut DeTable<'_>) -> Option<String> {
    let DeValue::Table(sources) = given.get_mut(SOURCES)?.get_mut() else { return None };
    let (section, fills) = sources.get_key_value(FILLS)?;
    let DeValue::Table(fills) = fills.get_ref() else { return None };
    let mut at = section.span().start;
    for (key, value) in fills {
        let is_kind = key.get_ref() == KIND && value.get_ref().as_str().is_some_and(is_value);
        if !is_kind {
            return None;
        }
        at = key.span().start;
    }
    sources.remove(FILLS);
    Some(format!("line {}, sources.{FILLS}.{KIND}: {ADVICE}", line_at(text, at)))
}

/// Takes it out of a table of which it is known to be right.
pub(super) fn remove(table: &mut Table) {
    if let Some(sources) = table.get_mut(SOURCES).and_then(toml::Value::as_table_mut) {
        sources.remove(FILLS);
    }
}

/// Whether a variable says it. Then that is told.
pub(super) fn of_environment(variable: &Variable) -> Option<String> {
    let is_it = variable.name == VARIABLE && variable.text().is_ok_and(|text| is_value(text.trim_matches('"')));
    is_it.then(|| format!("{VARIABLE} {}: {ADVICE}", variable.place()))
}

fn is_value(text: &str) -> bool {
    text.eq_ignore_ascii_case(VALUE)
}

//! Which sections and keys there are. The structs say it: this is what their defaults look like as a file.

use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

use super::sections::Config;
use super::stores::{ClickhouseSection, RedisSection};
use crate::nearest::{listed, nearest};
use crate::toml_file::{Fault, is_name};

/// All sections and keys, with a value for each.
pub(super) struct Schema(Table);

impl Schema {
    pub(super) fn new() -> Self {
        let (redis, clickhouse) = (Some(RedisSection::default()), Some(ClickhouseSection::default()));
        // It is made of texts and numbers; a test reads all of it.
        Self(Table::try_from(Config { redis, clickhouse, ..Config::default() }).unwrap_or_default())
    }

    /// What stands at a path.
    fn get<S: AsRef<str>>(&self, path: &[S]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(self.0.get(first.as_ref())?, |value, key| value.as_table()?.get(key.as_ref()))
    }

    /// `linger = "250ms"`.
    pub(super) fn example<S: AsRef<str>>(&self, path: &[S]) -> Option<String> {
        let key = path.last()?.as_ref();
        match self.get(path)? {
            Value::Table(_) => None,
            Value::String(text) if text.is_empty() => Some(format!("{key} = \"text\"")),
            value => Some(format!("{key} = {value}")),
        }
    }

    /// The paths of all values.
    pub(super) fn keys(&self) -> Vec<Vec<String>> {
        let mut all = Vec::new();
        paths(&self.0, &[], &mut all, false);
        all
    }

    fn sections(&self) -> Vec<Vec<String>> {
        let mut all = Vec::new();
        paths(&self.0, &[], &mut all, true);
        all
    }

    /// What is wrong with the names in a file: the first of it.
    pub(super) fn check(&self, text: &str, given: &DeTable<'_>) -> Result<(), Fault> {
        let mut faults = Vec::new();
        self.check_table(text, given, &[], &self.0, &mut faults);
        faults.into_iter().min_by_key(|fault: &Fault| fault.line).map_or(Ok(()), Err)
    }

    fn check_table(&self, text: &str, given: &DeTable<'_>, above: &[String], known: &Table, faults: &mut Vec<Fault>) {
        for (key, value) in given {
            let name = key.get_ref().as_ref();
            let path: Vec<String> = above.iter().cloned().chain([name.to_owned()]).collect();
            let fault = |message| Fault::at(text, &key.span(), shown(&path, value), message);
            match (known.get(name), value.get_ref()) {
                (Some(Value::Table(known)), DeValue::Table(given)) => {
                    self.check_table(text, given, &path, known, faults);
                }
                (Some(Value::Table(_)), DeValue::Array(_)) => {
                    faults.push(fault(format!("a section is written with one bracket: [{}]", path.join("."))));
                }
                (Some(Value::Table(known)), _) => {
                    let keys: Vec<&String> = known.keys().collect();
                    let section = path.join(".");
                    faults.push(fault(format!(
                        "is a section: write [{section}] and below it its keys, {}",
                        listed(&keys)
                    )));
                }
                (Some(_), DeValue::Table(_)) => {
                    let example = self.example(&path).unwrap_or_default();
                    faults.push(fault(format!("is a key, not a section: {example}")));
                }
                (Some(_), _) => {}
                (None, DeValue::Table(_)) => faults.push(fault(self.unknown_section(&path))),
                (None, _) => faults.push(fault(self.unknown_key(&path))),
            }
        }
    }

    /// What to say of a section that there is not.
    fn unknown_section(&self, path: &[String]) -> String {
        let (name, sections) = (path.join("."), self.sections());
        let last = path.last().map_or("", String::as_str);
        let all: Vec<String> = sections.iter().map(|path| path.join(".")).collect();
        let shown: Vec<String> = sections.iter().map(|path| in_brackets(path)).collect();
        // It stands elsewhere, or is written in another way.
        let elsewhere = sections.iter().find(|path| path.last().is_some_and(|known| known == last));
        let meant = elsewhere.map(|path| path.join("."));
        let meant = meant.or_else(|| nearest(&name, all.iter().map(String::as_str)).map(str::to_owned));
        let hint =
            meant.map_or_else(|| format!("there are {}", listed(&shown)), |meant| format!("is [{meant}] meant?"));
        format!("there is no such section: {hint}")
    }

    /// What to say of a key that there is not.
    pub(super) fn unknown_key(&self, path: &[String]) -> String {
        let Some((name, section)) = path.split_last() else { return "no key is named".to_owned() };
        let here: Vec<String> = match section {
            [] => Vec::new(),
            section => self
                .get(section)
                .and_then(Value::as_table)
                .map(|keys| keys.keys().cloned().collect())
                .unwrap_or_default(),
        };
        let elsewhere: Vec<String> = self
            .keys()
            .iter()
            .filter(|path| path.last() == Some(name))
            .map(|path| in_brackets(&path[..path.len() - 1]))
            .collect();
        let place =
            if section.is_empty() { "outside of sections".to_owned() } else { format!("in {}", in_brackets(section)) };
        let hint = match (nearest(name, here.iter().map(String::as_str)), elsewhere.as_slice()) {
            (Some(meant), _) => format!("is {meant} meant?"),
            (None, [one]) => format!("it belongs under {one}"),
            (None, many @ [_, ..]) if section.is_empty() => format!("it is a key of {}", listed(many)),
            _ if here.is_empty() => "a value stands below its [section]".to_owned(),
            _ => format!("there are {}", listed(&here)),
        };
        format!("there is no such key {place}: {hint}")
    }

    /// Whether there is a value at a path.
    pub(super) fn has_key<S: AsRef<str>>(&self, path: &[S]) -> bool {
        self.get(path).is_some_and(|value| !value.is_table())
    }

    /// Whether there is a list at a path.
    pub(super) fn has_list<S: AsRef<str>>(&self, path: &[S]) -> bool {
        self.get(path).is_some_and(Value::is_array)
    }

    /// The keys of a section, where the path is one.
    pub(super) fn keys_of<S: AsRef<str>>(&self, path: &[S]) -> Option<Vec<&str>> {
        Some(self.get(path)?.as_table()?.keys().map(String::as_str).collect())
    }
}

fn in_brackets(section: &[String]) -> String {
    format!("[{}]", section.join("."))
}

/// The name of what stands at a path, where it looks like one.
fn shown(path: &[String], value: &Spanned<DeValue<'_>>) -> String {
    let name = match value.get_ref() {
        DeValue::Table(_) => in_brackets(path),
        _ => path.last().cloned().unwrap_or_default(),
    };
    if is_name(name.trim_matches(['[', ']'])) { name } else { String::new() }
}

fn paths(table: &Table, above: &[String], into: &mut Vec<Vec<String>>, sections: bool) {
    for (key, value) in table {
        let path: Vec<String> = above.iter().cloned().chain([key.clone()]).collect();
        match value {
            Value::Table(inner) => {
                if sections && inner.values().any(|value| !value.is_table()) {
                    into.push(path.clone());
                }
                paths(inner, &path, into, sections);
            }
            _ if !sections => into.push(path),
            _ => {}
        }
    }
}

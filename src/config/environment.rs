//! The environment: the variables of the process, and those of ours that a file `.env` adds.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::{ffi::OsString, fmt, path::Path};

use super::{dotenv, error::ConfigError, predecessor_names::PREDECESSOR_NAMES};
use crate::io_words::why;

/// The largest file `.env` that is read.
const LARGEST: u64 = 1 << 20;

/// Variables, each with where it was said.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    variables: Vec<Variable>,
}

#[derive(Clone)]
pub(super) struct Variable {
    pub(super) name: String,
    value: OsString,
    place: Place,
}

/// Where a variable was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Process,
    /// A line of the file, from 1.
    File(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process => f.write_str("in the environment"),
            Self::File(line) => write!(f, "in .env line {line}"),
        }
    }
}

/// Without its value, which may be a password.
impl fmt::Debug for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Variable").field("name", &self.name).field("place", &self.place).finish_non_exhaustive()
    }
}

impl<N: Into<OsString>, V: Into<OsString>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        // A name that is no text is none of ours.
        let variable = |(name, value): (N, V)| {
            let name = name.into().into_string().ok()?;
            Some(Variable { name, value: value.into(), place: Place::Process })
        };
        Self { variables: variables.into_iter().filter_map(variable).collect() }
    }
}

impl Environment {
    /// That of this process.
    pub fn of_process() -> Self {
        std::env::vars_os().collect()
    }

    /// With what of ours a file says, if there is one. What the process was given goes before it.
    pub fn with_file(mut self, path: &Path) -> Result<Self, ConfigError> {
        let Some(text) = read(path).map_err(|cause| ConfigError::DotEnv(why(&cause)))? else { return Ok(self) };
        for dotenv::Entry { line, name, value } in dotenv::read(&text, is_ours) {
            let place = Place::File(line);
            let is_there = self.variables.iter().any(|there| there.name == name && there.place == Place::Process);
            if is_there {
                continue;
            }
            let value = value.map_err(|why| wrong(&name, place, why.to_owned()))?;
            // Of two lines the last one holds.
            self.variables.retain(|there| there.name != name);
            self.variables.push(Variable { name, value: value.into(), place });
        }
        Ok(self)
    }

    /// Without some variables.
    #[must_use]
    pub fn without(mut self, is_left_out: impl Fn(&str) -> bool) -> Self {
        self.variables.retain(|variable| !is_left_out(&variable.name));
        self
    }

    /// All variables.
    pub(super) fn all(&self) -> impl Iterator<Item = &Variable> {
        self.variables.iter()
    }

    /// A variable, if it is there and not empty.
    pub(super) fn get(&self, name: &str) -> Result<Option<&str>, ConfigError> {
        match self.variables.iter().find(|variable| variable.name == name) {
            Some(variable) => Ok(Some(variable.text()?).filter(|text| !text.is_empty())),
            None => Ok(None),
        }
    }

    /// What is wrong with a variable.
    pub(super) fn wrong(&self, name: &str, message: impl Into<String>) -> ConfigError {
        let variable = self.variables.iter().find(|variable| variable.name == name);
        wrong(name, variable.map_or(Place::Process, |variable| variable.place), message.into())
    }
}

impl Variable {
    pub(super) fn text(&self) -> Result<&str, ConfigError> {
        self.value.to_str().filter(|text| !text.contains('\u{fffd}')).ok_or_else(|| self.wrong("is not text"))
    }

    /// Where it was said, in words.
    pub(super) fn place(&self) -> String {
        self.place.to_string()
    }

    pub(super) fn wrong(&self, message: impl Into<String>) -> ConfigError {
        wrong(&self.name, self.place, message.into())
    }
}

fn wrong(name: &str, place: Place, message: String) -> ConfigError {
    ConfigError::Environment { name: name.to_owned(), place: place.to_string(), message }
}

/// Whether a name is one of those that polytape reads.
fn is_ours(name: &str) -> bool {
    PREDECESSOR_NAMES.contains(&name) || name.starts_with("POLYTAPE_")
}

/// The file, where there is one. A directory of this name, as Python's tools make one, is none.
fn read(path: &Path) -> io::Result<Option<String>> {
    // Opening something else, such as a pipe, may take for ever.
    match fs::metadata(path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        Ok(found) if !found.is_file() => return Ok(None),
        found => found?,
    };
    let mut bytes = Vec::new();
    File::open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 1 MiB"));
    }
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

//! Texts: names, paths, passwords.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer, de::Error};

use super::given::Given;

pub(crate) fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    const EXPECTED: &str = "up to 64 letters, digits, - and _ are expected, as in \"main\"";
    let name: String = Given::deserialize(deserializer)?.text(EXPECTED)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > 64 || !name.chars().all(plain) {
        return Err(D::Error::custom(format!("{} is no name: {EXPECTED}", Given::Text(name))));
    }
    Ok(name)
}

/// Any text.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Given::deserialize(deserializer)?.text("it stands in quotes, \"text\"")
}

/// The path of a file or a directory.
pub(crate) fn path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    let path: String = Given::deserialize(deserializer)?.text("a path stands in quotes, \"/var/log/polytape\"")?;
    Ok(path.into())
}

/// A password, of which nothing is repeated. What a file or `$(cat file)` has behind it is not a part of it.
pub(crate) fn password<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let Given::Text(password) = Given::deserialize(deserializer)? else {
        return Err(D::Error::custom("a text in quotes is expected"));
    };
    secret(&password).map(str::to_owned).map_err(D::Error::custom)
}

/// A secret without the newline at its end. One that holds a control character was put together wrongly, and no header takes it.
pub(crate) fn secret(text: &str) -> Result<&str, &'static str> {
    let text = text.trim_end_matches(['\r', '\n']);
    match text.chars().any(char::is_control) {
        true => Err("holds a control character, such as the end of a line or a tab, and not only at its end"),
        false => Ok(text),
    }
}

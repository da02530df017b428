//! What ClickHouse refuses or fails at, and whose fault that is.

use std::time::Duration;

use super::codes::{Meaning, meaning, refuses_settings};
use crate::failure::FailureClass;
use crate::io_words::{chain, is_no_tls, of_connection};

pub(crate) type Result<T, E = ClickhouseError> = std::result::Result<T, E>;

/// A failure of ClickHouse, or on the way to it. None of its texts holds a password.
#[derive(Debug, thiserror::Error)]
pub enum ClickhouseError {
    /// ClickHouse answered with an exception.
    #[error("ClickHouse at {at}: {text}{}", advice(*.code, .text))]
    Exception {
        /// Its address.
        at: String,
        /// The exception's code.
        code: u32,
        /// What it says.
        text: String,
    },
    /// Something answered that ClickHouse would not have answered so: a proxy, a page of its own. What was asked may have been done.
    #[error("ClickHouse at {at}: something else answered in its place: {text}")]
    Foreign {
        /// The address.
        at: String,
        /// Whether it refused how much was sent (HTTP 413).
        is_too_large: bool,
        /// What it said.
        text: String,
    },
    /// An insert was answered, but nothing shows that ClickHouse took it: its rows are not there.
    #[error("ClickHouse at {at} did not confirm an insert: {text}")]
    Unconfirmed {
        /// The address.
        at: String,
        /// What is missing.
        text: String,
    },
    /// It was not reached, or went away in the middle. What was asked may have been done.
    #[error("ClickHouse at {at} cannot be reached: {text}")]
    Network {
        /// Its address.
        at: String,
        /// Why.
        text: String,
        /// Whether it went away before it answered, as something does that takes no more of a request.
        is_cut: bool,
        /// Whether what it answered is none of TLS, which was spoken to it.
        is_no_tls: bool,
    },
    /// Something else than its HTTP interface, or than TLS, is at its address.
    #[error("ClickHouse at {at}: {text}")]
    WrongPort {
        /// The address.
        at: String,
        /// What is there, and what to write.
        text: String,
        /// Whether ClickHouse has answered there, and may again.
        has_answered: bool,
    },
    /// It did not answer in time. What was asked may have been done.
    #[error("ClickHouse at {at} did not answer within {} s", .after.as_secs())]
    Timeout {
        /// Its address.
        at: String,
        /// How long was waited.
        after: Duration,
    },
    /// It cannot be spoken to as it is configured: its address is none, or what TLS needs is not there.
    #[error("ClickHouse at {at} cannot be spoken to: {text}")]
    Unusable {
        /// Its address.
        at: String,
        /// Why.
        text: String,
    },
    /// Its answer is not what was asked for.
    #[error("ClickHouse at {at} gave an answer that cannot be read: {text}")]
    Garbled {
        /// Its address.
        at: String,
        /// Why.
        text: String,
    },
    /// A row is not there any more that it showed or took before.
    #[error(
        "ClickHouse at {at} shows no {what} where it had one: a replica that lags answered, or the tables were emptied"
    )]
    Missing {
        /// Its address.
        at: String,
        /// What it had.
        what: &'static str,
    },
    /// Tables are not as they must be.
    #[error("ClickHouse at {at}, database {database}: {}", .faults.join("; "))]
    Tables {
        /// Its address.
        at: String,
        /// The database.
        database: String,
        /// What is wrong, each in words.
        faults: Vec<String>,
    },
    /// Settings are not what they must be, and the user may not change them.
    #[error("ClickHouse at {at}, user {user}: {}", .faults.join("; "))]
    Settings {
        /// Its address.
        at: String,
        /// The user.
        user: String,
        /// What is wrong, each in words with what to do.
        faults: Vec<String>,
    },
    /// The user may not do what it has to.
    #[error("ClickHouse at {at}: user {user} lacks rights {purpose}: {}", .grants.join("; "))]
    Rights {
        /// Its address.
        at: String,
        /// The user.
        user: String,
        /// What they are needed for.
        purpose: &'static str,
        /// The statements that give them.
        grants: Vec<String>,
    },
    /// It is of a time before what is needed of it.
    #[error("ClickHouse at {at} is version {found}, {}.{} or newer is needed", .oldest.0, .oldest.1)]
    TooOld {
        /// Its address.
        at: String,
        /// Its version.
        found: String,
        /// The oldest that will do.
        oldest: (u32, u32),
    },
    /// The tables were made by a newer polytape.
    #[error("the tables in ClickHouse have schema {found}, this polytape knows up to {known}: run the newer one")]
    NewerSchema {
        /// The schema of the tables.
        found: u32,
        /// The newest known here.
        known: u32,
    },
}

/// What a user can do about an exception.
fn advice(code: u32, text: &str) -> &'static str {
    match (code, meaning(code, text)) {
        (60 | 81 | 16 | 47, _) => "; polytape schema apply makes what is missing",
        (_, Meaning::Access) => "; check user and password under [clickhouse], and what that user may do",
        _ => "",
    }
}

impl ClickhouseError {
    /// What to do about it.
    pub fn class(&self) -> FailureClass {
        match self {
            Self::WrongPort { has_answered: false, .. } => FailureClass::Deterministic,
            Self::WrongPort { has_answered: true, .. }
            | Self::Network { .. }
            | Self::Timeout { .. }
            | Self::Foreign { .. }
            | Self::Unconfirmed { .. }
            | Self::Garbled { .. }
            | Self::Missing { .. } => FailureClass::Retry,
            Self::Unusable { .. }
            | Self::Tables { .. }
            | Self::Settings { .. }
            | Self::Rights { .. }
            | Self::TooOld { .. }
            | Self::NewerSchema { .. } => FailureClass::Deterministic,
            Self::Exception { code, text, .. } => match meaning(*code, text) {
                Meaning::Setup | Meaning::Access | Meaning::Rows => FailureClass::Deterministic,
                Meaning::Size | Meaning::Room | Meaning::Passing => FailureClass::Retry,
            },
        }
    }

    /// The exception's code.
    pub const fn code(&self) -> Option<u32> {
        match self {
            Self::Exception { code, .. } => Some(*code),
            _ => None,
        }
    }

    fn meaning(&self) -> Meaning {
        match self {
            Self::Exception { code, text, .. } => meaning(*code, text),
            _ => Meaning::Passing,
        }
    }

    /// Whether a setting was refused that went along. What is known of the server's settings may be out of date.
    pub(super) fn refuses_settings(&self) -> bool {
        self.code().is_some_and(refuses_settings)
    }

    /// Whether an insert was refused for its rows: they will be refused again, whoever sends them.
    pub fn refuses_rows(&self) -> bool {
        self.meaning() == Meaning::Rows
    }

    /// Whether it was refused for its size: what cannot be made smaller will be refused again.
    pub fn refuses_size(&self) -> bool {
        matches!(self, Self::Foreign { is_too_large: true, .. }) || self.meaning() == Meaning::Size
    }

    /// Whether half of what was asked may pass. Too many parts (252) become more by it, never less.
    pub fn asks_for_less(&self) -> bool {
        let is_cut = matches!(self, Self::Network { is_cut: true, .. });
        is_cut || self.refuses_rows() || self.refuses_size() || self.meaning() == Meaning::Room
    }

    /// What the client for reads fails with.
    pub(super) fn of_read(at: &str, error: clickhouse::error::Error, after: Duration) -> Self {
        use clickhouse::error::Error as E;
        let at = at.to_owned();
        match error {
            E::BadResponse(text) => Self::of_answer(at, None, None, &text),
            E::TimedOut => Self::Timeout { at, after },
            E::Network(source) => {
                let error = source.downcast_ref::<hyper_util::client::legacy::Error>();
                let text = chain(&*source);
                Self::Network {
                    at,
                    text: of_connection(&text),
                    is_cut: error.is_some_and(|error| !error.is_connect()),
                    is_no_tls: is_no_tls(&text),
                }
            }
            // An answer that was cut, or damaged on its way: it is asked for again.
            E::Decompression(source) => Self::Network { at, text: chain(&*source), is_cut: false, is_no_tls: false },
            E::InvalidParams(source) => Self::Unusable { at, text: chain(&*source) },
            other => Self::Garbled { at, text: shortened(&chain(&other)) },
        }
    }

    /// What an answer says that is no success: an exception by its header or its first words, or else what something in
    /// between says. The client for reads does not tell the status, where there is a page beside it.
    pub(super) fn of_answer(at: String, status: Option<u16>, code: Option<u32>, body: &str) -> Self {
        if let Some(code) = code.or_else(|| code_of(body)) {
            let text = match shortened(body) {
                nothing if nothing.is_empty() => format!("an exception of code {code}"),
                text => text,
            };
            return Self::Exception { at, code, text };
        }
        let is_too_large = status.map_or_else(|| says_too_large(body), |status| status == TOO_LARGE);
        let text = match (status, shortened(body)) {
            (Some(status), text) if text.is_empty() => format!("HTTP {status}"),
            (Some(status), text) => format!("HTTP {status}: {text}"),
            (None, text) => text,
        };
        Self::Foreign { at, is_too_large, text }
    }
}

/// HTTP's status for a body that is too large.
const TOO_LARGE: u16 = 413;

/// Whether the words of an answer without its status, or the page beside it, are those of HTTP 413.
fn says_too_large(page: &str) -> bool {
    let begin: String = page.chars().take(LONGEST).collect::<String>().to_lowercase();
    begin.starts_with("413 ")
        || [
            "413 request entity too large",
            "413 payload too large",
            "413 content too large",
            "request entity too large",
        ]
        .iter()
        .any(|words| begin.contains(words))
}

/// `Code: 60. DB::Exception: …` at the very beginning, or the first two words alone. A page may quote anything further on.
fn code_of(text: &str) -> Option<u32> {
    let text = text.trim_start().strip_prefix("Code: ")?;
    let (digits, rest) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    if rest.is_empty() || rest.starts_with(". DB::") { digits.parse().ok() } else { None }
}

/// The longest text of an exception that is passed on: it may quote a whole query.
const LONGEST: usize = 500;

/// An exception on one line, without what repeats itself.
pub(super) fn shortened(text: &str) -> String {
    let text = text.split_once("DB::Exception: ").map_or(text, |(_, text)| text);
    let text = text.rsplit_once(" (version ").map_or(text, |(text, _)| text);
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((at, _)) = line.char_indices().nth(LONGEST) {
        line.truncate(at);
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests;

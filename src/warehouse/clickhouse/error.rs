//! What ClickHouse refuses or fails at, and whose fault that is.

use std::error::Error;
use std::time::Duration;

use crate::failure::FailureClass;

/// A failure of ClickHouse, or on the way to it. None of its texts holds a password.
#[derive(Debug, thiserror::Error)]
pub enum ClickhouseError {
    /// ClickHouse answered with an exception.
    #[error("ClickHouse at {at}: {text}{}", advice(*.code))]
    Exception {
        /// Its address.
        at: String,
        /// The exception's code; `None` where something in between answered.
        code: Option<u32>,
        /// What it says.
        text: String,
    },
    /// It was not reached, or went away in the middle. What was asked may have been done.
    #[error("ClickHouse at {at} cannot be reached: {text}")]
    Network {
        /// Its address.
        at: String,
        /// Why.
        text: String,
    },
    /// It did not answer in time. What was asked may have been done.
    #[error("ClickHouse at {at} did not answer within {} s", .after.as_secs())]
    Timeout {
        /// Its address.
        at: String,
        /// How long was waited.
        after: Duration,
    },
    /// What is needed to speak to it safely is not there.
    #[error("ClickHouse at {at} cannot be spoken to by TLS: {text}")]
    Tls {
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
fn advice(code: Option<u32>) -> &'static str {
    match code {
        Some(60 | 81 | 16 | 47) => "; polytape schema apply makes what is missing",
        Some(192..=194 | 497 | 516) => "; check user and password under [clickhouse], and what that user may do",
        _ => "",
    }
}

impl ClickhouseError {
    /// What to do about it.
    pub fn class(&self) -> FailureClass {
        match self {
            Self::Network { .. } | Self::Timeout { .. } => FailureClass::Retry,
            Self::Tls { .. }
            | Self::Garbled { .. }
            | Self::Tables { .. }
            | Self::TooOld { .. }
            | Self::NewerSchema { .. } => FailureClass::Deterministic,
            Self::Exception { code: Some(code), .. } => class_of(*code),
            Self::Exception { code: None, text, .. } => {
                match text.split(' ').next().and_then(|status| status.parse().ok()) {
                    // Something in between wants a password, or does not know the place.
                    Some(400..=407 | 410..=417) => FailureClass::Deterministic,
                    _ => FailureClass::Retry,
                }
            }
        }
    }

    /// The exception's code.
    pub const fn code(&self) -> Option<u32> {
        match self {
            Self::Exception { code, .. } => *code,
            _ => None,
        }
    }

    /// Whether an insert was refused for its rows: they will be refused again, whoever sends them.
    pub fn refuses_rows(&self) -> bool {
        self.code().is_some_and(is_about_rows)
    }

    pub(super) fn new(at: &str, error: clickhouse::error::Error, after: Duration) -> Self {
        use clickhouse::error::Error as E;
        let at = at.to_owned();
        match error {
            E::BadResponse(text) => Self::Exception { at, code: code_of(&text), text: shortened(&text) },
            E::TimedOut => Self::Timeout { at, after },
            E::Network(source) => Self::Network { at, text: chain(&*source) },
            // An answer that was cut, or damaged on its way: it is asked for again.
            E::Decompression(source) => Self::Network { at, text: chain(&*source) },
            other => Self::Garbled { at, text: chain(&other) },
        }
    }
}

/// What an exception with this code is. The numbers are those of ClickHouse's `ErrorCodes.cpp`.
fn class_of(code: u32) -> FailureClass {
    match code {
        // No such column or table or database, a syntax that it does not know, a type that does not fit.
        16 | 36 | 43 | 44 | 46..=48 | 50 | 57 | 60 | 62 | 63 | 80 | 81 | 137 | 180 => FailureClass::Deterministic,
        // Wrong user or password, not allowed.
        192..=194 | 291 | 492 | 497 | 516 => FailureClass::Deterministic,
        code if is_about_rows(code) => FailureClass::Deterministic,
        // Too many parts (252), too many queries (202), memory (241), disk (243), timeouts (159, 209), network (210), a
        // replica that cannot write (242, 285, 319), Keeper (225, 999), a body that was cut or damaged (3, 40), a setting that
        // this server does not know (115: the one before did), and whatever is not known here: the next attempt may find
        // it passed, and meanwhile the stage says what it waits for.
        _ => FailureClass::Retry,
    }
}

/// The exceptions that an insert gets for what its rows hold.
fn is_about_rows(code: u32) -> bool {
    matches!(
        code,
        6 // CANNOT_PARSE_TEXT
            | 25
            ..=27 // CANNOT_PARSE_ESCAPE_SEQUENCE, _QUOTED_STRING, _INPUT_ASSERTION_FAILED
            | 33 // CANNOT_READ_ALL_DATA
            | 38 | 41 // CANNOT_PARSE_DATE, _DATETIME
            | 53 // TYPE_MISMATCH
            | 69 | 70 | 72 // ARGUMENT_OUT_OF_BOUND, CANNOT_CONVERT_TYPE, CANNOT_PARSE_NUMBER
            | 117 // INCORRECT_DATA
            | 131 // TOO_LARGE_STRING_SIZE
            | 321 // VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
            | 349 // CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
            | 407 // DECIMAL_OVERFLOW
            | 469 // VIOLATED_CONSTRAINT
    )
}

/// `Code: 60. DB::Exception: …`
fn code_of(text: &str) -> Option<u32> {
    let digits = text.split_once("Code: ")?.1;
    digits.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// The longest text of an exception that is passed on: it may quote a whole query.
const LONGEST: usize = 500;

/// An exception on one line, without what repeats itself.
fn shortened(text: &str) -> String {
    let text = text.split_once("DB::Exception: ").map_or(text, |(_, text)| text);
    let text = text.rsplit_once(" (version ").map_or(text, |(text, _)| text);
    let mut line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((at, _)) = line.char_indices().nth(LONGEST) {
        line.truncate(at);
        line.push('…');
    }
    line
}

/// An error and its causes on one line.
fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !line.contains(&text) {
            line = format!("{line}: {text}");
        }
        cause = error.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exception(text: &str) -> ClickhouseError {
        ClickhouseError::new("http://h:1", clickhouse::error::Error::BadResponse(text.into()), Duration::ZERO)
    }

    #[test]
    fn every_code_has_its_class() {
        let passing =
            [3, 40, 107, 115, 159, 164, 202, 203, 209, 210, 241, 242, 243, 252, 285, 319, 425, 999, 1002, 77_777];
        let ours = [16, 47, 60, 62, 81, 192, 193, 194, 497, 516];
        let rows = [6, 27, 33, 53, 117, 131, 407, 469];
        for (codes, class, is_rows) in [
            (&passing[..], FailureClass::Retry, false),
            (&ours[..], FailureClass::Deterministic, false),
            (&rows[..], FailureClass::Deterministic, true),
        ] {
            for code in codes {
                let error = exception(&format!("Code: {code}. DB::Exception: x. (X) (version 26.9.2.1)"));
                assert_eq!((error.class(), error.refuses_rows()), (class, is_rows), "{error}");
            }
        }
        assert_eq!(exception("503 Service Unavailable").class(), FailureClass::Retry);
        assert_eq!(exception("429 Too Many Requests").class(), FailureClass::Retry);
        assert_eq!(exception("401 Unauthorized").class(), FailureClass::Deterministic);
    }

    #[test]
    fn an_exception_is_one_line() {
        let error = exception("Code: 60. DB::Exception: Unknown table\n'trades'. (UNKNOWN_TABLE) (version 26.9.2.1)");
        let expected = "ClickHouse at http://h:1: Unknown table 'trades'. (UNKNOWN_TABLE); \
                        polytape schema apply makes what is missing";
        assert_eq!(error.to_string(), expected);
        assert!(exception(&"ä".repeat(5_000)).to_string().len() < 1_200);
    }
}

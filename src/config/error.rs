//! Why there is no configuration.

use std::path::PathBuf;

/// One line each, and never a URL, which may hold a key.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is not there or cannot be read.
    #[error("cannot read the config file {}: {why}{}", .path.display(), if *.is_missing { "; polytape config init writes one" } else { "" })]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
        /// Whether there is none.
        is_missing: bool,
    },
    /// A line of the file is wrong.
    #[error("{} {fault}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Its line, the key or section that the line belongs to, and what is wrong.
        fault: String,
    },
    /// Redis without ClickHouse, or the reverse.
    #[error("{present} is configured and {missing} is not: both together replace the embedded store, or neither")]
    Half {
        /// The section that is there.
        present: &'static str,
        /// The one that is not.
        missing: &'static str,
    },
    /// A source is off that a run cannot do without.
    #[error("sources.{section}.enabled = false: {why}")]
    Off {
        /// Its section.
        section: &'static str,
        /// Why it is needed.
        why: &'static str,
    },
    /// A variable is wrong.
    #[error("{name} {place}: {message}")]
    Environment {
        /// The variable.
        name: String,
        /// Where it stands: in the environment, or in a line of `.env`.
        place: String,
        /// What is wrong.
        message: String,
    },
    /// The file `.env` is there and cannot be read.
    #[error("cannot read .env in the working directory: {0}")]
    DotEnv(String),
}

//! What a stage waits for: the thing, and what is said of it. Who watches compares causes, and never reads their words.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{breaker::Outage, secrets, streams::error::not_begun};

/// What a stage waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WaitCause {
    /// It is not known yet what that is.
    Starting,
    /// The first stage, which has not begun: there are no streams.
    NotBegun,
    /// An answer of something that it depends on, which has not come yet.
    Silent(Dependency),
    /// Something that it depends on, and that does not answer as it should.
    Dependency(Dependency),
    /// Room for what it writes: unread bytes, memory or disk. Nothing is wrong with what it reads from.
    Backpressure(String),
    /// Something else, in words.
    Other(String),
}

/// Something outside that stages depend on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dependency {
    /// Its name, by which outages go: `ClickHouse at http://host:port`.
    pub name: String,
    /// What is said of it.
    pub text: String,
}

impl WaitCause {
    /// Something that was asked and has not answered.
    pub(crate) fn silent(outage: &Outage) -> Self {
        Self::Silent(Dependency { name: outage.name.clone(), text: outage.to_string() })
    }

    /// The kinds of things that are waited for.
    pub const KINDS: [&'static str; 8] =
        ["starting", "not-begun", "redis", "clickhouse", "nodes", "api", "backpressure", "other"];

    /// What kind of thing it is, of [`Self::KINDS`].
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::NotBegun => "not-begun",
            Self::Silent(Dependency { name, .. }) | Self::Dependency(Dependency { name, .. }) => {
                let kinds = [("Redis", "redis"), ("ClickHouse", "clickhouse"), ("the nodes", "nodes")];
                kinds.iter().find(|(begin, _)| name.starts_with(begin)).map_or("api", |(_, kind)| kind)
            }
            Self::Backpressure(_) => "backpressure",
            Self::Other(_) => "other",
        }
    }

    /// What it depends on, where it waits for that.
    pub fn dependency(&self) -> Option<&Dependency> {
        match self {
            Self::Silent(dependency) | Self::Dependency(dependency) => Some(dependency),
            _ => None,
        }
    }

    /// The same with words that may be shown: others may have worded them.
    pub(crate) fn fit_to_show(mut self) -> Self {
        match &mut self {
            Self::Starting | Self::NotBegun => {}
            Self::Silent(Dependency { text, .. })
            | Self::Dependency(Dependency { text, .. })
            | Self::Backpressure(text)
            | Self::Other(text) => *text = secrets::line(text),
        }
        self
    }
}

impl fmt::Display for WaitCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Starting => f.write_str("starting"),
            Self::NotBegun => f.write_str(&not_begun()),
            Self::Silent(Dependency { text, .. })
            | Self::Dependency(Dependency { text, .. })
            | Self::Backpressure(text)
            | Self::Other(text) => f.write_str(text),
        }
    }
}

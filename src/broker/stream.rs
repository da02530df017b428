//! Streams and the groups that read them, by their names.

use std::fmt;

use crate::flow::StreamId;

/// The name of a stream: `stream:trades`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stream(String);

impl Stream {
    /// A stream by its name.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// A stream of the pipeline.
    pub fn of(id: StreamId) -> Self {
        Self::new(id.as_str())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A group of this stream.
    pub fn group(&self, name: impl Into<String>) -> Group {
        Group { stream: self.clone(), name: name.into() }
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A consumer group: it is given every entry of its stream until it has acknowledged it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group {
    /// The stream that it reads.
    pub stream: Stream,
    /// Its name: `trade_writers`.
    pub name: String,
}

impl Group {
    /// The group of the stage that reads a stream of the pipeline.
    pub fn of(id: StreamId) -> Self {
        Stream::of(id).group(id.group().as_str())
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.name, self.stream)
    }
}

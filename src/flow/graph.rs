//! What the declared flow says of stages, streams and tables.

use std::str::FromStr;

use super::declared::{Input, Stage, StageId, StreamId, TableId};

impl StageId {
    /// The stream that it reads.
    pub const fn reads(self) -> Option<StreamId> {
        match self.declared().input {
            Input::Stream(stream) => Some(stream),
            Input::Fills | Input::Markets => None,
        }
    }

    /// The table that it writes what its stream brings to, if that is its work.
    pub const fn table(self) -> Option<TableId> {
        match self.declared() {
            Stage { input: Input::Stream(_), lands_in: [table], .. } => Some(*table),
            _ => None,
        }
    }

    /// The key of its cursor in a source, among the streams.
    pub fn cursor_key(self, source: &str) -> String {
        format!("state:{self}:{source}")
    }
}

impl FromStr for StageId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::named(text).ok_or_else(|| format!("{text:?} is no stage: {}", Self::ALL.map(Self::as_str).join(", ")))
    }
}

impl StreamId {
    /// The stage that reads it.
    pub fn reader(self) -> Option<StageId> {
        StageId::ALL.into_iter().find(|stage| stage.reads() == Some(self))
    }

    /// The streams that what is in it may go on to, those behind them included.
    pub fn downstream(self) -> Vec<Self> {
        let mut behind: Vec<Self> = Vec::new();
        let mut ahead = vec![self];
        while let Some(stream) = ahead.pop() {
            for next in stream.reader().map_or(&[][..], |reader| reader.declared().writes) {
                if !behind.contains(next) {
                    behind.push(*next);
                    ahead.push(*next);
                }
            }
        }
        behind.sort();
        behind
    }
}

impl TableId {
    /// The stage that writes what its stream brings. A table without one does not compile where its rows are written.
    pub const fn writer(self) -> StageId {
        let mut at = 0;
        loop {
            let stage = StageId::ALL[at];
            match stage.table() {
                Some(table) if table as usize == self as usize => return stage,
                _ => at += 1,
            }
        }
    }

    /// The source without which nothing ever came into it.
    pub const fn only_of(self) -> Option<&'static str> {
        match self.writer().reads() {
            Some(stream) => stream.only_of(),
            None => None,
        }
    }

    /// Its name in a sentence.
    pub fn words(self) -> String {
        self.as_str().replace('_', " ")
    }
}

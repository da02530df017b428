//! What can be asked of a pipeline, and what it answers. Keys, the command line and whoever else steers speak these.

use crate::flow::StageId;
use std::{fmt, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// What is asked. Its serde form goes over sockets, its words are those of the command line and the palette.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, clap::Subcommand)]
#[serde(rename_all = "kebab-case")]
pub enum Command {
    /// Finish what is in hand, then hold. Outlives the process
    Pause {
        /// The stage
        stage: StageId,
    },
    /// Go on, from a pause or a stop
    Resume {
        /// The stage
        stage: StageId,
    },
    /// Finish what is in hand, let go of everything, begin again from what is committed
    Restart {
        /// The stage
        stage: StageId,
    },
    /// Finish what is in hand and end, until resumed. Outlives the process
    Stop {
        /// The stage
        stage: StageId,
    },
    /// Of a stage that has failed since entry after entry is bad: leave what is bad of what its stream holds now to the dead
    /// letters, and go on behind it
    Skip {
        /// The stage
        stage: StageId,
    },
    /// Do a part of the past again, beside the live work
    Replay(Replay),
    /// End a replay
    Cancel {
        /// The replay
        id: String,
    },
}

/// A part of the past that is to be done again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, clap::Args)]
pub struct Replay {
    /// The stage whose work it is
    pub stage: StageId,
    /// Where it begins, inclusive: an age (15m), a time, a block or now
    #[arg(long)]
    pub from: Point,
    /// Where it ends, inclusive
    #[arg(long)]
    pub to: Point,
    /// Say what it would do, and do nothing
    #[arg(long)]
    #[serde(default)]
    pub dry_run: bool,
}

/// A point of the past, as people name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Point {
    /// Now: `now`.
    Now,
    /// So long ago: `15m`, `2h 30m`.
    Age(Duration),
    /// At a time, in unix milliseconds: RFC 3339.
    Time(i64),
    /// At a block: its number.
    Block(u64),
}

impl Point {
    /// Its time in unix milliseconds, if it has one.
    pub fn time(self, now: i64) -> Option<i64> {
        match self {
            Self::Now => Some(now),
            Self::Age(age) => Some(now.saturating_sub(i64::try_from(age.as_millis()).unwrap_or(i64::MAX))),
            Self::Time(time) => Some(time),
            Self::Block(_) => None,
        }
    }
}

impl std::str::FromStr for Point {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text == "now" {
            return Ok(Self::Now);
        }
        if let Ok(block) = text.parse() {
            return Ok(Self::Block(block));
        }
        if let Ok(time) = text.parse::<Timestamp>() {
            return Ok(Self::Time(time.as_millisecond()));
        }
        let age = text.parse::<SignedDuration>().ok().and_then(|age| Duration::try_from(age).ok());
        age.map(Self::Age).ok_or_else(|| {
            format!("{text:?} is no point in time: an age (15m), a time (2026-11-25T02:00:00Z), a block or now")
        })
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Now => f.write_str("now"),
            Self::Age(age) => match SignedDuration::try_from(*age) {
                // One word, as a command line has it.
                Ok(age) => f.write_str(&format!("{age:#}").replace(' ', "")),
                Err(_) => f.write_str("forever"),
            },
            Self::Time(time) => match Timestamp::from_millisecond(*time) {
                Ok(time) => time.fmt(f),
                Err(_) => time.fmt(f),
            },
            Self::Block(block) => block.fmt(f),
        }
    }
}

impl TryFrom<String> for Point {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Point> for String {
    fn from(point: Point) -> Self {
        point.to_string()
    }
}

/// What a replay would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Where it begins, in words.
    pub from: String,
    /// Where it ends, in words.
    pub to: String,
    /// How much that is, in words.
    pub amount: String,
    /// How it goes about it, in words.
    pub way: String,
}

/// What came of a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// It is so now, or will be once what is in hand is finished.
    Done(String),
    /// What a replay would do.
    Plan(Plan),
    /// It was not done, and why.
    Refused(String),
}

/// `pause write-trades`: as the command line writes it.
impl From<Result<String, String>> for Answer {
    fn from(answer: Result<String, String>) -> Self {
        answer.map_or_else(Self::Refused, Self::Done)
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pause { stage } => write!(f, "pause {stage}"),
            Self::Resume { stage } => write!(f, "resume {stage}"),
            Self::Restart { stage } => write!(f, "restart {stage}"),
            Self::Stop { stage } => write!(f, "stop {stage}"),
            Self::Skip { stage } => write!(f, "skip {stage}"),
            Self::Replay(Replay { stage, from, to, dry_run }) => {
                write!(f, "replay {stage} --from {from} --to {to}")?;
                f.write_str(if *dry_run { " --dry-run" } else { "" })
            }
            Self::Cancel { id } => write!(f, "cancel {id}"),
        }
    }
}

/// The words of a command line.
#[derive(clap::Parser)]
#[command(no_binary_name = true, disable_help_subcommand = true, disable_help_flag = true)]
struct Words {
    #[command(subcommand)]
    command: Command,
}

impl std::str::FromStr for Command {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words = <Words as clap::Parser>::try_parse_from(text.split_whitespace());
        words.map(|words| words.command).map_err(|error| {
            let error = error.to_string();
            error.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
        })
    }
}

impl Command {
    /// What it does, as the help of the command line says it.
    pub fn about(&self) -> String {
        let (words, text) = (<Words as clap::CommandFactory>::command(), self.to_string());
        let verb = text.split(' ').next().and_then(|verb| words.find_subcommand(verb));
        verb.and_then(clap::Command::get_about).map_or_else(String::new, ToString::to_string)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_read_as_they_are_written() {
        for (text, point) in [
            ("now", Point::Now),
            ("15m", Point::Age(Duration::from_secs(900))),
            ("2h 30m", Point::Age(Duration::from_secs(9_000))),
            ("2026-11-25T02:00:00Z", Point::Time(1_795_572_000_000)),
            ("97800000", Point::Block(97_800_000)),
        ] {
            assert_eq!(text.parse(), Ok(point), "{text}");
            assert_eq!(point.to_string().parse(), Ok(point), "{point}");
        }
        for text in ["", "soon", "-15m", "15", "2026-13-01T00:00:00Z", "1e9"] {
            let parsed: Result<Point, _> = text.parse();
            assert!(parsed.is_err() || parsed == Ok(Point::Block(15)), "{text}: {parsed:?}");
        }
    }

    #[test]
    fn commands_read_as_they_are_written() {
        let stage = StageId::WriteTrades;
        let replay = Replay { stage, from: Point::Age(Duration::from_secs(9_000)), to: Point::Now, dry_run: false };
        for (words, command) in [
            ("pause write-trades", Command::Pause { stage }),
            ("resume write-trades", Command::Resume { stage }),
            ("restart write-trades", Command::Restart { stage }),
            ("stop write-trades", Command::Stop { stage }),
            ("skip write-trades", Command::Skip { stage }),
            ("replay write-trades --from 2h30m --to now", Command::Replay(replay.clone())),
            (
                "replay write-trades --from 97800000 --to 2026-11-25T02:00:00Z --dry-run",
                Command::Replay(Replay {
                    from: Point::Block(97_800_000),
                    to: Point::Time(1_795_572_000_000),
                    dry_run: true,
                    ..replay
                }),
            ),
            ("cancel a3f09c", Command::Cancel { id: "a3f09c".into() }),
        ] {
            assert_eq!(command.to_string(), words);
            assert_eq!(words.parse().as_ref(), Ok(&command));
            let json = serde_json::to_string(&command).unwrap();
            assert_eq!(serde_json::from_str::<Command>(&json).unwrap(), command, "{json}");
            assert!(!command.about().is_empty(), "{words}");
        }
        for words in ["", "pause", "pause nobody", "jump write-trades", "cancel a b", "replay write-trades"] {
            assert!(words.parse::<Command>().is_err(), "{words}");
        }
    }

    #[test]
    fn a_point_has_a_time_unless_it_is_a_block() {
        assert_eq!(Point::Now.time(5_000), Some(5_000));
        assert_eq!(Point::Age(Duration::from_secs(2)).time(5_000), Some(3_000));
        assert_eq!(Point::Time(7).time(5_000), Some(7));
        assert_eq!(Point::Block(7).time(5_000), None);
    }
}

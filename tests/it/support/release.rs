//! The releases of ClickHouse that the tests know, by the packages that bring their engines.

use std::path::PathBuf;

use super::packages;

/// A release, as a server calls it: `25.8`.
#[derive(Debug, PartialEq, Eq)]
pub struct Release {
    pub name: &'static str,
    engine: &'static [&'static str],
}

/// Each with the newest engine of it that PyPI has. docs/engines.md says what was run on which.
static RELEASES: [Release; 8] = [
    Release { name: "23.10", engine: &["chdb==1.4.1"] },
    Release { name: "24.8", engine: &["chdb==2.1.1"] },
    Release { name: "25.8", engine: &["chdb==3.7.2"] },
    Release { name: "26.1", engine: &["chdb-core==26.1.0"] },
    Release { name: "26.3", engine: &["chdb-core==26.3.0"] },
    Release { name: "26.5", engine: &["chdb-core==26.5.0"] },
    Release { name: "26.7", engine: &["chdb-core==26.7.3"] },
    Release { name: NEWEST, engine: &["chdb==4.4.0", "chdb-core==26.9.0"] },
];

/// What tests run on that name no release.
const NEWEST: &str = "26.9";

/// What the engine's front needs to speak ClickHouse's compressed frames.
const FRONT: [&str; 2] = ["lz4==4.4.5", "clickhouse-cityhash==1.0.2.6"];

impl Release {
    pub fn named(name: &str) -> &'static Self {
        let found = RELEASES.iter().find(|release| release.name == name);
        found.unwrap_or_else(|| panic!("no engine of ClickHouse {name} is known here"))
    }

    /// That of all tests that name none: `POLYTAPE_TEST_CLICKHOUSE_RELEASE`, or the newest.
    pub fn selected() -> &'static Self {
        Self::named(std::env::var("POLYTAPE_TEST_CLICKHOUSE_RELEASE").as_deref().unwrap_or(NEWEST))
    }

    /// The cell that it is: `clickhouse-25.8`.
    pub fn cell(&self) -> String {
        format!("clickhouse-{}", self.name)
    }

    /// The Python that has its engine; or why that cannot be had.
    pub fn python(&self) -> Result<PathBuf, String> {
        packages::python(&self.cell(), &[self.engine, &FRONT].concat())
    }
}

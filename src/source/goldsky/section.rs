//! `[sources.goldsky]`: a subgraph of fills, as it is configured.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::source::start_spec::{self, StartSpec};
use crate::value;

/// The public subgraph. It holds the V1 exchanges only, its newest fill is of 2026-04-28T11:00:40Z, and it needs no token.
pub const URL: &str =
    "https://api.goldsky.com/api/public/project_cl6mb8i9h0003e201j6li0diw/subgraphs/orderbook-subgraph/0.0.1/gn";

/// `[sources.goldsky]`
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GoldskySection {
    /// Whether it is read.
    #[serde(deserialize_with = "value::switch")]
    pub enabled: bool,
    /// The GraphQL endpoint.
    #[serde(deserialize_with = "value::api_url")]
    pub url: String,
    /// What is sent as a bearer; empty for none.
    #[serde(deserialize_with = "value::password")]
    pub token: String,
    /// Where a first run begins; as the pipeline does, where that is not said.
    #[serde(with = "start_spec::of_times")]
    pub start: Option<StartSpec>,
    /// How often new fills are asked for.
    #[serde(with = "value::duration")]
    pub poll_interval: Duration,
    /// The most rows of a request.
    #[serde(deserialize_with = "value::page")]
    pub page: usize,
    /// Younger fills are not read yet.
    #[serde(with = "value::duration")]
    pub settle: Duration,
    /// How long a request may take.
    #[serde(with = "value::duration")]
    pub timeout: Duration,
}

impl Default for GoldskySection {
    fn default() -> Self {
        Self {
            enabled: false,
            url: URL.to_owned(),
            token: String::new(),
            start: None,
            poll_interval: Duration::from_secs(5),
            page: 1_000,
            settle: Duration::from_secs(60),
            timeout: Duration::from_secs(30),
        }
    }
}

/// Without what may be a key.
impl fmt::Debug for GoldskySection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GoldskySection").field("enabled", &self.enabled).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_begins_at_a_time_or_where_the_pipeline_does() {
        let start = |text: &str| {
            let section = toml::from_str::<GoldskySection>(&format!("start = {text}"));
            section.map(|section| section.start).map_err(|error| error.message().to_owned())
        };
        assert_eq!(start(r#""""#), Ok(None));
        assert_eq!(start(r#""genesis""#), Ok(Some(StartSpec::Genesis)));
        assert_eq!(start(r#""15m""#), Ok(Some(StartSpec::Age(Duration::from_secs(900)))));
        let time = "2026-01-02T03:04:05Z";
        assert_eq!(start(&format!("{time:?}")), Ok(Some(StartSpec::Time(time.parse().unwrap()))));
        for block in [r#""85000000""#, "85000000"] {
            let why = start(block).unwrap_err();
            assert!(why.contains("85000000") && why.contains("it knows times only"), "{why}");
        }
        let shown = toml::to_string(&GoldskySection { start: start(r#""15m""#).unwrap(), ..GoldskySection::default() });
        assert!(shown.unwrap().contains(r#"start = "15m""#));
    }
}

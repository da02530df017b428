//! What ClickHouse says a query cost: the header `X-ClickHouse-Summary`.

use std::collections::HashMap;

/// What a query cost. What the server did not say is unknown, which is not zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueryCost {
    /// Rows that it read from tables.
    pub read_rows: Option<u64>,
    /// Rows that it wrote, those of views included.
    pub written_rows: Option<u64>,
}

impl QueryCost {
    /// What a header says: a JSON object of numbers in quotes. A header that is missing or no such object says nothing.
    pub(super) fn of_header(summary: Option<&str>) -> Self {
        let fields = summary.and_then(|text| serde_json::from_str::<HashMap<String, serde_json::Value>>(text).ok());
        let number = |name: &str| match fields.as_ref()?.get(name)? {
            serde_json::Value::String(text) => text.parse().ok(),
            other => other.as_u64(),
        };
        Self { read_rows: number("read_rows"), written_rows: number("written_rows") }
    }

    /// What the summary of a read says.
    pub(super) fn of_read(summary: Option<&clickhouse::QuerySummary>) -> Self {
        let Some(summary) = summary else { return Self::default() };
        Self { read_rows: summary.read_rows(), written_rows: summary.written_rows() }
    }

    /// Of two queries together. Where one of them said nothing the sum is unknown.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let sum = |a: Option<u64>, b: Option<u64>| Some(a?.saturating_add(b?));
        Self {
            read_rows: sum(self.read_rows, other.read_rows),
            written_rows: sum(self.written_rows, other.written_rows),
        }
    }

    /// What nothing costs: where sums begin.
    pub const ZERO: Self = Self { read_rows: Some(0), written_rows: Some(0) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_is_unknown() {
        let said = |text| QueryCost::of_header(Some(text));
        let both = said(r#"{"read_rows":"8192","read_bytes":"1","written_rows":"3","elapsed_ns":"7"}"#);
        assert_eq!(both, QueryCost { read_rows: Some(8192), written_rows: Some(3) });
        assert_eq!(said(r#"{"read_rows":5}"#), QueryCost { read_rows: Some(5), written_rows: None });
        for nothing in ["", "{", "[]", r#"{"read_rows":"-1"}"#, r#"{"read_rows":{}}"#] {
            assert_eq!(said(nothing), QueryCost::default(), "{nothing}");
        }
        assert_eq!(QueryCost::of_header(None), QueryCost::default());
        assert_eq!(QueryCost::ZERO.and(both), both);
        assert_eq!(both.and(QueryCost::default()), QueryCost::default());
    }
}

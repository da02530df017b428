//! What the answer to a write proves.
//!
//! Confirmed is status 200, the id of this very attempt in `X-ClickHouse-Query-Id`, no exception header and an empty body.
//! Nothing else is, whatever its status: a proxy may have a page of its own, and ClickHouse has answered 200 beside an exception.

use std::net::SocketAddr;

use hyper::HeaderMap;

use super::{error::ClickhouseError, error::Result, summary::QueryCost};

/// The answer to a write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// `X-ClickHouse-Query-Id`.
    pub(super) query_id: Option<String>,
    /// `X-ClickHouse-Exception-Code`.
    pub(super) exception: Option<String>,
    /// `X-ClickHouse-Summary`.
    pub(super) cost: QueryCost,
    /// Its body, or what of it was read.
    pub(super) body: Vec<u8>,
    /// Our end of the connection over which it came.
    pub(super) connection: Option<SocketAddr>,
}

/// What came of a write that was not refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "rows are there only when it is confirmed"]
pub(super) enum Written {
    /// ClickHouse has done it.
    Confirmed(QueryCost),
    /// Somebody says it is done, without the proof: it has to be read back.
    Unproved,
}

impl Written {
    /// Of two writes together.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Confirmed(one), Self::Confirmed(other)) => Self::Confirmed(one.and(other)),
            _ => Self::Unproved,
        }
    }
}

impl Answer {
    /// An answer by its head; its body is still to come.
    pub(super) fn of_head(status: u16, headers: &HeaderMap) -> Self {
        let header = |name: &str| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        Self {
            status,
            query_id: header("x-clickhouse-query-id"),
            exception: header("x-clickhouse-exception-code"),
            cost: QueryCost::of_header(header("x-clickhouse-summary").as_deref()),
            body: Vec::new(),
            connection: None,
        }
    }

    /// The line that it says, where it is no refusal. Extremes, where a profile wants them, stand below.
    pub(super) fn text(&self, at: &str) -> Result<String> {
        if self.status != 200 || self.exception.is_some() || self.body.starts_with(b"Code: ") {
            return Err(self.refusal(at));
        }
        Ok(String::from_utf8_lossy(&self.body).lines().next().unwrap_or_default().to_owned())
    }

    /// What it proves of an attempt with this id.
    pub(super) fn proves(&self, at: &str, query_id: &str) -> Result<Written> {
        if self.status != 200 || self.exception.is_some() || !self.body.is_empty() {
            return Err(self.refusal(at));
        }
        match &self.query_id {
            Some(id) if id == query_id => Ok(Written::Confirmed(self.cost)),
            _ => Ok(Written::Unproved),
        }
    }

    /// The same of a statement that makes or drops tables: some servers answer what their replicas said.
    pub(super) fn proves_statement(&self, at: &str, query_id: &str) -> Result<Written> {
        let is_ours = self.query_id.as_deref() == Some(query_id);
        let says_exception = self.body.starts_with(b"Code: ");
        if is_ours && self.status == 200 && self.exception.is_none() && !says_exception {
            return Ok(Written::Confirmed(self.cost));
        }
        self.proves(at, query_id)
    }

    fn refusal(&self, at: &str) -> ClickhouseError {
        let code = self.exception.as_ref().and_then(|code| code.trim().parse().ok());
        let body = String::from_utf8_lossy(&self.body);
        ClickhouseError::of_answer(at.to_owned(), Some(self.status), code, &body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::FailureClass;

    fn good() -> Answer {
        let cost = QueryCost { read_rows: None, written_rows: Some(3) };
        Answer { status: 200, query_id: Some("mine".into()), exception: None, cost, body: Vec::new(), connection: None }
    }

    fn proves(answer: &Answer) -> Result<Written> {
        answer.proves("http://h:1", "mine")
    }

    #[test]
    fn only_its_own_id_on_a_bare_200_confirms() {
        assert_eq!(proves(&good()).unwrap(), Written::Confirmed(good().cost));
        for other in [None, Some(""), Some("other"), Some("mine "), Some("MINE")] {
            let answer = Answer { query_id: other.map(str::to_owned), ..good() };
            assert_eq!(proves(&answer).unwrap(), Written::Unproved, "{other:?}");
        }
    }

    #[test]
    fn nothing_else_does() {
        let refused: [(Answer, Option<u32>, bool); 10] = [
            (Answer { body: b"<html>welcome</html>".to_vec(), ..good() }, None, false),
            (Answer { body: b" ".to_vec(), ..good() }, None, false),
            (Answer { status: 201, ..good() }, None, false),
            (Answer { status: 204, ..good() }, None, false),
            (Answer { status: 302, ..good() }, None, false),
            (Answer { status: 404, body: b"404 page not found".to_vec(), ..good() }, None, false),
            (Answer { status: 413, ..good() }, None, true),
            (Answer { exception: Some("209".into()), ..good() }, Some(209), false),
            (Answer { exception: Some("what".into()), ..good() }, None, false),
            (Answer { body: b"Code: 241. DB::Exception: Memory (X)".to_vec(), ..good() }, Some(241), true),
        ];
        for (answer, code, asks_for_less) in refused {
            let error = proves(&answer).unwrap_err();
            assert_eq!((error.code(), error.asks_for_less()), (code, asks_for_less), "{answer:?}: {error}");
            assert_eq!(error.class(), FailureClass::Retry, "{error}");
        }
    }

    #[test]
    fn a_statement_may_be_answered_with_rows_by_clickhouse_and_nobody_else() {
        let hosts = Answer { body: b"replica-1\t0\t\n".to_vec(), ..good() };
        assert!(matches!(hosts.proves_statement("", "mine"), Ok(Written::Confirmed(_))));
        assert!(hosts.proves_statement("", "another").is_err());
        let exception = Answer { body: b"Code: 60. DB::Exception: x".to_vec(), ..good() };
        assert_eq!(exception.proves_statement("", "mine").unwrap_err().code(), Some(60));
    }
}

//! The answer to one request.

use std::time::Duration;

use axum::http::StatusCode;

use super::plan::{self, Meta, Page, Root, Wanted};
use super::refusal::Refusal;
use super::request::{Operation, Request};
use super::row::Row;
use super::subgraph::Subgraph;
use super::values::Values;
use crate::demo::faults::Fault;
use crate::demo::gamma::Object;
use crate::demo::http::reply::Reply;
use crate::demo::rng::Rng;

/// What `_meta` says of its deployment.
const DEPLOYMENT: &str = "QmDemoWorldOrderbookSubgraph";

/// An answer, and how long it takes.
pub(in crate::demo) struct Answer {
    pub(in crate::demo) reply: Reply,
    pub(in crate::demo) delay: Duration,
}

/// Answers a request that meets a fault or none.
pub(in crate::demo) fn answer(subgraph: Subgraph<'_>, fault: Option<Fault>, rng: &mut Rng, body: &[u8]) -> Answer {
    let at_once = |reply| Answer { reply, delay: Duration::ZERO };
    match fault {
        Some(Fault::QueryErrors) => return at_once(unavailable().reply()),
        Some(Fault::QueryTimedOut) => return at_once(Refusal::timed_out().reply()),
        _ => {}
    }
    let Ok(request) = serde_json::from_slice::<Request>(body) else {
        let status = StatusCode::BAD_REQUEST;
        return at_once(Reply::refused(
            status,
            "bad request",
            "the body must be {\"query\": \"…\", \"variables\": {…}}",
        ));
    };
    let roots = match read(&request) {
        Ok(roots) => roots,
        Err(refusal) => return at_once(refusal.reply()),
    };
    let delay = Duration::from_micros(rows(&roots).saturating_mul(subgraph.faults.row_cost_us));
    let mut teller = Teller { subgraph, is_partial: fault == Some(Fault::PartialData), rng };
    let reply = teller.data(&roots).map_or_else(|refusal| refusal.reply(), Reply::ok);
    Answer { reply, delay }
}

fn read(request: &Request) -> Result<Vec<Root>, Refusal> {
    let document = graphql_parser::parse_query::<String>(&request.query);
    let document = document.map_err(|error| Refusal::of_syntax(&error))?.into_static();
    let operation = Operation::of(&document, request.operation_name.as_deref())?;
    let values = Values::new(operation.variables, request.variables.as_ref())?;
    plan::read(&operation, &values)
}

/// How many rows may be in the answer.
fn rows(roots: &[Root]) -> u64 {
    let pages = roots.iter().map(|root| match &root.wanted {
        Wanted::Page(page) => page.first,
        _ => 0,
    });
    pages.sum()
}

/// What is said beside partial data, and instead of any.
fn unavailable() -> Refusal {
    Refusal::new("Store error: database unavailable")
}

struct Teller<'a> {
    subgraph: Subgraph<'a>,
    is_partial: bool,
    rng: &'a mut Rng,
}

impl Teller<'_> {
    /// `{"data":{…}}`, with `errors` beside it where it is partial.
    fn data(&mut self, roots: &[Root]) -> Result<String, Refusal> {
        let mut data = Object::new(false);
        for Root { key, wanted } in roots {
            match wanted {
                Wanted::Page(page) => {
                    let rows = self.page(page)?;
                    data.raw(key, rows)
                }
                Wanted::Meta(fields) => data.raw(key, self.meta(fields)),
                Wanted::Typename => data.text(key, "Query"),
            };
        }
        let data = data.end();
        if self.is_partial {
            return Ok(format!("{{\"data\":{data},\"errors\":[{}]}}", unavailable().json()));
        }
        Ok(format!("{{\"data\":{data}}}"))
    }

    /// A page. Of a partial one half of the rows are there, or none, or null is in its place.
    fn page(&mut self, page: &Page) -> Result<String, Refusal> {
        if self.subgraph.faults.times_out_above.is_some_and(|most| page.first > most) {
            return Err(Refusal::timed_out());
        }
        let mut rows = self.subgraph.page(page)?;
        if self.is_partial {
            match self.rng.below(3) {
                0 => return Ok("null".into()),
                1 => rows.clear(),
                _ => rows.truncate(rows.len() / 2),
            }
        }
        let rows: Vec<_> = rows.iter().map(|row: &Row| row.json(&page.selected)).collect();
        Ok(format!("[{}]", rows.join(",")))
    }

    fn meta(&self, fields: &[Meta]) -> String {
        let mut meta = Object::new(false);
        for field in fields {
            match field {
                Meta::Block(key, fields) => meta.raw(key, self.block(fields)),
                Meta::Leaf(key, "hasIndexingErrors") => meta.raw(key, self.subgraph.faults.has_indexing_errors),
                Meta::Leaf(key, "deployment") => meta.text(key, DEPLOYMENT),
                Meta::Leaf(key, _) => meta.text(key, "_Meta_"),
            };
        }
        meta.end()
    }

    fn block(&self, fields: &[(String, &'static str)]) -> String {
        let Subgraph { world, faults, .. } = self.subgraph;
        let number = self.subgraph.newest();
        let mut block = Object::new(false);
        for (key, name) in fields {
            match *name {
                "number" => block.raw(key, number),
                "timestamp" if faults.no_meta_timestamp => block.raw(key, "null"),
                "timestamp" => block.raw(key, world.timestamp(number)),
                "hash" => block.text(key, &format!("{:#x}", world.block_hash(number))),
                "parentHash" => block.text(key, &format!("{:#x}", world.block_hash(number.wrapping_sub(1)))),
                _ => block.text(key, "_Block_"),
            };
        }
        block.end()
    }
}

//! One market, from Gamma's JSON.

use serde_json::value::RawValue;

use super::fields::{self, Fields};
use super::tokens::{self, Claims};
use crate::model::{B256, ConditionId, Event, Market, RawJson};

/// What is read of a market …
const FIELDS: [&str; 23] = [
    "id",
    "conditionId",
    "outcomes",
    "negRisk",
    "clobTokenIds",
    "positionIds",
    "events",
    "updatedAt",
    "question",
    "slug",
    "tags",
    "createdAt",
    "endDate",
    "endDateIso",
    "closedTime",
    "active",
    "closed",
    "volume",
    "volumeNum",
    "liquidity",
    "liquidityNum",
    "questionID",
    "negRiskMarketID",
];

/// … and of its event.
const EVENT_FIELDS: [&str; 4] = ["id", "slug", "title", "tags"];

/// A market, and which of its fields were not as they should be.
#[derive(Debug)]
pub(super) struct ReadMarket {
    pub(super) market: Market,
    pub(super) misread: Vec<&'static str>,
}

/// Reads a market that was asked for at `asked_at` (unix seconds). Only what is no object or has no id is refused, in
/// words.
pub(super) fn read(raw: &str, asked_at: u64) -> Result<ReadMarket, String> {
    let mut fields = Fields::of(raw, &FIELDS)?;
    let id = fields.text("id");
    if id.is_empty() {
        return Err("a market without an id".to_owned());
    }
    let condition_id = condition(&mut fields);
    let outcomes = fields.texts("outcomes");
    let neg_risk = fields.flag("negRisk");
    let [clob_token_ids, position_ids] = ["clobTokenIds", "positionIds"].map(|name| fields.texts(name));
    // Nobody is believed in this: the condition proves them.
    let [question, legacy_event] = ["questionID", "negRiskMarketID"].map(|name| hash(&fields, name));
    let claims = Claims {
        condition: condition_id,
        outcomes: &outcomes,
        neg_risk,
        question,
        event: legacy_event,
        clob_token_ids: &clob_token_ids,
        position_ids: &position_ids,
    };
    let listed = tokens::check(claims);
    listed.refused.iter().for_each(|name| fields.note(name));
    let (event, event_tags) = event(&mut fields);
    let updated_at = fields.time("updatedAt");
    let market = Market {
        id,
        condition_id,
        question: fields.text("question"),
        slug: fields.text("slug"),
        outcomes,
        token_ids: listed.token_ids,
        position_ids: listed.position_ids,
        neg_risk,
        event,
        tags: tags(&fields.list("tags"), &event_tags),
        created_at: fields.time("createdAt"),
        end_at: fields.time("endDate").or_else(|| fields.time("endDateIso")),
        closed_at: fields.time("closedTime"),
        active: fields.flag("active"),
        closed: fields.flag("closed"),
        volume: either(&mut fields, "volume", "volumeNum"),
        liquidity: either(&mut fields, "liquidity", "liquidityNum"),
        raw: RawJson::pack(raw),
        version: Market::version_of(updated_at, asked_at),
    };
    Ok(ReadMarket { market, misread: fields.misread() })
}

fn condition(fields: &mut Fields<'_>) -> Option<ConditionId> {
    let text = fields.text("conditionId");
    let condition = text.parse().ok();
    if condition.is_none() && !text.is_empty() {
        fields.note("conditionId");
    }
    condition
}

fn hash(fields: &Fields<'_>, name: &str) -> Option<B256> {
    fields::text(fields.raw(name)?)?.parse().ok()
}

/// The first event, and its tags.
fn event<'a>(fields: &mut Fields<'a>) -> (Event, Vec<&'a RawValue>) {
    let Some(first) = fields.list("events").first().copied() else { return Default::default() };
    let Ok(mut event) = Fields::of(first.get(), &EVENT_FIELDS) else {
        fields.note("events");
        return Default::default();
    };
    let tags = event.list("tags");
    (Event { id: event.text("id"), slug: event.text("slug"), title: event.text("title") }, tags)
}

/// Labels, each once, in their order.
fn tags(own: &[&RawValue], of_event: &[&RawValue]) -> Vec<String> {
    let mut labels = Vec::new();
    for label in own.iter().chain(of_event).filter_map(|tag| fields::label(tag.get())) {
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    labels
}

/// A number in its digits, under its newer name where the older one says nothing.
fn either(fields: &mut Fields<'_>, name: &'static str, other: &'static str) -> String {
    let text = fields.text(name);
    if text.is_empty() { fields.text(other) } else { text }
}

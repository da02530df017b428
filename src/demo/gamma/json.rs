//! A market as Gamma writes it, with the many fields that nobody reads.

use super::object::{Object, all_quoted, quoted};
use super::profile::{EndForm, Half, ListForm, Profile, Shape};
use super::words::{EventWords, description};
use super::{prices, seen::Seen, times};
use crate::demo::markets::calendar::Calendar;

/// Half a surrogate pair: JSON by its grammar, and no text.
const HALF_A_PAIR: &str = r#""\ud83d""#;

const PICTURE: &str = "https://demo-upload.example/pictures/BTC+fullsize.png";

/// The object of a market at a block. Its own tags are there only where they were asked for.
pub(in crate::demo) fn market(
    profile: &Profile,
    positions: &[String],
    calendar: &Calendar,
    now: i64,
    with_tags: bool,
) -> String {
    let seen = profile.at(calendar, now);
    let mut object = Object::new(profile.ascii);
    match profile.shape {
        Shape::Bare => {
            let id = profile.id.to_string();
            object.text("id", &id).text("conditionId", &profile.served_condition);
            lists(&mut object, profile, positions, now, false);
            // An open one does not even say that.
            if seen.closed.is_some() {
                object.raw("closed", true);
            }
        }
        Shape::Nulls => nulls(&mut object, profile, positions, &seen, now),
        Shape::Full | Shape::WrongTypes | Shape::Legacy => {
            texts(&mut object, profile, &seen);
            lists(&mut object, profile, positions, now, true);
            dates(&mut object, profile, calendar, &seen);
            money(&mut object, profile, &seen);
            rest(&mut object, profile, &seen);
            object.raw("events", events(profile, &seen));
            if with_tags {
                object.raw("tags", tags(&seen.tags, profile));
            }
        }
    }
    object.end()
}

fn nulls(object: &mut Object, profile: &Profile, positions: &[String], seen: &Seen, now: i64) {
    object.text("id", &profile.id.to_string()).raw("question", "null").text("conditionId", &profile.served_condition);
    for name in ["slug", "endDate", "endDateIso", "createdAt", "updatedAt", "closedTime", "active", "negRisk", "events"]
    {
        object.raw(name, "null");
    }
    for name in ["tags", "volume", "volumeNum", "liquidity", "description", "bestBid", "archived"] {
        object.raw(name, "null");
    }
    lists(object, profile, positions, now, true);
    object.raw("closed", seen.closed.is_some());
}

fn texts(object: &mut Object, profile: &Profile, seen: &Seen) {
    let id = profile.id;
    if profile.shape == Shape::WrongTypes {
        object.raw("id", id).raw("question", &seen.question);
    } else {
        object.text("id", &id.to_string());
        match profile.half {
            Some(Half::Question) => object.raw("question", HALF_A_PAIR),
            _ => object.text("question", &seen.question),
        };
    }
    object.text("conditionId", &profile.served_condition).text("slug", &seen.slug);
    object.text("resolutionSource", "https://data.example/streams/btc-usd");
    match profile.half {
        Some(Half::Description) => object.raw("description", HALF_A_PAIR),
        _ => object.text("description", &description(id)),
    };
    object.text("image", PICTURE).text("icon", PICTURE).text("category", "").text("marketMakerAddress", "");
    let question_id = profile.question_id.clone().unwrap_or_else(|| format!("0x{id:064x}"));
    object.text("questionID", &question_id).text("groupItemTitle", "").text("groupItemThreshold", "0");
    object.maybe("umaResolutionStatus", seen.closed.map(|_| "resolved")).text("feeType", "crypto_fees_v2");
    object.text("comboStatus", "disabled").text("version", if profile.is_v2() { "v2" } else { "v1" });
}

fn lists(object: &mut Object, profile: &Profile, positions: &[String], now: i64, with_outcomes: bool) {
    if profile.shape == Shape::WrongTypes {
        object.raw("outcomes", 5).text("outcomePrices", "none");
    } else if with_outcomes {
        let outcomes = &profile.outcomes;
        let outcomes = if profile.number_outcomes { outcomes.clone() } else { all_quoted(outcomes, profile.ascii) };
        let form = if now < profile.named { ListForm::Null } else { profile.form };
        object.list("outcomes", form, &outcomes);
        object.list("outcomePrices", profile.form, &all_quoted(&prices::all(profile, now), false));
        object.list("umaResolutionStatuses", ListForm::EmptyList, &[]);
    }
    object.list("clobTokenIds", profile.tokens_form_at(now), &all_quoted(profile.listed_tokens(), false));
    object.list("positionIds", profile.positions_form, &all_quoted(positions, false));
}

fn dates(object: &mut Object, profile: &Profile, calendar: &Calendar, seen: &Seen) {
    let created = profile.stamp(calendar, profile.created);
    match profile.shape {
        Shape::WrongTypes => object.raw("createdAt", created.div_euclid(1_000)),
        _ => object.text("createdAt", &times::iso(created, profile.digits())),
    };
    object.text("updatedAt", &times::iso(seen.updated, profile.digits()));
    object.text("startDate", &times::iso(created + 9_939_000_123, 6));
    object.text("startDateIso", &times::date(created.div_euclid(1_000_000)));
    match profile.end_form {
        EndForm::Time => {
            object.text("endDate", &times::iso(seen.ends * 1_000_000, 0)).text("endDateIso", &times::date(seen.ends))
        }
        EndForm::Date => object.raw("endDate", "null").text("endDateIso", &times::date(seen.ends)),
        EndForm::Untold => object,
    };
    if let Some(closed) = seen.closed {
        object.text("closedTime", &times::short_zone(closed)).text("umaEndDate", &times::iso(closed * 1_000_000, 0));
    }
}

fn money(object: &mut Object, profile: &Profile, seen: &Seen) {
    let (volume, liquidity) = (six_places(seen.volume), six_places(seen.liquidity));
    if profile.shape == Shape::WrongTypes {
        object.raw("volume", &volume).raw("liquidity", &liquidity);
    } else {
        object.text("volume", &volume).text("liquidity", &liquidity);
    }
    object.raw("volumeNum", &volume).raw("liquidityNum", &liquidity);
    for name in ["volume24hr", "volume1wk", "volume1mo", "volume1yr", "volumeClob", "volume24hrClob"] {
        object.raw(name, &volume);
    }
    object.raw("liquidityClob", &liquidity).raw("liquidityAmm", 0).raw("volume24hrAmm", 0).raw("lastTradePrice", 0.96);
    if seen.closed.is_none() && !profile.id.is_multiple_of(3) {
        object.raw("bestBid", 0.95).raw("bestAsk", 0.97);
    }
    object.raw("spread", 0.01).raw("orderPriceMinTickSize", 0.001).raw("orderMinSize", 5).raw("competitive", 0);
    object.raw("rewardsMinSize", 50).raw("rewardsMaxSpread", 4.5).raw("oneHourPriceChange", -0.0125);
    object.raw("makerBaseFee", 1000).raw("takerBaseFee", 1000).raw("makerRebatesFeeShareBps", 10000);
    object.raw("feeSchedule", r#"{"rate":0.07,"exponent":1,"takerOnly":true,"rebateRate":0.2}"#);
}

fn rest(object: &mut Object, profile: &Profile, seen: &Seen) {
    let is_closed = seen.closed.is_some();
    match profile.shape {
        Shape::WrongTypes => {
            object.text("active", &profile.active.to_string()).text("negRisk", &profile.neg_risk.to_string());
            object.text("closed", &is_closed.to_string());
        }
        shape => {
            object.raw("active", profile.active).raw("closed", is_closed);
            if shape == Shape::Full {
                object.raw("negRisk", profile.neg_risk);
            }
        }
    }
    object.raw("negRiskOther", false).raw("acceptingOrders", !is_closed);
    for name in ["archived", "new", "featured", "cyom", "ready", "funded", "deploying", "rfqEnabled", "showGmpSeries"] {
        object.raw(name, false);
    }
    for name in ["restricted", "approved", "enableOrderBook", "feesEnabled", "hasReviewedDates", "automaticallyActive"]
    {
        object.raw(name, true);
    }
    object.raw("clearBookOnStart", false).raw("manualActivation", false).raw("pagerDutyNotificationEnabled", false);
}

/// The event that counts, and now and then another one.
fn events(profile: &Profile, seen: &Seen) -> String {
    let mut events = vec![event(&profile.event, profile, seen)];
    if profile.id.is_multiple_of(8) {
        let second = EventWords {
            id: 77,
            slug: "second".into(),
            title: "Not the first event".into(),
            tags: vec!["Nobody's".into()],
        };
        events.push(event(&second, profile, seen));
    }
    format!("[{}]", events.join(","))
}

fn event(event: &EventWords, profile: &Profile, seen: &Seen) -> String {
    let mut object = Object::new(profile.ascii);
    match profile.shape {
        Shape::WrongTypes => object.raw("id", event.id),
        _ => object.text("id", &event.id.to_string()),
    };
    object.text("ticker", &event.slug).text("slug", &event.slug).text("title", &event.title);
    object.raw("subtitle", "null").text("resolutionSource", "").text("image", PICTURE).text("icon", PICTURE);
    object.raw("active", true).raw("closed", false).raw("archived", false).raw("new", false).raw("featured", false);
    object.raw("restricted", true).raw("volume", six_places(seen.volume)).raw("openInterest", 0);
    object.raw("enableOrderBook", true).raw("negRisk", profile.neg_risk).raw("negRiskAugmented", false);
    object.raw("commentCount", 575).raw("tags", tags(&event.tags, profile)).raw("parentEventId", "null");
    object.end()
}

/// Objects, or plain texts.
fn tags(labels: &[String], profile: &Profile) -> String {
    let tag = |label: &String| {
        if profile.id % 6 == 5 {
            return quoted(label, profile.ascii);
        }
        let mut object = Object::new(profile.ascii);
        object.text("id", &label.len().to_string()).text("label", label).text("slug", "tag").raw("forceShow", false);
        object.end()
    };
    format!("[{}]", labels.iter().map(tag).collect::<Vec<_>>().join(","))
}

pub(in crate::demo) fn six_places(micros: u64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

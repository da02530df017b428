//! Markets from Gamma to the table, as far as a handful of them shows it.

use polytape::demo::Faults;
use polytape::model::{Collateral, derive_token_id};
use serde_json::{Value, json};

use crate::support::logs::{Sell, lines};
use crate::support::process::{Running, until};
use crate::support::tables::{compare_whole, dead_letters};
use crate::support::written::{FIRST, SOON, UNTIL_CAUGHT_UP, Written, condition, market, token};

const OPEN: (&str, &str) = ("closed", "false");

fn closed(number: u8) -> Value {
    let mut market = market(number, number);
    market["closed"] = json!(true);
    market["closedTime"] = json!("2026-07-24 22:00:00+00");
    market
}

fn versions(written: &Written) -> Vec<String> {
    written.column("markets", "version", "id")
}

/// Waits until all listings have been read some times more.
fn until_read_again(written: &Written) {
    let listing = [OPEN, ("order", "updatedAt")];
    let before = written.catalogue.asked(&listing);
    until(SOON, "it is read again", || written.catalogue.asked(&listing) > before + 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_market_and_one_bad_log_harm_nobody() {
    let good = [Sell::of(token(1), FIRST, 1), Sell::of(token(2), FIRST, 3)];
    let mut bad = Sell::of(token(1), FIRST, 2).log();
    bad["data"] = json!("0x00");
    let logs = format!("{}{bad}\n{}", lines(&good[..1]), lines(&good[1..]));
    let written = Written::with(&logs, [market(1, 0), market(2, 1), market(3, 2)], "active").await;
    let rubbish = [json!(null), json!({ "question": "Who am I?" }), json!(["x"])];
    written.catalogue.rubbish.lock().extend(rubbish.clone());
    written.read();
    assert_eq!(written.column("markets", "id", "id"), ["1001", "1002", "1003"]);
    assert_eq!(written.column("trades", "market_id", "block_number, log_index")[..2], ["1001", "1002"]);

    let letters = dead_letters(&written.place.store().unwrap());
    let of = |source: &str| {
        letters.iter().filter(|letter| letter.source == source).map(|letter| letter.raw.clone()).collect()
    };
    let texts = |mut raw: Vec<Vec<u8>>| {
        raw.sort();
        raw.into_iter().map(|raw| String::from_utf8(raw).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(texts(of("polygon")), [bad.to_string()]);
    let mut expected = rubbish.map(|item| item.to_string());
    expected.sort();
    assert_eq!(texts(of("gamma")), expected);
    let reasons = written.column("dead_letters", "reason", "reason");
    for words in ["a market without an id", "not an object: "] {
        assert!(reasons.iter().any(|reason| reason.starts_with(words)), "{words} is not in {reasons:?}");
    }
    written.read();
    assert_eq!(written.place.count("dead_letters"), 4, "they are not there twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_market_is_written_again_when_something_lasting_changed() {
    let written = Written::new(&[], [market(1, 0), market(2, 1)]).await;
    let running = written.place.start(&["--no-tui"]);
    until(SOON, "both are there", || versions(&written).len() == 2);
    let before = versions(&written);
    for (volume, time) in [("5", "2026-07-24T23:30:05Z"), ("6", "2026-07-24T23:30:06Z")] {
        written.catalogue.set("1001", "volume", json!(volume));
        written.catalogue.set("1001", "updatedAt", json!(time));
        until_read_again(&written);
    }
    assert_eq!(versions(&written), before, "its volume is no reason");
    written.catalogue.set("1001", "question", json!("Another?"));
    until(SOON, "it is written again", || versions(&written) != before);
    assert_eq!(written.column("markets", "question", "id"), ["Another?", "Question 2?"]);
    assert_eq!(written.column("markets", "volume", "id")[0], "6");
    assert_eq!(versions(&written)[1], before[1], "the other is not");
    running.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_market_that_is_closed_while_nobody_looks_is_noticed() {
    let written = Written::new(&[], [market(1, 0), market(2, 1)]).await;
    let running = written.place.start(&["--no-tui"]);
    until(SOON, "both are there", || versions(&written).len() == 2);
    running.kill();
    for (field, value) in [("closed", json!(true)), ("updatedAt", json!("2026-07-25T01:00:00Z"))] {
        written.catalogue.set("1002", field, value);
    }
    written.read();
    assert_eq!(written.column("markets", "closed", "id"), ["0", "1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_closed_ones_of_the_past_are_read_where_they_are_wanted() {
    let markets = || (1..=9).map(closed).chain([market(20, 0)]);
    // Those that were closed lately belong to the open ones, and these were closed at the same time as all the rest.
    let only_open = Written::with(
        "",
        markets().map(|mut market| {
            if market["closed"] == true {
                market["updatedAt"] = json!("2026-01-01T00:00:00Z");
            }
            market
        }),
        "active",
    )
    .await;
    only_open.read();
    let found = only_open.column("markets", "id", "id");
    assert!(
        found.len() <= 3 && found.contains(&"1020".to_owned()),
        "the page on which a walk ends, no more: {found:?}"
    );

    let all = Written::with("", markets(), "all").await;
    all.read();
    assert_eq!(all.place.count("markets"), 10);
    let listing = [("closed", "true"), ("order", "id")];
    let pages = all.catalogue.asked(&listing);
    all.read();
    assert_eq!(all.catalogue.asked(&listing), pages, "once is enough for a day");
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_the_past_goes_on_where_it_was() {
    let written = Written::with("", (1..=60).map(closed), "all").await;
    let listing = [("closed", "true"), ("order", "id")];
    let running = written.place.start(&["--no-tui"]);
    until(SOON, "some of it is read", || written.catalogue.asked(&listing) > 8);
    running.kill();
    let before = written.catalogue.asked(&listing);
    written.read();
    assert_eq!(written.place.count("markets"), 60);
    let pages = written.catalogue.asked(&listing);
    // Thirty in all; the page in hand and the one behind it may be asked for again.
    assert!(before < 30 && pages <= 33, "{pages} pages, {before} of them before the kill");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_claimed_against_the_condition_is_refused() {
    let mut liar = market(3, 0);
    liar["clobTokenIds"] = json!([token(1).to_string(), token(2).to_string()]);
    let mut silent = market(4, 0);
    silent["conditionId"] = json!("");
    silent["clobTokenIds"] = json!([token(5).to_string()]);
    let sells = [1, 2, 5].map(|number| Sell::of(token(number), FIRST, u64::from(number)));
    let written = Written::new(&sells, [liar, silent]).await;
    written.read();
    let found = written.column("trades", "version || ' ' || market_id", "block_number, log_index");
    assert_eq!(found[..3], ["0 ", "0 ", "0 "], "nor is a claim that nothing proves believed");
    let tokens = written.column("markets", "token_ids", "id");
    assert!(
        tokens[0].contains(&token(3).to_string()),
        "its own tokens follow from its condition {}: {tokens:?}",
        condition(3)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gamma_that_is_away_holds_up_no_fill_and_is_named() {
    let written = Written::new(&[Sell::of(token(1), FIRST, 1)], []).await;
    let mut command = written.place.command(&["--no-tui", "--until-caught-up", "--timeout", "2s"]);
    command.env("POLYTAPE_SOURCES__GAMMA__URL", "http://127.0.0.1:1");
    let output = tempfile::TempDir::new().unwrap();
    let ended = Running::start(command, output.path()).wait(SOON);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let complaint = ended.stderr.lines().last().unwrap();
    for words in
        ["no progress for 2s on the way to the end of the open markets", "2 stages wait for 127.0.0.1:1: connection"]
    {
        assert!(complaint.contains(words), "{words} is not in {complaint}");
    }
    assert_eq!(written.column("trades", "version", "block_number")[0], "0", "the fill has landed");
}

/// On a first run the catalogue takes an hour; what is on the tape shall have a name long before.
#[tokio::test(flavor = "multi_thread")]
async fn names_do_not_wait_for_the_catalogue() {
    let many =
        (0..2_000).map(|number| json!({ "id": format!("{}", 5_000 + number), "createdAt": "2026-07-24T22:30:00Z" }));
    let mut traded = market(7, 23);
    traded["clobTokenIds"] =
        json!([token(7).to_string(), derive_token_id(condition(7), 1, Collateral::UsdcE).to_string()]);
    let written = Written::new(&[Sell::of(token(7), FIRST, 1)], many.chain([traded])).await;
    let mut command = written.place.command(&["--no-tui"]);
    command.env("POLYTAPE_SOURCES__GAMMA__MAX_RATE", "20");
    let output = tempfile::TempDir::new().unwrap();
    let running = Running::start(command, output.path());
    let market = || written.column("trades", "market_id", "block_number").first().cloned().unwrap_or_default();
    until(SOON, "the fill has its market", || market() == "1007");
    let read = written.place.count("markets");
    assert!(read < 1_000, "a part of the catalogue was enough: {read} of 2,001");
    running.kill();
}

/// Nothing but the order of its listings tells what is new: where they have none, everything open is read again.
#[tokio::test(flavor = "multi_thread")]
async fn a_gamma_that_does_not_sort_is_read_as_a_whole() {
    let world = crate::cli::world(8, 400);
    let server = crate::cli::serve(&world).await;
    server.faults().set(Faults { ignore_order: true, ..Faults::default() });
    let end = server.head();
    server.freeze_at(end);
    let place = crate::cli::place(&server.url());
    let mut command = place.command(&UNTIL_CAUGHT_UP);
    command.env("POLYTAPE_SOURCES__GAMMA__SCAN", "all");
    let output = tempfile::TempDir::new().unwrap();
    let ended = Running::start(command, output.path()).wait(SOON);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("does not sort by Updated"), "{}", ended.stderr);
    let blocks = world.config().first_block..=world.finalized(end);
    let difference = compare_whole(&place.store().unwrap(), &world, blocks, end);
    assert!(difference.is_none(), "{difference:#?}");
}

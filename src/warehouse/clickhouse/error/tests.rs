use super::super::codes::CODES;
use super::*;

/// Every code that does not pass by waiting, with its name, its class and whether less of it may pass.
const GOLDEN: &str = include_str!("classes.golden");

fn exception(text: &str) -> ClickhouseError {
    ClickhouseError::of_read("http://h:1", clickhouse::error::Error::BadResponse(text.into()), Duration::ZERO)
}

fn line(code: u32) -> Option<String> {
    let error = exception(&format!("Code: {code}. DB::Exception: x. (X) (version 26.9.2.1)"));
    assert_eq!(error.code(), Some(code));
    let alone = if error.refuses_rows() {
        "rows"
    } else if error.refuses_size() {
        "size"
    } else if error.asks_for_less() {
        "room"
    } else {
        "-"
    };
    let class = error.class();
    let is_passing = class == FailureClass::Retry && !error.asks_for_less();
    let name = CODES.iter().find(|(known, ..)| *known == code).map_or("?", |(_, name, _)| name);
    (!is_passing).then(|| format!("{code} {name} {class:?} {alone}\n"))
}

#[test]
fn every_code_has_its_class_and_the_list_is_closed() {
    let found: String = (0..2_000).filter_map(line).collect();
    assert_eq!(found, GOLDEN);
    for passing in [3, 40, 107, 115, 159, 164, 202, 203, 209, 210, 242, 243, 252, 285, 319, 425, 452, 999, 1002, 77_777]
    {
        assert_eq!(line(passing), None, "{passing}");
    }
}

#[test]
fn a_statement_that_is_too_long_is_no_wrong_statement() {
    let error = exception(
        "Code: 62. DB::Exception: Max query size exceeded (can be increased with the setting): '7'. (SYNTAX_ERROR)",
    );
    assert!(error.refuses_size() && error.asks_for_less() && error.class() == FailureClass::Retry, "{error}");
    let error = exception("Code: 62. DB::Exception: Syntax error: failed at position 1. (SYNTAX_ERROR)");
    assert!(!error.asks_for_less() && error.class() == FailureClass::Deterministic, "{error}");
}

#[test]
fn what_is_not_clickhouses_is_asked_again_whatever_its_status() {
    for page in [
        "404 Not Found",
        "401 Unauthorized",
        "503 Service Unavailable",
        "<html><h1>404</h1></html>",
        "{\"error\":\"Code: 60. DB::Exception\"}",
        "Code: 60 apples",
        "",
    ] {
        let error = exception(page);
        assert_eq!((error.class(), error.code(), error.asks_for_less()), (FailureClass::Retry, None, false), "{error}");
    }
    for page in ["413 Payload Too Large", "<html>\r\n<head><title>413 Request Entity Too Large</title></head>"] {
        let error = exception(page);
        assert!(error.asks_for_less() && error.refuses_size(), "{error}");
    }
    let garbled = ClickhouseError::of_read("", clickhouse::error::Error::NotEnoughData, Duration::ZERO);
    assert_eq!(garbled.class(), FailureClass::Retry);
    let unusable = ClickhouseError::of_read("", clickhouse::error::Error::InvalidParams("x".into()), Duration::ZERO);
    assert_eq!(unusable.class(), FailureClass::Deterministic);
}

#[test]
fn less_is_sent_to_what_breaks_off_in_the_middle_and_not_to_what_is_away() {
    let network =
        |is_cut| ClickhouseError::Network { at: String::new(), text: String::new(), is_cut, is_no_tls: false };
    assert!(network(true).asks_for_less() && !network(true).refuses_size());
    assert!(!network(false).asks_for_less());
}

#[test]
fn an_exception_is_one_line() {
    let error = exception("Code: 60. DB::Exception: Unknown table\n'trades'. (UNKNOWN_TABLE) (version 26.9.2.1)");
    let expected = "ClickHouse at http://h:1: Unknown table 'trades'. (UNKNOWN_TABLE); \
                    polytape schema apply makes what is missing";
    assert_eq!(error.to_string(), expected);
    assert!(exception(&"ä".repeat(5_000)).to_string().len() < 1_200);
    let page = exception("<p>\u{1b}[31mred\u{7}</p>").to_string();
    assert!(page.ends_with("<p> [31mred </p>"), "{page}");
}

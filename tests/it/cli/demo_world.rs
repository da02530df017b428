//! `polytape demo-world`: the outside alone, for whoever wants to try polytape against it.

use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{SOON, UNTIL_CAUGHT_UP, run};
use crate::support::process::{Running, Workplace, bare_command, until};
use crate::support::tables::trades;

#[tokio::test(flavor = "multi_thread")]
async fn is_read_with_the_configuration_that_it_prints() {
    let output = TempDir::new().unwrap();
    let mut command = bare_command();
    command.args(["demo-world", "--port", "0", "--seed", "7", "--rate", "200"]);
    let world = Running::start(command, output.path());
    until(SOON, "it says where it is", || world.stdout().contains("data_api.url"));
    let config = world.stdout();
    let url = config.lines().find_map(|line| line.strip_prefix("gamma.url = ")).unwrap().trim_matches('"').to_owned();

    let client = reqwest::Client::new();
    let get = async |path: &str| -> Value {
        let text = client.get(format!("{url}{path}")).send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap()
    };
    let about = get("/demo").await;
    assert_eq!((&about["seed"], &about["faulted"]), (&json!(7), &json!(0)));
    let faults = r#"{"rates": {"server_error": 0.2, "stale": 0.1}}"#;
    let put = client.put(format!("{url}/demo/faults")).body(faults).send().await.unwrap();
    assert!(put.status().is_success());
    assert_eq!(get("/demo/faults").await["rates"], json!({ "server_error": 0.2, "stale": 0.1 }));
    let wrong = client.put(format!("{url}/demo/faults")).body(r#"{"rate": 1}"#).send().await.unwrap();
    assert_eq!(wrong.status().as_u16(), 400);

    let place = Workplace::new(&config);
    let mut command = place.command(&UNTIL_CAUGHT_UP);
    command.env("POLYTAPE_PIPELINE__START", "20s").env("POLYTAPE_STORAGE__MIN_FREE", "0B");
    let output = TempDir::new().unwrap();
    Running::start(command, output.path()).wait(Duration::from_secs(60)).succeeded();
    assert!(get("/demo").await["faulted"].as_u64() > Some(0), "the faults were on");

    let found = trades(&place.store().unwrap());
    let (first, last) =
        (found.iter().map(|row| row.block_number).min(), found.iter().map(|row| row.block_number).max());
    let truth = get(&format!("/demo/truth?from={}&to={}", first.unwrap(), last.unwrap())).await;
    let of_chain =
        |row: &Value| (row["transaction_hash"].as_str().unwrap().to_owned(), row["log_index"].as_i64().unwrap());
    let mut expected: Vec<_> = truth["trades"].as_array().unwrap().iter().map(of_chain).collect();
    expected.sort();
    let mut found: Vec<_> = found.into_iter().map(|row| (row.transaction_hash, row.log_index)).collect();
    found.sort();
    assert_eq!(found, expected);
    world.terminate();
    world.wait(SOON).succeeded();
}

#[test]
fn a_port_that_is_taken_is_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let mut command = bare_command();
    command.args(["demo-world", "--port", &port]);
    run(command).failed_with(1, &["the demo world cannot be served on 127.0.0.1", "in use"]);
}

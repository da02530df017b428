//! Where something is told over HTTP, and by which names it may be asked for.

use std::net::SocketAddr;

use serde::{Deserialize, Deserializer, de::Error};

use super::{address::host_and_port, given::Given};

/// An address with a port to listen at; empty for none.
pub(crate) fn listen<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    const EXPECTED: &str = "an IP address and a port are expected, as in \"127.0.0.1:9464\", or \"\" for nowhere";
    let given: String = Given::deserialize(deserializer)?.text(EXPECTED)?;
    let text = given.trim().replace("localhost:", "127.0.0.1:");
    if text.is_empty() || text.parse::<SocketAddr>().is_ok() {
        return Ok(text);
    }
    Err(D::Error::custom(format!("{} is no address to listen at: {EXPECTED}", Given::Text(given))))
}

/// Names of hosts.
pub(crate) fn hosts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    const EXPECTED: &str = "a list of host names is expected: [\"tape.example.com\"]";
    let given = Vec::<String>::deserialize(deserializer).map_err(|_| D::Error::custom(EXPECTED))?;
    let host = |text: &String| match host_and_port(text.trim()) {
        Some((host, None)) => Ok(host.to_ascii_lowercase()),
        _ => Err(D::Error::custom(format!("{} is no host name: {EXPECTED}", Given::Text(text.clone())))),
    };
    given.iter().map(host).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Section {
        #[serde(deserialize_with = "listen", default)]
        listen: String,
        #[serde(deserialize_with = "hosts", default)]
        hosts: Vec<String>,
    }

    #[test]
    fn an_address_has_a_port_and_a_host_has_none() {
        for (text, expected) in [
            ("127.0.0.1:9464", "127.0.0.1:9464"),
            ("localhost:9464", "127.0.0.1:9464"),
            ("[::]:9464", "[::]:9464"),
            (" ", ""),
        ] {
            assert_eq!(toml::from_str::<Section>(&format!("listen = {text:?}")).unwrap().listen, expected);
        }
        let section: Section = toml::from_str("hosts = [\"Tape.example.com\"]").unwrap();
        assert_eq!(section.hosts, ["tape.example.com"]);
        for wrong in [
            "listen = \"9464\"",
            "listen = 9464",
            "listen = \"tape:9464\"",
            "hosts = \"a\"",
            "hosts = [\"a:1\"]",
            "hosts = [\"\"]",
        ] {
            let error = toml::from_str::<Section>(wrong).unwrap_err().to_string();
            assert!(error.contains("expected"), "{wrong}: {error}");
        }
    }
}

//! Who runs an endpoint. Two URLs of one operator are one opinion: behind them stand the same nodes.

use std::net::IpAddr;

use reqwest::Url;

/// Second-level labels under which names are registered, as in `co.uk`.
const REGISTRIES: [&str; 7] = ["ac", "co", "com", "edu", "gov", "net", "org"];

/// The operator of a URL: the registrable part of its host's name. An address that is no name is its own operator, with its
/// port: behind two ports of one machine two nodes listen, or two tunnels end.
pub(super) fn of(url: &Url) -> String {
    let host = url.host_str().unwrap_or("?").trim_end_matches('.').to_ascii_lowercase();
    let is_address = host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    let labels: Vec<&str> = host.split('.').collect();
    if is_address || labels.len() < 2 {
        return format!("{host}:{}", url.port_or_known_default().unwrap_or_default());
    }
    let country = labels.last().is_some_and(|last| last.len() == 2);
    let registry = labels.iter().rev().nth(1).is_some_and(|second| REGISTRIES.contains(second));
    let kept = if country && registry { 3 } else { 2 };
    labels[labels.len().saturating_sub(kept)..].join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_is_a_registrable_name() {
        let operator = |url: &str| of(&Url::parse(url).unwrap());
        assert_eq!(operator("https://polygon.drpc.org/v2/key"), "drpc.org");
        assert_eq!(operator("https://lb.drpc.org:8443"), "drpc.org");
        assert_eq!(operator("https://tenderly.rpc.polygon.community"), "polygon.community");
        assert_eq!(operator("https://a.node.co.uk"), "node.co.uk");
        assert_eq!(operator("http://127.0.0.1:8545/node/1"), operator("http://127.0.0.1:8545/node/2"));
        assert_ne!(operator("http://127.0.0.1:8545"), operator("http://127.0.0.1:8546"));
        assert_ne!(operator("http://[::1]:1"), operator("http://localhost:1"));
    }
}

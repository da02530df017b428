//! The variables that Kubernetes and Docker put into every container for each service beside it: of a service `redis`
//! `REDIS_PORT=tcp://10.0.0.11:6379`, `REDIS_SERVICE_HOST`, `REDIS_PORT_6379_TCP_ADDR` and more. Nobody has written them.

/// Where a service is, by its `…_PORT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServiceLink {
    pub(super) host: String,
    pub(super) port: u16,
}

impl ServiceLink {
    /// What `tcp://host:port` says.
    pub(super) fn of(text: &str) -> Option<Self> {
        let (host, port) = text.trim().strip_prefix("tcp://")?.rsplit_once(':')?;
        let is_host = !host.is_empty() && !host.contains(['/', '@', '?', '#']);
        Some(Self { host: host.to_owned(), port: port.parse().ok().filter(|_| is_host)? })
    }

    /// Whether a host is this service: by its address, or by its name, as in `redis.default.svc`.
    pub(super) fn is_at(&self, host: &str, service: &str) -> bool {
        let name = host.split('.').next().unwrap_or_default();
        host == self.host || name.eq_ignore_ascii_case(service)
    }
}

/// Whether a variable is one of these, of whatever service.
pub(super) fn is_link(name: &str, value: &str) -> bool {
    let is_url = |value: &str| ["tcp://", "udp://", "sctp://"].iter().any(|scheme| value.starts_with(scheme));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // `…_PORT_6379_TCP`, and with _PROTO, _PORT or _ADDR behind it.
    let names_a_port = name.match_indices("_PORT_").any(|(at, word)| {
        let mut parts = name[at + word.len()..].split('_');
        parts.next().is_some_and(is_number) && matches!(parts.next(), Some("TCP" | "UDP" | "SCTP"))
    });
    names_a_port
        || name.ends_with("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || (name.ends_with("_PORT") && is_url(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_told_from_what_somebody_wrote() {
        for (name, value) in [
            ("POLYTAPE_PORT", "tcp://10.0.0.1:9464"),
            ("POLYTAPE_REDIS_SERVICE_HOST", "10.0.0.1"),
            ("POLYTAPE_REDIS_SERVICE_PORT_REDIS", "6379"),
            ("POLYTAPE_REDIS_PORT_6379_TCP", "tcp://10.0.0.1:6379"),
            ("POLYTAPE_REDIS_PORT_6379_TCP_ADDR", "10.0.0.1"),
        ] {
            assert!(is_link(name, value), "{name}");
        }
        for (name, value) in [("REDIS_PORT", "6379"), ("REDIS_HOST", "tcp://a:1"), ("POLYTAPE_WRITER__MAX_ROWS", "5")] {
            assert!(!is_link(name, value), "{name}");
        }
    }

    #[test]
    fn a_link_says_where_a_service_is() {
        let link = ServiceLink::of("tcp://10.0.0.11:6380\n").unwrap();
        assert_eq!((link.host.as_str(), link.port), ("10.0.0.11", 6380));
        for (host, expected) in [("10.0.0.11", true), ("redis", true), ("redis.apps.svc", true), ("other", false)] {
            assert_eq!(link.is_at(host, "redis"), expected, "{host}");
        }
        for text in ["6379", "tcp://h", "tcp://:1", "tcp://h:x", "udp://h:1", "tcp://u@h:1"] {
            assert_eq!(ServiceLink::of(text), None, "{text}");
        }
    }
}

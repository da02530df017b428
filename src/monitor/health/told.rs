//! Alerts as events of the log: each is told when it begins and when it is over.

use std::collections::BTreeMap;

use crate::monitor::{Severity, Snapshot};

/// Which alerts were told, by rule and subject.
#[derive(Debug, Default)]
pub(in crate::monitor) struct Told(BTreeMap<(String, String), String>);

impl Told {
    /// Logs what began and what ended since the last time. What is only good to know is not told.
    pub(in crate::monitor) fn tell(&mut self, now: &Snapshot) {
        let mut firing = BTreeMap::new();
        for alert in now.alerts.iter().filter(|alert| alert.severity > Severity::Info) {
            let key = (alert.rule.clone(), alert.subject.clone());
            if !self.0.contains_key(&key) {
                tracing::warn!(rule = alert.rule, subject = alert.subject, "{}", alert.text);
            }
            firing.insert(key, alert.text.clone());
        }
        for (key, text) in self.0.iter().filter(|(key, _)| !firing.contains_key(*key)) {
            tracing::info!(rule = key.0, subject = key.1, "over: {text}");
        }
        self.0 = firing;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::sample;

    #[test]
    fn an_alert_is_told_once_and_forgotten_when_it_is_over() {
        let mut told = Told::default();
        told.tell(&sample::warning());
        assert_eq!(told.0.len(), 1, "what is only good to know is not told");
        let before = told.0.clone();
        told.tell(&sample::warning());
        assert_eq!(told.0, before);
        told.tell(&sample::healthy());
        assert!(told.0.is_empty());
    }
}

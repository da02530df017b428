//! Alerts as log events: one when an alert fires, one when it is resolved.

use std::collections::BTreeMap;

use crate::monitor::snapshot::{Severity, Snapshot};

/// The alerts that fire, by rule and subject.
#[derive(Debug, Default)]
pub(in crate::monitor) struct Fired(BTreeMap<(String, String), String>);

impl Fired {
    /// Logs what fired and what was resolved since the last call. Alerts that only inform are not logged.
    pub(in crate::monitor) fn log(&mut self, now: &Snapshot) {
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
    fn an_alert_is_logged_once_and_forgotten_when_it_is_resolved() {
        let mut fired = Fired::default();
        fired.log(&sample::warning());
        assert_eq!(fired.0.len(), 1, "alerts that only inform are not logged");
        let before = fired.0.clone();
        fired.log(&sample::warning());
        assert_eq!(fired.0, before);
        fired.log(&sample::healthy());
        assert!(fired.0.is_empty());
    }
}

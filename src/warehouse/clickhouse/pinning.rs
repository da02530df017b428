//! When the pins are asked for: what they are holds for a while, and for the connections over which something went before.
//!
//! A server may be replaced by a newer one under a running process, which may accept an older one's pins and do nothing by them. Its
//! connections are new ones.

use std::time::{Duration, Instant};
use std::{collections::HashSet, net::SocketAddr, sync::Arc};

use parking_lot::Mutex;

use super::clients::{Clients, OUTSIDE, READ};
use super::pins::{self, Kind, Pins};
use super::{codes::refuses_settings, error::ClickhouseError, error::Result, post::Parameter};

const SETTINGS: &str = include_str!("../../../schema/clickhouse/queries/settings.sql");

/// A read whose result was to be kept and cannot be.
const NOT_CACHED: u32 = 719;

const UNREADABLE: &str = "system.settings cannot be read under the limits of the user's profile";

/// How long they hold without being asked for again.
const HOLDS: Duration = Duration::from_secs(30);

/// Connections that are remembered; when there are more it begins anew.
const MOST: usize = 256;

/// The pins, as they were reported last. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Pinning(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    reported: Option<(Instant, Arc<Pins>)>,
    /// Whether something has happened since that makes them doubtful.
    is_doubtful: bool,
    /// Those that were there when the pins were asked for.
    connections: HashSet<SocketAddr>,
}

impl Pinning {
    /// The pins, where they still hold.
    fn get(&self) -> Option<Arc<Pins>> {
        let state = self.0.lock();
        let reported = state.reported.as_ref().filter(|(at, _)| !state.is_doubtful && at.elapsed() < HOLDS);
        reported.map(|(_, pins)| Arc::clone(pins))
    }

    /// They were reported.
    fn set(&self, pins: Pins) -> Arc<Pins> {
        let mut state = self.0.lock();
        let pins = match &state.reported {
            Some((_, known)) if **known == pins => Arc::clone(known),
            _ => {
                state.connections.clear();
                Arc::new(pins)
            }
        };
        (state.reported, state.is_doubtful) = (Some((Instant::now(), Arc::clone(&pins))), false);
        pins
    }

    /// They have to be asked for again.
    pub(super) fn doubt(&self) {
        self.0.lock().is_doubtful = true;
    }

    /// Whether they were asked for since this connection is there.
    pub(super) fn has_seen(&self, connection: SocketAddr) -> bool {
        self.0.lock().connections.contains(&connection)
    }

    /// They were asked for since this connection is there.
    pub(super) fn see(&self, connection: SocketAddr) {
        let mut state = self.0.lock();
        if state.connections.len() >= MOST {
            state.connections.clear();
        }
        state.connections.insert(connection);
    }

    /// What a statement of this kind is sent with, unless that cannot make it mean what it must.
    pub(super) async fn pins(&self, clients: &Clients, kind: Kind) -> Result<Arc<Pins>> {
        let pins = match self.get() {
            Some(pins) => pins,
            None => self.ask(clients).await?,
        };
        // A user whose writes would go wrong is of no use for reads.
        let faults = pins.faults(if kind == Kind::Define { kind } else { Kind::Write });
        if faults.is_empty() {
            return Ok(pins);
        }
        // Somebody may have changed it when this is asked again.
        self.doubt();
        Err(settings(clients, faults))
    }

    /// Asks the server what it knows and lets be set. Where the profile keeps the question from being answered whole, it must let
    /// those settings be set that do.
    pub(super) async fn ask(&self, clients: &Clients) -> Result<Arc<Pins>> {
        let mut with = pins::FOR_ASKING.to_vec();
        loop {
            let error = match self.ask_with(clients, &with).await {
                Err(error) => error,
                reported => return reported,
            };
            if error.refuses_settings() && !with.is_empty() {
                let (text, before) = (error.to_string(), with.len());
                with.retain(|(name, _)| !text.contains(name));
                if with.len() == before {
                    with.clear();
                }
            } else if error.code().is_some() && error.asks_for_less() || error.code() == Some(NOT_CACHED) {
                let why = match error {
                    ClickhouseError::Exception { text, .. } => text,
                    error => error.to_string(),
                };
                return Err(settings(clients, vec![format!("{UNREADABLE}: {why}")]));
            } else {
                return Err(clients.port.explained(error).await);
            }
        }
    }

    async fn ask_with(&self, clients: &Clients, parameters: &[Parameter<'_>]) -> Result<Arc<Pins>> {
        let sql = clients.query_outside(SETTINGS).bind(pins::names()).text().map_err(|text| clients.unusable(&text))?;
        let parameters = [&[("database", OUTSIDE)], parameters].concat();
        let answer = clients.post()?.statement(&parameters, sql, READ).await?;
        let (at, text) = (clients.address(), answer.text(&clients.address())?);
        if text.is_empty() {
            return Err(settings(clients, vec![format!("{UNREADABLE}: its offset leaves no row")]));
        }
        let reported =
            Pins::read(&text).ok_or_else(|| ClickhouseError::of_answer(at, Some(answer.status), None, &text))?;
        clients.port.has_answered();
        let pins = self.set(reported);
        answer.connection.into_iter().for_each(|connection| self.see(connection));
        Ok(pins)
    }

    /// An error that may come of another server, or was reported twice. A setting that is refused twice is refused for good.
    pub(super) fn doubted(&self, clients: &Clients, error: ClickhouseError) -> ClickhouseError {
        if error.refuses_settings() || error.code().is_none() {
            self.doubt();
        }
        match error {
            ClickhouseError::Exception { code, text, .. } if refuses_settings(code) => {
                settings(clients, vec![format!("{text}: take the constraint away that the user's profile has on it")])
            }
            error => error,
        }
    }
}

fn settings(clients: &Clients, faults: Vec<String>) -> ClickhouseError {
    ClickhouseError::Settings { at: clients.address(), user: clients.config().user.clone(), faults }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_hold_until_they_are_doubtful_and_connections_until_they_change() {
        let pins = |value: &str| Pins::read(&format!(r#"[["final","{value}",0,"",""]]"#)).unwrap();
        let (pinning, connection) = (Pinning::default(), SocketAddr::from(([127, 0, 0, 1], 7)));
        assert_eq!(pinning.get(), None);
        pinning.set(pins("0"));
        pinning.see(connection);
        assert_eq!(pinning.get().as_deref(), Some(&pins("0")));
        pinning.doubt();
        assert_eq!(pinning.get(), None);
        pinning.set(pins("0"));
        assert!(pinning.get().is_some() && pinning.has_seen(connection));
        pinning.set(pins("1"));
        assert!(!pinning.has_seen(connection), "another server's");
    }
}

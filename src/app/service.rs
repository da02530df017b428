//! A process that a service manager has started: it is told when it is ready, how it goes, and that it works.
//!
//! All of it is nothing where `NOTIFY_SOCKET` names no socket.

use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use crate::control::{Observer, Watchdog};
use crate::monitor::{Severity, Snapshot, State};

/// How long a start may take beyond what was told, and how often that is told again.
const STARTING: Duration = Duration::from_secs(30);

/// How long the pipeline may take to find out what is asked of its stages, while nothing is known to be away.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often it is told how it goes.
const STATUS: Duration = Duration::from_secs(10);

/// What a service manager sets for this process, and no child of it may have.
const OWN: [&str; 3] = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"];

/// Whether a service manager has started this process and waits for word.
pub(crate) fn is_managed() -> bool {
    std::env::var_os(OWN[0]).is_some_and(|socket| !socket.is_empty())
}

/// Takes from a child what is meant for this process.
pub(crate) fn keep_from(child: &mut Command) {
    for name in OWN {
        child.env_remove(name);
    }
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = send(states) {
        tracing::debug!("the service manager cannot be told: {error}");
    }
}

/// The socket of systemd in a container, and of podman, may have an abstract name, which sd-notify takes for a path.
fn send(states: &[NotifyState<'_>]) -> io::Result<()> {
    let socket = std::env::var_os(OWN[0]).unwrap_or_default();
    let Some(name) = socket.as_bytes().strip_prefix(b"@") else { return sd_notify::notify(states) };
    let text: String = states.iter().map(|state| format!("{state}\n")).collect();
    let sender = UnixDatagram::unbound()?;
    sender.connect_addr(&SocketAddr::from_abstract_name(name)?)?;
    sender.send(text.as_bytes()).map(|_| ())
}

/// While what is there is made ready: that it goes on.
pub(crate) struct Starting {
    _telling: Option<AbortOnDropHandle<()>>,
}

impl Starting {
    /// Begins to tell. It ends when it is dropped.
    pub(crate) fn begin() -> Self {
        let telling = is_managed().then(|| {
            AbortOnDropHandle::new(tokio::spawn(async {
                loop {
                    let micros = u32::try_from(STARTING.as_micros()).unwrap_or(u32::MAX);
                    notify(&[NotifyState::ExtendTimeoutUsec(micros)]);
                    tokio::time::sleep(STARTING / 3).await;
                }
            }))
        });
        Self { _telling: telling }
    }
}

/// The watchdog that a service manager has set for this process, if any.
pub(crate) fn watchdog() -> Option<Watchdog> {
    let within = sd_notify::watchdog_enabled()?;
    let tell = Arc::new(|| notify(&[NotifyState::Watchdog]));
    Some(Watchdog { within, tell })
}

/// Tells when it is ready, and from then on how it goes.
pub(crate) fn tell(
    observer: Observer,
    mut snapshots: watch::Receiver<Arc<Snapshot>>,
    starting: Starting,
) -> Option<AbortOnDropHandle<()>> {
    is_managed().then(|| {
        AbortOnDropHandle::new(tokio::spawn(async move {
            until_ready(&observer).await;
            notify(&[NotifyState::Ready]);
            drop(starting);
            loop {
                let text = text(&snapshots.borrow_and_update());
                notify(&[NotifyState::Status(&text)]);
                tokio::time::sleep(STATUS).await;
            }
        }))
    })
}

/// Until it is known what is asked of the stages, for which the tables are there; or until something outside is away: that is
/// waited for by a process that is up.
async fn until_ready(observer: &Observer) {
    let begin = tokio::time::Instant::now();
    while !observer.stages().iter().any(|(_, status)| status.desired.is_some()) {
        if begin.elapsed() > PATIENCE && !observer.outages().is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// How it goes, in a line.
fn text(now: &Snapshot) -> String {
    match now.alerts.first().filter(|alert| alert.severity > Severity::Info) {
        Some(alert) => alert.text.clone(),
        None => {
            let working = now.stages.iter().filter(|stage| matches!(stage.state, State::Run | State::Idle)).count();
            format!("{working} of {} stages work", now.stages.len())
        }
    }
}

/// Tells that it ends.
pub(crate) fn stopping() {
    if is_managed() {
        notify(&[NotifyState::Stopping]);
    }
}

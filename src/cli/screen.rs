//! `run` on a terminal: whether there is to be a screen, how it looks, and what happens when it ends.

use std::io::{self, IsTerminal, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use std::{path::Path, sync::Arc};

use rustix::process::{Pid, getsid, setsid};
use tokio_util::sync::CancellationToken;

use super::error::CliError;
use crate::app::{AppError, Running, caller, service};
use crate::config::{UiCharset, UiConfig, UiTheme};
use crate::tui::{Charset, End, Exits, Keymap, Leave, Parts, Screen, Theme, UiOptions};
use crate::{logs::Logs, sqlite::DataDir};

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Whether there is a terminal that can show a screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TerminalMode {
    /// There is, and nobody wants to do without.
    Yes,
    /// There is none, or nobody wants one.
    No,
    /// There is one that cannot: its `TERM`.
    Unable(String),
}

/// Finds out whether there is to be a screen.
pub(super) fn wanted(without: bool) -> TerminalMode {
    if without || !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        return TerminalMode::No;
    }
    match variable("TERM").unwrap_or_default() {
        term if term.is_empty() || term == "dumb" => TerminalMode::Unable(term),
        _ => TerminalMode::Yes,
    }
}

/// How it looks, by configuration and environment.
pub(super) fn look(ui: &UiConfig) -> Result<UiOptions, CliError> {
    let asked = match ui.theme {
        UiTheme::Ansi => Theme::Ansi,
        UiTheme::Cvd => Theme::Cvd,
        UiTheme::Mono => Theme::Mono,
    };
    let charset = match ui.charset {
        UiCharset::Unicode => Charset::Unicode,
        UiCharset::Ascii => Charset::Ascii,
        UiCharset::Auto => Charset::detect(variable),
    };
    let keymap = if ui.keymap.is_empty() { Keymap::defaults() } else { Keymap::load(Path::new(&ui.keymap))? };
    Ok(UiOptions { theme: Theme::detect(asked, variable), charset, keymap })
}

/// Shows the screen until somebody leaves it or the pipeline is told to stop. Nothing where it ended by itself: the
/// pipeline goes on without.
pub(super) async fn show(
    running: &Running,
    logs: &Arc<Logs>,
    look: UiOptions,
    saved: &Path,
    exits: Exits,
    stop: &CancellationToken,
) -> Option<Leave> {
    // Lines that go elsewhere than to the terminal go on.
    if io::stderr().is_terminal() {
        logs.gate.close();
    }
    let parts = Parts {
        snapshots: running.publisher.snapshots(),
        control: running.pipeline.control().by(caller::here()),
        ring: Arc::clone(&logs.ring),
        saved: saved.to_owned(),
        look,
        exits,
    };
    let mut screen = match Screen::start(parts) {
        Ok(screen) => screen,
        Err(error) => {
            logs.gate.open();
            tracing::error!("the screen cannot be shown, continuing as with --no-tui: {error}");
            return None;
        }
    };
    let ended = tokio::select! {
        ended = screen.ended() => ended,
        () = stop.cancelled() => {
            screen.close().await;
            End::Left(Leave::Stop)
        }
    };
    logs.gate.open();
    match ended {
        End::Left(leave) => {
            // From now on a signal means that it takes too long.
            stop.cancel();
            Some(leave)
        }
        End::HungUp(cause) => {
            tracing::warn!("the screen is gone ({cause}): the pipeline continues without it until SIGTERM");
            None
        }
        End::Failed(cause) => {
            tracing::error!("the screen failed ({cause}): the pipeline continues without it, Ctrl-C ends it");
            None
        }
    }
}

/// Starts polytape again, as it was started, without a screen and in a session of its own. The store is free by now.
pub(super) fn detach(data_dir: &Path, is_told: bool) -> Result<(), CliError> {
    let program = std::env::current_exe().map_err(AppError::Start)?;
    let mut arguments: Vec<_> = std::env::args_os().skip(1).collect();
    if arguments.first().is_none_or(|first| first != "run") {
        arguments.insert(0, "run".into());
    }
    arguments.push("--no-tui".into());
    let mut child = Command::new(program);
    child.args(arguments).env(DETACHED, "1").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    service::keep_from(&mut child);
    let mut child = child.spawn().map_err(AppError::Start)?;
    until_it_has_left(&mut child);
    if let Some(status) = until_it_runs(&mut child, data_dir) {
        return Err(CliError::Detach(status.to_string()));
    }
    // Both look where this process looked, unless it was told where.
    let place = if is_told { format!(" --data-dir {}", data_dir.display()) } else { String::new() };
    let text = format!(
        "polytape continues without a screen, pid {}; come back with `polytape attach{place}`, end it with `polytape stop{place}`\n",
        child.id(),
    );
    let _ = io::stdout().write_all(text.as_bytes());
    Ok(())
}

/// Waits until it has left the session, but not for long. When the process that leads a session ends, its terminal hangs
/// up on who is still there; over `ssh host polytape` that process is this one.
fn until_it_has_left(child: &mut Child) {
    let (pid, begin) = (Pid::from_child(child), Instant::now());
    let is_here = |child: &mut Child| matches!(child.try_wait(), Ok(None)) && getsid(Some(pid)) == getsid(None);
    while is_here(child) && begin.elapsed() < LEAVING {
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until it holds the store, but not for long. How it ended, where it did.
fn until_it_runs(child: &mut Child, data_dir: &Path) -> Option<ExitStatus> {
    let begin = Instant::now();
    while begin.elapsed() < LEAVING {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        if DataDir::holder(data_dir).is_ok_and(|holder| holder == Some(child.id().to_string())) {
            return None;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    None
}

/// How long it may take to leave the session, and to begin.
const LEAVING: Duration = Duration::from_secs(5);

/// Set for the process that goes on.
const DETACHED: &str = "POLYTAPE_DETACHED";

/// Leaves the session of the terminal, where this is the process that goes on without.
pub(super) fn leave_session() {
    if std::env::var_os(DETACHED).is_some() {
        // It fails for who leads a group, and there is nothing to leave then.
        let _ = setsid();
    }
}

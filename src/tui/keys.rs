//! Reads the terminal, on a thread of its own.
//!
//! Where a terminal dies, whoever is reading it turns in a circle and never comes back, until the terminal is taken from
//! under it. So that must not be the thread that draws: it is the one that notices.

use std::io;
use std::thread;

use crossterm::event::{Event, read};
use tokio::sync::mpsc;

/// Events that wait, at most.
const WAITING: usize = 64;

/// Begins to read. It ends with the first event that nobody takes.
pub(super) fn start() -> io::Result<mpsc::Receiver<io::Result<Event>>> {
    let (sender, receiver) = mpsc::channel(WAITING);
    let reading = move || {
        loop {
            let event = read();
            let is_over = event.is_err();
            if sender.blocking_send(event).is_err() || is_over {
                return;
            }
        }
    };
    thread::Builder::new().name("keys".into()).spawn(reading)?;
    Ok(receiver)
}

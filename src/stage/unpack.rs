//! What stands in an entry, for the stage that reads it: its events, and dead letters of what is no good.

use crate::broker::{EntryId, NewEntry, Stream};
use crate::flow::{StageId, StreamId};
use crate::model::entry::{Entry, EntryError, Span};
use crate::streams::{StageError, rereads::Damaged};
use crate::{clock::unix_ms, model::DeadLetter};

/// What an entry holds.
#[derive(Debug)]
pub(crate) struct Unpacked<E> {
    pub(crate) id: EntryId,
    pub(crate) events: Vec<E>,
    /// Of events that hold what they may not, or of the entry as a whole.
    pub(crate) letters: Vec<DeadLetter>,
    /// The entry as a whole cannot be read: its events have to come from their source again.
    pub(crate) damaged: Option<Damaged>,
}

/// Unpacks an entry of a stream for a stage. One of a newer polytape is not damaged: it must not be given up.
pub(crate) fn unpack<E: Entry>(
    stage: StageId,
    stream: &Stream,
    id: EntryId,
    body: &[u8],
) -> Result<Unpacked<E>, StageError> {
    let from = stream.as_str();
    match E::decode_all(body) {
        Ok(all) => {
            let (mut events, mut letters) = (Vec::with_capacity(all.len()), Vec::new());
            for (at, event) in all.into_iter().enumerate() {
                match event {
                    Ok(event) => events.push(event),
                    Err(refused) => {
                        let position = format!("{}:{at}", DeadLetter::position_of_bytes(body));
                        let reason = refused.error.to_string();
                        letters.push(dead_letter(stage, from, Some(position), &refused.raw, &reason));
                    }
                }
            }
            Ok(Unpacked { id, events, letters, damaged: None })
        }
        Err(error) => match error.newer_version() {
            Some(version) => Err(StageError::NewerEntries { stream: from.to_owned(), version }),
            None => Ok(damaged(stage, stream, id, body, &error)),
        },
    }
}

fn damaged<E>(stage: StageId, stream: &Stream, id: EntryId, body: &[u8], error: &EntryError) -> Unpacked<E> {
    let letter = dead_letter(stage, stream.as_str(), None, body, &error.to_string());
    let damaged = Damaged { stream: stream.clone(), id, span: Span::of(body) };
    Unpacked { id, events: Vec::new(), letters: vec![letter], damaged: Some(damaged) }
}

/// A dead letter, as an entry of its stream.
pub(crate) fn letter_entry(letter: &DeadLetter) -> NewEntry {
    NewEntry { stream: Stream::of(StreamId::DeadLetters), body: letter.encode() }
}

/// A dead letter. Without a position it is the hash of its bytes.
pub(crate) fn dead_letter(
    stage: StageId,
    from: &str,
    position: Option<String>,
    raw: &[u8],
    reason: &str,
) -> DeadLetter {
    let letter = DeadLetter {
        source: from.to_owned(),
        position: position.unwrap_or_else(|| DeadLetter::position_of_bytes(raw)),
        stage: stage.as_str().to_owned(),
        reason: reason.to_owned(),
        raw: raw.to_vec(),
        first_seen: unix_ms(),
    };
    letter.clipped()
}

//! The list of logs that `eth_getLogs` answers with.

use bytes::Bytes;

use super::elements::{self, Unreadable};
use super::log::ReadLog;

/// What a log takes at least, in bytes: two hashes, an address, four topics and five words are 900.
pub(super) const LEAST_LOG: usize = 500;

/// What a node says of the logs of some blocks.
#[derive(Debug)]
pub(super) enum Said {
    /// These.
    Logs(Vec<ReadLog>),
    /// `null`: of one block, that it does not have it; of a range, that it found nothing.
    Null,
}

/// Reads the answer.
pub(super) fn read(json: &Bytes) -> Result<Said, String> {
    if json.trim_ascii() == b"null" {
        return Ok(Said::Null);
    }
    let logs = logs(json, LEAST_LOG, json);
    logs.map(Said::Logs).map_err(|cause| format!("logs that are no list: {}", cause.into_words()))
}

/// The logs of a list within an answer.
pub(super) fn logs(list: &[u8], least: usize, answer: &Bytes) -> Result<Vec<ReadLog>, Unreadable> {
    elements::parse(list, least, |fields, text| ReadLog::read(fields, text, answer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_large_comes_of_what_are_no_logs() {
        let zeros = format!("[{}0]", "0,".repeat(1 << 20));
        let objects = format!("[{}{{}}]", "{},".repeat(1 << 20));
        let nested = "[".repeat(1 << 20);
        let topics = format!(r#"[{{"topics":[{}0]}}]"#, "0,".repeat(1 << 20));
        for text in [zeros, objects, nested] {
            assert!(read(&text.into()).is_err());
        }
        let Ok(Said::Logs(logs)) = read(&topics.into()) else { panic!("one log") };
        assert!(logs[0].log.is_err());
        assert!(matches!(read(&Bytes::from_static(b" null ")), Ok(Said::Null)));
    }
}

//! Lines of bounded length, both ways.

use std::io;
use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// Reads a line of at most so many bytes, without its end. Nothing where the other side has closed.
pub(super) async fn read(from: &mut (impl AsyncBufRead + Unpin), most: usize) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    loop {
        let there = from.fill_buf().await?;
        if there.is_empty() {
            // Half a line says nothing.
            return Ok(None);
        }
        let (part, is_end) = match there.iter().position(|byte| *byte == b'\n') {
            Some(end) => (&there[..end], true),
            None => (there, false),
        };
        if line.len() + part.len() > most {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("a line has more than {most} bytes")));
        }
        line.extend_from_slice(part);
        let taken = part.len() + usize::from(is_end);
        from.consume(taken);
        if is_end {
            return Ok(Some(line));
        }
    }
}

/// Reads a value.
pub(super) async fn read_value<T: DeserializeOwned>(
    from: &mut (impl AsyncBufRead + Unpin),
    most: usize,
) -> io::Result<Option<T>> {
    match read(from, most).await? {
        Some(line) => serde_json::from_slice(&line).map(Some).map_err(io::Error::from),
        None => Ok(None),
    }
}

/// A value as a line.
pub(super) fn line(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    Ok(line)
}

/// Writes a line to somebody who has to take it within a while.
pub(super) async fn write(to: &mut (impl AsyncWrite + Unpin), line: &[u8], within: Duration) -> io::Result<()> {
    tokio::time::timeout(within, to.write_all(line)).await.map_err(io::Error::from)?
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::BufReader;

    #[tokio::test]
    async fn lines_are_bounded_and_half_a_line_says_nothing() {
        let mut from = BufReader::with_capacity(3, &b"12345\n\n123456\n"[..]);
        assert_eq!(read(&mut from, 5).await.unwrap(), Some(b"12345".to_vec()));
        assert_eq!(read(&mut from, 5).await.unwrap(), Some(vec![]));
        assert_eq!(read(&mut from, 5).await.unwrap_err().to_string(), "a line has more than 5 bytes");
        assert_eq!(read(&mut &b"123"[..], 5).await.unwrap(), None);
    }
}

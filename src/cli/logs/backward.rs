//! Reads a file from its end, line by line: the newest lines of a large file are at hand at once.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// Bytes that are read at once, at least.
const BLOCK: u64 = 64 << 10;

/// What is left of a file, in front of what was taken.
pub(super) struct Backward {
    file: File,
    /// Bytes of the file in front of `held`.
    before: u64,
    held: Vec<u8>,
    finished: bool,
}

impl Backward {
    /// Begins at a place in a file, usually its end.
    pub(super) fn new(file: File, end: u64) -> Self {
        Self { file, before: end, held: Vec::new(), finished: false }
    }

    /// Takes what stands behind the last newline of what is left, and the newline. At first this is what stands behind
    /// the last whole line, usually nothing; then it is a line each time.
    pub(super) fn take(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut unsearched = self.held.len();
        loop {
            if let Some(at) = self.held[..unsearched].iter().rposition(|byte| *byte == b'\n') {
                let line = self.held.split_off(at + 1);
                self.held.truncate(at);
                return Ok(Some(line));
            }
            if self.before == 0 {
                let line = std::mem::take(&mut self.held);
                return Ok((!std::mem::replace(&mut self.finished, true)).then_some(line));
            }
            unsearched = self.read_more()?;
        }
    }

    /// Reads a block in front of what is held, and returns its length. It is as long as what is held, at least, so that
    /// a very long line does not cost the square of its length.
    fn read_more(&mut self) -> io::Result<usize> {
        let length = BLOCK.max(self.held.len() as u64).min(self.before);
        self.file.seek(SeekFrom::Start(self.before - length))?;
        let mut block = Vec::new();
        (&self.file).take(length).read_to_end(&mut block)?;
        if block.len() as u64 != length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let read = block.len();
        block.append(&mut self.held);
        self.held = block;
        self.before -= length;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn taken(content: &[u8]) -> Vec<Vec<u8>> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        let mut backward = Backward::new(file, content.len() as u64);
        std::iter::from_fn(|| backward.take().unwrap()).collect()
    }

    #[test]
    fn gives_the_rest_and_then_line_by_line() {
        assert_eq!(taken(b"one\ntwo\nth"), [b"th".to_vec(), b"two".to_vec(), b"one".to_vec()]);
        assert_eq!(taken(b"one\n\ntwo\n"), [b"".to_vec(), b"two".to_vec(), b"".to_vec(), b"one".to_vec()]);
        assert_eq!(taken(b"one"), [b"one".to_vec()]);
        assert_eq!(taken(b""), [b"".to_vec()]);
        assert_eq!(taken(b"\n"), [b"".to_vec(), b"".to_vec()]);
    }

    #[test]
    fn lines_may_lie_across_blocks() {
        for length in [1, 100, 65_534, 65_535, 65_536, 65_537, 300_000] {
            let lines: Vec<Vec<u8>> = (0..4).map(|n| vec![b'a' + n; length]).collect();
            let content = [lines.join(&b'\n'), b"\n".to_vec()].concat();
            let mut expected = vec![Vec::new()];
            expected.extend(lines.into_iter().rev());
            assert!(taken(&content) == expected, "{length}");
        }
    }
}

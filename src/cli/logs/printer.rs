//! Prints lines, for people or as they are.

use std::io::{self, BufWriter, Write};

use super::line::Line;
use crate::logs;

/// Prints lines, and for people the date wherever it changes.
pub(super) struct Printer<W: Write> {
    out: BufWriter<W>,
    json: bool,
    date: Option<String>,
}

impl<W: Write> Printer<W> {
    pub(super) fn new(out: W, json: bool) -> Self {
        Self { out: BufWriter::new(out), json, date: None }
    }

    pub(super) fn print(&mut self, line: &Line) -> io::Result<()> {
        if self.json {
            self.out.write_all(&line.raw)?;
            return self.out.write_all(b"\n");
        }
        let Some(record) = &line.record else {
            return writeln!(self.out, "{}", logs::printable(&String::from_utf8_lossy(&line.raw)));
        };
        let date = logs::date(record);
        if self.date.as_ref() != Some(&date) {
            writeln!(self.out, "{date}")?;
            self.date = Some(date);
        }
        writeln!(self.out, "{}", logs::line(record))
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(json: bool) -> String {
        let record = |at: &str| {
            format!(
                r#"{{"timestamp":"{at}","level":"INFO","stage":"","target":"hyper::x","message":"a\u001b","fields":{{}}}}"#
            )
        };
        let mut out = Vec::new();
        let mut printer = Printer::new(&mut out, json);
        let lines = [
            record("2026-11-25T23:59:59.999Z"),
            "no\u{1b}record".into(),
            record("2026-11-26T00:00:00.000Z"),
            record("2026-11-26T00:00:00.001Z"),
        ];
        lines.into_iter().for_each(|line| printer.print(&Line::new(line.into())).unwrap());
        printer.flush().unwrap();
        drop(printer);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_date_is_shown_where_it_changes() {
        let expected = "2026-11-25\n23:59:59.999 INFO  hyper a \nno record\n\
                        2026-11-26\n00:00:00.000 INFO  hyper a \n00:00:00.001 INFO  hyper a \n";
        assert_eq!(printed(false), expected);
    }

    #[test]
    fn json_is_as_it_is() {
        let lines = printed(true);
        assert_eq!(lines.lines().count(), 4);
        assert!(lines.starts_with("{\"timestamp\":\"2026-11-25T23") && lines.contains("no\u{1b}record\n"), "{lines}");
    }
}

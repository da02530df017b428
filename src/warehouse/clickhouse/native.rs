//! ClickHouse's `Native` format: blocks of rows, column by column. A server takes them with less work than rows one by one.
//!
//! The values of a column are those of `RowBinary`, one after the other, but for three kinds: of what may be null it is said in front
//! which are; of lists, where each ends; and words that many rows share are numbered.

use super::row_binary::RowBinary;
use crate::warehouse::table::cells::Column;

/// Rows on their way into a block.
pub(super) struct Block {
    columns: Vec<Filling>,
    /// The column that comes next.
    at: usize,
    rows: usize,
}

/// A column on its way.
struct Filling {
    column: &'static Column,
    values: RowBinary,
    kind: Kind,
}

enum Kind {
    Plain,
    /// Which values are null.
    Nullable(Vec<u8>),
    /// Where each list ends.
    List(Vec<u64>),
    /// The words, and which of them each row has.
    Words(Vec<String>, Vec<u32>),
}

/// How words are told: their numbers have so many bytes, they come with their words, and mean these alone.
const WITH_WORDS: u64 = 0x600;
const WORDS_VERSION: u64 = 1;

impl Block {
    /// One without rows.
    pub(super) fn new(columns: &'static [Column]) -> Self {
        let filling = |column: &'static Column| {
            let kind = match column.clickhouse.split_once('(').map(|(kind, _)| kind) {
                Some("Nullable") => Kind::Nullable(Vec::new()),
                Some("Array") => Kind::List(Vec::new()),
                Some("LowCardinality") => Kind::Words(Vec::new(), Vec::new()),
                _ => Kind::Plain,
            };
            Filling { column, values: RowBinary::default(), kind }
        };
        Self { columns: columns.iter().map(filling).collect(), at: 0, rows: 0 }
    }

    /// Bytes so far, about.
    pub(super) fn len(&self) -> usize {
        self.columns.iter().map(|column| column.values.len()).sum()
    }

    pub(super) const fn rows(&self) -> usize {
        self.rows
    }

    /// The values of the column that comes next.
    fn next(&mut self) -> &mut Filling {
        let at = self.at;
        self.at = (at + 1) % self.columns.len();
        self.rows += usize::from(self.at == 0);
        &mut self.columns[at]
    }

    /// A value that is there.
    pub(super) fn value(&mut self, write: impl FnOnce(&mut RowBinary)) {
        write(&mut self.next().values);
    }

    /// A value that may be null, which takes the place of an empty one then.
    pub(super) fn nullable<T: Default>(&mut self, value: Option<T>, write: impl FnOnce(&mut RowBinary, T)) {
        let Filling { values, kind, .. } = self.next();
        if let Kind::Nullable(nulls) = kind {
            nulls.push(u8::from(value.is_none()));
        }
        write(values, value.unwrap_or_default());
    }

    /// A list, of which `write` writes the elements.
    pub(super) fn list<T>(&mut self, items: &[T], write: impl Fn(&mut RowBinary, &T)) {
        let Filling { values, kind, .. } = self.next();
        if let Kind::List(ends) = kind {
            ends.push(ends.last().copied().unwrap_or(0) + items.len() as u64);
        }
        items.iter().for_each(|item| write(values, item));
    }

    /// A word that many rows share.
    pub(super) fn word(&mut self, word: &str) {
        let Filling { values, kind, .. } = self.next();
        let Kind::Words(words, numbers) = kind else { return values.text(word) };
        let number = words.iter().position(|known| known == word).unwrap_or_else(|| {
            words.push(word.to_owned());
            words.len() - 1
        });
        numbers.push(number as u32);
    }

    /// All of it.
    pub(super) fn finish(self) -> Vec<u8> {
        let mut block = RowBinary::with_capacity(self.len() + self.rows * self.columns.len() + (4 << 10));
        block.length(self.columns.len());
        block.length(self.rows);
        for Filling { column, values, kind } in self.columns {
            block.text(column.name);
            block.text(column.clickhouse);
            match kind {
                Kind::Plain => {}
                Kind::Nullable(nulls) => block.raw(&nulls),
                Kind::List(ends) => ends.into_iter().for_each(|end| block.u64(end)),
                Kind::Words(words, numbers) => {
                    let width = [1 << 8, 1 << 16].iter().position(|most| words.len() <= *most).unwrap_or(2);
                    block.u64(WORDS_VERSION);
                    block.u64(WITH_WORDS | width as u64);
                    block.u64(words.len() as u64);
                    words.iter().for_each(|word| block.text(word));
                    block.u64(numbers.len() as u64);
                    numbers.iter().for_each(|number| block.raw(&number.to_le_bytes()[..1 << width]));
                }
            }
            block.raw(values.as_bytes());
        }
        block.into_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column] = &[Column::word("w"), Column::u8_if_known("n"), Column::texts("l"), Column::u8("u")];

    #[test]
    fn a_block_is_what_the_format_says() {
        let mut block = Block::new(COLUMNS);
        for (word, number, list, plain) in
            [("a", None, &["x"][..], 7), ("b", Some(2), &[][..], 8), ("a", None, &["y", "z"][..], 9)]
        {
            block.word(word);
            block.nullable(number, RowBinary::u8);
            block.list(list, |row, text| row.text(text));
            block.value(|row| row.u8(plain));
        }
        assert_eq!(block.rows(), 3);
        let long = |number: u64| number.to_le_bytes().to_vec();
        let text = |text: &str| [&[text.len() as u8], text.as_bytes()].concat();
        let expected = [
            vec![4, 3],
            text("w"),
            text("LowCardinality(String)"),
            long(1),
            long(0x600),
            long(2),
            text("a"),
            text("b"),
            long(3),
            vec![0, 1, 0],
            text("n"),
            text("Nullable(UInt8)"),
            vec![1, 0, 1],
            vec![0, 2, 0],
            text("l"),
            text("Array(String)"),
            long(1),
            long(1),
            long(3),
            text("x"),
            text("y"),
            text("z"),
            text("u"),
            text("UInt8"),
            vec![7, 8, 9],
        ];
        assert_eq!(block.finish(), expected.concat());
    }

    #[test]
    fn many_words_have_longer_numbers() {
        let mut block = Block::new(&COLUMNS[..1]);
        (0..300).for_each(|number| block.word(&number.to_string()));
        let bytes = block.finish();
        assert_eq!(bytes[bytes.len() - 2..], [299u16.to_le_bytes()[0], 1]);
        let flags = bytes.windows(8).any(|window| window == 0x601u64.to_le_bytes());
        assert!(flags && bytes.ends_with(&[43, 1]));
    }
}

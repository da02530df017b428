//! Texts in columns. What comes from outside is made harmless first: no control characters, nothing that turns the
//! direction of a line, and only what the terminal can show.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::glyphs::Charset;

/// How many columns a text takes.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// A text that is safe to show.
///
/// Of emoji that are made of several characters terminals disagree on the width, and what one counts as two columns another
/// counts as four: then everything behind it stands elsewhere, and something is left over when it goes. So what glues
/// characters together is left out, and flags are their letters.
pub(crate) fn clean(text: &str, charset: Charset) -> String {
    let safe = |c: char| match c {
        // No width, or another direction.
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => None,
        // Variants, skins, keycaps, tags.
        '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{20e3}' | '\u{e0000}'..='\u{e01ef}' => None,
        '\u{1f1e6}'..='\u{1f1ff}' => char::from_u32('A' as u32 + (c as u32 - 0x1_f1e6)),
        c if c.is_control() => Some(' '),
        c if charset == Charset::Ascii && !c.is_ascii() => Some(match c {
            '…' => '~',
            '“' | '”' => '"',
            '‘' | '’' => '\'',
            '–' | '—' | '─' => '-',
            _ => '?',
        }),
        c => Some(c),
    };
    text.chars().filter_map(safe).collect()
}

/// A text in so many columns at most, with a mark where it was cut off.
pub(crate) fn fit(text: &str, columns: usize, charset: Charset) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut fitted = String::new();
    let mut used = 0;
    for part in text.graphemes(true) {
        let next = width(part);
        if used + next + 1 > columns {
            break;
        }
        used += next;
        fitted.push_str(part);
    }
    if columns > 0 {
        fitted.push_str(charset.ellipsis());
    }
    fitted
}

/// A text in exactly so many columns, from the left.
pub(crate) fn left(text: &str, columns: usize, charset: Charset) -> String {
    let mut text = fit(text, columns, charset);
    text.push_str(&" ".repeat(columns.saturating_sub(width(&text))));
    text
}

/// A text in lines of so many columns, broken between words where that is possible.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_inclusive(' ') {
        let (used, next) = (lines.last().map_or(0, |line| width(line)), width(word.trim_end()));
        if used > 0 && used + next > columns {
            lines.push(String::new());
        }
        for part in word.graphemes(true) {
            let used = lines.last().map_or(0, |line| width(line));
            if used > 0 && used + width(part) > columns && part != " " {
                lines.push(String::new());
            }
            if let Some(line) = lines.last_mut() {
                line.push_str(part);
            }
        }
    }
    lines.into_iter().map(|line| line.trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cut_by_columns_and_never_in_the_middle_of_a_character() {
        let fit = |text, columns| fit(text, columns, Charset::Unicode);
        assert_eq!([fit("abc", 3), fit("abcd", 3), fit("abc", 1), fit("abc", 0)], ["abc", "ab…", "…", ""]);
        assert_eq!([fit("東京で雨", 8), fit("東京で雨", 7), fit("東京で雨", 4)], ["東京で雨", "東京で…", "東…"]);
        assert_eq!(fit("👨‍👩‍👧 family", 4), "👨‍👩‍👧 …");
        assert_eq!(left("雨", 4, Charset::Unicode), "雨  ");
        for columns in 0..20 {
            for text in ["", "plain", "東京で明日雨が降りますか？", "a\u{301}e\u{301}", "👩‍💻👩‍💻"]
            {
                assert!(width(&fit(text, columns)) <= columns, "{text} in {columns}");
                assert_eq!(width(&left(text, columns, Charset::Unicode)), columns);
            }
        }
    }

    #[test]
    fn what_a_terminal_would_obey_is_gone() {
        assert_eq!(clean("a\x1b[31mb\nc\td", Charset::Unicode), "a [31mb c d");
        assert_eq!(clean("\u{202e}evil\u{200b}", Charset::Unicode), "evil");
        assert_eq!(clean("雨 “x” — y…", Charset::Ascii), "? \"x\" - y~");
        assert_eq!(clean("👩‍💻 🇩🇪 ❤️ 👍🏽 1️⃣", Charset::Unicode), "👩💻 DE ❤ 👍 1");
    }

    #[test]
    fn wraps_between_words_and_breaks_what_is_too_long() {
        assert_eq!(wrap("the node does not answer", 10), ["the node", "does not", "answer"]);
        assert_eq!(wrap("0123456789abc", 5), ["01234", "56789", "abc"]);
        assert_eq!(wrap("東京で雨", 5), ["東京", "で雨"]);
        assert_eq!(wrap("", 5), [""]);
    }
}

//! The word that may have been meant.

use strsim::damerau_levenshtein;

/// The shortest word that counts as a part of another: `rows` of `max_rows`.
const PART: usize = 4;

/// Which of the known words is nearest to one that is not known, if one is near enough to be meant.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = plain(word);
    let measured = known.into_iter().map(|known| (distance(&word, &plain(known)), known));
    let (distance, nearest) = measured.min_by_key(|(distance, _)| *distance)?;
    // A third of a word may be wrong.
    (distance <= (word.chars().count() / 3).max(1)).then_some(nearest)
}

/// `a, b and c`.
pub(crate) fn listed<T: AsRef<str>>(words: &[T]) -> String {
    match words {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [all @ .., last] => {
            let all: Vec<&str> = all.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", all.join(", "), last.as_ref())
        }
    }
}

fn plain(word: &str) -> String {
    word.to_lowercase().replace('-', "_")
}

fn distance(word: &str, known: &str) -> usize {
    let is_part = |part: &str, of: &str| part.len() >= PART && of.contains(part);
    if is_part(word, known) || is_part(known, word) { 1 } else { damerau_levenshtein(word, known) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near_is_found_and_the_rest_is_not() {
        let known = ["max_rows", "linger", "max_bytes"];
        for (word, expected) in [
            ("max_row", Some("max_rows")),
            ("MAX-ROWS", Some("max_rows")),
            ("rows", Some("max_rows")),
            ("lnigre", Some("linger")),
            ("maxbytes", Some("max_bytes")),
            ("batch", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
        assert_eq!(nearest("max_rows", []), None);
        assert_eq!([listed(&["a"]), listed(&["a", "b", "c"])], ["a", "a, b and c"]);
    }
}

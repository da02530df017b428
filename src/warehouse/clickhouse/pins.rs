//! What is pinned: the settings on which the meaning of a statement rests, which a profile or a release may have changed.
//!
//! A server is sent what it knows and lets this user set. What a profile keeps from being set is left out where it is good enough
//! as it is, and refused in words otherwise.

use std::collections::HashMap;

use super::statement::Wish;
use crate::warehouse::unresolved::MOST_READ_ROWS;

/// What a statement does. What is pinned for reads is pinned for all: others read, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It reads.
    Read,
    /// It adds rows.
    Write,
    /// It makes, changes or drops what is in the database.
    Define,
}

/// When a setting that cannot be set is good enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needs {
    /// With this value only.
    Exactly,
    /// As a limit, with this much or none.
    AtLeast(u64),
    /// Always: it is of use, and not needed.
    Nothing,
    /// Always, as long as single statements can have it as 0: else it is of use, and not needed.
    ToBeZero,
}

struct Pin {
    name: &'static str,
    value: &'static str,
    needs: Needs,
    of: Kind,
}

const fn pin(of: Kind, name: &'static str, value: &'static str, needs: Needs) -> Pin {
    Pin { name, value, needs, of }
}

use Kind::{Define, Read, Write};
use Needs::{AtLeast, Exactly, Nothing, ToBeZero};

const PINS: [Pin; 43] = [
    // A profile's limits are made for people. Queries here are bounded by what they ask for.
    pin(Read, "limit", "0", Exactly),
    pin(Read, "offset", "0", Exactly),
    pin(Read, "max_result_rows", "0", AtLeast(100_000)),
    pin(Read, "max_result_bytes", "0", AtLeast(256 << 20)),
    pin(Read, "max_rows_to_read", "0", AtLeast(MOST_READ_ROWS)),
    pin(Read, "max_bytes_to_read", "0", AtLeast(16 << 30)),
    pin(Read, "max_execution_time", "0", AtLeast(60)),
    pin(Read, "max_rows_in_set", "0", AtLeast(MOST_READ_ROWS)),
    pin(Read, "max_rows_to_group_by", "0", AtLeast(MOST_READ_ROWS)),
    pin(Read, "max_rows_in_distinct", "0", AtLeast(MOST_READ_ROWS)),
    pin(Read, "max_rows_to_sort", "0", AtLeast(MOST_READ_ROWS)),
    pin(Read, "max_rows_in_join", "0", AtLeast(MOST_READ_ROWS)),
    // A list of tokens is longer than the default. Where it stays, statements are halved.
    pin(Read, "max_query_size", "16777216", Nothing),
    // A result that is cut at a limit passes for a whole one.
    pin(Read, "result_overflow_mode", "throw", Exactly),
    pin(Read, "read_overflow_mode", "throw", Exactly),
    pin(Read, "timeout_overflow_mode", "throw", Exactly),
    pin(Read, "set_overflow_mode", "throw", Exactly),
    pin(Read, "group_by_overflow_mode", "throw", Exactly),
    pin(Read, "distinct_overflow_mode", "throw", Exactly),
    pin(Read, "sort_overflow_mode", "throw", Exactly),
    pin(Read, "join_overflow_mode", "throw", Exactly),
    // What is nothing is a row of zeros, and never null.
    pin(Read, "aggregate_functions_null_for_empty", "0", Exactly),
    pin(Read, "empty_result_for_aggregation_by_empty_set", "0", Exactly),
    pin(Read, "join_use_nulls", "0", Exactly),
    pin(Read, "join_default_strictness", "ALL", Exactly),
    // Some reads want the rows of all versions.
    pin(Read, "final", "0", Exactly),
    // An index of a column that is the same in all versions of a row hides none of them from FINAL. Tables of older releases have one of
    // the version, too: a statement that asks for versions under FINAL is without indexes.
    pin(Read, USE_INDEXES, "1", ToBeZero),
    // Whatever partitions a table is in its key, so that all versions of a row are in one partition.
    pin(Read, "do_not_merge_across_partitions_select_final", "1", Nothing),
    // An answer of a minute ago is none.
    pin(Read, "use_query_cache", "0", Exactly),
    pin(Read, "force_index_by_date", "0", Exactly),
    pin(Read, "force_primary_key", "0", Exactly),
    // A read ends when nobody waits for it any more.
    pin(Read, "cancel_http_readonly_queries_on_client_close", "1", Nothing),
    // Of the two that switch deduplication by content off only the newest that the server knows is sent: it has the last word, and
    // a server that knows it accepts the other and does nothing.
    pin(Write, DEDUPLICATION[0], "disable", Exactly),
    pin(Write, DEDUPLICATION[1], "0", Exactly),
    pin(Write, "deduplicate_insert_select", "disable", Exactly),
    pin(Write, "deduplicate_blocks_in_dependent_materialized_views", "0", Exactly),
    pin(Write, "async_insert", "0", Exactly),
    pin(Write, "max_partitions_per_insert_block", "0", AtLeast(100)),
    // A market whose tokens are not noted is not found.
    pin(Write, "materialized_views_ignore_errors", "0", Exactly),
    pin(Define, "data_type_default_nullable", "0", Exactly),
    pin(Define, "allow_ddl", "1", Exactly),
    // Only asked for: it cannot be set by whom it keeps from anything.
    pin(Write, READONLY, "0", Exactly),
    pin(Define, READONLY, "0", Exactly),
];

const USE_INDEXES: &str = "use_skip_indexes_if_final";

/// What a statement wants that asks for the versions of rows under FINAL.
pub(super) const WITHOUT_INDEXES: (&str, u8) = (USE_INDEXES, 0);

const READONLY: &str = "readonly";
const ZERO: &str = "0";
const DEDUPLICATION: [&str; 2] = ["deduplicate_insert", "insert_deduplicate"];

/// What single statements want that is not pinned.
const WISHED: [&str; 3] = ["max_block_size", "max_memory_usage", "mutations_sync"];

/// Releases say the default of these, whatever the profile has.
const UNTOLD: [&str; 2] = ["limit", "offset"];

/// What keeps the question for the settings itself from being answered.
pub(super) const FOR_ASKING: [(&str, &str); 7] = [
    ("limit", "0"),
    ("offset", "0"),
    ("max_result_rows", "0"),
    ("max_rows_to_read", "0"),
    ("max_bytes_to_read", "0"),
    ("aggregate_functions_null_for_empty", "0"),
    ("use_query_cache", "0"),
];

/// Every setting that is asked for.
pub(super) fn names() -> Vec<&'static str> {
    let mut names: Vec<&str> = PINS.iter().map(|pin| pin.name).chain(WISHED).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// What a server says of one setting.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Reported {
    value: String,
    is_fixed: bool,
    least: Option<Number>,
    most: Option<Number>,
}

/// A bound, as it is compared.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Number(f64);

impl Eq for Number {}

impl Reported {
    /// Whether it may be this. What it is already it may always be.
    fn may_be(&self, value: &str) -> bool {
        let number = value.parse::<f64>().ok();
        let is_within = number.is_none_or(|number| {
            self.least.is_none_or(|Number(least)| number >= least)
                && self.most.is_none_or(|Number(most)| number <= most)
        });
        self.value == value || (!self.is_fixed && is_within)
    }
}

impl Pin {
    /// Whether it does as the server has it.
    fn is_met_by(&self, found: &str) -> bool {
        match self.needs {
            Exactly => found.eq_ignore_ascii_case(self.value),
            AtLeast(least) => found.parse::<f64>().is_ok_and(|found| found == 0.0 || found >= least as f64),
            Nothing => true,
            ToBeZero => found == ZERO,
        }
    }

    /// What it has to be for some statements at least.
    fn must_be(&self) -> &'static str {
        if self.needs == ToBeZero { ZERO } else { self.value }
    }

    fn is_of(&self, kind: Kind) -> bool {
        self.of == Read || self.of == kind
    }
}

/// What a server is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pins(HashMap<String, Reported>);

impl Pins {
    /// What a server says of its settings, as `settings.sql` asks it: name, value, whether it is fixed, its least and its most.
    pub(super) fn read(said: &str) -> Option<Self> {
        let said: Vec<(String, String, u8, String, String)> = serde_json::from_str(said).ok()?;
        let number = |text: String| text.parse().ok().map(Number);
        let reported = said.into_iter().map(|(name, value, readonly, least, most)| {
            (name, Reported { value, is_fixed: readonly != 0, least: number(least), most: number(most) })
        });
        Some(Self(reported.collect()))
    }

    /// Those that the server knows, as it has them.
    fn known(&self, kind: Kind) -> impl Iterator<Item = (&Pin, &Reported)> {
        let has_newer = self.0.contains_key(DEDUPLICATION[0]);
        let pins = PINS.iter().filter(move |pin| pin.is_of(kind) && !(has_newer && pin.name == DEDUPLICATION[1]));
        pins.filter_map(|pin| Some((pin, self.0.get(pin.name)?)))
    }

    /// What goes with a statement of this kind that wants these settings.
    pub(super) fn parameters(&self, kind: Kind, wishes: &[Wish]) -> Vec<(&'static str, String)> {
        let is_sent = |(pin, reported): &(&Pin, &Reported)| {
            let is_tried = UNTOLD.contains(&pin.name) && pin.needs == Exactly;
            pin.name != READONLY && (is_tried || reported.may_be(pin.value))
        };
        let pinned = self.known(kind).filter(is_sent).map(|(pin, _)| (pin.name, pin.value.to_owned()));
        let mut parameters: Vec<(&'static str, String)> = pinned.collect();
        for (name, value) in wishes {
            if self.0.get(*name).is_some_and(|reported| reported.may_be(value)) {
                parameters.retain(|(pinned, _)| pinned != name);
                parameters.push((*name, value.clone()));
            }
        }
        parameters
    }

    /// What keeps statements of this kind from meaning what they must, in words with what to do about it.
    pub(super) fn faults(&self, kind: Kind) -> Vec<String> {
        let is_bad = |(pin, reported): &(&Pin, &Reported)| {
            let is_tried = UNTOLD.contains(&pin.name);
            !is_tried && (pin.name == READONLY || !reported.may_be(pin.must_be())) && !pin.is_met_by(&reported.value)
        };
        let mut bad: Vec<_> = self.known(kind).filter(is_bad).collect();
        if bad.iter().any(|(pin, _)| pin.name == READONLY) {
            // Where nothing may be set, that is the one thing to change.
            bad.retain(|(pin, _)| pin.name == READONLY);
        }
        bad.into_iter().map(|(pin, reported)| fault(pin, &reported.value)).collect()
    }
}

fn fault(pin: &Pin, found: &str) -> String {
    let Pin { name, needs, .. } = pin;
    let value = pin.must_be();
    if *name == READONLY {
        return format!("{name} is {found}, so that nothing may be written: give the user a profile with {name} = 0");
    }
    let needed = match needs {
        AtLeast(least) => format!("{value} (no limit), or at least {least},"),
        Exactly | Nothing | ToBeZero => value.to_owned(),
    };
    format!(
        "setting {name} is {found} and may not be changed, but {needed} is needed: change it in the user's profile, or take its \
         constraint away"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server with these settings: name, value, whether it is fixed, its least and its most.
    fn pins(settings: &[(&str, &str, u8, &str, &str)]) -> Pins {
        Pins::read(&serde_json::to_string(settings).unwrap()).unwrap()
    }

    #[test]
    fn what_is_no_list_of_settings_is_not_taken_for_one() {
        for text in ["", "<html>", "[]]", "[1]", "{}"] {
            assert_eq!(Pins::read(text), None, "{text}");
        }
    }

    #[test]
    fn what_the_server_knows_is_sent_and_of_two_switches_the_newer() {
        let old = pins(&[("insert_deduplicate", "1", 0, "", ""), ("final", "1", 0, "", "")]);
        assert_eq!(old.parameters(Read, &[]), [("final", "0".into())]);
        assert_eq!(old.parameters(Write, &[]), [("final", "0".into()), ("insert_deduplicate", "0".into())]);
        let new = pins(&[("insert_deduplicate", "1", 0, "", ""), ("deduplicate_insert", "enable", 0, "", "")]);
        assert_eq!(new.parameters(Write, &[]), [("deduplicate_insert", "disable".into())]);
        assert_ne!(old, new);
    }

    #[test]
    fn what_may_not_be_set_is_left_out_where_it_is_good_and_refused_where_it_is_not() {
        for (name, value, is_fine) in [
            ("async_insert", "0", true),
            ("async_insert", "1", false),
            ("max_rows_to_read", "0", true),
            ("max_rows_to_read", "50000000", true),
            ("max_rows_to_read", "1000", false),
            ("read_overflow_mode", "break", false),
            ("max_query_size", "262144", true),
            ("max_execution_time", "30", false),
            ("max_execution_time", "60", true),
        ] {
            let pins = pins(&[(name, value, 1, "", "")]);
            let faults = pins.faults(Write);
            assert_eq!(faults.is_empty(), is_fine, "{name} {value}: {faults:?}");
            assert!(faults.iter().all(|fault| fault.starts_with(&format!("setting {name} is {value} and may not"))));
            let sent = pins.parameters(Write, &[]);
            assert!(sent.iter().all(|(_, sent)| sent == value), "what it is already it may be: {sent:?}");
        }
    }

    #[test]
    fn what_statements_may_want_otherwise_must_be_open_to_them() {
        let with = |value: &str, readonly, most: &str| pins(&[(USE_INDEXES, value, readonly, "", most)]);
        let (name, wish) = (USE_INDEXES, [(USE_INDEXES, "0".to_owned())]);
        for (pins, sent) in [(with("1", 0, ""), "1"), (with("0", 0, ""), "1"), (with("0", 1, ""), "0")] {
            assert_eq!(pins.faults(Read), [""; 0]);
            let of_all: Vec<_> = pins.parameters(Read, &[]);
            assert!(of_all.is_empty() && sent == "0" || of_all == [(name, sent.into())], "{of_all:?}");
            assert_eq!(pins.parameters(Read, &wish), [(name, "0".into())]);
        }
        let faults = with("1", 1, "").faults(Read);
        assert!(faults.len() == 1 && faults[0].contains("is 1 and may not be changed, but 0 is needed"), "{faults:?}");
    }

    #[test]
    fn bounds_count_as_the_server_counts_them() {
        let bounded = pins(&[("max_result_rows", "50", 0, "", "100"), ("max_execution_time", "5", 0, "1", "10")]);
        assert_eq!(bounded.parameters(Read, &[]), [("max_result_rows", "0".into())], "0 is below every most");
        assert_eq!(bounded.faults(Read).len(), 1, "but not below every least");
    }

    #[test]
    fn a_user_who_may_not_write_is_told_that_alone() {
        let readonly = pins(&[("readonly", "2", 1, "", ""), ("async_insert", "1", 1, "", "")]);
        let faults = readonly.faults(Write);
        assert!(faults.len() == 1 && faults[0].starts_with("readonly is 2"), "{faults:?}");
        assert!(readonly.parameters(Write, &[]).is_empty());
        assert!(pins(&[("readonly", "0", 0, "", "")]).faults(Write).is_empty());
    }

    #[test]
    fn a_wish_goes_before_a_pin_and_is_no_must() {
        let open = pins(&[("max_rows_to_read", "7", 0, "", ""), ("max_block_size", "1", 0, "", "")]);
        let wishes =
            [("max_rows_to_read", "5".to_owned()), ("max_block_size", "9".into()), ("mutations_sync", "2".into())];
        assert_eq!(open.parameters(Read, &wishes), [("max_rows_to_read", "5".into()), ("max_block_size", "9".into())]);
        let fixed = pins(&[("max_rows_to_read", "0", 1, "", "")]);
        assert_eq!(fixed.parameters(Read, &wishes), [("max_rows_to_read", "0".into())]);
    }

    #[test]
    fn what_is_not_told_truly_is_sent_all_the_same() {
        assert_eq!(pins(&[("limit", "9", 1, "", "")]).parameters(Read, &[]), [("limit", "0".into())]);
        assert!(pins(&[("limit", "9", 1, "", "")]).faults(Read).is_empty(), "the server refuses it itself");
    }

    #[test]
    fn all_that_is_needed_to_ask_is_pinned_and_all_names_are_asked_for_once() {
        assert!(FOR_ASKING.iter().all(|(name, value)| PINS.iter().any(|pin| pin.name == *name && pin.value == *value)));
        let names = names();
        assert!(names.windows(2).all(|pair| pair[0] < pair[1]), "{names:?}");
    }
}

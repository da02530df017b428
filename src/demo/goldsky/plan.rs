//! What an operation asks for, checked against the schema.

use std::collections::BTreeSet;

use graphql_parser::query::{Field, Selection, SelectionSet};

use super::filter::Filter;
use super::refusal::Refusal;
use super::request::Operation;
use super::row::{FIELDS, Selected};
use super::values::{Given, Values};

/// The most rows of a page, and how many of those before it can be left out.
const MAX_FIRST: i64 = 1_000;
const MAX_SKIP: i64 = 5_000;
/// The rows of a page where nothing is said.
const FIRST: u64 = 100;

/// A root field, by the name that it gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::demo) struct Root {
    pub(in crate::demo) key: String,
    pub(in crate::demo) wanted: Wanted,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::demo) enum Wanted {
    Page(Page),
    Meta(Vec<Meta>),
    Typename,
}

/// A page of `orderFilledEvents`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::demo) struct Page {
    pub(in crate::demo) first: u64,
    pub(in crate::demo) skip: u64,
    pub(in crate::demo) filter: Filter,
    pub(in crate::demo) by_timestamp: bool,
    pub(in crate::demo) descending: bool,
    pub(in crate::demo) selected: Vec<Selected>,
}

/// A field of `_meta` or of its block, and the name that it gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::demo) enum Meta {
    Block(String, Vec<(String, &'static str)>),
    Leaf(String, &'static str),
}

/// The root fields of an operation.
pub(in crate::demo) fn read<'q>(operation: &Operation<'q>, values: &Values<'q>) -> Result<Vec<Root>, Refusal> {
    let mut roots = Vec::new();
    for field in fields(operation.selection)? {
        let wanted = match field.name.as_str() {
            "orderFilledEvents" => Wanted::Page(page(field, values)?),
            "_meta" => Wanted::Meta(meta(field)?),
            "__typename" => leaf(field, "Query").map(|()| Wanted::Typename)?,
            name => return Err(unknown(field, name, "Query")),
        };
        roots.push(Root { key: key(field), wanted });
    }
    values.all_used()?;
    Ok(roots)
}

fn page<'q>(field: &'q Field<'static, String>, values: &Values<'q>) -> Result<Page, Refusal> {
    let mut page = Page {
        first: FIRST,
        skip: 0,
        filter: Filter::All(Vec::new()),
        by_timestamp: false,
        descending: false,
        selected: Vec::new(),
    };
    for (name, value) in &field.arguments {
        let given = Given::Literal(value);
        match name.as_str() {
            "first" => page.first = bounded(values, given, "first", MAX_FIRST)?.unwrap_or(FIRST),
            "skip" => page.skip = bounded(values, given, "skip", MAX_SKIP)?.unwrap_or(0),
            "where" => page.filter = Filter::read(values, given)?,
            "orderBy" => {
                let word = values.word(given, "OrderFilledEvent_orderBy")?.unwrap_or("id");
                page.by_timestamp = one_of(word, "OrderFilledEvent_orderBy", ["id", "timestamp"])?;
            }
            "orderDirection" => {
                let word = values.word(given, "OrderDirection")?.unwrap_or("asc");
                page.descending = one_of(word, "OrderDirection", ["asc", "desc"])?;
            }
            // A subgraph without errors, or one that answers in spite of them: the same here.
            "subgraphError" => {
                let word = values.word(given, "_SubgraphErrorPolicy_")?.unwrap_or("deny");
                one_of(word, "_SubgraphErrorPolicy_", ["deny", "allow"])?;
            }
            name => {
                let message = format!("Unknown argument \"{name}\" on field \"Query.{}\".", field.name);
                return Err(Refusal::at(field.position, message));
            }
        }
    }
    for field in inner(field, "[OrderFilledEvent!]!")? {
        leaf(field, "OrderFilledEvent")?;
        let place = FIELDS.iter().position(|name| *name == field.name);
        if place.is_none() && field.name != "__typename" {
            return Err(unknown(field, &field.name, "OrderFilledEvent"));
        }
        page.selected.push(Selected { key: key(field), field: place });
    }
    Ok(page)
}

fn meta(field: &Field<'static, String>) -> Result<Vec<Meta>, Refusal> {
    no_arguments(field, "Query")?;
    let mut wanted = Vec::new();
    for field in inner(field, "_Meta_")? {
        wanted.push(match known(&field.name, ["hasIndexingErrors", "deployment", "__typename"]) {
            Some(name) => leaf(field, "_Meta_").map(|()| Meta::Leaf(key(field), name))?,
            None if field.name == "block" => {
                no_arguments(field, "_Meta_")?;
                let mut block = Vec::new();
                for field in inner(field, "_Block_")? {
                    leaf(field, "_Block_")?;
                    let name = known(&field.name, ["number", "timestamp", "hash", "parentHash", "__typename"]);
                    block.push((key(field), name.ok_or_else(|| unknown(field, &field.name, "_Block_"))?));
                }
                Meta::Block(key(field), block)
            }
            None => return Err(unknown(field, &field.name, "_Meta_")),
        });
    }
    Ok(wanted)
}

/// The fields of a selection, none of which may take another's name.
fn fields<'q>(selection: &'q SelectionSet<'static, String>) -> Result<Vec<&'q Field<'static, String>>, Refusal> {
    let mut keys = BTreeSet::new();
    let fields = selection.items.iter().map(|item| match item {
        Selection::Field(field) => {
            if let Some(directive) = field.directives.first() {
                return Err(Refusal::at(directive.position, "Not supported: directives"));
            }
            if !keys.insert(key(field)) {
                let message = format!("Fields \"{}\" conflict. Use different aliases on the fields.", key(field));
                return Err(Refusal::at(field.position, message));
            }
            Ok(field)
        }
        Selection::FragmentSpread(spread) => Err(Refusal::at(spread.position, "Not supported: fragments")),
        Selection::InlineFragment(fragment) => Err(Refusal::at(fragment.position, "Not supported: fragments")),
    });
    fields.collect()
}

/// The fields of a field that is no leaf.
fn inner<'q>(field: &'q Field<'static, String>, kind: &str) -> Result<Vec<&'q Field<'static, String>>, Refusal> {
    if field.selection_set.items.is_empty() {
        let name = &field.name;
        let message = format!("Field \"{name}\" of type \"{kind}\" must have a selection of subfields.");
        return Err(Refusal::at(field.position, message));
    }
    fields(&field.selection_set)
}

fn leaf(field: &Field<'static, String>, kind: &str) -> Result<(), Refusal> {
    if !field.selection_set.items.is_empty() {
        let message = format!("Field \"{}\" must not have a selection since it has no subfields.", field.name);
        return Err(Refusal::at(field.position, message));
    }
    no_arguments(field, kind)
}

fn no_arguments(field: &Field<'static, String>, kind: &str) -> Result<(), Refusal> {
    match field.arguments.first() {
        Some((argument, _)) => {
            let message = format!("Unknown argument \"{argument}\" on field \"{kind}.{}\".", field.name);
            Err(Refusal::at(field.position, message))
        }
        None => Ok(()),
    }
}

fn key(field: &Field<'static, String>) -> String {
    field.alias.as_ref().unwrap_or(&field.name).clone()
}

fn unknown(field: &Field<'static, String>, name: &str, kind: &str) -> Refusal {
    Refusal::at(field.position, format!("Cannot query field \"{name}\" on type \"{kind}\"."))
}

fn known<const N: usize>(name: &str, names: [&'static str; N]) -> Option<&'static str> {
    names.into_iter().find(|known| *known == name)
}

/// Whether a word is the second of two.
fn one_of(word: &str, kind: &str, words: [&str; 2]) -> Result<bool, Refusal> {
    match words.iter().position(|known| *known == word) {
        Some(place) => Ok(place == 1),
        None => Err(Refusal::new(format!("Value \"{word}\" does not exist in \"{kind}\" enum."))),
    }
}

fn bounded<'q>(values: &Values<'q>, given: Given<'q>, name: &str, max: i64) -> Result<Option<u64>, Refusal> {
    let Some(number) = values.int(given)? else { return Ok(None) };
    if (0..=max).contains(&number) {
        return Ok(Some(number.unsigned_abs()));
    }
    Err(Refusal::new(format!("The value of the `{name}` argument must be between 0 and {max}, but is {number}")))
}

//! The values of arguments: written in the query, or given as variables beside it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use graphql_parser::Pos;
use graphql_parser::query::{Type, Value, VariableDefinition};
use serde_json::{Map, Value as Json};

use super::refusal::Refusal;

/// The types that a variable may have.
const TYPES: [&str; 10] = [
    "Int",
    "BigInt",
    "ID",
    "String",
    "Bytes",
    "Boolean",
    "OrderFilledEvent_orderBy",
    "OrderDirection",
    "OrderFilledEvent_filter",
    "_SubgraphErrorPolicy_",
];

/// A value before it is known of which type it must be.
#[derive(Clone, Copy, Debug)]
pub(in crate::demo) enum Given<'q> {
    /// Written in the query; perhaps the name of a variable.
    Literal(&'q Value<'static, String>),
    Json(&'q Json),
}

/// A variable: its type without its exclamation marks, and its value if it has one.
struct Variable<'q> {
    place: Pos,
    kind: String,
    value: Option<Given<'q>>,
}

/// The variables of an operation, and which of them were used.
pub(in crate::demo) struct Values<'q> {
    variables: BTreeMap<&'q str, Variable<'q>>,
    used: RefCell<BTreeSet<String>>,
}

impl<'q> Values<'q> {
    pub(in crate::demo) fn new(
        declared: &'q [VariableDefinition<'static, String>],
        given: Option<&'q Map<String, Json>>,
    ) -> Result<Self, Refusal> {
        let mut variables = BTreeMap::new();
        for VariableDefinition { position, name, var_type, default_value } in declared {
            let kind = var_type.to_string().replace('!', "");
            let inner = kind.trim_matches(['[', ']']);
            if !TYPES.contains(&inner) {
                return Err(Refusal::at(*position, format!("Unknown type \"{inner}\".")));
            }
            let value = given.and_then(|given| given.get(name)).map(Given::Json);
            let value = value.or_else(|| default_value.as_ref().map(Given::Literal));
            let is_null = value.is_none_or(|value| value.is_null());
            if is_null && matches!(var_type, Type::NonNullType(_)) {
                return Err(Refusal::at(*position, format!("No value provided for required variable `{name}`")));
            }
            variables.insert(name.as_str(), Variable { place: *position, kind, value });
        }
        Ok(Self { variables, used: RefCell::default() })
    }

    /// Refuses an operation that declares what it does not use.
    pub(in crate::demo) fn all_used(&self) -> Result<(), Refusal> {
        let used = self.used.borrow();
        match self.variables.iter().find(|(name, _)| !used.contains(**name)) {
            Some((name, variable)) => Err(Refusal::at(variable.place, format!("Variable \"${name}\" is never used."))),
            None => Ok(()),
        }
    }

    /// What a value stands for, where a type is expected; `None` for null.
    fn settled(&self, given: Given<'q>, expected: &str) -> Result<Option<Given<'q>>, Refusal> {
        let value = match given {
            Given::Literal(Value::Variable(name)) => {
                let known = self.variables.get(name.as_str());
                let known = known.ok_or_else(|| Refusal::new(format!("Variable \"${name}\" is not defined.")))?;
                self.used.borrow_mut().insert(name.clone());
                if known.kind != expected {
                    let kind = &known.kind;
                    let message = format!(
                        "Variable \"${name}\" of type \"{kind}\" used in position expecting type \"{expected}\"."
                    );
                    return Err(Refusal::at(known.place, message));
                }
                known.value
            }
            given => Some(given),
        };
        Ok(value.filter(|value| !value.is_null()))
    }

    pub(in crate::demo) fn int(&self, given: Given<'q>) -> Result<Option<i64>, Refusal> {
        self.read(given, "Int", |value| match value {
            Given::Literal(Value::Int(number)) => number.as_i64(),
            Given::Json(Json::Number(number)) => number.as_i64(),
            _ => None,
        })
    }

    /// A number of any size, as a string or not. What is beyond 64 bits is as large as a number can be here.
    pub(in crate::demo) fn big_int(&self, given: Given<'q>) -> Result<Option<i64>, Refusal> {
        let digits = |text: &str| {
            let number = text.parse::<i128>().ok()?;
            Some(i64::try_from(number).unwrap_or(if number < 0 { i64::MIN } else { i64::MAX }))
        };
        self.read(given, "BigInt", |value| match value {
            Given::Literal(Value::Int(number)) => number.as_i64(),
            Given::Literal(Value::String(text)) | Given::Json(Json::String(text)) => digits(text),
            Given::Json(Json::Number(number)) => number.as_i64(),
            _ => None,
        })
    }

    /// A text of some type: `ID`, `String` or `Bytes`.
    pub(in crate::demo) fn text(&self, given: Given<'q>, kind: &str) -> Result<Option<&'q str>, Refusal> {
        self.read(given, kind, |value| match value {
            Given::Literal(Value::String(text)) | Given::Json(Json::String(text)) => Some(text.as_str()),
            _ => None,
        })
    }

    /// One word out of those of an enum.
    pub(in crate::demo) fn word(&self, given: Given<'q>, kind: &str) -> Result<Option<&'q str>, Refusal> {
        self.read(given, kind, |value| match value {
            Given::Literal(Value::Enum(word)) => Some(word.as_str()),
            Given::Json(Json::String(word)) => Some(word.as_str()),
            _ => None,
        })
    }

    /// The fields of an object.
    pub(in crate::demo) fn object(
        &self,
        given: Given<'q>,
        kind: &str,
    ) -> Result<Option<Vec<(&'q str, Given<'q>)>>, Refusal> {
        self.read(given, kind, |value| match value {
            Given::Literal(Value::Object(fields)) => {
                Some(fields.iter().map(|(name, value)| (name.as_str(), Given::Literal(value))).collect())
            }
            Given::Json(Json::Object(fields)) => {
                Some(fields.iter().map(|(name, value)| (name.as_str(), Given::Json(value))).collect())
            }
            _ => None,
        })
    }

    /// The elements of a list.
    pub(in crate::demo) fn list(&self, given: Given<'q>, kind: &str) -> Result<Option<Vec<Given<'q>>>, Refusal> {
        self.read(given, kind, |value| match value {
            Given::Literal(Value::List(items)) => Some(items.iter().map(Given::Literal).collect()),
            Given::Json(Json::Array(items)) => Some(items.iter().map(Given::Json).collect()),
            _ => None,
        })
    }

    fn read<T>(
        &self,
        given: Given<'q>,
        kind: &str,
        read: impl FnOnce(Given<'q>) -> Option<T>,
    ) -> Result<Option<T>, Refusal> {
        let Some(value) = self.settled(given, kind)? else { return Ok(None) };
        match read(value) {
            Some(read) => Ok(Some(read)),
            None => Err(Refusal::new(format!("Failed to coerce value `{}` to type `{kind}`", value.shown()))),
        }
    }
}

impl Given<'_> {
    fn is_null(self) -> bool {
        matches!(self, Self::Literal(Value::Null) | Self::Json(Json::Null))
    }

    fn shown(self) -> String {
        match self {
            Self::Literal(value) => value.to_string(),
            Self::Json(value) => value.to_string(),
        }
    }
}

//! The body of a request, and the operation in it that is asked for.

use graphql_parser::query::{Definition, Document, OperationDefinition, SelectionSet, VariableDefinition};
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::refusal::Refusal;

/// `{"query": "…", "variables": {…}, "operationName": "…"}`
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::demo) struct Request {
    pub(in crate::demo) query: String,
    #[serde(default)]
    pub(in crate::demo) variables: Option<Map<String, Json>>,
    #[serde(default)]
    pub(in crate::demo) operation_name: Option<String>,
}

/// What is asked for, with what it declares.
pub(in crate::demo) struct Operation<'q> {
    pub(in crate::demo) variables: &'q [VariableDefinition<'static, String>],
    pub(in crate::demo) selection: &'q SelectionSet<'static, String>,
}

impl<'q> Operation<'q> {
    /// The only operation of a document, or the one of a name.
    pub(in crate::demo) fn of(document: &'q Document<'static, String>, name: Option<&str>) -> Result<Self, Refusal> {
        let mut found = Vec::new();
        for definition in &document.definitions {
            match definition {
                Definition::Fragment(fragment) => {
                    return Err(Refusal::at(fragment.position, "Not supported: fragments"));
                }
                Definition::Operation(OperationDefinition::SelectionSet(selection)) => {
                    found.push((None, Self { variables: &[], selection }));
                }
                Definition::Operation(OperationDefinition::Query(query)) => {
                    if let Some(directive) = query.directives.first() {
                        return Err(Refusal::at(directive.position, "Not supported: directives"));
                    }
                    let operation = Self { variables: &query.variable_definitions, selection: &query.selection_set };
                    found.push((query.name.as_deref(), operation));
                }
                Definition::Operation(_) => return Err(Refusal::new("Not supported: only queries are allowed")),
            }
        }
        match name {
            Some(name) => {
                let named = found.into_iter().find(|(found, _)| *found == Some(name));
                named.ok_or_else(|| Refusal::new(format!("Operation name not found `{name}`")))
            }
            None if found.len() > 1 => Err(Refusal::new("Operation name required")),
            None => found.pop().ok_or_else(|| Refusal::new("The query is empty")),
        }
        .map(|(_, operation)| operation)
    }
}

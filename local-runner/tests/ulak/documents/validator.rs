//! A validator for the part of JSON Schema that the documents use, stricter than the standard: a property that no schema
//! names is an error. It panics on a keyword that it does not know, so that none is ignored by accident.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use shared::time::Time;

/// Validates values by schemas of a document.
#[derive(Clone, Copy)]
pub(super) struct Validator<'a> {
    /// What references point into.
    pub(super) document: &'a Value,
}

/// What a schema says of a value: its errors, and the places that it names. Several schemas may speak of one place, and
/// each names some of its properties.
#[derive(Default)]
struct Verdict {
    errors: Vec<String>,
    /// Properties, as JSON pointers.
    named: BTreeSet<String>,
    /// Objects whose properties may have any name.
    free: BTreeSet<String>,
}

impl Verdict {
    fn add(&mut self, other: Self) {
        self.errors.extend(other.errors);
        self.named.extend(other.named);
        self.free.extend(other.free);
    }
}

/// Keywords that say which properties an object has.
const SPEAKS: [&str; 7] =
    ["$ref", "allOf", "anyOf", "oneOf", "properties", "additionalProperties", "required"];

impl Validator<'_> {
    /// Everything that is wrong with a value, among it the properties that the schema does not name.
    pub(super) fn errors(self, schema: &Value, value: &Value) -> Vec<String> {
        let mut verdict = self.judge(schema, value, "");
        let mut unnamed = Vec::new();
        find_unnamed(&verdict, value, "", &mut unnamed);
        verdict.errors.extend(unnamed);
        verdict.errors
    }

    fn judge(self, schema: &Value, value: &Value, at: &str) -> Verdict {
        let schema = schema.as_object().unwrap_or_else(|| panic!("{at}: {schema} is no schema"));
        let mut verdict = Verdict::default();
        for (keyword, argument) in schema {
            match keyword.as_str() {
                "$ref" => {
                    let reference = argument.as_str().unwrap();
                    let target = self.document.pointer(&reference[1..]);
                    verdict.add(self.judge(target.unwrap_or_else(|| panic!("no {reference}")), value, at));
                }
                "allOf" => list(argument).for_each(|part| verdict.add(self.judge(part, value, at))),
                "anyOf" | "oneOf" => verdict.add(self.choose(keyword, argument, value, at)),
                "properties" => verdict.add(self.properties(argument, value, at)),
                "additionalProperties" => verdict.add(self.additional(schema, argument, value, at)),
                "items" => {
                    for (index, item) in list(value).enumerate() {
                        verdict.add(self.judge(argument, item, &format!("{at}/{index}")));
                    }
                }
                _ => {
                    let error = plain(keyword, argument, value);
                    verdict.errors.extend(error.map(|error| format!("{at}: {error}")));
                }
            }
        }
        if value.is_object() && !SPEAKS.iter().any(|keyword| schema.contains_key(*keyword)) {
            verdict.free.insert(at.to_owned());
        }
        verdict
    }

    /// Any of the alternatives, or exactly one of them.
    fn choose(self, keyword: &str, alternatives: &Value, value: &Value, at: &str) -> Verdict {
        let (right, wrong): (Vec<_>, Vec<_>) = list(alternatives)
            .map(|alternative| self.judge(alternative, value, at))
            .partition(|verdict| verdict.errors.is_empty());
        let mut verdict = Verdict::default();
        if right.is_empty() {
            verdict.errors.extend(wrong.into_iter().flat_map(|verdict| verdict.errors));
        } else if keyword == "oneOf" && right.len() > 1 {
            verdict.errors.push(format!("{at}: {} alternatives are valid", right.len()));
        }
        right.into_iter().for_each(|one| verdict.add(one));
        verdict
    }

    fn properties(self, properties: &Value, value: &Value, at: &str) -> Verdict {
        let mut verdict = Verdict::default();
        for (name, schema) in properties.as_object().unwrap() {
            if let Some(property) = value.get(name) {
                let place = format!("{at}/{name}");
                verdict.add(self.judge(schema, property, &place));
                verdict.named.insert(place);
            }
        }
        verdict
    }

    fn additional(self, schema: &Map<String, Value>, argument: &Value, value: &Value, at: &str) -> Verdict {
        let mut verdict = Verdict::default();
        let is_named = |name: &str| schema.get("properties").is_some_and(|known| known.get(name).is_some());
        for (name, property) in value.as_object().into_iter().flatten().filter(|(name, _)| !is_named(name)) {
            let place = format!("{at}/{name}");
            match argument {
                Value::Bool(false) => verdict.errors.push(format!("{place}: is not allowed")),
                schema => verdict.add(self.judge(schema, property, &place)),
            }
            verdict.named.insert(place);
        }
        verdict
    }
}

/// Adds an error for each property, at any depth, that no schema names.
fn find_unnamed(verdict: &Verdict, value: &Value, at: &str, errors: &mut Vec<String>) {
    if verdict.free.contains(at) {
        return;
    }
    for (name, property) in value.as_object().into_iter().flatten() {
        let place = format!("{at}/{name}");
        if verdict.named.contains(&place) {
            find_unnamed(verdict, property, &place, errors);
        } else {
            errors.push(format!("{place}: is not documented"));
        }
    }
    for (index, item) in list(value).enumerate() {
        find_unnamed(verdict, item, &format!("{at}/{index}"), errors);
    }
}

/// The error of a keyword that concerns the value alone.
fn plain(keyword: &str, argument: &Value, value: &Value) -> Option<String> {
    let size = |count: Option<usize>| count.map(|count| count as f64);
    let characters = size(value.as_str().map(|text| text.chars().count()));
    let items = size(value.as_array().map(Vec::len));
    let properties = size(value.as_object().map(Map::len));
    let at_least = |number: Option<f64>| number.is_none_or(|number| number >= argument.as_f64().unwrap());
    let at_most = |number: Option<f64>| number.is_none_or(|number| number <= argument.as_f64().unwrap());
    let is_valid = match keyword {
        "type" => list_or_one(argument).any(|kind| is_of(kind.as_str().unwrap(), value)),
        "required" => {
            list(argument).all(|name| !value.is_object() || value.get(name.as_str().unwrap()).is_some())
        }
        "enum" => list(argument).any(|allowed| allowed == value),
        "const" => argument == value,
        "minLength" => at_least(characters),
        "maxLength" => at_most(characters),
        "minItems" => at_least(items),
        "maxItems" => at_most(items),
        "maxProperties" => at_most(properties),
        "minimum" => at_least(value.as_f64()),
        "maximum" => at_most(value.as_f64()),
        "format" => is_formatted(argument, value),
        // Patterns are those of requests; schemathesis makes requests of them, which the system must accept.
        "pattern" | "description" | "default" => true,
        _ => panic!("the keyword {keyword} is not known here"),
    };
    (!is_valid).then(|| format!("{value} is not valid: {keyword} {argument}"))
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "null" => value.is_null(),
        _ => panic!("the type {kind} is not known here"),
    }
}

/// Times are written in UTC with milliseconds.
fn is_formatted(format: &Value, value: &Value) -> bool {
    assert_eq!(format, "date-time");
    value.as_str().is_none_or(|text| Time::parse(text).is_some_and(|time| time.to_string() == text))
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn list_or_one(value: &Value) -> impl Iterator<Item = &Value> {
    let one = (!value.is_array()).then_some(value);
    list(value).chain(one)
}

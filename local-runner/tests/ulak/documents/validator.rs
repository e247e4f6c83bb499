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

/// What a schema says of a value: its errors, and the properties that it names.
#[derive(Default)]
struct Verdict {
    errors: Vec<String>,
    named: BTreeSet<String>,
}

impl Verdict {
    fn add(&mut self, other: Self) {
        self.errors.extend(other.errors);
        self.named.extend(other.named);
    }
}

impl Validator<'_> {
    /// Everything that is wrong with a value.
    pub(super) fn errors(self, schema: &Value, value: &Value) -> Vec<String> {
        self.whole(schema, value, "")
    }

    /// The errors at one place of the value, among them the properties that the schema does not name.
    fn whole(self, schema: &Value, value: &Value, at: &str) -> Vec<String> {
        let Verdict { mut errors, named } = self.judge(schema, value, at);
        let unnamed = value.as_object().into_iter().flat_map(Map::keys).filter(|key| !named.contains(*key));
        errors.extend(unnamed.map(|key| format!("{at}/{key}: is not documented")));
        errors
    }

    fn judge(self, schema: &Value, value: &Value, at: &str) -> Verdict {
        let schema = schema.as_object().unwrap_or_else(|| panic!("{at}: {schema} is no schema"));
        let mut verdict = Verdict::default();
        for (keyword, argument) in schema {
            match keyword.as_str() {
                "$ref" => {
                    let reference = argument.as_str().unwrap();
                    let target =
                        self.document.pointer(&reference[1..]).unwrap_or_else(|| panic!("no {reference}"));
                    verdict.add(self.judge(target, value, at));
                }
                "allOf" => list(argument).for_each(|part| verdict.add(self.judge(part, value, at))),
                "anyOf" | "oneOf" => verdict.add(self.choose(keyword, argument, value, at)),
                "properties" => verdict.add(self.properties(argument, value, at)),
                "additionalProperties" => verdict.add(self.additional(schema, argument, value, at)),
                "items" => {
                    for (index, item) in list(value).enumerate() {
                        verdict.errors.extend(self.whole(argument, item, &format!("{at}/{index}")));
                    }
                }
                _ => verdict
                    .errors
                    .extend(plain(keyword, argument, value).map(|error| format!("{at}: {error}"))),
            }
        }
        // A schema that says nothing of an object's properties allows all.
        let speaks = ["$ref", "allOf", "anyOf", "oneOf", "properties", "additionalProperties"];
        if !speaks.iter().any(|keyword| schema.contains_key(*keyword)) {
            verdict.named.extend(value.as_object().into_iter().flat_map(Map::keys).cloned());
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
                verdict.named.insert(name.clone());
                verdict.errors.extend(self.whole(schema, property, &format!("{at}/{name}")));
            }
        }
        verdict
    }

    fn additional(self, schema: &Map<String, Value>, argument: &Value, value: &Value, at: &str) -> Verdict {
        let mut verdict = Verdict::default();
        let is_named = |name: &str| schema.get("properties").is_some_and(|known| known.get(name).is_some());
        for (name, property) in value.as_object().into_iter().flatten().filter(|(name, _)| !is_named(name)) {
            verdict.named.insert(name.clone());
            match argument {
                Value::Bool(false) => verdict.errors.push(format!("{at}/{name}: is not allowed")),
                schema => verdict.errors.extend(self.whole(schema, property, &format!("{at}/{name}"))),
            }
        }
        verdict
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

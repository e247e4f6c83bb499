//! JSON Schemas of types and shared responses, collected for the `components` of a document.

use schemars::JsonSchema;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};

/// The schemas of one document.
pub(crate) struct Schemas {
    generator: SchemaGenerator,
    named: Map<String, Value>,
    responses: Map<String, Value>,
}

impl Schemas {
    pub(crate) fn new() -> Self {
        let settings = SchemaSettings::draft2020_12()
            .with(|settings| settings.definitions_path = "/components/schemas".into())
            .for_serialize();
        Self { generator: settings.into_generator(), named: Map::new(), responses: Map::new() }
    }

    /// A reference to the schema of a type as it is serialised.
    pub(crate) fn of<T: JsonSchema>(&mut self) -> Value {
        Value::from(self.generator.subschema_for::<T>())
    }

    /// The alternatives of an enum whose variants have the names of its values as titles.
    pub(crate) fn alternatives<T: JsonSchema>(&mut self) -> Vec<(String, Value)> {
        let schema = T::json_schema(&mut self.generator);
        let mut alternatives = schema.get("anyOf").and_then(Value::as_array).cloned().unwrap_or_default();
        alternatives.iter_mut().for_each(remove_widths);
        alternatives.into_iter().map(without_title).collect()
    }

    /// A reference to a schema that is given here.
    pub(crate) fn add(&mut self, name: &str, schema: Value) -> Value {
        self.named.insert(name.to_owned(), schema);
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }

    /// A reference to a response that several operations share.
    pub(crate) fn response(&mut self, name: &str, response: Value) -> Value {
        self.responses.insert(name.to_owned(), response);
        json!({ "$ref": format!("#/components/responses/{name}") })
    }

    /// The shared responses by name.
    pub(crate) fn responses(&mut self) -> Value {
        Value::Object(std::mem::take(&mut self.responses))
    }

    /// All schemas by name.
    pub(crate) fn finish(mut self) -> Value {
        let mut all = self.generator.take_definitions(true);
        all.append(&mut self.named);
        let mut all = Value::Object(all);
        remove_widths(&mut all);
        all
    }
}

/// The width of an integer in memory is no format that validators know.
fn remove_widths(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if map.get("format").and_then(Value::as_str).is_some_and(|format| format.starts_with("uint")) {
                map.remove("format");
            }
            map.values_mut().for_each(remove_widths);
        }
        Value::Array(list) => list.iter_mut().for_each(remove_widths),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn without_title(mut schema: Value) -> (String, Value) {
    let title = schema.as_object_mut().and_then(|map| map.remove("title"));
    (title.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned(), schema)
}

/// An object with the properties of a request: unknown ones are refused, and null is the same as absent.
pub(crate) fn object(required: &[(&str, Value)], optional: &[(&str, Value)]) -> Value {
    let names: Vec<&str> = required.iter().map(|(name, _)| *name).collect();
    let own = |(name, schema): &(&str, Value)| ((*name).to_owned(), schema.clone());
    let nullable = |(name, schema): &(&str, Value)| ((*name).to_owned(), or_null(schema.clone()));
    let properties: Map<String, Value> =
        required.iter().map(own).chain(optional.iter().map(nullable)).collect();
    let mut object = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if !names.is_empty() {
        object["required"] = json!(names);
    }
    object
}

/// The schema that allows null too.
fn or_null(mut schema: Value) -> Value {
    let types = match &schema["type"] {
        Value::String(one) if one != "null" => json!([one, "null"]),
        other => other.clone(),
    };
    schema["type"] = types;
    schema
}

/// The property may be absent or null, nothing else.
pub(crate) fn absent() -> Value {
    json!({ "type": "null" })
}

/// Makes the schema of a type, for tables of types.
pub(crate) type TypeSchema = fn(&mut Schemas) -> Value;

/// The [`TypeSchema`] of `T`.
pub(crate) fn type_schema<T: JsonSchema>(schemas: &mut Schemas) -> Value {
    schemas.of::<T>()
}

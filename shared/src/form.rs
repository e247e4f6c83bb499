//! Reads a JSON object or a query once and remembers every wrong field, so that a client learns all of
//! them at once. What nobody asked for is wrong too: an operator object never gets past here.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::error::{Error, FieldError};

/// Fields that are taken one by one.
pub struct Form {
    fields: Map<String, Value>,
    errors: Vec<FieldError>,
}

impl Form {
    /// From a JSON value, which must be an object.
    pub fn json(value: Value) -> Result<Self, Error> {
        match value {
            Value::Object(fields) => Ok(Self { fields, errors: Vec::new() }),
            _ => Err(Error::field("body", "must be a JSON object")),
        }
    }

    /// From a query's names and values.
    pub fn query(query: &HashMap<String, String>) -> Self {
        let fields = query.iter().map(|(k, v)| (k.clone(), Value::String(v.clone()))).collect();
        Self { fields, errors: Vec::new() }
    }

    /// A field that may be absent or null. `None` also when it is wrong: then the error is remembered.
    pub fn optional<T>(&mut self, name: &str, parse: impl FnOnce(&Value) -> Result<T, String>) -> Option<T> {
        let value = self.fields.remove(name).filter(|v| !v.is_null())?;
        parse(&value).map_err(|message| self.add_error(name, message)).ok()
    }

    /// A field that must be there.
    pub fn required<T>(&mut self, name: &str, parse: impl FnOnce(&Value) -> Result<T, String>) -> Option<T> {
        if self.fields.get(name).is_none_or(Value::is_null) {
            self.fields.remove(name);
            self.add_error(name, "is required");
            return None;
        }
        self.optional(name, parse)
    }

    /// Remembers that a field is wrong.
    pub fn add_error(&mut self, field: &str, message: impl Into<String>) {
        self.errors.push(FieldError { field: field.to_owned(), message: message.into() });
    }

    /// The same, unless the field was found wrong already.
    pub fn add_error_once(&mut self, field: &str, message: impl Into<String>) {
        self.add_error_unless_any(&[field], message);
    }

    /// That none of several fields is there, unless one of them is and was found wrong; the first is blamed.
    pub fn add_error_unless_any(&mut self, fields: &[&str], message: impl Into<String>) {
        let told = self.errors.iter().any(|error| fields.contains(&error.field.as_str()));
        if let (false, Some(first)) = (told, fields.first()) {
            self.add_error(first, message);
        }
    }

    /// All errors, or what the fields make together. `whole` is called only when nothing was wrong.
    pub fn finish<T>(mut self, whole: impl FnOnce() -> Option<T>) -> Result<T, Error> {
        let unknown: Vec<String> = self.fields.keys().take(20).cloned().collect();
        for field in unknown {
            self.add_error(&field.chars().take(64).collect::<String>(), "is not a field of this request");
        }
        if self.errors.is_empty()
            && let Some(value) = whole()
        {
            return Ok(value);
        }
        Err(Error::Invalid(self.errors))
    }
}

/// Lifts a parser of text to one of JSON values.
pub fn text<T>(parse: impl FnOnce(&str) -> Result<T, String>) -> impl FnOnce(&Value) -> Result<T, String> {
    |value| value.as_str().ok_or_else(|| "must be a string".to_owned()).and_then(parse)
}

/// A JSON boolean.
pub fn boolean(value: &Value) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| "must be true or false".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Form, text};
    use crate::error::Error;

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let mut form = Form::json(json!({"email": {"$gt": ""}, "extra": 1})).unwrap();
        let email = form.required("email", text(|s| Ok(s.to_owned())));
        let name = form.required("name", text(|s| Ok(s.to_owned())));
        let Err(Error::Invalid(errors)) = form.finish(|| email.zip(name)) else { panic!("must fail") };
        let fields: Vec<_> = errors.iter().map(|e| (e.field.as_str(), e.message.as_str())).collect();
        assert_eq!(
            fields,
            [
                ("email", "must be a string"),
                ("name", "is required"),
                ("extra", "is not a field of this request")
            ]
        );
    }
}

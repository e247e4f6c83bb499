//! Validates the fields of a JSON object or a query, and reports all invalid fields at once. Unknown fields are
//! invalid, and every field is parsed to a plain value, so that no database operator (`{"$gt": ""}`) gets through.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::error::{Error, FieldError};

/// The fields of one request. Each is taken once; those left at the end are unknown.
pub struct Form {
    fields: Map<String, Value>,
    errors: Vec<FieldError>,
}

impl Form {
    /// The fields of a JSON object.
    ///
    /// # Errors
    /// `Invalid` naming `body` for any other JSON value.
    pub fn json(value: Value) -> Result<Self, Error> {
        match value {
            Value::Object(fields) => Ok(Self { fields, errors: Vec::new() }),
            _ => Err(Error::field("body", "must be a JSON object")),
        }
    }

    /// The parameters of a query, as strings.
    pub fn query(query: &HashMap<String, String>) -> Self {
        let fields = query.iter().map(|(k, v)| (k.clone(), Value::String(v.clone()))).collect();
        Self { fields, errors: Vec::new() }
    }

    /// Takes a field that may be absent or null. `None` also if it is invalid; its error is then recorded.
    pub fn optional<T>(&mut self, name: &str, parse: impl FnOnce(&Value) -> Result<T, String>) -> Option<T> {
        let value = self.fields.remove(name).filter(|v| !v.is_null())?;
        parse(&value).map_err(|message| self.add_error(name, message)).ok()
    }

    /// Takes a field that must be present and not null.
    pub fn required<T>(&mut self, name: &str, parse: impl FnOnce(&Value) -> Result<T, String>) -> Option<T> {
        if self.fields.get(name).is_none_or(Value::is_null) {
            self.fields.remove(name);
            self.add_error(name, "is required");
            return None;
        }
        self.optional(name, parse)
    }

    /// Records that a field is invalid.
    pub fn add_error(&mut self, field: &str, message: impl Into<String>) {
        self.errors.push(FieldError { field: field.to_owned(), message: message.into() });
    }

    /// Records that a field is invalid, unless it has an error already.
    pub fn add_error_once(&mut self, field: &str, message: impl Into<String>) {
        self.add_error_unless_any(&[field], message);
    }

    /// Records an error of the first of `fields`, unless any of them has an error already.
    pub fn add_error_unless_any(&mut self, fields: &[&str], message: impl Into<String>) {
        let has_error = self.errors.iter().any(|error| fields.contains(&error.field.as_str()));
        if let (false, Some(first)) = (has_error, fields.first()) {
            self.add_error(first, message);
        }
    }

    /// Builds the result with `build`, which is called only if there are no errors.
    ///
    /// # Errors
    /// `Invalid` with every invalid field and up to 20 unknown ones.
    pub fn finish<T>(mut self, build: impl FnOnce() -> Option<T>) -> Result<T, Error> {
        let unknown: Vec<String> = self.fields.keys().take(20).cloned().collect();
        for field in unknown {
            self.add_error(&field.chars().take(64).collect::<String>(), "is unknown; remove it");
        }
        if self.errors.is_empty()
            && let Some(value) = build()
        {
            return Ok(value);
        }
        Err(Error::Invalid(self.errors))
    }
}

/// Turns a parser of text into a parser of JSON strings.
pub fn text<T>(parse: impl FnOnce(&str) -> Result<T, String>) -> impl FnOnce(&Value) -> Result<T, String> {
    |value| value.as_str().ok_or_else(|| "must be a string".to_owned()).and_then(parse)
}

/// Parses a JSON boolean.
pub fn boolean(value: &Value) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| "must be true or false".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Form, text};
    use crate::error::Error;

    #[test]
    fn form_reports_every_invalid_field_at_once() {
        let mut form = Form::json(json!({"email": {"$gt": ""}, "extra": 1})).unwrap();
        let email = form.required("email", text(|s| Ok(s.to_owned())));
        let name = form.required("name", text(|s| Ok(s.to_owned())));
        let Err(Error::Invalid(errors)) = form.finish(|| email.zip(name)) else { panic!("must fail") };
        let fields: Vec<_> = errors.iter().map(|e| (e.field.as_str(), e.message.as_str())).collect();
        assert_eq!(
            fields,
            [("email", "must be a string"), ("name", "is required"), ("extra", "is unknown; remove it")]
        );
    }
}

//! The documents, and checks of answers and frames against them.

use std::collections::BTreeSet;
use std::fs;
use std::sync::OnceLock;

use serde_json::{Value, json};
use test_support::http_client::{HttpRequest, HttpResponse};
use test_support::repository;

use super::validator::Validator;

/// A document as the function serves it.
pub(crate) struct Document {
    pub(crate) json: Value,
}

/// An operation of the OpenAPI document.
#[derive(Clone)]
pub(crate) struct Operation {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) value: Value,
}

/// The OpenAPI document.
pub(crate) fn openapi() -> &'static Document {
    static READ: OnceLock<Document> = OnceLock::new();
    READ.get_or_init(|| Document::read("openapi.json"))
}

/// The AsyncAPI document.
pub(crate) fn asyncapi() -> &'static Document {
    static READ: OnceLock<Document> = OnceLock::new();
    READ.get_or_init(|| Document::read("asyncapi.json"))
}

impl Document {
    fn read(name: &str) -> Self {
        let file = repository().join("functions/api-description").join(name);
        Self { json: serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap() }
    }

    /// Every operation of the OpenAPI document.
    pub(crate) fn operations(&self) -> Vec<Operation> {
        let paths = self.json["paths"].as_object().unwrap();
        let of_path = |(path, methods): (&String, &Value)| {
            let operation = |(method, value): (&String, &Value)| Operation {
                method: method.to_uppercase(),
                path: path.clone(),
                value: value.clone(),
            };
            methods.as_object().unwrap().iter().map(operation).collect::<Vec<_>>()
        };
        paths.iter().flat_map(of_path).collect()
    }

    /// The value that a reference names.
    pub(crate) fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(reference) => self.json.pointer(&reference[1..]).unwrap(),
            None => value,
        }
    }

    /// What is wrong with a value, by a schema of this document in which unknown properties are errors.
    fn errors(&self, schema: &Value, value: &Value) -> Vec<String> {
        Validator { document: &self.json }.errors(schema, value)
    }

    /// Fails unless the value is valid by the schema at this pointer, without any property that it does not name.
    #[track_caller]
    pub(crate) fn assert_valid(&self, pointer: &str, value: &Value) {
        let schema = self.json.pointer(pointer).unwrap_or_else(|| panic!("{pointer} is not documented"));
        let errors = self.errors(schema, value);
        assert!(errors.is_empty(), "{pointer}: {errors:#?}\n{value:#}");
    }

    /// Fails unless the answer is documented for the route, with its status, headers, media type and every field.
    #[track_caller]
    pub(crate) fn assert_answer(&self, route: &str, answer: &HttpResponse) {
        let (method, path) = route.split_once(' ').unwrap();
        let responses = &self.json["paths"][path][method.to_lowercase()]["responses"];
        let found = &responses[answer.status.to_string()];
        let response = match found["$ref"].as_str() {
            Some(reference) => self.json.pointer(&reference[1..]).unwrap(),
            None => found,
        };
        assert!(!response.is_null(), "{route}: {} is not documented: {}", answer.status, answer.text());
        for name in response["headers"].as_object().into_iter().flat_map(|headers| headers.keys()) {
            assert!(answer.header(&name.to_lowercase()).is_some(), "{route}: {} lacks {name}", answer.status);
        }
        let media_type = answer.header("content-type").unwrap().split(';').next().unwrap();
        let content = &response["content"][media_type];
        assert!(!content.is_null(), "{route}: {media_type} is not documented for {}", answer.status);
        if media_type == "application/json" {
            let errors = self.errors(&content["schema"], &answer.json());
            assert!(errors.is_empty(), "{route} {}: {errors:#?}\n{}", answer.status, answer.text());
        }
    }
}

impl Operation {
    /// Such as `GET /api/conversations/{id}`.
    pub(crate) fn route(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// The path with every parameter replaced.
    pub(crate) fn path_with(&self, id: &str) -> String {
        let parts = self.path.split('/').map(|part| if part.starts_with('{') { id } else { part });
        parts.collect::<Vec<_>>().join("/")
    }

    /// The error codes that are documented, each with its status.
    pub(crate) fn codes(&self, document: &Document) -> BTreeSet<(u16, String)> {
        let responses = self.value["responses"].as_object().unwrap().iter();
        let codes = responses.flat_map(|(status, response)| {
            let response = document.resolve(response);
            let text = response["description"].as_str().unwrap();
            let status: u16 = status.parse().unwrap();
            let names = if status < 400 { "" } else { text };
            names.split(", ").filter(|name| !name.is_empty()).map(move |name| (status, name.to_owned()))
        });
        codes.collect()
    }

    pub(crate) fn needs_token(&self) -> bool {
        self.value["security"].is_null()
    }

    /// The example of the body.
    pub(crate) fn example(&self) -> Option<&Value> {
        Some(&self.value["requestBody"]["content"]["application/json"]["example"]).filter(|it| !it.is_null())
    }

    /// The schema of the body, resolved.
    pub(crate) fn body_schema<'a>(&'a self, document: &'a Document) -> Option<&'a Value> {
        let schema = &self.value["requestBody"]["content"]["application/json"]["schema"];
        Some(document.resolve(schema)).filter(|it| !it.is_null())
    }

    /// The names of the parameters in the query.
    pub(crate) fn query_names(&self) -> BTreeSet<String> {
        let all = self.value["parameters"].as_array().into_iter().flatten();
        let in_query = all.filter(|parameter| parameter["in"] == "query");
        in_query.map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect()
    }

    /// Adds the example of the body, if there is one.
    pub(crate) fn with_example(&self, request: HttpRequest) -> HttpRequest {
        match self.example() {
            Some(example) => request.json(example),
            None => request,
        }
    }
}

/// The names of all properties of a schema and of its alternatives.
pub(crate) fn property_names(schema: &Value) -> BTreeSet<String> {
    let own = schema["properties"].as_object().into_iter().flat_map(|properties| properties.keys().cloned());
    let alternatives = ["oneOf", "anyOf"].into_iter().filter_map(|key| schema[key].as_array()).flatten();
    own.chain(alternatives.flat_map(property_names)).collect()
}

#[test]
fn undocumented_and_missing_fields_are_found() {
    let document = openapi();
    let pointer = "/components/schemas/OwnUser";
    let schema = document.json.pointer(pointer).unwrap();
    let user = json!({ "id": "1", "username": "ada", "displayName": "Ada", "email": "ada@example.com",
        "createdAt": "2026-12-01T09:30:00.120Z", "lastSeenAt": "2026-12-01T09:30:00.120Z" });
    assert_eq!(document.errors(schema, &user), Vec::<String>::new());
    for (name, value) in
        [("passwordHash", json!("x")), ("createdAt", json!("yesterday")), ("email", json!(null))]
    {
        let mut wrong = user.clone();
        wrong[name] = value;
        assert_eq!(document.errors(schema, &wrong).len(), 1, "{name}");
    }
    let mut missing = user;
    missing.as_object_mut().unwrap().remove("email");
    assert_eq!(document.errors(schema, &missing).len(), 1);
}

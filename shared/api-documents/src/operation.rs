//! One route of the HTTP API and what the document says of it.

use serde_json::{Value, json};

use crate::errors;
use crate::examples::json_of;
use crate::requests::Request;
use crate::responses::{add_file, data_response, failure_response, outage_response};
use crate::schemas::{Schemas, TypeSchema, type_schema};

/// A route of the template.
pub(crate) struct Operation {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    /// The function that serves it.
    function: &'static str,
    /// The function's sentence in the template.
    sentence: &'static str,
    /// What the sentence leaves open.
    description: Option<&'static str>,
    tag: &'static str,
    /// Whether it is another route to a function that has one already, and its number then.
    alias: Option<usize>,
    parameters: Vec<Value>,
    body: Option<Body>,
    replies: Vec<Reply>,
    codes: Vec<&'static str>,
    is_public: bool,
    reports_outages: bool,
}

struct Body {
    request: Request,
    required: bool,
}

/// A reply that is no failure.
enum Reply {
    Data { status: u16, schema: TypeSchema, example: Value, message: Option<&'static str> },
    File { media_type: &'static str, description: &'static str },
}

/// What every reply of a function that checks tokens and limits may fail with.
const GATED: [&str; 6] =
    ["UNAUTHENTICATED", "TOKEN_EXPIRED", "TOKEN_REVOKED", "RATE_LIMITED", "UNAVAILABLE", "INTERNAL"];

/// What reading a body may fail with.
const BODY: [&str; 4] = ["INVALID_JSON", "PAYLOAD_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE", "VALIDATION_FAILED"];

/// The tag, method, path and function of an operation that needs a token.
pub(crate) fn operation(
    tag: &'static str,
    route: &'static str,
    function: &'static str,
    sentence: &'static str,
) -> Operation {
    let (method, path) = route.split_once(' ').unwrap_or(("GET", route));
    Operation {
        method,
        path,
        function,
        sentence,
        description: None,
        tag,
        alias: None,
        parameters: Vec::new(),
        body: None,
        replies: Vec::new(),
        codes: GATED.to_vec(),
        is_public: false,
        reports_outages: false,
    }
}

impl Operation {
    /// It needs no token; only the limit of the client's address applies.
    pub(crate) fn public(mut self) -> Self {
        self.is_public = true;
        self.codes.retain(|code| !matches!(*code, "UNAUTHENTICATED" | "TOKEN_EXPIRED" | "TOKEN_REVOKED"));
        self
    }

    /// It needs no token and no store.
    pub(crate) fn constant(mut self) -> Self {
        self = self.public();
        self.codes.clear();
        self
    }

    pub(crate) fn description(mut self, description: &'static str) -> Self {
        self.description = Some(description);
        self
    }

    /// Another route to the same function.
    pub(crate) fn alias(mut self, number: usize) -> Self {
        self.alias = Some(number);
        self
    }

    /// A parameter of the path that is an id.
    pub(crate) fn path_id(mut self, parameter: Value) -> Self {
        self.codes.push("NOT_FOUND");
        self.parameters.push(parameter);
        self
    }

    /// A parameter of the path that is no id.
    pub(crate) fn parameter(mut self, parameter: Value) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// The parameters of the query, all that there are.
    pub(crate) fn query(mut self, parameters: impl IntoIterator<Item = Value>) -> Self {
        self.codes.push("VALIDATION_FAILED");
        self.parameters.extend(parameters);
        self
    }

    pub(crate) fn body(mut self, request: Request) -> Self {
        self.codes.extend(BODY);
        self.body = Some(Body { request, required: true });
        self
    }

    pub(crate) fn optional_body(self, request: Request) -> Self {
        let mut with_body = self.body(request);
        if let Some(body) = &mut with_body.body {
            body.required = false;
        }
        with_body
    }

    /// A reply with data of the example's type.
    pub(crate) fn replies<T: schemars::JsonSchema + serde::Serialize>(
        mut self,
        status: u16,
        example: T,
    ) -> Self {
        let (schema, example) = (type_schema::<T> as TypeSchema, json_of(example));
        self.replies.push(Reply::Data { status, schema, example, message: None });
        self
    }

    /// A message for people in the latest reply.
    pub(crate) fn with_message(mut self, text: &'static str) -> Self {
        if let Some(Reply::Data { message, .. }) = self.replies.last_mut() {
            *message = Some(text);
        }
        self
    }

    /// A reply that is a file.
    pub(crate) fn file(mut self, media_type: &'static str, description: &'static str) -> Self {
        self.replies.push(Reply::File { media_type, description });
        self
    }

    /// 503 has data too: the state of every store.
    pub(crate) fn reports_outages(mut self) -> Self {
        self.reports_outages = true;
        self
    }

    pub(crate) fn fails_with(mut self, codes: &[&'static str]) -> Self {
        self.codes.extend(codes);
        self
    }

    /// Removes a code that all operations of its kind have.
    pub(crate) fn never_fails_with(mut self, code: &'static str) -> Self {
        self.codes.retain(|known| *known != code);
        self
    }

    /// The operation object of OpenAPI.
    pub(crate) fn render(&self, schemas: &mut Schemas) -> Value {
        let mut id = self.function.to_owned();
        if let Some(number) = self.alias {
            id.push_str(&format!("-{number}"));
        }
        let mut object = json!({
            "operationId": id,
            "tags": [self.tag],
            "summary": capitalised(self.sentence),
            "responses": self.responses(schemas),
        });
        if let Some(description) = self.description {
            object["description"] = description.into();
        }
        if !self.parameters.is_empty() {
            object["parameters"] = self.parameters.clone().into();
        }
        if let Some(Body { request, required }) = &self.body {
            let schema = schemas.add(&self.request_name(), request.schema.clone());
            let content = json!({ "application/json": { "schema": schema, "example": request.example } });
            object["requestBody"] = json!({ "required": required, "content": content });
        }
        if self.is_public {
            object["security"] = json!([]);
        }
        object
    }

    /// `AuthLoginRequest` for `auth-login`.
    fn request_name(&self) -> String {
        let alias = self.alias.map(|number| format!("Alias{number}")).unwrap_or_default();
        let words: String = self.function.split('-').map(capitalised).collect();
        format!("{words}{alias}Request")
    }

    fn responses(&self, schemas: &mut Schemas) -> Value {
        let mut responses = json!({});
        for (status, group) in errors::by_status(&self.codes) {
            let has_path = self.path.contains('{');
            let names: Vec<&str> = group.iter().map(|(code, _)| *code).collect();
            let path = if status == 404 && has_path { "-path" } else { "" };
            let response = failure_response(status, &group, has_path);
            responses[status.to_string()] = schemas.response(&format!("{}{path}", names.join("-")), response);
        }
        for reply in &self.replies {
            match reply {
                Reply::Data { status, schema, example, message } => {
                    responses[status.to_string()] =
                        data_response(*status, &schema(schemas), example, *message);
                }
                Reply::File { media_type, description } => {
                    add_file(&mut responses["200"], media_type, description);
                }
            }
        }
        if self.reports_outages {
            responses["503"] = outage_response(schemas);
        }
        responses
    }
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

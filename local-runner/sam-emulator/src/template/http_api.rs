//! `AWS::Serverless::HttpApi` and the `HttpApi` events → [`HttpApiPlan`].

use std::time::Duration;

use super::node::{Cursor, Node};
use super::{Reader, Resource, TemplateError, intrinsics};
use crate::http_api::route;
use crate::plan::{CorsPlan, HttpApiPlan, HttpRoutePlan};

const READ: &[&str] = &["StageName", "CorsConfiguration"];

/// What names, observes or throttles the API and does not change an answer here.
const IGNORED: &[&str] = &[
    "AccessLogSettings",
    "DefaultRouteSettings",
    "Description",
    "DisableExecuteApiEndpoint",
    "FailOnWarnings",
    "Name",
    "PropagateTags",
    "RouteSettings",
    "Tags",
];

/// The id that SAM gives to the API of events that name none.
const IMPLICIT: &str = "ServerlessHttpApi";

/// Collects the API and its routes while the resources are read, in whatever order they come.
#[derive(Default)]
pub(crate) struct Apis {
    api: Option<(String, HttpApiPlan)>,
    routes: Vec<(String, String, HttpRoutePlan)>,
}

impl Apis {
    /// Takes in an API resource.
    pub(crate) fn add(&mut self, resource: &Resource) -> Result<(), TemplateError> {
        let at = resource.properties();
        if let Some((first, _)) = &self.api {
            return Err(at.refuse(format!("the local runner serves one HttpApi, and {first} is it")));
        }
        self.api = Some((resource.id.clone(), read_api(&at)?));
        Ok(())
    }

    /// Takes in an `HttpApi` event; without Path and Method it is the `$default` route.
    pub(crate) fn add_route(&mut self, at: Option<&Cursor<'_>>, function: &str) -> Result<(), TemplateError> {
        let nothing = Node::Null;
        let at = at.cloned().unwrap_or_else(|| Cursor::new(&nothing, "Events"));
        at.only(&[
            &["Path", "Method", "ApiId", "TimeoutInMillis", "PayloadFormatVersion"],
            &["RouteSettings"],
        ])?;
        let api = at.get("ApiId").map_or(Ok(IMPLICIT), |id| id.text())?;
        let route = read_route(&at, function)?;
        let twin = |known: &HttpRoutePlan| known.method == route.method && known.path == route.path;
        if self.routes.iter().any(|(_, _, known)| twin(known)) {
            return Err(at.refuse(format!("a second route {} {}", route.method, route.path)));
        }
        self.routes.push((api.to_owned(), at.path.clone(), route));
        Ok(())
    }

    /// Joins API and routes once all resources are read.
    pub(crate) fn finish(self, reader: &Reader<'_>) -> Result<Option<HttpApiPlan>, TemplateError> {
        let (id, mut plan) = match self.api {
            Some(api) => api,
            None if self.routes.is_empty() => return Ok(None),
            None => (IMPLICIT.to_owned(), read_implicit(reader)?),
        };
        for (api, path, route) in self.routes {
            if api != id {
                return Err(TemplateError::at(&path, format!("the API {api} is not the one served, {id}")));
            }
            plan.routes.push(route);
        }
        Ok(Some(plan))
    }
}

fn read_implicit(reader: &Reader<'_>) -> Result<HttpApiPlan, TemplateError> {
    let defaults = reader.globals.merge("HttpApi", Node::Null);
    let resolved = intrinsics::resolve(reader.scope, &Cursor::new(&defaults, "Globals.HttpApi"))?;
    read_api(&Cursor::new(&resolved, "Globals.HttpApi"))
}

fn read_api(at: &Cursor<'_>) -> Result<HttpApiPlan, TemplateError> {
    at.only(&[READ, IGNORED])?;
    Ok(HttpApiPlan {
        stage: at.get("StageName").map_or(Ok("$default"), |stage| stage.text())?.to_owned(),
        routes: Vec::new(),
        cors: at.get("CorsConfiguration").map(|cors| read_cors(&cors)).transpose()?.flatten(),
    })
}

/// `CorsConfiguration`: a map, or `true` for every origin (SAM's short form).
fn read_cors(at: &Cursor<'_>) -> Result<Option<CorsPlan>, TemplateError> {
    if matches!(at.node, Node::Text(_)) {
        let all = || vec!["*".to_owned()];
        return Ok(at.boolean()?.then(|| CorsPlan { allow_origins: all(), ..CorsPlan::default() }));
    }
    const LISTS: &[&str] = &["AllowOrigins", "AllowMethods", "AllowHeaders", "ExposeHeaders"];
    at.only(&[LISTS, &["AllowCredentials", "MaxAge"]])?;
    let list = |key: &str| at.get(key).map_or(Ok(Vec::new()), |list| list.texts());
    let cors = CorsPlan {
        allow_origins: list("AllowOrigins")?,
        allow_methods: list("AllowMethods")?.iter().map(|method| method.to_uppercase()).collect(),
        allow_headers: list("AllowHeaders")?,
        expose_headers: list("ExposeHeaders")?,
        allow_credentials: at.get("AllowCredentials").map_or(Ok(false), |value| value.boolean())?,
        max_age: at.get("MaxAge").map(|value| value.number(0, 86_400)).transpose()?,
    };
    if cors.allow_credentials && cors.allow_origins.iter().any(|origin| origin == "*") {
        return Err(at.refuse("AllowCredentials cannot be combined with the origin *"));
    }
    Ok(Some(cors))
}

fn read_route(at: &Cursor<'_>, function: &str) -> Result<HttpRoutePlan, TemplateError> {
    let (method, path) = match (at.get("Method"), at.get("Path")) {
        (None, None) => ("ANY".to_owned(), "$default".to_owned()),
        (Some(method), Some(path)) => {
            let declared = path.text()?;
            route::check_path(declared).map_err(|what| path.refuse(what))?;
            (read_method(&method)?, route::without_trailing_slash(declared).to_owned())
        }
        _ => return Err(at.refuse("Path and Method go together")),
    };
    let format = at.get("PayloadFormatVersion").map_or(Ok("2.0"), |value| value.text())?;
    if !matches!(format, "1.0" | "2.0") {
        return Err(at.refuse(format!("PayloadFormatVersion is 1.0 or 2.0, found `{format}`")));
    }
    let timeout = at.get("TimeoutInMillis").map_or(Ok(30_000), |value| value.number(50, 30_000))?;
    Ok(HttpRoutePlan {
        method,
        path,
        function: function.to_owned(),
        timeout: Duration::from_millis(timeout),
        payload_format: format.to_owned(),
    })
}

fn read_method(at: &Cursor<'_>) -> Result<String, TemplateError> {
    let method = at.text()?.to_uppercase();
    match method.as_str() {
        "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS" | "ANY" => Ok(method),
        // SAM's older word for ANY.
        "X-AMAZON-APIGATEWAY-ANY-METHOD" => Ok("ANY".to_owned()),
        other => Err(at.refuse(format!("`{other}` is no method of an HTTP API"))),
    }
}

//! `AWS::Serverless::HttpApi` and the `HttpApi` events → [`HttpApiPlan`].

use std::time::Duration;

use super::error::TemplateError;
use super::globals::Globals;
use super::intrinsics;
use super::node::{Cursor, Node};
use super::resource::Resource;
use super::scope::Scope;
use crate::http_api::route;
use crate::plan::{CorsPlan, HttpApiPlan, HttpRoutePlan};

const READ: &[&str] = &["StageName", "CorsConfiguration"];

/// Properties that name, observe or throttle the API and do not change a response here.
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

/// The logical id of the API that SAM creates for events without `ApiId`.
const IMPLICIT: &str = "ServerlessHttpApi";

/// Collects the API and its routes, which may come in any order in the template.
#[derive(Default)]
pub(crate) struct HttpApiBuilder {
    /// The API's logical id and its plan, still without routes.
    api: Option<(String, HttpApiPlan)>,
    routes: Vec<DeclaredRoute>,
}

struct DeclaredRoute {
    /// The logical id of the API that the event names.
    api: String,
    /// The event's place in the template.
    path: String,
    plan: HttpRoutePlan,
}

impl HttpApiBuilder {
    /// Adds an API resource.
    pub(crate) fn add(&mut self, resource: &Resource) -> Result<(), TemplateError> {
        let at = resource.properties();
        if let Some((first, _)) = &self.api {
            return Err(at.error(format!("a template can have one HttpApi, and {first} is already defined")));
        }
        self.api = Some((resource.id.clone(), read_api(&at)?));
        Ok(())
    }

    /// Adds an `HttpApi` event; without Path and Method it is the `$default` route.
    pub(crate) fn add_route(&mut self, at: Option<&Cursor<'_>>, function: &str) -> Result<(), TemplateError> {
        let nothing = Node::Null;
        let at = at.cloned().unwrap_or_else(|| Cursor::new(&nothing, "Events"));
        at.only(&[
            &["Path", "Method", "ApiId", "TimeoutInMillis", "PayloadFormatVersion"],
            &["RouteSettings"],
        ])?;
        let api = at.get("ApiId").map_or(Ok(IMPLICIT), |id| id.text())?;
        let plan = read_route(&at, function)?;
        let is_same = |other: &HttpRoutePlan| other.method == plan.method && other.path == plan.path;
        if self.routes.iter().any(|route| is_same(&route.plan)) {
            return Err(at.error(format!("the route {} {} is already defined", plan.method, plan.path)));
        }
        self.routes.push(DeclaredRoute { api: api.to_owned(), path: at.path.clone(), plan });
        Ok(())
    }

    /// Joins the API and its routes once all resources are read.
    pub(crate) fn build(
        self,
        scope: &Scope<'_>,
        globals: &Globals,
    ) -> Result<Option<HttpApiPlan>, TemplateError> {
        let (id, mut plan) = match self.api {
            Some(api) => api,
            None if self.routes.is_empty() => return Ok(None),
            None => (IMPLICIT.to_owned(), read_implicit(scope, globals)?),
        };
        for route in self.routes {
            if route.api != id {
                let what = format!("ApiId names {}, but the API of this template is {id}", route.api);
                return Err(TemplateError::at(&route.path, what));
            }
            plan.routes.push(route.plan);
        }
        Ok(Some(plan))
    }
}

fn read_implicit(scope: &Scope<'_>, globals: &Globals) -> Result<HttpApiPlan, TemplateError> {
    let defaults = globals.merge("HttpApi", Node::Null);
    let resolved = intrinsics::resolve(scope, &Cursor::new(&defaults, "Globals.HttpApi"))?;
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

/// `CorsConfiguration`: a map, or `true`, SAM's short form for every origin.
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
        return Err(
            at.error("AllowCredentials cannot be combined with the origin *; list the allowed origins")
        );
    }
    Ok(Some(cors))
}

fn read_route(at: &Cursor<'_>, function: &str) -> Result<HttpRoutePlan, TemplateError> {
    let (method, path) = match (at.get("Method"), at.get("Path")) {
        (None, None) => ("ANY".to_owned(), "$default".to_owned()),
        (Some(method), Some(path)) => {
            let declared = path.text()?;
            route::check_path(declared).map_err(|what| path.error(what))?;
            (read_method(&method)?, route::without_trailing_slash(declared).to_owned())
        }
        _ => return Err(at.error("Path and Method must be given together")),
    };
    let format = at.get("PayloadFormatVersion").map_or(Ok("2.0"), |value| value.text())?;
    if !matches!(format, "1.0" | "2.0") {
        return Err(at.error(format!("PayloadFormatVersion must be 1.0 or 2.0, found `{format}`")));
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
        // SAM's older name of ANY.
        "X-AMAZON-APIGATEWAY-ANY-METHOD" => Ok("ANY".to_owned()),
        other => Err(at.error(format!(
            "`{other}` is not supported; use GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS or ANY"
        ))),
    }
}

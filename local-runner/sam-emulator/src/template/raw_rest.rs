//! `AWS::ApiGateway::*`: REST APIs whose paths, methods, stages and authorizers are resources of their own.

use std::collections::BTreeMap;
use std::time::Duration;

use super::apis::ApiBuilder;
use super::authorizers::{self, Authorizers, IAM};
use super::context::{Context, text, text_map, text_or, texts};
use super::declared::{DeclaredApi, DeclaredRoute, RouteAuth};
use super::error::TemplateError;
use super::node::Cursor;
use super::resource::Resource;
use super::{openapi, route};
use crate::plan::{AuthorizerPlan, HttpApiKind, HttpApiPlan};

/// A path has fewer segments; a longer chain of parents is taken for a cycle.
const MAX_SEGMENTS: usize = 64;

/// The name and the variables of a stage.
type Stage = (String, BTreeMap<String, String>);

/// Collects the resources, which may come in any order in the template.
#[derive(Default)]
pub(crate) struct RawRestApis {
    /// Resources by the last part of their type: `RestApi`, `Method`, …
    resources: BTreeMap<String, Vec<Resource>>,
}

impl RawRestApis {
    /// Adds a resource of the type `AWS::ApiGateway::<part>`.
    pub(crate) fn add(&mut self, part: &str, resource: Resource) {
        self.resources.entry(part.to_owned()).or_default().push(resource);
    }

    fn all(&self, part: &str) -> &[Resource] {
        self.resources.get(part).map_or(&[], Vec::as_slice)
    }

    /// Joins the resources into `apis`.
    pub(crate) fn build(&self, context: &Context<'_>, apis: &mut ApiBuilder) {
        for resource in self.all("RestApi") {
            let at = resource.properties();
            let mut authorizers = self.authorizers(context, &resource.id);
            if let Some(body) = at.get("Body") {
                let api = (resource.id.as_str(), HttpApiKind::Rest);
                apis.add_routes(openapi::read(context, &body, api, &mut authorizers).routes);
            } else if at.get("BodyS3Location").is_some() {
                let what = "an OpenAPI document in S3 is not on this machine: use Body";
                context.findings.problem(at.error(what));
            }
            let stage = context.findings.or(None, self.stage(&resource.id));
            let (stage, stage_variables) = stage.unwrap_or_else(|| ("prod".to_owned(), BTreeMap::new()));
            let plan = HttpApiPlan {
                id: resource.id.clone(),
                kind: HttpApiKind::Rest,
                stage,
                stage_variables,
                ..HttpApiPlan::default()
            };
            apis.add_api(DeclaredApi { plan, authorizers });
        }
        for resource in self.all("Method") {
            apis.add_routes(context.findings.or(None, self.method(context, resource)));
        }
    }

    /// The route of a method; `None` after noticing one that invokes no function through a proxy.
    fn method(
        &self,
        context: &Context<'_>,
        resource: &Resource,
    ) -> Result<Option<DeclaredRoute>, TemplateError> {
        let at = resource.properties();
        let api = at.need("RestApiId")?.text()?.to_owned();
        let method = route::read_method(&at.need("HttpMethod")?)?;
        let path = self.path(&at.need("ResourceId")?, &api)?;
        let source = |what: &str| format!("{method} {path} of {api} ({what})");
        let Some(integration) = at.get("Integration") else {
            context.findings.other_trigger("", source("no integration"));
            return Ok(None);
        };
        let kind = text_or(&integration, "Type", "AWS_PROXY")?;
        if kind != "AWS_PROXY" {
            let uri = integration.get("Uri");
            context.other_trigger(uri.as_ref(), source(&format!("integration {kind}")));
            return Ok(None);
        }
        let function = context.function(&integration.need("Uri")?)?;
        let timeout: Duration = route::read_timeout(&integration, "TimeoutInMillis", HttpApiKind::Rest)?;
        let path = route::read_path(&at, &path)?;
        Ok(Some(DeclaredRoute {
            plan: route::plan(&method, &path, &function, timeout, "1.0"),
            api,
            path: resource.path.clone(),
            auth: read_auth(&at)?,
            in_definition: false,
        }))
    }

    /// The path of a resource: the parts of its parents, up to the root of the API.
    fn path(&self, at: &Cursor<'_>, api: &str) -> Result<String, TemplateError> {
        let mut id = at.text()?.to_owned();
        let mut parts = Vec::new();
        while id != format!("{api}.RootResourceId") {
            let found = self.all("Resource").iter().find(|resource| resource.id == id);
            let found = found.filter(|_| parts.len() < MAX_SEGMENTS);
            let found = found.ok_or_else(|| at.error(format!("`{id}` is not a path of this template")))?;
            parts.push(found.properties().need("PathPart")?.text()?.to_owned());
            id = found.properties().need("ParentId")?.text()?.to_owned();
        }
        parts.reverse();
        Ok(format!("/{}", parts.join("/")))
    }

    fn authorizers(&self, context: &Context<'_>, api: &str) -> Authorizers {
        let mut all = Authorizers::default();
        all.by_name.insert(IAM.to_owned(), AuthorizerPlan::Iam);
        for resource in self.all("Authorizer") {
            let at = resource.properties();
            if at.get("RestApiId").is_some_and(|id| id.text() == Ok(api)) {
                let read = authorizers::of_resource(context, &at);
                let read = context.findings.or(AuthorizerPlan::Unusable, read);
                all.by_name.insert(resource.id.clone(), read);
            }
        }
        all
    }

    /// Name and variables of the API's stage: of a resource of its own, or of a deployment.
    fn stage(&self, api: &str) -> Result<Option<Stage>, TemplateError> {
        for resource in self.all("Stage").iter().chain(self.all("Deployment")) {
            let at = resource.properties();
            let is_of_api = at.get("RestApiId").is_some_and(|id| id.text() == Ok(api));
            if let Some(name) = at.get("StageName").filter(|_| is_of_api) {
                return Ok(Some((name.text()?.to_owned(), text_map(&at, "Variables")?)));
            }
        }
        Ok(None)
    }
}

fn read_auth(at: &Cursor<'_>) -> Result<RouteAuth, TemplateError> {
    let authorizer = match text_or(at, "AuthorizationType", "NONE")?.to_uppercase().as_str() {
        "NONE" => Some("NONE".to_owned()),
        "AWS_IAM" => Some(IAM.to_owned()),
        _ => text(at, "AuthorizerId")?,
    };
    Ok(RouteAuth { authorizer, scopes: Some(texts(at, "AuthorizationScopes")?) })
}

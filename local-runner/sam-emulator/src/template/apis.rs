//! The HTTP and REST APIs of a template and their routes, which may come in any order → [`HttpApiPlan`]s.

use super::authorizers::IAM;
use super::context::Context;
use super::declared::{DeclaredApi, DeclaredRoute, RouteAuth};
use super::error::TemplateError;
use super::sam_api;
use crate::plan::{HttpApiKind, HttpApiPlan, HttpRoutePlan, RouteAuthorizer};

/// Collects APIs and routes.
#[derive(Default)]
pub(crate) struct ApiBuilder {
    apis: Vec<DeclaredApi>,
    routes: Vec<DeclaredRoute>,
}

impl ApiBuilder {
    pub(crate) fn add_api(&mut self, api: DeclaredApi) {
        self.apis.push(api);
    }

    pub(crate) fn add_route(&mut self, route: DeclaredRoute) {
        self.routes.push(route);
    }

    pub(crate) fn add_routes(&mut self, routes: impl IntoIterator<Item = DeclaredRoute>) {
        self.routes.extend(routes);
    }

    /// Joins the APIs and their routes once all resources are read. SAM adds an API for events that name
    /// none.
    pub(crate) fn build(mut self, context: &Context<'_>) -> Vec<HttpApiPlan> {
        for (id, kind) in
            [(sam_api::IMPLICIT_HTTP, HttpApiKind::Http), (sam_api::IMPLICIT_REST, HttpApiKind::Rest)]
        {
            let is_used = self.routes.iter().any(|route| route.api == id);
            if is_used && !self.apis.iter().any(|api| api.plan.id == id) {
                self.apis.push(sam_api::implicit(context, id, kind));
            }
        }
        self.routes.sort_by_key(|route| !route.in_definition);
        for route in self.routes {
            match self.apis.iter_mut().find(|api| api.plan.id == route.api) {
                Some(api) => {
                    context.findings.ok(add(api, route));
                }
                None => {
                    let what = format!("{} is not an HTTP or REST API of this template", route.api);
                    context.findings.problem(TemplateError::at(&route.path, what));
                }
            }
        }
        for api in &self.apis {
            let is_iam = |route: &HttpRoutePlan| route.authorizer.as_ref().is_some_and(|it| it.name == IAM);
            if api.plan.routes.iter().any(is_iam) {
                let text = format!("signatures of requests to {} are not checked (AWS_IAM)", api.plan.id);
                context.findings.remark(text);
            }
        }
        let joined = self.apis.into_iter();
        joined.map(|api| HttpApiPlan { authorizers: api.authorizers.by_name, ..api.plan }).collect()
    }
}

fn add(api: &mut DeclaredApi, route: DeclaredRoute) -> Result<(), TemplateError> {
    let DeclaredRoute { path: place, mut plan, auth, in_definition, .. } = route;
    let is_rest = api.plan.kind == HttpApiKind::Rest;
    for other in &api.plan.routes {
        let same_method = other.method == plan.method;
        if same_method && other.path == plan.path {
            return match other.function == plan.function {
                true => Ok(()),
                false if in_definition => Ok(()),
                false => Err(TemplateError::at(
                    &place,
                    format!(
                        "the route {} {} is already defined for {}",
                        plan.method, plan.path, other.function
                    ),
                )),
            };
        }
        if (same_method || is_rest) && other.path != plan.path && shape(&other.path) == shape(&plan.path) {
            let what =
                format!("the path {} conflicts with {}: name their parameters alike", plan.path, other.path);
            return Err(TemplateError::at(&place, what));
        }
    }
    plan.authorizer = authorizer(api, &auth, &place)?;
    api.plan.routes.push(plan);
    Ok(())
}

/// A path without the names of its parameters.
fn shape(path: &str) -> String {
    let segments = path.split('/').map(|segment| match segment {
        greedy if greedy.ends_with("+}") => "{+}",
        parameter if parameter.starts_with('{') => "{}",
        other => other,
    });
    segments.collect::<Vec<_>>().join("/")
}

fn authorizer(
    api: &DeclaredApi,
    auth: &RouteAuth,
    place: &str,
) -> Result<Option<RouteAuthorizer>, TemplateError> {
    let authorizers = &api.authorizers;
    let Some(name) = auth.authorizer.as_ref().or(authorizers.default.as_ref()) else { return Ok(None) };
    if name == "NONE" {
        return Ok(None);
    }
    if !authorizers.by_name.contains_key(name) {
        let what = format!("the API {} has no authorizer {name}", api.plan.id);
        return Err(TemplateError::at(place, what));
    }
    let scopes = auth.scopes.clone().or_else(|| authorizers.scopes.get(name).cloned()).unwrap_or_default();
    Ok(Some(RouteAuthorizer { name: name.clone(), scopes }))
}

//! APIs and routes as they are declared, before they are joined.

use super::authorizers::Authorizers;
use crate::plan::{HttpApiPlan, HttpRoutePlan};

/// An API, still without the routes of events.
pub(crate) struct DeclaredApi {
    pub(crate) plan: HttpApiPlan,
    pub(crate) authorizers: Authorizers,
}

/// What a route says about its authorizer.
#[derive(Debug, Default)]
pub(crate) struct RouteAuth {
    /// Its name; `NONE` for no authorizer, `None` for the API's default.
    pub(crate) authorizer: Option<String>,
    /// `None` for the authorizer's own.
    pub(crate) scopes: Option<Vec<String>>,
}

/// A route and the API that it belongs to.
pub(crate) struct DeclaredRoute {
    /// The logical id of the API.
    pub(crate) api: String,
    /// The route's place in the template.
    pub(crate) path: String,
    pub(crate) plan: HttpRoutePlan,
    pub(crate) auth: RouteAuth,
    /// Whether an OpenAPI document has it. Then an event may have it too.
    pub(crate) in_definition: bool,
}

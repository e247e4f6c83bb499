//! `FunctionUrlConfig` and `AWS::Lambda::Url` → an API with one route for everything.

use super::context::{Context, text_or};
use super::cors::read_cors;
use super::declared::DeclaredApi;
use super::error::TemplateError;
use super::node::Cursor;
use super::{authorizers, route};
use crate::plan::{AuthorizerPlan, HttpApiKind, HttpApiPlan, RouteAuthorizer};

/// The URL of `function`; `id` is the logical id of the API.
pub(crate) fn read(
    context: &Context<'_>,
    at: &Cursor<'_>,
    (id, function): (&str, &str),
) -> Result<DeclaredApi, TemplateError> {
    const READ: &[&str] = &["AuthType", "Cors", "InvokeMode", "TargetFunctionArn"];
    context.findings.only(at, READ, &["Qualifier"]);
    let timeout = std::time::Duration::from_secs(900);
    let mut plan = route::plan("ANY", "$default", function, timeout, "2.0");
    if text_or(at, "AuthType", "NONE")? == authorizers::IAM {
        plan.authorizer = Some(RouteAuthorizer { name: authorizers::IAM.to_owned(), scopes: Vec::new() });
    }
    if text_or(at, "InvokeMode", "BUFFERED")? == "RESPONSE_STREAM" {
        context.findings.remark(format!("the URL of {function} sends streamed replies as a whole"));
    }
    let cors = at.get("Cors").map_or(Ok(None), |cors| read_cors(context, &cors))?;
    let iam = (authorizers::IAM.to_owned(), AuthorizerPlan::Iam);
    let plan = HttpApiPlan {
        id: id.to_owned(),
        kind: HttpApiKind::FunctionUrl,
        stage: "$default".to_owned(),
        routes: vec![plan],
        cors,
        ..HttpApiPlan::default()
    };
    let authorizers = authorizers::Authorizers { by_name: [iam].into(), ..Default::default() };
    Ok(DeclaredApi { plan, authorizers })
}

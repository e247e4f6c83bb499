//! Resource types that the emulator does not run: which of them it ignores, and what `Ref` and `Fn::GetAtt`
//! return for them. A type in no list is an error.

use super::node::Cursor;
use crate::plan::Account;

/// Types that have no effect on one machine: permissions, secrets, logs, alarms, networks, brokers that
/// run elsewhere. An entry that ends in `::` covers the whole service.
const IGNORED: &[&str] = &[
    "AWS::ApiGatewayV2::ApiMapping",
    "AWS::ApiGatewayV2::DomainName",
    "AWS::AmazonMQ::",
    "AWS::Budgets::",
    "AWS::CertificateManager::",
    "AWS::CloudFormation::WaitConditionHandle",
    "AWS::CloudFront::",
    "AWS::CloudWatch::",
    "AWS::DocDB::",
    "AWS::EC2::",
    "AWS::ElastiCache::",
    "AWS::IAM::",
    "AWS::KMS::",
    "AWS::Lambda::Permission",
    "AWS::Logs::",
    "AWS::OpenSearchService::",
    "AWS::Route53::",
    "AWS::S3::",
    "AWS::SNS::",
    "AWS::SQS::",
    "AWS::SSM::Parameter",
    "AWS::Scheduler::ScheduleGroup",
    "AWS::SecretsManager::",
    "AWS::Serverless::Connector",
    "AWS::WAFv2::",
    "AWS::XRay::",
];

pub(crate) fn is_ignored(kind: &str) -> bool {
    IGNORED.iter().any(|ignored| kind == *ignored || (ignored.ends_with("::") && kind.starts_with(ignored)))
}

/// The property whose value `Ref` returns; `None` where `Ref` returns the logical id.
pub(crate) fn name_property(kind: &str) -> Option<&'static str> {
    match kind {
        "AWS::Serverless::Function" => Some("FunctionName"),
        "AWS::Logs::LogGroup" => Some("LogGroupName"),
        "AWS::IAM::Role" => Some("RoleName"),
        _ => None,
    }
}

/// Logical ids of the routes that SAM generates for the WebSocket API `id`; empty for every other type.
pub(crate) fn generated_routes(kind: &str, id: &str, resource: &Cursor<'_>) -> Vec<String> {
    if kind != "AWS::Serverless::WebSocketApi" {
        return Vec::new();
    }
    let routes = resource.get("Properties").and_then(|properties| properties.get("Routes"));
    let entries = routes.and_then(|routes| routes.entries().ok()).unwrap_or_default();
    entries.iter().map(|(key, _)| generated_route(id, key)).collect()
}

/// The logical id that SAM gives to the route `key` of the WebSocket API `api`: `<api><Key>Route`
/// (`samtranslator/model/api/websocket_api_generator.py`).
pub(crate) fn generated_route(api: &str, key: &str) -> String {
    let key = key.trim_start_matches('$');
    let (first, rest) = key.split_at(key.chars().next().map_or(0, char::len_utf8));
    format!("{api}{}{}Route", first.to_uppercase(), rest.to_lowercase())
}

/// The value of `Fn::GetAtt`: AWS's form for functions and APIs, an invented ARN or name for ignored types.
/// `None` when the type has no such attribute.
pub(crate) fn attribute(account: &Account, kind: &str, reference: &str, attribute: &str) -> Option<String> {
    let region = &account.region;
    match (kind, attribute) {
        ("AWS::Serverless::Function", "Arn") => Some(account.function_arn(reference)),
        ("AWS::Serverless::Function", _) => None,
        ("AWS::Serverless::HttpApi" | "AWS::Serverless::WebSocketApi", "ApiId") => Some(reference.to_owned()),
        ("AWS::Serverless::HttpApi", "ApiEndpoint") => {
            Some(format!("https://{reference}.execute-api.{region}.amazonaws.com"))
        }
        ("AWS::Serverless::WebSocketApi", "ApiEndpoint") => {
            Some(format!("wss://{reference}.execute-api.{region}.amazonaws.com"))
        }
        ("AWS::Serverless::HttpApi" | "AWS::Serverless::WebSocketApi", _) => None,
        (_, "Arn") => {
            let service = kind.split("::").nth(1).unwrap_or("local").to_lowercase();
            Some(account.arn(&service, reference))
        }
        _ => Some(format!("{reference}.{attribute}")),
    }
}

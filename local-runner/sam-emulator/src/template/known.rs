//! What the runner knows about resource types it does not run: which may be passed over in silence, what
//! `Ref` and `Fn::GetAtt` give for them. A type in no list is refused by name.

use super::node::Cursor;
use crate::plan::Account;

/// Types that have no effect on one machine: permissions, secrets, logs, alarms, networks, brokers that
/// run elsewhere. A prefix that ends in `::` stands for the whole service.
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

/// Whether a resource of this type may be passed over.
pub(crate) fn is_ignored(kind: &str) -> bool {
    IGNORED.iter().any(|known| kind == *known || (known.ends_with("::") && kind.starts_with(known)))
}

/// The property that names a resource of this type, where `Ref` returns that name.
pub(crate) fn name_property(kind: &str) -> Option<&'static str> {
    match kind {
        "AWS::Serverless::Function" => Some("FunctionName"),
        "AWS::Logs::LogGroup" => Some("LogGroupName"),
        "AWS::IAM::Role" => Some("RoleName"),
        _ => None,
    }
}

/// Logical ids of the routes that SAM generates for a WebSocket API: `<api><Key>Route`
/// (`samtranslator/model/api/websocket_api_generator.py`).
pub(crate) fn generated_routes(kind: &str, id: &str, resource: &Cursor<'_>) -> Vec<String> {
    if kind != "AWS::Serverless::WebSocketApi" {
        return Vec::new();
    }
    let routes = resource.get("Properties").and_then(|properties| properties.get("Routes"));
    let entries = routes.and_then(|routes| routes.entries().ok()).unwrap_or_default();
    entries.iter().map(|(key, _)| generated_route(id, key)).collect()
}

/// The logical id that SAM gives to the route `key` of the WebSocket API `api`.
pub(crate) fn generated_route(api: &str, key: &str) -> String {
    let key = key.trim_start_matches('$');
    let (first, rest) = key.split_at(key.chars().next().map_or(0, char::len_utf8));
    format!("{api}{}{}Route", first.to_uppercase(), rest.to_lowercase())
}

/// `Fn::GetAtt`: real shapes for what runs here, a stand-in ARN or name for what is passed over.
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

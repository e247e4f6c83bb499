//! What `Ref` and `Fn::GetAtt` return for a resource, by its type.

use super::node::Cursor;
use crate::plan::Account;

/// The property with the name of a resource; `None` where the logical id serves as its name.
pub(crate) fn name_property(kind: &str) -> Option<&'static str> {
    match kind {
        "AWS::Serverless::Function" | "AWS::Lambda::Function" => Some("FunctionName"),
        "AWS::Logs::LogGroup" => Some("LogGroupName"),
        "AWS::IAM::Role" => Some("RoleName"),
        "AWS::ApiGatewayV2::Stage" | "AWS::ApiGateway::Stage" => Some("StageName"),
        "AWS::DynamoDB::Table" | "AWS::Serverless::SimpleTable" => Some("TableName"),
        "AWS::S3::Bucket" => Some("BucketName"),
        "AWS::SQS::Queue" => Some("QueueName"),
        "AWS::SNS::Topic" => Some("TopicName"),
        "AWS::AmazonMQ::Broker" => Some("BrokerName"),
        "AWS::Events::EventBus" | "AWS::Kinesis::Stream" | "AWS::Events::Rule" => Some("Name"),
        "AWS::StepFunctions::StateMachine" => Some("StateMachineName"),
        _ => None,
    }
}

/// The value of `Ref`: an ARN or a URL for types whose reference is not their name.
pub(crate) fn reference(account: &Account, kind: &str, name: &str) -> String {
    match kind {
        "AWS::SQS::Queue" => format!("https://sqs.{}.amazonaws.com/{}/{name}", account.region, account.id),
        "AWS::SNS::Topic" | "AWS::StepFunctions::StateMachine" | "AWS::Serverless::StateMachine" => {
            arn(account, kind, name)
        }
        "AWS::Cognito::UserPool" => format!("{}_{name}", account.region),
        "AWS::AmazonMQ::Broker" => broker_id(name),
        _ => name.to_owned(),
    }
}

/// Amazon MQ invents the id of a broker; here it is always the same.
fn broker_id(_name: &str) -> String {
    "b-00000000-0000-4000-8000-000000000000".to_owned()
}

/// The property of an API type that names its stage.
pub(crate) fn stage_of(kind: &str) -> Option<&'static str> {
    let has_stage =
        ["AWS::Serverless::Api", "AWS::Serverless::HttpApi", "AWS::Serverless::WebSocketApi"].contains(&kind);
    has_stage.then_some("StageName")
}

/// The stage of an API of SAM's without `StageName`.
pub(crate) fn default_stage(kind: &str) -> &'static str {
    match kind {
        "AWS::Serverless::Api" => "Prod",
        "AWS::Serverless::WebSocketApi" => "default",
        _ => "$default",
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

/// The value of `Fn::GetAtt`: AWS's form of ARNs and endpoints, an invented text otherwise. `None` when only
/// AWS knows it: an output of another stack.
pub(crate) fn attribute(account: &Account, kind: &str, name: &str, attribute: &str) -> Option<String> {
    let host = || format!("{name}.execute-api.{}.amazonaws.com", account.region);
    Some(match (kind, attribute) {
        ("AWS::CloudFormation::Stack" | "AWS::Serverless::Application", _) => return None,
        ("AWS::Serverless::WebSocketApi", "ApiEndpoint") => format!("wss://{}", host()),
        (_, "ApiEndpoint") => format!("https://{}", host()),
        ("AWS::Lambda::Url", "FunctionUrl") => {
            function_url(account, name.strip_suffix("Url").unwrap_or(name))
        }
        ("AWS::SNS::Topic", "TopicArn") | (_, "Arn") => arn(account, kind, name),
        (_, "ApiId" | "Name" | "QueueName" | "TopicName" | "AlarmName") => name.to_owned(),
        ("AWS::SQS::Queue", "QueueUrl") => reference(account, kind, name),
        ("AWS::Cognito::UserPool", "ProviderURL") => {
            user_pool_issuer(account, &reference(account, kind, name))
        }
        ("AWS::Cognito::UserPool", "UserPoolId") => reference(account, kind, name),
        _ => format!("{name}.{attribute}"),
    })
}

/// An attribute of a resource that SAM generates: `<Function>Role`, `<Function>Url`, …
pub(crate) fn generated_attribute(account: &Account, name: &str, attribute: &str) -> String {
    match attribute {
        "FunctionUrl" => function_url(account, name.strip_suffix("Url").unwrap_or(name)),
        "Arn" if name.ends_with("Role") => arn(account, "AWS::IAM::Role", name),
        "Arn" => account.arn("local", name),
        _ => format!("{name}.{attribute}"),
    }
}

/// The URL that AWS would give to a function.
pub(crate) fn function_url(account: &Account, name: &str) -> String {
    format!("https://{name}.lambda-url.{}.on.aws/", account.region)
}

/// The issuer of a user pool's tokens.
pub(crate) fn user_pool_issuer(account: &Account, pool: &str) -> String {
    format!("https://cognito-idp.{}.amazonaws.com/{pool}", account.region)
}

fn arn(account: &Account, kind: &str, name: &str) -> String {
    let global = |service: &str, resource: &str| format!("arn:aws:{service}::{}:{resource}", account.id);
    match kind {
        "AWS::Serverless::Function" | "AWS::Lambda::Function" => account.function_arn(name),
        "AWS::DynamoDB::Table" | "AWS::Serverless::SimpleTable" => {
            account.arn("dynamodb", &format!("table/{name}"))
        }
        "AWS::S3::Bucket" => format!("arn:aws:s3:::{name}"),
        "AWS::AmazonMQ::Broker" => account.arn("mq", &format!("broker:{name}:{}", broker_id(name))),
        "AWS::IAM::Role" => global("iam", &format!("role/{name}")),
        "AWS::Kinesis::Stream" => account.arn("kinesis", &format!("stream/{name}")),
        "AWS::Events::EventBus" => account.arn("events", &format!("event-bus/{name}")),
        "AWS::Events::Rule" => account.arn("events", &format!("rule/{name}")),
        "AWS::Logs::LogGroup" => account.arn("logs", &format!("log-group:{name}:*")),
        "AWS::StepFunctions::StateMachine" | "AWS::Serverless::StateMachine" => {
            account.arn("states", &format!("stateMachine:{name}"))
        }
        "AWS::Cognito::UserPool" => {
            account.arn("cognito-idp", &format!("userpool/{}", reference(account, kind, name)))
        }
        "AWS::SecretsManager::Secret" => account.arn("secretsmanager", &format!("secret:{name}")),
        _ => {
            let service = kind.split("::").nth(1).unwrap_or("local").to_lowercase();
            account.arn(&service, name)
        }
    }
}

/// The name in a function's ARN, with or without a qualifier, or in the URI of an integration
/// (`arn:aws:apigateway:…:lambda:path/2015-03-31/functions/<ARN>/invocations`). Text without a colon is a name
/// itself. `None` for an ARN of something else.
pub(crate) fn function_name(text: &str) -> Option<&str> {
    let arn = match text.split_once("/functions/") {
        Some((_, rest)) => rest.split('/').next()?,
        None => text,
    };
    let name = match arn.split_once("function:") {
        Some((_, rest)) => rest.split(':').next()?,
        None if arn.contains([':', '/', '$']) => return None,
        None => arn,
    };
    (!name.is_empty()).then_some(name)
}

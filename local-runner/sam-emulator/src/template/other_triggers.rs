//! Resources that the emulator does not run and that invoke functions on AWS: subscriptions, notifications,
//! state machines, resolvers, … A resource of such a type that refers to a function is noticed as its trigger.

use super::context::Context;
use super::node::{Cursor, Node};

/// Types that may refer to a function and never invoke it. An entry that ends in `::` covers the whole service.
const PASSIVE: &[&str] = &[
    "AWS::ApplicationAutoScaling::",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::AnomalyDetector",
    "AWS::CloudWatch::CompositeAlarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::CodeDeploy::",
    "AWS::DynamoDB::",
    "AWS::EC2::",
    "AWS::EFS::",
    "AWS::IAM::",
    "AWS::KMS::",
    "AWS::Lambda::Alias",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::LayerVersion",
    "AWS::Lambda::Permission",
    "AWS::Lambda::Version",
    "AWS::Logs::LogGroup",
    "AWS::Logs::LogStream",
    "AWS::Logs::MetricFilter",
    "AWS::Logs::QueryDefinition",
    "AWS::RUM::",
    "AWS::ResourceGroups::",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::",
    "AWS::SSM::Parameter",
    "AWS::SecretsManager::Secret",
    "AWS::Serverless::Connector",
    "AWS::Serverless::LayerVersion",
    "AWS::Serverless::SimpleTable",
    "AWS::ServiceDiscovery::",
    "AWS::WAFv2::",
    "AWS::XRay::",
];

/// Types that stand for an API of their own, or for a stack with functions that this template does not show.
const TOLD: &[&str] = &[
    "AWS::ApiGateway::BasePathMapping",
    "AWS::ApiGatewayV2::ApiMapping",
    "AWS::CloudFormation::Stack",
    "AWS::Serverless::Application",
    "AWS::Serverless::GraphQLApi",
];

/// Notices a resource that is not run: its type, and the functions that it invokes.
pub(crate) fn read(context: &Context<'_>, id: &str, kind: &str, at: &Cursor<'_>) {
    context.findings.ignored_type(kind);
    let mut functions = Vec::new();
    let is_passive = PASSIVE.iter().any(|passive| matches(kind, passive));
    if let Some(properties) = at.get("Properties").filter(|_| !is_passive) {
        collect(context, properties.node, &mut functions);
        // A state machine has events of its own.
        if let (true, Some(events)) = (kind.ends_with("::StateMachine"), properties.get("Events")) {
            for (name, event) in events.entries().unwrap_or_default() {
                let event = event.get("Type").and_then(|kind| kind.text().ok()).unwrap_or_default();
                context.findings.other_trigger("", format!("{event} event {name} of {kind} {id}"));
            }
        }
    }
    if functions.is_empty() && TOLD.contains(&kind) {
        context.findings.other_trigger("", format!("{kind} {id}"));
    }
    for function in functions {
        context.findings.other_trigger(function, format!("{kind} {id}"));
    }
}

fn matches(kind: &str, entry: &str) -> bool {
    kind == entry || (entry.ends_with("::") && kind.starts_with(entry))
}

/// The functions that an expression refers to.
fn collect(context: &Context<'_>, node: &Node, functions: &mut Vec<String>) {
    match node {
        Node::Null | Node::Text(_) | Node::Unknown(_) => {}
        Node::List(items) => items.iter().for_each(|item| collect(context, item, functions)),
        Node::Map(entries) => {
            for (key, value) in entries {
                match (key.as_str(), value) {
                    ("Ref", Node::Text(name)) => add(context, name, functions),
                    ("Fn::GetAtt", Node::Text(path)) => {
                        add(context, path.split('.').next().unwrap_or_default(), functions);
                    }
                    ("Fn::GetAtt", Node::List(parts)) => {
                        if let Some(Node::Text(name)) = parts.first() {
                            add(context, name, functions);
                        }
                    }
                    ("Fn::Sub", Node::Text(text)) => placeholders(context, text, functions),
                    ("Fn::Sub", Node::List(parts)) => {
                        if let Some(Node::Text(text)) = parts.first() {
                            placeholders(context, text, functions);
                        }
                        collect(context, value, functions);
                    }
                    _ => collect(context, value, functions),
                }
            }
        }
    }
}

fn placeholders(context: &Context<'_>, text: &str, functions: &mut Vec<String>) {
    for part in text.split("${").skip(1) {
        let name = part.split(['}', '.']).next().unwrap_or_default();
        add(context, name.trim(), functions);
    }
}

/// Adds the function with this logical id, or the one whose alias it is.
fn add(context: &Context<'_>, id: &str, functions: &mut Vec<String>) {
    let name = context.scope.function(id).map(str::to_owned).or_else(|| context.scope.alias(id));
    if let Some(name) = name.filter(|name| !functions.contains(name)) {
        functions.push(name);
    }
}

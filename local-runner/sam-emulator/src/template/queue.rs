//! A RabbitMQ queue as a source of events: SAM's event `MQ`, or `AWS::Lambda::EventSourceMapping` with the same
//! properties.

use std::time::Duration;

use super::context::{Context, text_or};
use super::error::TemplateError;
use super::node::Cursor;
use crate::plan::QueuePlan;

const READ: &[&str] = &[
    "BatchSize",
    "Broker",
    "Enabled",
    "EventSourceArn",
    "FilterCriteria",
    "FunctionName",
    "MaximumBatchingWindowInSeconds",
    "Queues",
    "SourceAccessConfigurations",
    "State",
];
const IGNORED: &[&str] = &["DynamicPolicyName", "SecretsManagerKmsKeyId", "Tags"];

/// Reads the queue of `broker` that invokes `function`; `None` when the broker of the template is not
/// RabbitMQ. `id` names the mapping.
pub(crate) fn read(
    context: &Context<'_>,
    at: &Cursor<'_>,
    broker: &str,
    (function, id): (&str, &str),
) -> Result<Option<QueuePlan>, TemplateError> {
    context.findings.only(at, READ, IGNORED);
    if context.scope.has_engine(broker, "ACTIVEMQ") {
        context.findings.other_trigger(function, format!("MQ event {id} of the ActiveMQ broker {broker}"));
        return Ok(None);
    }
    if at.get("FilterCriteria").is_some() {
        context.findings.remark(format!("the filter of {id} is not applied: {function} gets all messages"));
    }
    let queues = at.need("Queues")?;
    let names = queues.texts()?;
    let count = names.len();
    let [queue] =
        names.try_into().map_err(|_| queues.error(format!("expected exactly one queue, found {count}")))?;
    Ok(Some(QueuePlan {
        name: id.to_owned(),
        function: function.to_owned(),
        queue,
        virtual_host: read_virtual_host(at)?,
        batch_size: at.get("BatchSize").map_or(Ok(100), |value| value.number(1, 10_000))? as usize,
        batching_window: match at.get("MaximumBatchingWindowInSeconds") {
            Some(value) => Duration::from_secs(value.number(0, 300)?),
            None => Duration::from_millis(500),
        },
        broker_arn: match broker {
            arn if arn.starts_with("arn:") => arn.to_owned(),
            name => context.scope.account.arn("mq", &format!("broker:{name}")),
        },
        enabled: at.get("Enabled").map_or(Ok(true), |value| value.boolean())?,
    }))
}

/// The `VIRTUAL_HOST` of `SourceAccessConfigurations`, `/` by default. The credentials there are not used, but
/// Lambda demands them.
fn read_virtual_host(at: &Cursor<'_>) -> Result<String, TemplateError> {
    let list = at.need("SourceAccessConfigurations")?;
    let (mut host, mut has_credentials) = ("/".to_owned(), false);
    for item in list.items()? {
        match text_or(&item, "Type", "")?.as_str() {
            "VIRTUAL_HOST" => host = text_or(&item, "URI", "/")?,
            "BASIC_AUTH" => has_credentials = true,
            _ => {}
        }
    }
    match has_credentials {
        true => Ok(host),
        false => Err(list.error("BASIC_AUTH is missing: name the secret with the broker's credentials")),
    }
}

//! `AWS::Serverless::Function` and `AWS::Lambda::Function` → [`FunctionPlan`]. The module
//! [`events`](super::events) reads the events.

use std::collections::BTreeMap;
use std::time::Duration;

use super::context::{Context, text};
use super::error::TemplateError;
use super::node::{Cursor, Node};
use super::resource::Resource;
use crate::plan::{CodePlan, FunctionPlan};

const READ: &[&str] = &[
    "Code",
    "CodeUri",
    "Environment",
    "EventInvokeConfig",
    "Events",
    "FunctionName",
    "FunctionUrlConfig",
    "Handler",
    "InlineCode",
    "MemorySize",
    "PackageType",
    "ReservedConcurrentExecutions",
    "Runtime",
    "Timeout",
];

/// Properties that build, deploy, permit, connect or observe a function and do not change how it is called
/// here.
const IGNORED: &[&str] = &[
    "Architectures",
    "AssumeRolePolicyDocument",
    "AutoPublishAlias",
    "AutoPublishAliasAllProperties",
    "AutoPublishCodeSha256",
    "CapacityProviderConfig",
    "CodeSigningConfigArn",
    "DeadLetterConfig",
    "DeadLetterQueue",
    "DeploymentPreference",
    "Description",
    "DurableConfig",
    "EphemeralStorage",
    "FileSystemConfigs",
    "FunctionScalingConfig",
    "ImageConfig",
    "ImageUri",
    "KmsKeyArn",
    "Layers",
    "LoggingConfig",
    "PermissionsBoundary",
    "Policies",
    "PropagateTags",
    "ProvisionedConcurrencyConfig",
    "PublishToLatestPublished",
    "RecursiveLoop",
    "Role",
    "RolePath",
    "RuntimeManagementConfig",
    "SnapStart",
    "SourceKMSKeyArn",
    "Tags",
    "TenancyConfig",
    "Tracing",
    "TracingConfig",
    "VersionDeletionPolicy",
    "VersionDescription",
    "VpcConfig",
];

/// Reads one function. Defaults and ranges are those of Lambda's `CreateFunction`. After a problem it goes on
/// with the default.
pub(crate) fn read(context: &Context<'_>, resource: &Resource) -> FunctionPlan {
    let at = resource.properties();
    let findings = context.findings;
    findings.only(&at, READ, IGNORED);
    let name = context.scope.function(&resource.id).unwrap_or(&resource.id).to_owned();
    if let Some(given) = at.get("FunctionName") {
        findings.ok(given.text());
    }
    let number = |key: &str, default: u64, min: u64, max: u64| match at.get(key) {
        Some(value) => findings.or(default, value.number(min, max)),
        None => default,
    };
    let (async_retries, async_max_age) = findings.or((2, MAX_AGE), read_async(context, &at, &name));
    let code = findings.or(CodePlan::default(), read_code(resource, &at));
    FunctionPlan {
        binary: code.binary.clone().unwrap_or_else(|| name.clone()),
        code,
        timeout: Duration::from_secs(number("Timeout", 3, 1, 900)),
        memory_mb: number("MemorySize", 128, 128, 10_240) as u32,
        environment: findings.or(BTreeMap::new(), read_environment(context, &at)),
        async_retries,
        async_max_age,
        reserved_concurrency: match at.get("ReservedConcurrentExecutions") {
            Some(value) => findings.ok(value.number(0, 1_000_000)).map(|limit| limit as u32),
            None => None,
        },
        name,
    }
}

/// `MaximumEventAgeInSeconds` by default: 6 h.
const MAX_AGE: Duration = Duration::from_secs(21_600);

/// A variable whose value only AWS knows is left out, and this is noticed: `--env-file` can set it.
fn read_environment(
    context: &Context<'_>,
    at: &Cursor<'_>,
) -> Result<BTreeMap<String, String>, TemplateError> {
    let Some(environment) = at.get("Environment") else { return Ok(BTreeMap::new()) };
    context.findings.only(&environment, &["Variables"], &[]);
    let Some(variables) = environment.get("Variables") else { return Ok(BTreeMap::new()) };
    let mut read = BTreeMap::new();
    for (name, value) in variables.entries()? {
        match value.node {
            Node::Unknown(reason) => {
                let place = &value.path;
                context.findings.remark(format!("{place} is not set ({reason}); --env-file can set {name}"));
            }
            _ => {
                read.extend(context.findings.ok(value.text()).map(|text| (name.to_owned(), text.to_owned())));
            }
        }
    }
    Ok(read)
}

/// `EventInvokeConfig`: 0–2 retries (default 2), an event age of 60 s to 6 h (default 6 h).
fn read_async(
    context: &Context<'_>,
    at: &Cursor<'_>,
    function: &str,
) -> Result<(u32, Duration), TemplateError> {
    let (mut retries, mut age) = (2, MAX_AGE.as_secs());
    if let Some(config) = at.get("EventInvokeConfig") {
        let read = ["MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig"];
        context.findings.only(&config, &read, &["Qualifier"]);
        if let Some(value) = config.get("MaximumRetryAttempts") {
            retries = value.number(0, 2)?;
        }
        if let Some(value) = config.get("MaximumEventAgeInSeconds") {
            age = value.number(60, 21_600)?;
        }
        if config.get("DestinationConfig").is_some() {
            let text = format!("results of {function} are not sent to the destinations of EventInvokeConfig");
            context.findings.remark(text);
        }
    }
    Ok((retries as u32, Duration::from_secs(age)))
}

/// A `CodeUri` that is a map names an object in S3, which is not on this machine.
fn read_code(resource: &Resource, at: &Cursor<'_>) -> Result<CodePlan, TemplateError> {
    let uri = at.get("CodeUri").or_else(|| at.get("Code")).and_then(|uri| uri.text().ok().map(str::to_owned));
    let is_inline =
        at.get("InlineCode").is_some() || at.get("Code").is_some_and(|code| code.get("ZipFile").is_some());
    Ok(CodePlan {
        logical_id: resource.id.clone(),
        uri: uri.filter(|uri| !uri.starts_with("s3://")),
        runtime: text(at, "Runtime")?.unwrap_or_default(),
        handler: text(at, "Handler")?.unwrap_or_default(),
        binary: read_binary(resource)?,
        is_inline,
        is_image: text(at, "PackageType")?.is_some_and(|kind| kind == "Image"),
    })
}

/// `Metadata.BuildProperties.Binary`, which SAM's `BuildMethod: rust-cargolambda` reads.
fn read_binary(resource: &Resource) -> Result<Option<String>, TemplateError> {
    let metadata = Cursor::new(&resource.metadata, format!("{}.Metadata", resource.path));
    let binary = metadata.get("BuildProperties").and_then(|properties| properties.get("Binary"));
    binary.map(|binary| Ok(binary.text()?.to_owned())).transpose()
}

//! `AWS::Serverless::Function` → [`FunctionPlan`]. The module [`events`](super::events) reads its events.

use std::collections::BTreeMap;
use std::time::Duration;

use super::error::TemplateError;
use super::node::Cursor;
use super::resource::Resource;
use super::scope::Scope;
use crate::plan::{CodePlan, FunctionPlan};

const READ: &[&str] = &[
    "FunctionName",
    "Timeout",
    "MemorySize",
    "Environment",
    "Events",
    "EventInvokeConfig",
    "ReservedConcurrentExecutions",
    "CodeUri",
    "Handler",
    "PackageType",
    "Runtime",
];

/// Properties that build, deploy, permit or observe a function and do not change how it is called here.
const IGNORED: &[&str] = &[
    "Architectures",
    "AssumeRolePolicyDocument",
    "CodeSigningConfigArn",
    "DeploymentPreference",
    "Description",
    "EphemeralStorage",
    "KmsKeyArn",
    "Layers",
    "LoggingConfig",
    "PermissionsBoundary",
    "Policies",
    "PropagateTags",
    "ProvisionedConcurrencyConfig",
    "RecursiveLoop",
    "Role",
    "RolePath",
    "RuntimeManagementConfig",
    "SnapStart",
    "Tags",
    "Tracing",
    "VersionDescription",
    "VpcConfig",
];

/// Reads one function. Defaults and ranges are those of Lambda's `CreateFunction`.
pub(crate) fn read(scope: &Scope<'_>, resource: &Resource) -> Result<FunctionPlan, TemplateError> {
    let at = resource.properties();
    at.only(&[READ, IGNORED])?;
    let name = scope.reference(&resource.id, &at.path)?;
    let name = Cursor::new(&name, at.path.clone()).text()?.to_owned();
    let number = |key: &str, default: u64, min: u64, max: u64| match at.get(key) {
        Some(value) => value.number(min, max),
        None => Ok(default),
    };
    let (async_retries, async_max_age) = read_async(&at)?;
    let code = read_code(resource, &at)?;
    Ok(FunctionPlan {
        binary: code.binary.clone().unwrap_or_else(|| name.clone()),
        code,
        timeout: Duration::from_secs(number("Timeout", 3, 1, 900)?),
        memory_mb: number("MemorySize", 128, 128, 10_240)? as u32,
        environment: read_environment(&at)?,
        async_retries,
        async_max_age,
        reserved_concurrency: match at.get("ReservedConcurrentExecutions") {
            Some(value) => Some(value.number(0, 1_000_000)? as u32),
            None => None,
        },
        name,
    })
}

fn read_environment(at: &Cursor<'_>) -> Result<BTreeMap<String, String>, TemplateError> {
    let Some(environment) = at.get("Environment") else { return Ok(BTreeMap::new()) };
    environment.only(&[&["Variables"]])?;
    let Some(variables) = environment.get("Variables") else { return Ok(BTreeMap::new()) };
    let entries = variables.entries()?.into_iter();
    entries.map(|(name, value)| Ok((name.to_owned(), value.text()?.to_owned()))).collect()
}

/// `EventInvokeConfig`: 0–2 retries (default 2), an event age of 60 s to 6 h (default 6 h).
fn read_async(at: &Cursor<'_>) -> Result<(u32, Duration), TemplateError> {
    let (mut retries, mut age) = (2, 21_600);
    if let Some(config) = at.get("EventInvokeConfig") {
        config.only(&[&["MaximumRetryAttempts", "MaximumEventAgeInSeconds"]])?;
        if let Some(value) = config.get("MaximumRetryAttempts") {
            retries = value.number(0, 2)?;
        }
        if let Some(value) = config.get("MaximumEventAgeInSeconds") {
            age = value.number(60, 21_600)?;
        }
    }
    Ok((retries as u32, Duration::from_secs(age)))
}

/// A `CodeUri` that is a map names an object in S3, which is not on this machine.
fn read_code(resource: &Resource, at: &Cursor<'_>) -> Result<CodePlan, TemplateError> {
    let text = |key: &str| at.get(key).map(|value| value.text().map(str::to_owned)).transpose();
    let uri = at.get("CodeUri").and_then(|uri| uri.text().ok().map(str::to_owned));
    Ok(CodePlan {
        logical_id: resource.id.clone(),
        uri: uri.filter(|uri| !uri.starts_with("s3://")),
        runtime: text("Runtime")?.unwrap_or_default(),
        handler: text("Handler")?.unwrap_or_default(),
        binary: read_binary(resource)?,
        is_image: text("PackageType")?.is_some_and(|kind| kind == "Image"),
    })
}

/// `Metadata.BuildProperties.Binary`, which SAM's `BuildMethod: rust-cargolambda` reads.
fn read_binary(resource: &Resource) -> Result<Option<String>, TemplateError> {
    let metadata = Cursor::new(&resource.metadata, format!("{}.Metadata", resource.path));
    let binary = metadata.get("BuildProperties").and_then(|properties| properties.get("Binary"));
    binary.map(|binary| Ok(binary.text()?.to_owned())).transpose()
}

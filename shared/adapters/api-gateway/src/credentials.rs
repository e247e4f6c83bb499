//! Who signs: the keys that Lambda puts into the environment.

use aws_credential_types::Credentials;
use shared::config::Env;

/// Where they come from, as the SDK names it in its errors.
const PROVIDER: &str = "environment";

/// The region that stands in a signature which nobody checks.
const LOCAL_REGION: &str = "us-east-1";

/// The keys of the environment. With `local`, none at all are fine: whatever stands in for AWS on this
/// machine checks no signature.
pub(crate) fn credentials(env: &mut Env, local: bool) -> Credentials {
    let names = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
    if local && names.iter().all(|name| env.optional(name).is_none()) {
        return Credentials::new("local", "local", None, None, PROVIDER);
    }
    let [id, secret] = names.map(|name| env.required(name, "Lambda sets it; it signs calls to AWS"));
    Credentials::new(id, secret, env.optional("AWS_SESSION_TOKEN"), None, PROVIDER)
}

/// The region that a signature names.
pub(crate) fn region(env: &mut Env, local: bool) -> String {
    match env.optional("AWS_REGION") {
        Some(region) => region,
        None if local => LOCAL_REGION.to_owned(),
        None => env.required("AWS_REGION", "Lambda sets it; signatures name it"),
    }
}

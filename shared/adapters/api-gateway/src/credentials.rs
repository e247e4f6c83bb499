//! The credentials and the region that sign calls to AWS. Lambda puts both into the environment.

use aws_credential_types::Credentials;
use shared::config::Env;

/// The source of the credentials, as the SDK names it in its errors.
const PROVIDER: &str = "environment";

/// Stands for the region when no service verifies the signature.
const LOCAL_REGION: &str = "us-east-1";

/// The credentials of the environment. With `local` they may be absent, because the local stand-in for AWS
/// verifies no signature; but half a pair is a problem.
pub(crate) fn credentials(env: &mut Env, local: bool) -> Credentials {
    let names = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
    if local && names.iter().all(|name| env.optional(name).is_none()) {
        return Credentials::new("local", "local", None, None, PROVIDER);
    }
    let [id, secret] = names.map(|name| env.required(name, "signs calls to AWS; Lambda sets it"));
    Credentials::new(id, secret, env.optional("AWS_SESSION_TOKEN"), None, PROVIDER)
}

/// The region of the signatures.
pub(crate) fn region(env: &mut Env, local: bool) -> String {
    match env.optional("AWS_REGION") {
        Some(region) => region,
        None if local => LOCAL_REGION.to_owned(),
        None => env.required("AWS_REGION", "part of each signature; Lambda sets it"),
    }
}

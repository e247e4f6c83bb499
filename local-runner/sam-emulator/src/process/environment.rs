//! The environment of a function's process: what Lambda sets (Lambda guide, `configuration-envvars`), the
//! template's variables, and the names of `--env-file`. Nothing else of the emulator's own environment.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use crate::plan::{Account, FunctionPlan};

/// What the functions of one emulator have in common.
#[derive(Debug, Clone)]
pub struct HostEnvironment {
    /// The emulator's port, where `@connections` and the Invoke API are.
    pub address: SocketAddr,
    /// The account of the plan.
    pub account: Account,
    /// The path of each API before its stage, by the first label of its host name; see
    /// `address::prefixes`.
    pub prefixes: BTreeMap<String, String>,
    /// Variables for every function: those that `--env-file` names. The template's have precedence.
    pub variables: BTreeMap<String, String>,
}

impl HostEnvironment {
    /// All variables of a function but those that differ between its instances.
    pub(super) fn of(&self, function: &FunctionPlan, task_root: &Path) -> Vec<(String, String)> {
        let mut all = self.lambda_variables(function, task_root);
        all.extend(self.variables.clone());
        all.extend(self.template_variables(function));
        // Lambda reserves these names; a template cannot set them.
        all.extend(reserved_variables(function));
        all.into_iter().collect()
    }

    /// Defaults that the env file and the template may replace.
    fn lambda_variables(&self, function: &FunctionPlan, task_root: &Path) -> BTreeMap<String, String> {
        let region = self.account.region.as_str();
        let runtime = format!("AWS_Lambda_{}", function.code.runtime);
        let endpoint = format!("http://{}", self.local_address());
        let variables = [
            ("AWS_REGION", region),
            ("AWS_DEFAULT_REGION", region),
            ("AWS_EXECUTION_ENV", &runtime),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
            // Credentials of no account: the emulator checks none, and AWS refuses them.
            ("AWS_ACCESS_KEY_ID", "local"),
            ("AWS_SECRET_ACCESS_KEY", "local"),
            ("AWS_SESSION_TOKEN", "local"),
            // Functions that invoke functions invoke those of this emulator.
            ("AWS_ENDPOINT_URL_LAMBDA", &endpoint),
            ("LAMBDA_TASK_ROOT", &task_root.to_string_lossy()),
            ("LAMBDA_RUNTIME_DIR", "/var/runtime"),
            ("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin"),
            ("LANG", "en_US.UTF-8"),
            ("TZ", ":UTC"),
        ];
        variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    /// The variables that the template gives a function. URLs of the template's APIs lead to the emulator.
    pub(crate) fn template_variables(&self, function: &FunctionPlan) -> BTreeMap<String, String> {
        let own = function.environment.iter();
        own.map(|(name, value)| (name.clone(), self.local_urls(value))).collect()
    }

    /// Replaces the host names of the template's APIs and function URLs by the emulator's port, so that a
    /// function reaches them, and `@connections`, here.
    fn local_urls(&self, value: &str) -> String {
        let region = &self.account.region;
        let value = self.local_hosts(value, &format!(".execute-api.{region}.amazonaws.com"));
        self.local_hosts(&value, &format!(".lambda-url.{region}.on.aws"))
    }

    fn local_hosts(&self, value: &str, host: &str) -> String {
        let mut rest = value;
        let mut out = String::new();
        while let Some(at) = rest.find(host) {
            let before = &rest[..at];
            let schemes = [("https://", "http://"), ("wss://", "ws://")];
            let scheme = schemes.iter().find_map(|(from, to)| Some((before.rfind(from)?, *from, *to)));
            rest = &rest[at + host.len()..];
            match scheme {
                Some((start, from, to)) if is_api_id(&before[start + from.len()..]) => {
                    let prefix = self.prefixes.get(&before[start + from.len()..]).map_or("", String::as_str);
                    out.push_str(&before[..start]);
                    out.push_str(&format!("{to}{}{prefix}", self.local_address()));
                }
                _ => {
                    out.push_str(before);
                    out.push_str(host);
                }
            }
        }
        out + rest
    }

    /// The address that a process on this machine connects to.
    fn local_address(&self) -> SocketAddr {
        let mut address = self.address;
        if address.ip().is_unspecified() {
            address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
        }
        address
    }
}

fn is_api_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn reserved_variables(function: &FunctionPlan) -> [(String, String); 5] {
    let handler = if function.code.handler.is_empty() { "bootstrap" } else { &function.code.handler };
    [
        ("_HANDLER", handler.to_owned()),
        ("AWS_LAMBDA_FUNCTION_NAME", function.name.clone()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory_mb.to_string()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", function.name)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use super::HostEnvironment;
    use crate::plan::Account;

    #[test]
    fn urls_of_the_templates_apis_lead_to_the_emulator() {
        let host = HostEnvironment {
            address: "0.0.0.0:3000".parse().unwrap(),
            account: Account::default(),
            prefixes: [("Second".to_owned(), "/_api/Second".to_owned())].into(),
            variables: Default::default(),
        };
        for (value, expected) in [
            ("https://Api.execute-api.us-east-1.amazonaws.com/live", "http://127.0.0.1:3000/live"),
            (
                "a,wss://Api.execute-api.us-east-1.amazonaws.com/x,https://b.execute-api.us-east-1.amazonaws.com",
                "a,ws://127.0.0.1:3000/x,http://127.0.0.1:3000",
            ),
            (
                "https://Api.execute-api.eu-west-1.amazonaws.com",
                "https://Api.execute-api.eu-west-1.amazonaws.com",
            ),
            (
                "arn:https://x/y.execute-api.us-east-1.amazonaws.com",
                "arn:https://x/y.execute-api.us-east-1.amazonaws.com",
            ),
            ("https://Second.execute-api.us-east-1.amazonaws.com/v1", "http://127.0.0.1:3000/_api/Second/v1"),
            ("https://Second.lambda-url.us-east-1.on.aws/", "http://127.0.0.1:3000/_api/Second/"),
            ("plain", "plain"),
        ] {
            assert_eq!(host.local_urls(value), expected);
        }
    }
}

//! What a Lambda authorizer answers: a simple response or an IAM policy.

use serde_json::{Map, Value};

use super::{Identity, Refusal, policy};

/// A decision, which may hold for more than one route.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Decision {
    Simple { is_authorized: bool, context: Map<String, Value> },
    Policy { principal: String, document: Value, context: Map<String, Value> },
}

impl Decision {
    /// Reads a reply; `None` when it does not have the form that the authorizer declares.
    pub(super) fn read(payload: &[u8], simple: bool) -> Option<Self> {
        let reply: Value = serde_json::from_slice(payload).ok()?;
        let context = match reply.get("context") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(context)) => context.clone(),
            Some(_) => return None,
        };
        if simple {
            return Some(Self::Simple { is_authorized: reply.get("isAuthorized")?.as_bool()?, context });
        }
        let document = reply.get("policyDocument").filter(|document| policy::is_policy(document))?.clone();
        let principal = reply.get("principalId")?.as_str()?.to_owned();
        Some(Self::Policy { principal, document, context })
    }

    /// The decision for the route with this ARN.
    pub(super) fn apply(self, arn: &str) -> Result<Identity, Refusal> {
        match self {
            Self::Simple { is_authorized: true, context } => {
                Ok(Identity::Lambda { principal: String::new(), context })
            }
            Self::Policy { principal, document, context } if policy::allows(&document, arn) => {
                Ok(Identity::Lambda { principal, context })
            }
            Self::Simple { .. } | Self::Policy { .. } => Err(Refusal::Forbidden),
        }
    }
}

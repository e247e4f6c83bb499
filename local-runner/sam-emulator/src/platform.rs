//! What an application may use while it assembles its functions.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::address;
use crate::invoke::asynchronous::AsyncInvoker;
use crate::plan::{FunctionPlan, Plan};
use crate::process::HostEnvironment;
use crate::settings::Settings;
use crate::websocket::Connections;

/// What the emulator offers to an application while it assembles its functions.
#[derive(Clone)]
pub struct Platform {
    /// The content of the template.
    pub plan: Arc<Plan>,
    /// The settings of this run. While serving, the address has the port that is open.
    pub settings: Arc<Settings>,
    /// Accepts asynchronous invocations (`InvocationType: Event`).
    pub asynchronous: AsyncInvoker,
    /// The open WebSocket connections: the operations of `@connections` without HTTP.
    pub connections: Connections,
}

impl Platform {
    /// The variables that the template gives a function. URLs of the template's own APIs lead to this emulator.
    #[must_use]
    pub fn variables(&self, function: &FunctionPlan) -> BTreeMap<String, String> {
        let host = HostEnvironment {
            address: self.settings.address,
            account: self.plan.account.clone(),
            prefixes: address::prefixes(&self.plan),
            variables: BTreeMap::new(),
        };
        host.template_variables(function)
    }
}

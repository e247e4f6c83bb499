//! Everything that functions are lent, connected once.

use adapter_api_gateway::Gateway;
use sam_emulator::BoxError;
use sam_emulator::run::Platform;
use shared::auth::{Gate, Passwords, Rates, TokenKeys};
use shared::config::{self, Env};
use shared::lambda::keep;
use shared::message::send::Chat;
use shared::ports::{Functions, Push};
use shared::realtime::codec::engine_io::PingTimers;
use shared::realtime::fanout::Fanout;

use crate::secret;
use crate::sockets::{Events, Sockets};
use crate::stores::{self, Stores};

/// What functions are lent.
pub(crate) struct World {
    pub(crate) stores: Stores,
    pub(crate) push: &'static dyn Push,
    pub(crate) functions: &'static dyn Functions,
    pub(crate) passwords: Passwords,
    pub(crate) timers: PingTimers,
    pub(crate) planner: auto_message_planner::Settings,
    keys: TokenKeys,
    rates: Rates,
}

impl World {
    pub(crate) fn gate(&'static self) -> Gate<'static> {
        let Stores { sessions, limits, .. } = self.stores;
        Gate { sessions, limits, keys: &self.keys, rates: &self.rates }
    }

    pub(crate) fn fanout(&'static self) -> Fanout<'static> {
        let Stores { connections, rooms, .. } = self.stores;
        Fanout { connections, rooms, push: self.push }
    }

    pub(crate) fn chat(&'static self) -> Chat<'static> {
        let Stores { users, conversations, cache, messages, .. } = self.stores;
        Chat { users, conversations, cache, messages, fanout: self.fanout() }
    }
}

/// Connects everything that the settings name; the second value is what the banner says of it.
///
/// # Errors
/// A wrong value, or a store that cannot be opened; all wrong values at once.
pub(crate) async fn connect(platform: &Platform) -> Result<(&'static World, Vec<String>), BoxError> {
    let mut values = platform.settings.values.clone();
    let secret = match values.get("JWT_SECRET").filter(|secret| !secret.trim().is_empty()) {
        Some(_) => "JWT_SECRET".to_owned(),
        None => {
            let (secret, place) = secret::of(&platform.settings.data)?;
            values.insert("JWT_SECRET".to_owned(), secret);
            place
        }
    };
    let through_sdk = values.get("PUSH").is_some_and(|way| way == "sdk");
    if through_sdk {
        values.entry("PUSH_ENDPOINT".to_owned()).or_insert(own_endpoint(platform));
    }
    let mut env = Env::of(values);
    let (keys, rates, timers) =
        (config::token_keys(&mut env), config::rates(&mut env), config::ping_timers(&mut env));
    let stores = stores::connect(&platform.settings, &mut env).await?;
    let mut banner = stores.banner.clone();
    banner.push(format!("JWT secret   {secret}"));
    let (push, functions) = ways_out(platform, through_sdk, &mut env);
    if through_sdk {
        banner.push("push         AWS SDK (PUSH=sdk)".to_owned());
    }
    let planner = auto_message_planner::Settings::from_env(&mut env);
    env.finish()?;
    let passwords = Passwords::for_this_machine();
    let world = World { stores, push, functions, passwords, timers, planner, keys, rates };
    Ok((keep(world), banner))
}

/// How functions push and invoke: within this process, or with `PUSH=sdk` as on AWS, through the SDK and the
/// runner's own port.
fn ways_out(
    platform: &Platform,
    through_sdk: bool,
    env: &mut Env,
) -> (&'static dyn Push, &'static dyn Functions) {
    if through_sdk {
        let gateway = keep(Gateway::from_env(env));
        return (gateway, gateway);
    }
    (keep(Sockets(platform.connections.clone())), keep(Events(platform.asynchronous.clone())))
}

/// This runner's own management API.
fn own_endpoint(platform: &Platform) -> String {
    let stage = platform.plan.websocket.as_ref().map_or("", |api| api.stage.as_str());
    format!("http://{}/{stage}", platform.settings.address)
}

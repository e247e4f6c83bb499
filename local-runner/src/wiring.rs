//! The ports and settings of every function, connected once.

use std::collections::BTreeMap;

use adapter_api_gateway::Gateway;
use adapter_elasticsearch::Search;
use adapter_mongodb::Mongo;
use adapter_rabbitmq::RabbitMq;
use adapter_redis::Redis;
use sam_emulator::BoxError;
use sam_emulator::Platform;
use shared::auth::{Gate, PasswordPolicy, Passwords, Rates, SessionPolicy, TokenKeys};
use shared::chat::{ChatPorts, MemberLookup};
use shared::config::Env;
use shared::lambda::{Components, leak};
use shared::ports::{Functions, Push};
use shared::realtime::announce::Announcer;
use shared::realtime::fanout::Fanout;
use shared::realtime::ping::PingTimers;
use shared::realtime::settings::RealtimeSettings;

use crate::in_process::{InProcessFunctions, InProcessPush};
use crate::secret;
use crate::stores::{self, Stores};

/// The servers that the environment may name.
type Servers = (Option<Mongo>, Option<Redis>, Option<RabbitMq>, Option<Search>);

/// The most connections to MongoDB: this one process serves what is many Lambdas elsewhere.
const MONGODB_POOL: &str = "64";

/// The ports and settings of every function.
pub(crate) struct Wiring {
    pub(crate) stores: Stores,
    pub(crate) push: &'static dyn Push,
    pub(crate) functions: &'static dyn Functions,
    /// The settings of each function of the template, by its name.
    settings: BTreeMap<String, FunctionSettings>,
    /// The settings of a function that the template does not have.
    defaults: FunctionSettings,
}

/// What a function reads from its own variables.
pub(crate) struct FunctionSettings {
    pub(crate) timers: PingTimers,
    pub(crate) realtime: RealtimeSettings,
    pub(crate) planner: auto_message_planner::Settings,
    pub(crate) chat_page: chat_page::Settings,
    /// All functions hash with the same permits and memory.
    pub(crate) passwords: Passwords,
    keys: TokenKeys,
    rates: Rates,
    policy: SessionPolicy,
}

impl FunctionSettings {
    fn read(env: &mut Env, hasher: &Passwords) -> Self {
        Self {
            passwords: hasher.with_policy(PasswordPolicy::from_env(env)),
            policy: SessionPolicy::from_env(env),
            keys: TokenKeys::from_env(env),
            rates: Rates::from_env(env),
            timers: PingTimers::from_env(env),
            realtime: RealtimeSettings::from_env(env),
            planner: auto_message_planner::Settings::from_env(env),
            chat_page: chat_page::Settings::from_env(env),
        }
    }
}

/// The wiring as one function sees it, with that function's settings.
#[derive(Clone, Copy)]
pub(crate) struct FunctionWiring {
    pub(crate) shared: &'static Wiring,
    pub(crate) settings: &'static FunctionSettings,
}

impl FunctionWiring {
    pub(crate) fn gate(self) -> Gate<'static> {
        let Stores { sessions, limits, addresses, .. } = self.shared.stores;
        let FunctionSettings { keys, rates, policy, .. } = self.settings;
        Gate { sessions, limits, addresses, keys, rates, policy: *policy }
    }

    pub(crate) fn announcer(self) -> Announcer<'static> {
        let (fanout, changes) = (self.shared.fanout(), self.shared.stores.changes);
        Announcer { fanout, changes, functions: self.shared.functions, settings: &self.settings.realtime }
    }
}

impl Wiring {
    /// The wiring of the function `name`.
    pub(crate) fn of(&'static self, name: &str) -> FunctionWiring {
        FunctionWiring { shared: self, settings: self.settings.get(name).unwrap_or(&self.defaults) }
    }

    pub(crate) fn fanout(&'static self) -> Fanout<'static> {
        let Stores { connections, rooms, .. } = self.stores;
        Fanout { connections, rooms, push: self.push }
    }

    pub(crate) fn members(&'static self) -> MemberLookup<'static> {
        MemberLookup::over(self.stores.conversations, self.stores.cache)
    }

    pub(crate) fn chat(&'static self) -> ChatPorts<'static> {
        let Stores { users, messages, .. } = self.stores;
        ChatPorts { users, members: self.members(), messages, fanout: self.fanout() }
    }
}

/// Connects everything that the settings name; also returns the banner's lines about it.
///
/// # Errors
/// Every wrong value at once, or a store that cannot be opened. A server that is down is no error: health
/// reports it, and it may come up later.
pub(crate) async fn connect(platform: &Platform) -> Result<(&'static Wiring, Vec<String>), BoxError> {
    let mut env = Env::of(platform.settings.values.clone());
    let secret = match env.optional("JWT_SECRET") {
        Some(_) => "JWT_SECRET".to_owned(),
        None => {
            let (secret, place) = secret::of(&platform.settings.data)?;
            env.set_default("JWT_SECRET", secret);
            place
        }
    };
    env.set_default("MONGODB_MAX_POOL_SIZE", MONGODB_POOL);
    let amqp_url = env.optional("AMQP_URL");
    let hasher = Passwords::for_this_machine(PasswordPolicy::default());
    let settings = read_settings(platform, &env, &hasher)?;
    let defaults = FunctionSettings::read(&mut env, &hasher);
    let servers = Servers::read(&mut env);
    let through_sdk = env.optional("PUSH").is_some_and(|way| way == "sdk");
    let (push, functions) = push_and_functions(platform, through_sdk, &mut env);
    env.finish()?;
    let (mongo, redis, rabbit, search) =
        Servers::connect(servers).await.map_err(|fatal| format!("{fatal:?}"))?;
    let rabbit = rabbit.as_ref().zip(amqp_url);
    let servers =
        stores::Servers { mongo: mongo.as_ref(), redis: redis.as_ref(), rabbit, search: search.as_ref() };
    let stores = stores::connect(&platform.settings.data, servers)?;
    let mut banner = stores.banner.clone();
    banner.push(format!("JWT secret   {secret}"));
    if through_sdk {
        banner.push("push         AWS SDK (PUSH=sdk)".to_owned());
    }
    let wiring = Wiring { stores, push, functions, settings, defaults };
    Ok((leak(wiring), banner))
}

/// The settings of every function, from the variables that the template gives it. As everywhere, the environment and
/// `--env-file` override the template.
fn read_settings(
    platform: &Platform,
    env: &Env,
    hasher: &Passwords,
) -> Result<BTreeMap<String, FunctionSettings>, BoxError> {
    let mut all = BTreeMap::new();
    for (name, function) in &platform.plan.functions {
        let mut own = env.clone();
        for (variable, value) in platform.variables(function) {
            if !value.trim().is_empty() {
                own.set_default(&variable, value);
            }
        }
        let settings = FunctionSettings::read(&mut own, hasher);
        own.finish().map_err(|error| format!("the function {name}: {error}"))?;
        all.insert(name.clone(), settings);
    }
    Ok(all)
}

/// How functions push and invoke: within this process or, with `PUSH=sdk`, as on AWS through the SDK and the
/// runner's own port.
fn push_and_functions(
    platform: &Platform,
    through_sdk: bool,
    env: &mut Env,
) -> (&'static dyn Push, &'static dyn Functions) {
    if through_sdk {
        env.set_default("PUSH_ENDPOINT", own_endpoint(platform));
        let gateway = leak(Gateway::from_env(env));
        return (gateway, gateway);
    }
    (
        leak(InProcessPush(platform.connections.clone())),
        leak(InProcessFunctions(platform.asynchronous.clone())),
    )
}

/// This runner's own management API.
fn own_endpoint(platform: &Platform) -> String {
    let stage = platform.plan.websocket.first().map_or("", |api| api.stage.as_str());
    format!("http://{}/{stage}", platform.settings.address)
}

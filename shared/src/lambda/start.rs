//! Starting a function's process: logs, configuration, connections, then the Lambda Runtime API.

use std::fmt;
use std::future::Future;

use super::{Entry, run};
use crate::auth::{Gate, PasswordPolicy, Passwords, Rates, SessionPolicy, TokenKeys};
use crate::config::Env;
use crate::ports::{KnownAddresses, RateLimits, Sessions};
use crate::realtime::ping::PingTimers;
use crate::realtime::settings::RealtimeSettings;
use crate::telemetry;

/// The reason why a function's process ends. `main` prints its `Debug`, which is therefore plain text.
pub struct Fatal(String);

impl fmt::Debug for Fatal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<E: fmt::Display> From<E> for Fatal {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// Something that a process makes once from the environment and lends to every invocation: an adapter, or a
/// set of settings.
pub trait Component: Sized + Send + Sync + 'static {
    /// What [`read`](Self::read) found.
    type Config: Send;

    /// Whether the environment asks for this component. An `Option` of it is `None` otherwise.
    fn is_configured(_env: &Env) -> bool {
        true
    }

    /// Reads the environment; problems are added to `env`.
    fn read(env: &mut Env) -> Self::Config;

    /// Makes the component. It runs only after every component was read without a problem.
    fn connect(config: Self::Config) -> impl Future<Output = Result<Self, Fatal>> + Send;
}

impl<C: Component> Component for Option<C> {
    type Config = Option<C::Config>;

    fn read(env: &mut Env) -> Self::Config {
        C::is_configured(env).then(|| C::read(env))
    }

    async fn connect(config: Self::Config) -> Result<Self, Fatal> {
        match config {
            Some(config) => Ok(Some(C::connect(config).await?)),
            None => Ok(None),
        }
    }
}

/// A tuple of [`Component`]s.
pub trait Components: Sized {
    /// What was read for each.
    type Configs: Send;
    /// A reference to each, for the life of the process.
    type Refs: Send;

    /// Reads the environment for each.
    fn read(env: &mut Env) -> Self::Configs;

    /// Connects each, in order.
    fn connect(configs: Self::Configs) -> impl Future<Output = Result<Self::Refs, Fatal>> + Send;
}

macro_rules! components {
    ($($name:ident $config:ident),+) => {
        impl<$($name: Component),+> Components for ($($name,)+) {
            type Configs = ($($name::Config,)+);
            type Refs = ($(&'static $name,)+);

            fn read(env: &mut Env) -> Self::Configs {
                ($($name::read(env),)+)
            }

            async fn connect(($($config,)+): Self::Configs) -> Result<Self::Refs, Fatal> {
                Ok(($(leak($name::connect($config).await?),)+))
            }
        }
    };
}

/// A function that needs nothing from outside.
impl Components for () {
    type Configs = ();
    type Refs = ();

    fn read(_env: &mut Env) {}

    async fn connect((): ()) -> Result<(), Fatal> {
        Ok(())
    }
}

components!(A a);
components!(A a, B b);
components!(A a, B b, C c);
components!(A a, B b, C c, D d);
components!(A a, B b, C c, D d, E e);
components!(A a, B b, C c, D d, E e, F f);

/// The whole `main` of a function: starts the logs, connects the components `C`, and serves the function that
/// `wire` makes of them on the Lambda Runtime API until the process ends.
///
/// # Errors
/// Every problem of the environment at once; the first component that cannot be made; a runtime that cannot
/// start or loses its API.
pub fn serve<C: Components>(wire: impl FnOnce(C::Refs) -> Entry) -> Result<(), Fatal> {
    telemetry::start("info");
    let mut env = Env::lambda();
    let configs = C::read(&mut env);
    env.finish()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async { run(wire(C::connect(configs).await?)).await })
}

/// Makes a value live as long as the process, so that every invocation can borrow it.
pub fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

/// The settings of a [`Gate`]: `JWT_SECRET` and the other variables of [`TokenKeys`], [`Rates`] and
/// [`SessionPolicy`].
pub struct GateSettings {
    keys: TokenKeys,
    rates: Rates,
    policy: SessionPolicy,
}

impl GateSettings {
    /// The gate over a store of sessions and rate limits.
    pub fn over<S: Sessions + RateLimits + KnownAddresses>(
        &'static self,
        store: &'static S,
    ) -> Gate<'static> {
        let Self { keys, rates, policy } = self;
        Gate { sessions: store, limits: store, addresses: store, keys, rates, policy: *policy }
    }
}

impl Component for GateSettings {
    type Config = Self;

    fn read(env: &mut Env) -> Self {
        Self {
            keys: TokenKeys::from_env(env),
            rates: Rates::from_env(env),
            policy: SessionPolicy::from_env(env),
        }
    }

    async fn connect(config: Self) -> Result<Self, Fatal> {
        Ok(config)
    }
}

impl Component for PingTimers {
    type Config = Self;

    fn read(env: &mut Env) -> Self {
        Self::from_env(env)
    }

    async fn connect(config: Self) -> Result<Self, Fatal> {
        Ok(config)
    }
}

impl Component for RealtimeSettings {
    type Config = Self;

    fn read(env: &mut Env) -> Self {
        Self::from_env(env)
    }

    async fn connect(config: Self) -> Result<Self, Fatal> {
        Ok(config)
    }
}

impl Component for Passwords {
    type Config = PasswordPolicy;

    fn read(env: &mut Env) -> PasswordPolicy {
        PasswordPolicy::from_env(env)
    }

    async fn connect(policy: PasswordPolicy) -> Result<Self, Fatal> {
        Ok(Self::for_this_machine(policy))
    }
}

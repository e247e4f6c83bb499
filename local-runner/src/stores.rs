//! Which store serves which port: embedded unless the environment names a real one.

use adapter_elasticsearch::Search;
use adapter_embedded::Embedded;
use adapter_mongodb::Mongo;
use adapter_rabbitmq::RabbitMq;
use adapter_redis::Redis;
use sam_emulator::BoxError;
use sam_emulator::cli::Data;
use sam_emulator::settings::Settings;
use shared::config::Env;
use shared::lambda::keep;
use shared::ports::{
    AutoMessages, Cache, Connections, Conversations, Departures, Heartbeats, Messages, Presence, Probe,
    RateLimits, Rooms, SearchIndex, Sessions, Unindexed, Users,
};

use crate::queues::Broker;

/// Connections to MongoDB: here one process serves what is many Lambdas elsewhere.
const MONGODB_POOL: u32 = 64;

/// The ports over stores, for the life of the process.
pub(crate) struct Stores {
    pub(crate) users: &'static dyn Users,
    pub(crate) conversations: &'static dyn Conversations,
    pub(crate) messages: &'static dyn Messages,
    pub(crate) search: &'static dyn SearchIndex,
    pub(crate) unindexed: &'static dyn Unindexed,
    pub(crate) auto_messages: &'static dyn AutoMessages,
    pub(crate) sessions: &'static dyn Sessions,
    pub(crate) limits: &'static dyn RateLimits,
    pub(crate) connections: &'static dyn Connections,
    pub(crate) rooms: &'static dyn Rooms,
    pub(crate) heartbeats: &'static dyn Heartbeats,
    pub(crate) presence: &'static dyn Presence,
    pub(crate) departures: &'static dyn Departures,
    pub(crate) cache: &'static dyn Cache,
    pub(crate) probes: Vec<(&'static str, &'static dyn Probe)>,
    pub(crate) broker: Broker,
    /// MongoDB, where it keeps the documents.
    pub(crate) mongo: Option<&'static Mongo>,
    /// The search index beside the documents, where there is one.
    pub(crate) index: Option<&'static Search>,
    pub(crate) banner: Vec<String>,
}

/// What keeps the documents.
trait Documents: Users + Conversations + Messages + SearchIndex + Unindexed + AutoMessages {}
impl<T: Users + Conversations + Messages + SearchIndex + Unindexed + AutoMessages> Documents for T {}

/// What keeps sessions and everything that lives with connections.
trait Live: Sessions + RateLimits + Connections + Rooms + Heartbeats + Presence + Departures + Cache {}
impl<T: Sessions + RateLimits + Connections + Rooms + Heartbeats + Presence + Departures + Cache> Live for T {}

/// What is connected so far.
struct Connecting<'a> {
    data: &'a Data,
    /// Opened when something first needs it: with all four servers there is no file and no lock.
    embedded: Option<&'static Embedded>,
    probes: Vec<(&'static str, &'static dyn Probe)>,
    banner: Vec<String>,
}

/// Connects.
///
/// # Errors
/// The data directory is busy or broken, or a URL cannot be read. A server that is down is no error here:
/// it shows in health and may come up later.
pub(crate) async fn connect(settings: &Settings, env: &mut Env) -> Result<Stores, BoxError> {
    let mut to = Connecting { data: &settings.data, embedded: None, probes: Vec::new(), banner: Vec::new() };
    let (documents, mongo) = to.documents(env).await?;
    let index = to.index(env, mongo.is_some());
    let live = to.live(env)?;
    let broker = to.broker(env)?;
    Ok(Stores {
        users: documents,
        conversations: documents,
        messages: documents,
        search: index.map_or(documents, |index| index as &dyn SearchIndex),
        unindexed: documents,
        auto_messages: documents,
        sessions: live,
        limits: live,
        connections: live,
        rooms: live,
        heartbeats: live,
        presence: live,
        departures: live,
        cache: live,
        probes: to.probes,
        broker,
        mongo,
        index,
        banner: to.banner,
    })
}

impl Connecting<'_> {
    async fn documents(
        &mut self,
        env: &mut Env,
    ) -> Result<(&'static dyn Documents, Option<&'static Mongo>), BoxError> {
        if env.optional("MONGODB_URI").is_none() {
            self.says("documents", &self.place());
            return Ok((self.embedded()?, None));
        }
        let mut config = adapter_mongodb::Config::from_env(env);
        if env.optional("MONGODB_MAX_POOL_SIZE").is_none() {
            config = config.pool(MONGODB_POOL);
        }
        let mongo = keep(Mongo::connect(&config).await?);
        self.probes.push(("mongodb", mongo));
        self.says("documents", "MongoDB (MONGODB_URI)");
        Ok((mongo, Some(mongo)))
    }

    fn index(&mut self, env: &mut Env, in_mongodb: bool) -> Option<&'static Search> {
        if env.optional("ELASTICSEARCH_URL").is_none() {
            let place = if in_mongodb { "MongoDB (MONGODB_URI)".to_owned() } else { self.place() };
            self.says("search", &place);
            return None;
        }
        let search = keep(Search::from_env(env));
        self.probes.push(("elasticsearch", search));
        self.says("search", "Elasticsearch (ELASTICSEARCH_URL)");
        Some(search)
    }

    fn live(&mut self, env: &mut Env) -> Result<&'static dyn Live, BoxError> {
        if env.optional("REDIS_URL").is_none() {
            self.says("sessions", &self.place());
            self.says("presence", "this process");
            return Ok(self.embedded()?);
        }
        let redis = keep(Redis::new(adapter_redis::Config::from_env(env)));
        self.probes.push(("redis", redis));
        self.says("sessions", "Redis (REDIS_URL)");
        self.says("presence", "Redis (REDIS_URL)");
        Ok(redis)
    }

    fn broker(&mut self, env: &mut Env) -> Result<Broker, BoxError> {
        let Some(url) = env.optional("AMQP_URL") else {
            self.says("queues", &self.place());
            return Ok(Broker::Embedded(self.embedded()?));
        };
        let rabbit = keep(RabbitMq::new(adapter_rabbitmq::Config::from_env(env)));
        self.probes.push(("rabbitmq", rabbit));
        self.says("queues", "RabbitMQ (AMQP_URL)");
        Ok(Broker::RabbitMq(rabbit, keep(url)))
    }

    fn embedded(&mut self) -> Result<&'static Embedded, BoxError> {
        if let Some(open) = self.embedded {
            return Ok(open);
        }
        let open = keep(match self.data {
            Data::Memory => Embedded::temporary()?,
            Data::Directory(directory) => Embedded::open(directory)?,
        });
        self.probes.push(("embedded", open));
        self.embedded = Some(open);
        Ok(open)
    }

    fn place(&self) -> String {
        match self.data {
            Data::Memory => "in memory, nothing is kept".to_owned(),
            Data::Directory(directory) => format!("SQLite in {}", directory.display()),
        }
    }

    fn says(&mut self, what: &str, place: &str) {
        self.banner.push(format!("{what:<12} {place}"));
    }
}

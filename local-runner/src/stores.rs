//! The store of every port: embedded unless the environment names a server.

use adapter_elasticsearch::Search;
use adapter_embedded::Embedded;
use adapter_mongodb::Mongo;
use adapter_rabbitmq::RabbitMq;
use adapter_redis::Redis;
use sam_emulator::BoxError;
use sam_emulator::cli::Data;
use shared::lambda::leak;
use shared::ports::{
    AutoMessages, Connections, Conversations, Heartbeats, IndexBacklog, KnownAddresses, LastSeen,
    MemberCache, Messages, Presence, PresenceChanges, Probe, RateLimits, Rooms, SearchIndex, Sessions, Users,
};

use crate::queues::Broker;

/// The servers that are used instead of embedded stores.
pub(crate) struct Servers {
    pub(crate) mongo: Option<&'static Mongo>,
    pub(crate) redis: Option<&'static Redis>,
    /// RabbitMQ, and its URL for the consumers' own connections.
    pub(crate) rabbit: Option<(&'static RabbitMq, String)>,
    pub(crate) search: Option<&'static Search>,
}

/// The store of every port, for the life of the process.
pub(crate) struct Stores {
    pub(crate) users: &'static dyn Users,
    pub(crate) conversations: &'static dyn Conversations,
    pub(crate) messages: &'static dyn Messages,
    pub(crate) search: &'static dyn SearchIndex,
    pub(crate) index_backlog: &'static dyn IndexBacklog,
    pub(crate) auto_messages: &'static dyn AutoMessages,
    pub(crate) sessions: &'static dyn Sessions,
    pub(crate) limits: &'static dyn RateLimits,
    pub(crate) addresses: &'static dyn KnownAddresses,
    pub(crate) connections: &'static dyn Connections,
    pub(crate) rooms: &'static dyn Rooms,
    pub(crate) heartbeats: &'static dyn Heartbeats,
    pub(crate) presence: &'static dyn Presence,
    pub(crate) last_seen: &'static dyn LastSeen,
    pub(crate) changes: &'static dyn PresenceChanges,
    pub(crate) cache: &'static dyn MemberCache,
    pub(crate) probes: Vec<(&'static str, &'static dyn Probe)>,
    pub(crate) broker: Broker,
    /// MongoDB, if it stores the documents.
    pub(crate) mongo: Option<&'static Mongo>,
    /// The search index, if it is a server of its own.
    pub(crate) index: Option<&'static Search>,
    /// The embedded store, if it stores anything.
    pub(crate) embedded: Option<&'static Embedded>,
    pub(crate) banner: Vec<String>,
}

/// A store of documents.
trait Documents: Users + Conversations + Messages + SearchIndex + IndexBacklog + AutoMessages {}
impl<T: Users + Conversations + Messages + SearchIndex + IndexBacklog + AutoMessages> Documents for T {}

/// A store of sessions and of everything that belongs to connections.
trait Memory:
    Sessions
    + RateLimits
    + KnownAddresses
    + Connections
    + Rooms
    + Heartbeats
    + Presence
    + PresenceChanges
    + LastSeen
    + MemberCache
{
}
impl<T> Memory for T where
    T: Sessions
        + RateLimits
        + KnownAddresses
        + Connections
        + Rooms
        + Heartbeats
        + Presence
        + PresenceChanges
        + LastSeen
        + MemberCache
{
}

/// The stores that are open so far.
struct Opening<'a> {
    data: &'a Data,
    /// Opened on first use: with all four servers there is no file and no lock.
    embedded: Option<&'static Embedded>,
    probes: Vec<(&'static str, &'static dyn Probe)>,
    banner: Vec<String>,
}

/// Chooses the store of every port.
///
/// # Errors
/// The data directory is in use or cannot be opened.
pub(crate) fn connect(data: &Data, servers: Servers) -> Result<Stores, BoxError> {
    let mut open = Opening { data, embedded: None, probes: Vec::new(), banner: Vec::new() };
    let documents = open.documents(servers.mongo)?;
    open.search(&servers);
    let memory = open.memory(servers.redis)?;
    let broker = open.broker(servers.rabbit)?;
    Ok(Stores {
        users: documents,
        conversations: documents,
        messages: documents,
        search: servers.search.map_or(documents, |search| search as &dyn SearchIndex),
        index_backlog: documents,
        auto_messages: documents,
        sessions: memory,
        limits: memory,
        addresses: memory,
        connections: memory,
        rooms: memory,
        heartbeats: memory,
        presence: memory,
        last_seen: memory,
        changes: memory,
        cache: memory,
        probes: open.probes,
        broker,
        mongo: servers.mongo,
        index: servers.search,
        embedded: open.embedded,
        banner: open.banner,
    })
}

impl Opening<'_> {
    fn documents(&mut self, mongo: Option<&'static Mongo>) -> Result<&'static dyn Documents, BoxError> {
        let Some(mongo) = mongo else {
            self.add_line("documents", &self.place());
            return Ok(self.embedded()?);
        };
        self.probes.push(("mongodb", mongo));
        self.add_line("documents", "MongoDB (MONGODB_URI)");
        Ok(mongo)
    }

    fn search(&mut self, servers: &Servers) {
        let Some(search) = servers.search else {
            let place =
                if servers.mongo.is_some() { "MongoDB (MONGODB_URI)".to_owned() } else { self.place() };
            return self.add_line("search", &place);
        };
        self.probes.push(("elasticsearch", search));
        self.add_line("search", "Elasticsearch (ELASTICSEARCH_URL)");
    }

    fn memory(&mut self, redis: Option<&'static Redis>) -> Result<&'static dyn Memory, BoxError> {
        let Some(redis) = redis else {
            self.add_line("sessions", &self.place());
            self.add_line("presence", "this process");
            return Ok(self.embedded()?);
        };
        self.probes.push(("redis", redis));
        self.add_line("sessions", "Redis (REDIS_URL)");
        self.add_line("presence", "Redis (REDIS_URL)");
        Ok(redis)
    }

    fn broker(&mut self, rabbit: Option<(&'static RabbitMq, String)>) -> Result<Broker, BoxError> {
        let Some((rabbit, url)) = rabbit else {
            self.add_line("queues", &self.place());
            return Ok(Broker::Embedded(self.embedded()?));
        };
        self.probes.push(("rabbitmq", rabbit));
        self.add_line("queues", "RabbitMQ (AMQP_URL)");
        Ok(Broker::RabbitMq(rabbit, leak(url)))
    }

    fn embedded(&mut self) -> Result<&'static Embedded, BoxError> {
        if let Some(open) = self.embedded {
            return Ok(open);
        }
        let open = leak(match self.data {
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

    fn add_line(&mut self, what: &str, place: &str) {
        self.banner.push(format!("{what:<12} {place}"));
    }
}

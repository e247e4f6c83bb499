//! What a function is lent: an embedded store of its own, a recorder in place of sockets, fixed keys.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapter_embedded::Embedded;
use async_trait::async_trait;
use http::HeaderMap;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use serde_json::{Map, Value, json};
use shared::auth::{Gate, Passwords, Rates, TokenKeys};
use shared::chat::{ChatPorts, MemberLookup};
use shared::config::Secret;
use shared::conversation::Members;
use shared::error::{Error, StoreError};
use shared::id::{ConnectionId, ConversationId, Entropy, SessionId, UserId};
use shared::lambda::http::{Reply, Request, http};
use shared::lambda::{Entry, invoke};
use shared::ports::{MemberCache, Push, PushError, RateLimit, RateLimits, Sessions, StoreResult};
use shared::realtime::fanout::Fanout;
use shared::session::{Rotation, Session};
use shared::time::Time;

/// The instant at which everything begins.
pub(crate) const NOW: Time = Time::from_millis(1_800_000_000_123);
pub(crate) const ACCESS: Duration = Duration::from_secs(900);
pub(crate) const REFRESH: Duration = Duration::from_secs(9_000);

/// A function's future.
pub(crate) type Answering<'a> = Pin<Box<dyn Future<Output = Result<Reply, Error>> + Send + 'a>>;

/// A function with its ports.
pub(crate) type Handle = for<'a> fn(&'a Bench, Request) -> Answering<'a>;

/// What functions are lent.
pub(crate) struct Bench {
    pub(crate) store: Embedded,
    pub(crate) passwords: Passwords,
    pub(crate) pushed: Recorder,
    pub(crate) entropy: Entropy,
    pub(crate) rates: Rates,
    /// Whether sessions and limits are out of reach.
    pub(crate) cut: bool,
    keys: TokenKeys,
}

impl Bench {
    /// Empty, with repeatable randomness and no limits.
    pub(crate) fn new() -> Self {
        let secret = Secret::new("thirty-two bytes that sign tokens");
        Self {
            store: Embedded::temporary().unwrap(),
            passwords: Passwords::new(2),
            pushed: Recorder::default(),
            entropy: Entropy::seeded(7),
            rates: Rates::scaled(0.0),
            cut: false,
            keys: TokenKeys::new(&secret, "ulak", "ulak", ACCESS, REFRESH),
        }
    }

    pub(crate) fn gate(&self) -> Gate<'_> {
        let (keys, rates) = (&self.keys, &self.rates);
        match self.cut {
            true => Gate { sessions: &Cut, limits: &Cut, keys, rates },
            false => Gate { sessions: &self.store, limits: &self.store, keys, rates },
        }
    }

    pub(crate) fn fanout(&self) -> Fanout<'_> {
        Fanout { connections: &self.store, rooms: &self.store, push: &self.pushed }
    }

    pub(crate) fn chat(&self) -> ChatPorts<'_> {
        let store = &self.store;
        ChatPorts {
            users: store,
            members: MemberLookup::over(store, store),
            messages: store,
            fanout: self.fanout(),
        }
    }

    /// A request at [`NOW`] with the bench's randomness.
    pub(crate) fn request(&self, ask: &Ask) -> Request {
        let mut headers = HeaderMap::new();
        if let Some(token) = &ask.token {
            headers.insert(AUTHORIZATION, HeaderValue::try_from(format!("Bearer {token}")).unwrap());
        }
        if !ask.body.is_null() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let pairs =
            |pairs: &[(&str, String)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
        Request {
            id: "a-request".to_owned(),
            route: ask.route.to_owned(),
            now: NOW,
            entropy: self.entropy.clone(),
            source_ip: "192.0.2.7".to_owned(),
            user_agent: "a test".to_owned(),
            path: pairs(&ask.path),
            query: pairs(&ask.query),
            headers,
            body: if ask.body.is_null() { Vec::new() } else { ask.body.to_string().into_bytes() },
        }
    }
}

/// What is asked of a function.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ask {
    /// The route key.
    pub(crate) route: &'static str,
    /// Who asks.
    pub(crate) token: Option<String>,
    pub(crate) path: Vec<(&'static str, String)>,
    pub(crate) query: Vec<(&'static str, String)>,
    /// `null` for none.
    pub(crate) body: Value,
}

/// The event that API Gateway makes of a request (payload format 2.0).
pub(crate) fn event(request: &Request) -> Value {
    let text = |value: &HeaderValue| Value::from(value.to_str().unwrap());
    let headers = request.headers.iter().map(|(name, value)| (name.to_string(), text(value)));
    let mut headers: Map<String, Value> = headers.collect();
    headers.insert("user-agent".to_owned(), request.user_agent.clone().into());
    let (method, path) = request.route.split_once(' ').unwrap();
    let query: Vec<String> = request.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut event = json!({
        "version": "2.0", "routeKey": request.route, "rawPath": path, "rawQueryString": query.join("&"),
        "headers": headers, "isBase64Encoded": false,
        "requestContext": {
            "accountId": "123456789012", "apiId": "local", "domainName": "localhost", "domainPrefix": "localhost",
            "http": { "method": method, "path": path, "protocol": "HTTP/1.1",
                "sourceIp": request.source_ip, "userAgent": request.user_agent },
            "requestId": request.id, "routeKey": request.route, "stage": "$default",
            "time": "15/Jan/2027:08:00:00 +0000", "timeEpoch": request.now.millis(),
        },
    });
    if !request.query.is_empty() {
        event["queryStringParameters"] = json!(request.query);
    }
    if !request.path.is_empty() {
        event["pathParameters"] = json!(request.path);
    }
    if !request.body.is_empty() {
        event["body"] = String::from_utf8(request.body.clone()).unwrap().into();
    }
    event
}

/// The function behind its door, as a Lambda's `main` puts it there.
pub(crate) fn entry(bench: &Arc<Bench>, handle: Handle) -> Entry {
    let bench = Arc::clone(bench);
    http(move |request| {
        let bench = Arc::clone(&bench);
        async move { handle(&bench, request).await }
    })
}

/// A reply as the gateway reads it.
pub(crate) struct Answered {
    pub(crate) status: u64,
    pub(crate) headers: Value,
    pub(crate) body: Value,
}

/// Invokes through the door.
pub(crate) async fn through_the_door(bench: &Arc<Bench>, handle: Handle, request: &Request) -> Answered {
    let event = event(request).to_string();
    let reply = invoke(&entry(bench, handle), "an-invocation".to_owned(), u64::MAX, event.as_bytes()).await;
    let mut reply: Value = serde_json::from_str(&reply.unwrap()).unwrap();
    let body = serde_json::from_str(reply["body"].as_str().unwrap()).unwrap();
    Answered { status: reply["statusCode"].as_u64().unwrap(), headers: reply["headers"].take(), body }
}

/// Remembers what was pushed, as `(connection, frame)`; a close is the frame `CLOSE`.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    told: Mutex<Vec<(String, String)>>,
    gone: Mutex<Vec<ConnectionId>>,
    busy: Mutex<Vec<ConnectionId>>,
}

impl Recorder {
    pub(crate) fn take(&self) -> Vec<(String, String)> {
        std::mem::take(&mut self.told.lock().unwrap())
    }

    /// From now on the gateway no longer knows the connection, and nobody was told.
    pub(crate) fn lose(&self, id: &str) {
        self.gone.lock().unwrap().push(ConnectionId::trusted(id));
    }

    /// From now on the gateway takes nothing for these connections, and for all others what it is given.
    pub(crate) fn only_busy(&self, ids: &[&str]) {
        *self.busy.lock().unwrap() = ids.iter().copied().map(ConnectionId::trusted).collect();
    }

    fn add(&self, id: &ConnectionId, frame: &str) -> Result<(), PushError> {
        if self.gone.lock().unwrap().contains(id) {
            return Err(PushError::Gone);
        }
        if self.busy.lock().unwrap().contains(id) {
            return Err(PushError::Busy);
        }
        self.told.lock().unwrap().push((id.to_string(), frame.to_owned()));
        Ok(())
    }
}

#[async_trait]
impl Push for Recorder {
    async fn send(&self, id: &ConnectionId, frame: &str) -> Result<(), PushError> {
        self.add(id, frame)
    }

    async fn close(&self, id: &ConnectionId) -> Result<(), PushError> {
        self.add(id, "CLOSE")
    }
}

/// A store at the other end of a cut cable.
pub(crate) struct Cut;

/// What the log may say and a client may not.
pub(crate) const CAUSE: &str = "the cable to 10.1.2.3 was cut";

fn cut<T>() -> StoreResult<T> {
    Err(StoreError::down("redis", CAUSE))
}

#[async_trait]
impl MemberCache for Cut {
    async fn get(&self, _: &ConversationId) -> StoreResult<Option<Members>> {
        cut()
    }

    async fn put(&self, _: &Members) -> StoreResult<()> {
        cut()
    }
}

#[async_trait]
impl RateLimits for Cut {
    async fn take(
        &self,
        _: &str,
        _: RateLimit,
        _: Time,
    ) -> StoreResult<Result<(), shared::error::RateLimited>> {
        cut()
    }
}

#[async_trait]
impl Sessions for Cut {
    async fn open(&self, _: &Session) -> StoreResult<()> {
        cut()
    }

    async fn live(&self, _: &SessionId, _: Time) -> StoreResult<Option<Session>> {
        cut()
    }

    async fn rotate(&self, _: &SessionId, _: &str, _: &str, _: Time, _: Time) -> StoreResult<Rotation> {
        cut()
    }

    async fn end(&self, _: &UserId, _: &SessionId) -> StoreResult<bool> {
        cut()
    }

    async fn end_all(&self, _: &UserId, _: Option<&SessionId>) -> StoreResult<Vec<SessionId>> {
        cut()
    }

    async fn list(&self, _: &UserId, _: Time) -> StoreResult<Vec<Session>> {
        cut()
    }
}

//! The one connection: made when first needed, shared by all commands, replaced when it broke. Nothing
//! that goes through here takes longer than [`BOUND`].

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, FromRedisValue, Pipeline, RedisError, ScriptInvocation, Value};
use shared::error::StoreError;
use shared::ports::StoreResult;
use tokio::sync::OnceCell;

use crate::STORE;

/// The longest that a command may take, connecting and a second try included.
pub(crate) const BOUND: Duration = Duration::from_secs(2);

/// The longest that one attempt to connect may take.
const CONNECT: Duration = Duration::from_secs(1);

/// A connection that is there or is being made: whoever needs it first makes it, the others wait for it.
type Cell = Arc<OnceCell<MultiplexedConnection>>;

/// What may be sent.
#[derive(Clone, Copy)]
enum Request<'a> {
    Command(&'a Cmd),
    Pipeline(&'a Pipeline),
    Script(&'a ScriptInvocation<'a>),
}

/// How often a request may be sent when the connection breaks under it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tries {
    /// Once: what the server may have done already must not be done again.
    One,
    /// Twice, the second time over a fresh connection.
    Two,
}

/// The way to the server. A driver's own reconnecting manager is not used: it answers the first command
/// after an outage with the outage's error, and keeps a connection whose peer has gone silent.
pub(crate) struct Link {
    client: redis::Client,
    current: Mutex<Cell>,
}

impl Link {
    pub(crate) fn new(client: redis::Client) -> Self {
        Self { client, current: Mutex::default() }
    }

    /// Sends a command.
    pub(crate) async fn query<T: FromRedisValue>(&self, command: &Cmd) -> StoreResult<T> {
        self.bounded(Request::Command(command), Tries::Two).await
    }

    /// Sends several commands in one round trip.
    pub(crate) async fn pipe<T: FromRedisValue>(&self, pipeline: &Pipeline) -> StoreResult<T> {
        self.bounded(Request::Pipeline(pipeline), Tries::Two).await
    }

    /// Runs a script.
    pub(crate) async fn script<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> StoreResult<T> {
        self.bounded(Request::Script(script), Tries::Two).await
    }

    /// Runs a script that must not run twice.
    pub(crate) async fn script_once<T: FromRedisValue>(
        &self,
        script: &ScriptInvocation<'_>,
    ) -> StoreResult<T> {
        self.bounded(Request::Script(script), Tries::One).await
    }

    async fn bounded<T: FromRedisValue>(&self, request: Request<'_>, tries: Tries) -> StoreResult<T> {
        let value = match tokio::time::timeout(BOUND, Box::pin(self.send(request, tries))).await {
            Ok(answer) => answer.map_err(|error| StoreError::down(STORE, error))?,
            Err(elapsed) => {
                // The peer is silent: the next command must not wait for the same silence.
                self.replace(&self.cell());
                return Err(StoreError::down(STORE, elapsed));
            }
        };
        T::from_redis_value(value).map_err(|error| StoreError::Corrupt(STORE, Box::new(error)))
    }

    async fn send(&self, request: Request<'_>, tries: Tries) -> Result<Value, RedisError> {
        let mut again = tries == Tries::Two;
        loop {
            let cell = self.cell();
            let connection = cell.get_or_try_init(|| self.connect()).await?.clone();
            match send(connection, request).await {
                Err(error) if broken(&error) => {
                    self.replace(&cell);
                    if !std::mem::take(&mut again) {
                        return Err(error);
                    }
                }
                answer => return answer,
            }
        }
    }

    async fn connect(&self) -> Result<MultiplexedConnection, RedisError> {
        // The bound above is the only one on answers; here a second one would only cut it shorter.
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT)).set_response_timeout(None);
        Box::pin(self.client.get_multiplexed_async_connection_with_config(&config)).await
    }

    fn cell(&self) -> Cell {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lets the next command connect afresh, unless somebody has seen to that already.
    fn replace(&self, broken: &Cell) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if Arc::ptr_eq(&current, broken) {
            *current = Cell::default();
        }
    }
}

async fn send(mut connection: MultiplexedConnection, request: Request<'_>) -> Result<Value, RedisError> {
    match request {
        Request::Command(command) => command.query_async(&mut connection).await,
        Request::Pipeline(pipeline) => pipeline.query_async(&mut connection).await,
        Request::Script(script) => script.invoke_async(&mut connection).await,
    }
}

/// Whether the connection is of no more use: cut, out of step, or to a server that is a replica by now.
fn broken(error: &RedisError) -> bool {
    error.is_io_error() || error.is_unrecoverable_error() || error.code() == Some("READONLY")
}

//! The one connection to the server: opened by the first command, shared by all commands, replaced when it
//! breaks. No command takes longer than [`COMMAND_TIMEOUT`].

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, FromRedisValue, Pipeline, RedisError, ScriptInvocation, Value};
use shared::deadline;
use shared::error::StoreError;
use shared::ports::StoreResult;
use tokio::sync::OnceCell;

use crate::STORE;

/// Limits a command, including connecting and a second try. It is less when the invocation ends earlier.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(2);

/// Limits one attempt to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// An open or opening connection. The first command that needs it opens it; the others wait for that.
type ConnectionCell = Arc<OnceCell<MultiplexedConnection>>;

#[derive(Clone, Copy)]
enum Request<'a> {
    Command(&'a Cmd),
    Pipeline(&'a Pipeline),
    Script(&'a ScriptInvocation<'a>),
}

/// Whether a request is sent again when its connection breaks before the answer arrives.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Retry {
    /// The server may have executed the request, and executing it twice would do harm.
    Never,
    /// Once more, over a new connection.
    Once,
}

/// Sends commands over one shared connection. The driver's own reconnecting manager is not used: it answers
/// the first command after an outage with the outage's error, and it keeps a connection whose peer no longer
/// answers.
pub(crate) struct RedisConnection {
    client: redis::Client,
    current: Mutex<ConnectionCell>,
}

impl RedisConnection {
    pub(crate) fn new(client: redis::Client) -> Self {
        Self { client, current: Mutex::default() }
    }

    pub(crate) async fn query<T: FromRedisValue>(&self, command: &Cmd) -> StoreResult<T> {
        self.send(Request::Command(command), Retry::Once).await
    }

    /// Sends several commands in one round trip.
    pub(crate) async fn pipe<T: FromRedisValue>(&self, pipeline: &Pipeline) -> StoreResult<T> {
        self.send(Request::Pipeline(pipeline), Retry::Once).await
    }

    /// Runs a script, and runs it again when the connection breaks before the answer arrives.
    pub(crate) async fn script<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> StoreResult<T> {
        self.send(Request::Script(script), Retry::Once).await
    }

    /// Runs a script at most once.
    pub(crate) async fn script_once<T: FromRedisValue>(
        &self,
        script: &ScriptInvocation<'_>,
    ) -> StoreResult<T> {
        self.send(Request::Script(script), Retry::Never).await
    }

    async fn send<T: FromRedisValue>(&self, request: Request<'_>, retry: Retry) -> StoreResult<T> {
        let value = match tokio::time::timeout(
            deadline::limit(COMMAND_TIMEOUT),
            Box::pin(self.try_send(request, retry)),
        )
        .await
        {
            Ok(answer) => answer.map_err(|error| StoreError::down(STORE, error))?,
            Err(elapsed) => {
                // The peer no longer answers; without this, the next command would time out as well.
                self.discard(&self.current_cell());
                return Err(StoreError::down(STORE, elapsed));
            }
        };
        T::from_redis_value(value).map_err(|error| StoreError::Corrupt(STORE, Box::new(error)))
    }

    async fn try_send(&self, request: Request<'_>, retry: Retry) -> Result<Value, RedisError> {
        let mut may_retry = retry == Retry::Once;
        loop {
            let cell = self.current_cell();
            let connection = cell.get_or_try_init(|| self.connect()).await?.clone();
            match execute(connection, request).await {
                Err(error) if is_broken(&error) => {
                    self.discard(&cell);
                    if !std::mem::take(&mut may_retry) {
                        return Err(error);
                    }
                }
                answer => return answer,
            }
        }
    }

    async fn connect(&self) -> Result<MultiplexedConnection, RedisError> {
        // No response timeout here: `COMMAND_TIMEOUT` already limits the whole command.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(None);
        Box::pin(self.client.get_multiplexed_async_connection_with_config(&config)).await
    }

    fn current_cell(&self) -> ConnectionCell {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes the next command reconnect. Does nothing if another command has replaced the cell already.
    fn discard(&self, broken: &ConnectionCell) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if Arc::ptr_eq(&current, broken) {
            *current = ConnectionCell::default();
        }
    }
}

async fn execute(mut connection: MultiplexedConnection, request: Request<'_>) -> Result<Value, RedisError> {
    match request {
        Request::Command(command) => command.query_async(&mut connection).await,
        Request::Pipeline(pipeline) => pipeline.query_async(&mut connection).await,
        Request::Script(script) => script.invoke_async(&mut connection).await,
    }
}

/// Whether the connection is unusable: closed, out of step with the protocol, or to a server that has become
/// a read-only replica.
fn is_broken(error: &RedisError) -> bool {
    error.is_io_error() || error.is_unrecoverable_error() || error.code() == Some("READONLY")
}

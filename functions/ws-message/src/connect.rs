//! Socket.IO's CONNECT and DISCONNECT: who stands behind a connection, told in the protocol's own words.

use serde_json::{Map, Value, json};
use shared::connection::{Claim, Connection, Identity};
use shared::error::{Error, Unauthenticated};
use shared::lambda::websocket::SocketEvent;
use shared::realtime::ack::told;
use shared::realtime::attach::{Admitted, CONNECT_TIMEOUT, attach};
use shared::realtime::client_event::{LastSeq, readable_seqs};
use shared::realtime::codec::socket_io::{self, MAIN_NAMESPACE};

use crate::answer::{close, tell};
use crate::{Ports, replay};

/// CONNECT: `40{sid}`, or `44{message,data}` that the client shows as `connect_error`. A second CONNECT to
/// the same namespace closes the connection, as the reference server does.
pub(crate) async fn connect(
    ports: Ports<'_>,
    connection: &Connection,
    event: &SocketEvent,
    namespace: &str,
    auth: Map<String, Value>,
) -> Result<(), Error> {
    if namespace != MAIN_NAMESPACE {
        let refusal = socket_io::connect_error(namespace, "Invalid namespace", None::<&()>);
        tell(ports, &connection.id, &refusal).await;
        return Ok(());
    }
    if connection.identity.is_some() {
        return close(ports, &connection.id, event).await;
    }
    match identify(ports, connection, event, &auth).await {
        Ok((identity, seen)) => welcome(ports, connection, event, identity, seen).await,
        Err(error) => {
            refuse(ports, connection, &error).await;
            Ok(())
        }
    }
}

async fn welcome(
    ports: Ports<'_>,
    connection: &Connection,
    event: &SocketEvent,
    identity: Identity,
    seen: LastSeq,
) -> Result<(), Error> {
    let (sessions, fanout) = (ports.gate.sessions, ports.chat.fanout);
    match attach(sessions, fanout, &connection.id, &identity, ports.timers, event.now).await? {
        Admitted::There => {
            let welcome = socket_io::connect(MAIN_NAMESPACE, connection.id.as_str());
            tell(ports, &connection.id, &welcome).await;
            let done = replay::replay(ports, connection, &identity.user_id, &seen).await?;
            if !done.more.is_empty() {
                let rest = connection.dialect.event("replay_incomplete", &json!({ "lastSeq": done.more }));
                tell(ports, &connection.id, &rest).await;
            }
            Ok(())
        }
        Admitted::Revoked => {
            refuse(ports, connection, &Error::Unauthenticated(Unauthenticated::Revoked)).await;
            close(ports, &connection.id, event).await
        }
        Admitted::Gone => Ok(()),
    }
}

async fn refuse(ports: Ports<'_>, connection: &Connection, error: &Error) {
    let refusal = socket_io::connect_error(MAIN_NAMESPACE, &error.to_string(), Some(&told(error)));
    tell(ports, &connection.id, &refusal).await;
}

/// Who the CONNECT's token, or else the upgrade's, speaks for, and what the client has seen already.
async fn identify(
    ports: Ports<'_>,
    connection: &Connection,
    event: &SocketEvent,
    auth: &Map<String, Value>,
) -> Result<(Identity, LastSeq), Error> {
    let seen = auth.get("lastSeq").map(readable_seqs).unwrap_or_default();
    let identity = match (auth.get("token").and_then(Value::as_str), &connection.claimed) {
        (Some(token), _) => {
            let token = token.strip_prefix("Bearer ").unwrap_or(token);
            let caller = ports.gate.identify(token.trim(), event.now).await?;
            Identity { user_id: caller.user_id, session_id: caller.session_id }
        }
        (None, Some(Claim::Person(identity))) => identity.clone(),
        (None, Some(Claim::Refused(why))) => return Err(Error::Unauthenticated(*why)),
        (None, None) => return Err(Error::Unauthenticated(Unauthenticated::NoToken)),
    };
    Ok((identity, seen))
}

/// DISCONNECT: the person leaves, the connection stays and may CONNECT again, for as long as a new one may.
/// Leaving what was never entered closes it, as the reference server does.
pub(crate) async fn leave(
    ports: Ports<'_>,
    connection: &Connection,
    event: &SocketEvent,
    namespace: &str,
) -> Result<(), Error> {
    if connection.identity.is_none() || namespace != MAIN_NAMESPACE {
        return close(ports, &connection.id, event).await;
    }
    ports.chat.fanout.end(&connection.id, event.now).await?;
    let lease_until = event.now + CONNECT_TIMEOUT;
    let anonymous = Connection { identity: None, claimed: None, lease_until, ..connection.clone() };
    Ok(ports.chat.fanout.connections.open(&anonymous).await?)
}

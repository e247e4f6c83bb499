//! Socket.IO's CONNECT and DISCONNECT.

use serde_json::{Map, Value, json};
use shared::auth::CONNECT_COST;
use shared::connection::{AttachOutcome, CloseReason, Connection, Identity, UpgradeToken};
use shared::error::{Error, RateLimited, Unauthenticated};
use shared::realtime::ack::error_body;
use shared::realtime::client_event::{LastSeq, parse_last_seq_leniently};
use shared::realtime::codec::socket_io::{self, MAIN_NAMESPACE};
use shared::realtime::ping::CONNECT_TIMEOUT;

use crate::answer::push;
use crate::{Frame, replay};

/// When a user with too many connections may try again, in seconds.
const FULL_RETRY_SECS: u64 = 60;

/// CONNECT: answers `40{sid}`, or `44{message,data}`, which the client reports as `connect_error`. A second
/// CONNECT to the same namespace closes the connection, as the reference server does.
pub(crate) async fn connect(
    frame: Frame<'_>,
    namespace: &str,
    auth: Map<String, Value>,
) -> Result<(), Error> {
    let connection = frame.connection;
    if namespace != MAIN_NAMESPACE {
        let refusal = socket_io::connect_error(namespace, "Invalid namespace", None::<&()>);
        return push(frame, &refusal).await;
    }
    if connection.identity.is_some() {
        return frame.close(CloseReason::ProtocolError("second CONNECT".into())).await;
    }
    match identify(frame, &auth).await {
        Ok((identity, last_seq)) => {
            // A user may have many connections, each with a limit of its own before CONNECT.
            let (gate, user) = (frame.ports.gate, identity.user_id.as_str());
            let limit = gate.rates.events_by_user;
            let requester = frame.event.requester().of_session(&identity.user_id, &identity.session_id);
            match gate.spend("events", user, CONNECT_COST, limit, requester).await {
                Ok(()) => accept(frame, identity, last_seq).await,
                Err(error) => {
                    refuse(frame, &error).await?;
                    frame.close(CloseReason::TooManyFrames).await
                }
            }
        }
        Err(error) => refuse(frame, &error).await,
    }
}

async fn accept(frame: Frame<'_>, identity: Identity, last_seq: LastSeq) -> Result<(), Error> {
    let connection = frame.connection;
    match frame.attach(&identity).await? {
        AttachOutcome::Attached { came_online } => {
            let accepted = socket_io::connect(MAIN_NAMESPACE, connection.id.as_str());
            push(frame, &accepted).await?;
            let last_seq = replay::before_missed(frame, &identity.user_id, last_seq).await?;
            let (user, now) = (&identity.user_id, frame.event.now);
            let replayed = replay::replay(frame.ports, connection, user, &last_seq, now).await?;
            if !replayed.more.is_empty() {
                let payload = json!({ "lastSeq": replayed.more });
                let incomplete = connection.dialect.event("replay_incomplete", &payload);
                push(frame, &incomplete).await?;
            }
            // The client has its answer and does not wait for the announcement.
            if came_online {
                frame.ports.announcer.arrival(&identity.user_id, frame.event.now).await;
            }
            Ok(())
        }
        AttachOutcome::TooMany => {
            let limit = frame.ports.announcer.settings.max_per_user;
            let full = RateLimited { limit, retry_after_secs: FULL_RETRY_SECS };
            refuse(frame, &Error::RateLimited(full)).await?;
            frame.close(CloseReason::TooManyConnections).await
        }
        AttachOutcome::SessionEnded => {
            refuse(frame, &Error::Unauthenticated(Unauthenticated::Revoked)).await?;
            frame.close(CloseReason::SessionEnded("session ended while connecting".into())).await
        }
        AttachOutcome::ConnectionGone => Ok(()),
    }
}

pub(crate) async fn refuse(frame: Frame<'_>, error: &Error) -> Result<(), Error> {
    let refusal = socket_io::connect_error(MAIN_NAMESPACE, &error.to_string(), Some(&error_body(error)));
    push(frame, &refusal).await
}

/// The identity of the CONNECT's token, or else of the upgrade's, and what the client has already received.
async fn identify(frame: Frame<'_>, auth: &Map<String, Value>) -> Result<(Identity, LastSeq), Error> {
    let last_seq = auth.get("lastSeq").map(parse_last_seq_leniently).unwrap_or_default();
    let identity = match (auth.get("token").and_then(Value::as_str), &frame.connection.upgrade_token) {
        (Some(token), _) => {
            let token = token.strip_prefix("Bearer ").unwrap_or(token);
            let caller = frame.ports.gate.identify(token.trim(), frame.event.now).await?;
            Identity { user_id: caller.user_id, session_id: caller.session_id }
        }
        (None, Some(UpgradeToken::Valid(identity))) => identity.clone(),
        (None, Some(UpgradeToken::Rejected(why))) => return Err(Error::Unauthenticated(*why)),
        (None, None) => return Err(Error::Unauthenticated(Unauthenticated::NoToken)),
    };
    Ok((identity, last_seq))
}

/// DISCONNECT: detaches the user. The socket stays open and may CONNECT again within the connect timeout. A
/// DISCONNECT without a CONNECT closes the connection, as the reference server does.
pub(crate) async fn disconnect(frame: Frame<'_>, namespace: &str) -> Result<(), Error> {
    let connection = frame.connection;
    if connection.identity.is_none() || namespace != MAIN_NAMESPACE {
        return frame.close(CloseReason::ProtocolError("DISCONNECT before CONNECT".into())).await;
    }
    let fanout = frame.ports.chat.fanout;
    // The socket stays open, so this is no end of the connection that the log should show.
    fanout.connections.end(&connection.id, frame.event.now).await?;
    let lease_until = frame.event.now + CONNECT_TIMEOUT;
    let anonymous = Connection { identity: None, upgrade_token: None, lease_until, ..connection.clone() };
    // It was counted for its address until now.
    fanout.connections.open(&anonymous, 0).await?;
    Ok(())
}

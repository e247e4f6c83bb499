//! Connections as text: fields separated by spaces, which the Lua scripts split with one pattern.

use shared::connection::{Connection, Dialect, Identity, Receiver, UpgradeToken};
use shared::error::{StoreError, Unauthenticated};
use shared::id::{ConnectionId, ConversationId, SessionId, UserId};
use shared::ports::StoreResult;
use shared::time::Time;

use crate::STORE;

/// A connection's id, its value in the `connections` Hash, its last ping and the end of its lease (both in
/// milliseconds), as scripts return them.
pub(crate) type ConnectionRow = (String, String, Option<i64>, Option<i64>);

/// The fields of a [`ConnectionRow`], then whether it was the user's last connection, and its rooms.
pub(crate) type EndedRow = (String, String, Option<i64>, Option<i64>, bool, Vec<String>);

/// The Hash value of a connection without an identity: `dialect since[@address]`. The attach script appends user and
/// session.
pub(crate) fn encode(connection: &Connection) -> String {
    let mut text = format!("{} {}", dialect_field(connection), connection.connected_at.millis());
    if !connection.address.is_empty() {
        text.push('@');
        text.push_str(&connection.address);
    }
    text
}

/// Decodes a connection. A lost score reads as the time of the connect, the earliest possible time.
pub(crate) fn connection((id, text, pinged_at, lease_until): ConnectionRow) -> StoreResult<Connection> {
    let mut fields = text.split(' ');
    let dialect_field = fields.next().unwrap_or_default();
    let opened = fields.next().unwrap_or_default();
    let (since, address) = opened.split_once('@').unwrap_or((opened, ""));
    let decoded = (dialect(dialect_field), since.parse().ok());
    let (Some(dialect), Some(since)) = decoded else { return Err(unreadable(&text)) };
    let identity = fields.next().zip(fields.next()).map(|(user, session)| Identity {
        user_id: UserId::trusted(user),
        session_id: SessionId::trusted(session),
    });
    Ok(Connection {
        id: ConnectionId::trusted(id),
        dialect,
        identity,
        upgrade_token: upgrade_token(dialect_field),
        address: address.to_owned(),
        connected_at: Time::from_millis(since),
        pinged_at: Time::from_millis(pinged_at.unwrap_or(since)),
        lease_until: Time::from_millis(lease_until.unwrap_or(since)),
    })
}

/// Decodes the last three fields of an index entry: `… id dialect user`.
pub(crate) fn receiver(member: &str) -> StoreResult<Receiver> {
    let mut fields = member.rsplitn(4, ' ');
    match (fields.next(), fields.next().and_then(dialect), fields.next()) {
        (Some(user), Some(dialect), Some(id)) => {
            Ok(Receiver { id: ConnectionId::trusted(id), dialect, user_id: UserId::trusted(user) })
        }
        _ => Err(unreadable(member)),
    }
}

pub(crate) fn receivers(members: &[String]) -> StoreResult<Vec<Receiver>> {
    members.iter().map(|member| receiver(member)).collect()
}

pub(crate) fn rooms(names: Vec<String>) -> Vec<ConversationId> {
    names.into_iter().map(ConversationId::trusted).collect()
}

/// The dialect with the result of the upgrade token: `dialect`, `dialect:user:session` or `dialect:error-code`.
/// It contains no space, so scripts copy it as one field.
fn dialect_field(connection: &Connection) -> String {
    let name = name(connection.dialect);
    match &connection.upgrade_token {
        Some(UpgradeToken::Valid(identity)) => format!("{name}:{}:{}", identity.user_id, identity.session_id),
        Some(UpgradeToken::Rejected(error)) => format!("{name}:{}", error.code()),
        None => name.to_owned(),
    }
}

fn upgrade_token(dialect_field: &str) -> Option<UpgradeToken> {
    let mut parts = dialect_field.split(':').skip(1);
    match (parts.next()?, parts.next()) {
        (user, Some(session)) => {
            let (user_id, session_id) = (UserId::trusted(user), SessionId::trusted(session));
            Some(UpgradeToken::Valid(Identity { user_id, session_id }))
        }
        (code, None) => Unauthenticated::of_code(code).map(UpgradeToken::Rejected),
    }
}

fn name(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::SocketIo => "socket_io",
        Dialect::Json => "json",
    }
}

fn dialect(dialect_field: &str) -> Option<Dialect> {
    match dialect_field.split(':').next().unwrap_or_default() {
        "socket_io" => Some(Dialect::SocketIo),
        "json" => Some(Dialect::Json),
        _ => None,
    }
}

fn unreadable(text: &str) -> StoreError {
    StoreError::Corrupt(STORE, format!("{text:?} is not a stored connection").into())
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use shared::connection::{Connection, Dialect};
    use shared::id::ConnectionId;
    use shared::time::Time;

    use super::{connection, encode, receiver};

    #[test]
    fn an_encoded_connection_decodes_to_the_same_connection() {
        let addresses = [String::new(), "2001:db8:1:2::/64".to_owned()];
        for (dialect, address) in [Dialect::SocketIo, Dialect::Json].into_iter().zip(addresses) {
            let [connected_at, pinged_at, lease_until] = [1, 2, 3].map(Time::from_millis);
            let id = ConnectionId::trusted("L0SM9cOFvHcCIhw=");
            let original = Connection {
                id,
                dialect,
                identity: None,
                upgrade_token: None,
                address,
                connected_at,
                pinged_at,
                lease_until,
            };
            let row = (original.id.to_string(), encode(&original), Some(2), Some(3));
            assert_eq!(connection(row).unwrap(), original);
        }
    }

    #[test]
    fn attached_rows_and_index_entries_decode_with_their_user() {
        let row = ("c".to_owned(), "json 7 u s".to_owned(), None, Some(9));
        expect![[r#"(Some(Identity { user_id: UserId("u"), session_id: SessionId("s") }), Time(7))"#]]
            .assert_eq(&connection(row).map(|c| format!("{:?}", (c.identity, c.pinged_at))).unwrap());
        for member in ["c json u", "u c json u", "s c json u"] {
            let found = receiver(member).unwrap();
            assert_eq!((found.id.as_str(), found.user_id.as_str()), ("c", "u"), "{member}");
        }
    }

    #[test]
    fn malformed_text_is_an_error_and_never_guessed() {
        for text in ["", "json", "json x", "morse 1", " "] {
            assert!(connection(("c".to_owned(), text.to_owned(), None, None)).is_err(), "{text:?}");
            assert!(receiver(text).is_err(), "{text:?}");
        }
    }
}

//! Connections as lines of text: fields parted by a space, short enough for Lua to cut by a pattern.

use shared::connection::Dialect;
use shared::connection::{Connection, Identity, Receiver, UpgradeToken};
use shared::error::{StoreError, Unauthenticated};
use shared::id::{ConnectionId, ConversationId, SessionId, UserId};
use shared::ports::StoreResult;
use shared::time::Time;

use crate::STORE;

/// A connection's id, line, last ping and lease, as scripts answer them.
pub(crate) type Stranded = (String, String, Option<i64>, Option<i64>);

/// An ended connection's id, line, last ping and lease, whether it was the last one, and its rooms.
pub(crate) type Remains = (String, String, Option<i64>, Option<i64>, bool, Vec<String>);

/// The line of a connection that nobody stands behind yet: `dialect since`.
pub(crate) fn line(connection: &Connection) -> String {
    format!("{} {}", dialect_field(connection), connection.connected_at.millis())
}

/// The connection that a row tells of. A score that was lost counts as the time of the connect.
pub(crate) fn connection((id, line, pinged_at, lease_until): Stranded) -> StoreResult<Connection> {
    let mut fields = line.split(' ');
    let dialect_field = fields.next().unwrap_or_default();
    let read = (dialect(dialect_field), fields.next().and_then(|since| since.parse().ok()));
    let (Some(dialect), Some(since)) = read else { return Err(unreadable(&line)) };
    let identity = fields.next().zip(fields.next()).map(|(user, session)| Identity {
        user_id: UserId::trusted(user),
        session_id: SessionId::trusted(session),
    });
    Ok(Connection {
        id: ConnectionId::trusted(id),
        dialect,
        identity,
        upgrade_token: upgrade_token(dialect_field),
        connected_at: Time::from_millis(since),
        pinged_at: Time::from_millis(pinged_at.unwrap_or(since)),
        lease_until: Time::from_millis(lease_until.unwrap_or(since)),
    })
}

/// The receiver that the last three fields of a member tell of: `… id dialect user`.
pub(crate) fn receiver(member: &str) -> StoreResult<Receiver> {
    let mut fields = member.rsplitn(4, ' ');
    match (fields.next(), fields.next().and_then(dialect), fields.next()) {
        (Some(user), Some(dialect), Some(id)) => {
            Ok(Receiver { id: ConnectionId::trusted(id), dialect, user_id: UserId::trusted(user) })
        }
        _ => Err(unreadable(member)),
    }
}

/// The receivers of many members.
pub(crate) fn receivers(members: &[String]) -> StoreResult<Vec<Receiver>> {
    members.iter().map(|member| receiver(member)).collect()
}

/// The rooms among the members `id room`.
pub(crate) fn rooms(names: Vec<String>) -> Vec<ConversationId> {
    names.into_iter().map(ConversationId::trusted).collect()
}

/// The dialect, and what the token of the upgrade was worth: `dialect[:user:session]` or `dialect:why`. Scripts
/// carry it as one word.
fn dialect_field(connection: &Connection) -> String {
    let name = name(connection.dialect);
    match &connection.upgrade_token {
        Some(UpgradeToken::Valid(identity)) => format!("{name}:{}:{}", identity.user_id, identity.session_id),
        Some(UpgradeToken::Rejected(why)) => format!("{name}:{}", why.code()),
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
        (why, None) => Unauthenticated::of_code(why).map(UpgradeToken::Rejected),
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

fn unreadable(line: &str) -> StoreError {
    StoreError::Corrupt(STORE, format!("no connection is written as {line:?}").into())
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use shared::connection::Connection;
    use shared::connection::Dialect;
    use shared::id::ConnectionId;
    use shared::time::Time;

    use super::{connection, line, receiver};

    #[test]
    fn a_line_comes_back_as_the_connection() {
        for dialect in [Dialect::SocketIo, Dialect::Json] {
            let [connected_at, pinged_at, lease_until] = [1, 2, 3].map(Time::from_millis);
            let id = ConnectionId::trusted("L0SM9cOFvHcCIhw=");
            let sent = Connection {
                id,
                dialect,
                identity: None,
                upgrade_token: None,
                connected_at,
                pinged_at,
                lease_until,
            };
            let row = (sent.id.to_string(), line(&sent), Some(2), Some(3));
            assert_eq!(connection(row).unwrap(), sent);
        }
    }

    #[test]
    fn attached_lines_and_members_name_their_user() {
        let row = ("c".to_owned(), "json 7 u s".to_owned(), None, Some(9));
        expect![[r#"(Some(Identity { user_id: UserId("u"), session_id: SessionId("s") }), Time(7))"#]]
            .assert_eq(&connection(row).map(|c| format!("{:?}", (c.identity, c.pinged_at))).unwrap());
        for member in ["c json u", "u c json u", "s c json u"] {
            let found = receiver(member).unwrap();
            assert_eq!((found.id.as_str(), found.user_id.as_str()), ("c", "u"), "{member}");
        }
    }

    #[test]
    fn damage_is_told_and_never_guessed() {
        for text in ["", "json", "json x", "morse 1", " "] {
            assert!(connection(("c".to_owned(), text.to_owned(), None, None)).is_err(), "{text:?}");
            assert!(receiver(text).is_err(), "{text:?}");
        }
    }
}

//! Cases of `Connections` about the most connections of an address and of a user.

use shared::connection::{AttachOutcome, Connection, PresenceChange};
use shared::ports::Attachment;

use super::super::super::{Case, CaseData, Outcome, cases, expect_eq, expect_some, expect_true};
use super::super::{PresencePorts, connection, identity};

pub(super) fn limits() -> Vec<Case<PresencePorts>> {
    cases![connections_of_one_address_are_limited, attached_connections_of_one_user_are_limited]
}

async fn connections_of_one_address_are_limited(ports: PresencePorts, data: CaseData) -> Outcome {
    let address = format!("2001:db8:{}::/64", data.id());
    let new = |address: &str| Connection { address: address.to_owned(), ..connection(&data) };
    let (one, two, three) = (new(&address), new(&address), new(&address));
    expect_true(ports.connections.open(&one, 2).await?, "the first was refused")?;
    expect_true(ports.connections.open(&two, 2).await?, "the second was refused")?;
    expect_true(!ports.connections.open(&three, 2).await?, "the third was accepted")?;
    expect_eq(ports.connections.get(&three.id).await?, None)?;
    expect_eq(ports.stored(&one.id).await?, one.clone())?;
    let elsewhere = new(&format!("2001:db8:{}::/64", data.id()));
    expect_true(ports.connections.open(&elsewhere, 2).await?, "another address was refused")?;
    ports.connections.end(&one.id, data.now).await?;
    expect_true(ports.connections.open(&three, 2).await?, "an ended connection still counts")?;
    Ok(ports.end_all(&[two, three, elsewhere]).await?)
}

async fn attached_connections_of_one_user_are_limited(ports: PresencePorts, data: CaseData) -> Outcome {
    let user = data.user_id();
    let (one, _) = ports.attach_new(&data, &user).await?;
    let (two, _) = ports.attach_new(&data, &user).await?;
    let arrival = PresenceChange { user_id: user.clone(), online: true, at: data.now };
    ports.changes.mark_announced(&[arrival]).await?;
    let three = ports.open_new(&data).await?;
    let identity = identity(&data, &user);
    let attachment =
        Attachment { identity: &identity, lease_until: data.after(9), max_per_user: 2, now: data.now };
    expect_eq(ports.connections.attach(&three.id, &attachment).await?, AttachOutcome::TooMany)?;
    expect_eq(ports.stored(&three.id).await?.identity, None)?;
    let again = Attachment { identity: &expect_some(two.identity.clone())?, ..attachment };
    let repeated = ports.connections.attach(&two.id, &again).await?;
    expect_eq(repeated, AttachOutcome::Attached { came_online: false })?;
    ports.connections.end(&one.id, data.now).await?;
    let attached = ports.connections.attach(&three.id, &attachment).await?;
    expect_eq(attached, AttachOutcome::Attached { came_online: false })?;
    Ok(ports.end_all(&[two, three]).await?)
}

//! Cases of `Presence`.

use shared::id::UserId;

use super::super::{Case, CaseData, Outcome, cases, expect_eq, expect_true, sorted};
use super::PresencePorts;

/// Every case of [`Presence`](shared::ports::Presence).
pub fn presence() -> Vec<Case<PresencePorts>> {
    cases![
        users_with_a_connection_are_online,
        user_is_counted_once,
        unattached_connection_is_not_counted,
        reconcile_changes_nothing_when_presence_is_right,
    ]
}

async fn users_with_a_connection_are_online(ports: PresencePorts, data: CaseData) -> Outcome {
    let people: Vec<UserId> = (0..3).map(|_| data.user_id()).collect();
    expect_eq(ports.presence.online_of(&people).await?, Vec::new())?;
    expect_eq(ports.presence.online_of(&[]).await?, Vec::new())?;
    let (one, _) = ports.attach_new(&data, &people[0]).await?;
    let (two, _) = ports.attach_new(&data, &people[2]).await?;
    let both = sorted([people[0].clone(), people[2].clone()]);
    expect_eq(sorted(ports.presence.online_of(&people).await?), both.clone())?;
    let all = ports.presence.online().await?;
    expect_true(
        both.iter().all(|id| all.contains(id)) && !all.contains(&people[1]),
        "the online users are not exactly those with a connection",
    )?;
    ports.end_all(&[one, two]).await?;
    expect_eq(ports.presence.online_of(&people).await?, Vec::new())
}

async fn user_is_counted_once(ports: PresencePorts, data: CaseData) -> Outcome {
    let before = ports.presence.count().await?;
    let (ada, bob) = data.pair();
    let mut all = Vec::new();
    for (user, expected) in [(&ada, 1), (&ada, 1), (&bob, 2)] {
        all.push(ports.attach_new(&data, user).await?.0);
        expect_eq(ports.presence.count().await? - before, expected)?;
    }
    expect_eq(ports.presence.online().await?.len() as u64, before + 2)?;
    for (connection, expected) in all.iter().zip([2, 1, 0]) {
        ports.connections.end(&connection.id, data.now).await?;
        expect_eq(ports.presence.count().await? - before, expected)?;
    }
    Ok(())
}

async fn unattached_connection_is_not_counted(ports: PresencePorts, data: CaseData) -> Outcome {
    let before = ports.presence.count().await?;
    let opened = ports.open_new(&data).await?;
    expect_eq(ports.presence.count().await?, before)?;
    ports.connections.end(&opened.id, data.now).await?;
    expect_eq(ports.presence.count().await?, before)
}

async fn reconcile_changes_nothing_when_presence_is_right(ports: PresencePorts, data: CaseData) -> Outcome {
    let (ada, bob) = data.pair();
    let (connection, _) = ports.attach_new(&data, &ada).await?;
    let (gone, _) = ports.attach_new(&data, &bob).await?;
    ports.end_all(&[gone]).await?;
    let reconciled = ports.presence.reconcile(data.now).await?;
    expect_true(
        !reconciled.contains(&ada) && !reconciled.contains(&bob),
        "a user whose presence was right was corrected",
    )?;
    expect_true(ports.is_online(&ada).await? && !ports.is_online(&bob).await?, "presence changed")?;
    ports.end_all(&[connection]).await?;
    expect_true(
        !ports.presence.reconcile(data.now).await?.contains(&ada),
        "a user who went offline before was reported again",
    )
}

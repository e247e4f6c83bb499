//! Cases of `LastSeen`: the time of a user's last disconnect is kept until it is synced.

use shared::id::UserId;
use shared::ports::StoreResult;
use shared::time::Time;

use super::super::{Case, CaseData, Outcome, cases, expect_eq, expect_true};
use super::PresencePorts;

/// Every case of [`LastSeen`](shared::ports::LastSeen).
pub fn last_seen() -> Vec<Case<PresencePorts>> {
    cases![
        last_disconnect_stores_its_time,
        synced_times_are_removed,
        syncing_an_older_time_keeps_a_newer_one,
        unattached_connection_stores_no_time,
        unsynced_times_come_in_pages,
    ]
}

/// The stored time of one user, requested together with an unknown user.
async fn stored_time(ports: &PresencePorts, user: &UserId) -> StoreResult<Option<Time>> {
    let users = [UserId::trusted("no-such-user"), user.clone()];
    let found = ports.last_seen.times_of(&users).await?;
    Ok(found.into_iter().find(|(id, _)| id == user).map(|(_, at)| at))
}

async fn last_disconnect_stores_its_time(ports: PresencePorts, data: CaseData) -> Outcome {
    expect_eq(ports.last_seen.times_of(&[]).await?, Vec::new())?;
    let ada = data.user_id();
    let (one, _) = ports.attach_new(&data, &ada).await?;
    let (two, _) = ports.attach_new(&data, &ada).await?;
    ports.connections.end(&one.id, data.after(1)).await?;
    expect_eq(stored_time(&ports, &ada).await?, None)?;
    ports.connections.end(&two.id, data.after(2)).await?;
    expect_eq(stored_time(&ports, &ada).await?, Some(data.after(2)))?;
    ports.connections.end(&two.id, data.after(3)).await?;
    expect_eq(stored_time(&ports, &ada).await?, Some(data.after(2)))?;
    expect_eq(ports.last_seen.unsynced(9).await?, vec![(ada.clone(), data.after(2))])?;
    Ok(ports.last_seen.mark_synced(&[(ada, data.after(2))]).await?)
}

async fn synced_times_are_removed(ports: PresencePorts, data: CaseData) -> Outcome {
    let (ada, bob) = data.pair();
    for user in [&ada, &bob] {
        let (connection, _) = ports.attach_new(&data, user).await?;
        ports.connections.end(&connection.id, data.after(1)).await?;
    }
    ports.last_seen.mark_synced(&[(ada.clone(), data.after(1))]).await?;
    expect_eq(stored_time(&ports, &ada).await?, None)?;
    expect_eq(ports.last_seen.unsynced(9).await?, vec![(bob.clone(), data.after(1))])?;
    ports.last_seen.mark_synced(&[(ada, data.after(1)), (bob, data.after(1))]).await?;
    ports.last_seen.mark_synced(&[]).await?;
    expect_eq(ports.last_seen.unsynced(9).await?, Vec::new())
}

async fn syncing_an_older_time_keeps_a_newer_one(ports: PresencePorts, data: CaseData) -> Outcome {
    let ada = data.user_id();
    for second in [1, 2] {
        let (connection, _) = ports.attach_new(&data, &ada).await?;
        ports.connections.end(&connection.id, data.after(second)).await?;
    }
    ports.last_seen.mark_synced(&[(ada.clone(), data.after(1))]).await?;
    expect_eq(stored_time(&ports, &ada).await?, Some(data.after(2)))?;
    Ok(ports.last_seen.mark_synced(&[(ada, data.after(2))]).await?)
}

async fn unattached_connection_stores_no_time(ports: PresencePorts, data: CaseData) -> Outcome {
    let opened = ports.open_new(&data).await?;
    ports.connections.end(&opened.id, data.now).await?;
    expect_eq(ports.last_seen.unsynced(9).await?, Vec::new())
}

async fn unsynced_times_come_in_pages(ports: PresencePorts, data: CaseData) -> Outcome {
    let mut expected: Vec<UserId> = (0..5).map(|_| data.user_id()).collect();
    for user in &expected {
        let (connection, _) = ports.attach_new(&data, user).await?;
        ports.connections.end(&connection.id, data.now).await?;
    }
    let mut found = Vec::new();
    loop {
        let page = ports.last_seen.unsynced(2).await?;
        expect_true(page.len() <= 2, "the page is longer than its limit")?;
        if page.is_empty() {
            break;
        }
        ports.last_seen.mark_synced(&page).await?;
        found.extend(page.into_iter().map(|(user, _)| user));
    }
    expected.sort();
    found.sort();
    expect_eq(found, expected)
}

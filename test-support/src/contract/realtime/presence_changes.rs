//! Cases of `PresenceChanges`: what has to be announced, and what cancels out. The times of two cases are days
//! apart, so a claim without a user finds only a case's own changes.

use shared::connection::PresenceChange;
use shared::id::UserId;
use shared::ports::{PresenceClaim, StoreResult};
use shared::time::Time;

use super::super::{Case, CaseData, Outcome, cases, concurrently, expect_eq, expect_true};
use super::PresencePorts;

/// Every case of [`PresenceChanges`](shared::ports::PresenceChanges).
pub fn presence_changes() -> Vec<Case<PresencePorts>> {
    cases![
        arrival_is_due_at_once_and_departure_after_the_grace,
        return_before_the_claim_is_announced_as_neither,
        departure_before_the_claim_of_the_arrival_is_announced_as_neither,
        return_after_the_claim_is_an_arrival,
        each_change_is_claimed_by_one_of_many,
        unfinished_claim_is_due_again,
        repeated_attach_and_end_lose_no_change,
        announced_change_is_kept_when_it_has_changed_since,
    ]
}

/// Claims the user's change a second after `at`, for a minute.
async fn claim(ports: &PresencePorts, user: &UserId, at: Time) -> StoreResult<Vec<PresenceChange>> {
    let minute = std::time::Duration::from_secs(60);
    let (claimed_until, limit) = (at + minute, 9);
    ports
        .changes
        .claim(PresenceClaim { user: Some(user), now: at, left_before: at, claimed_until, limit })
        .await
}

fn change(user: &UserId, online: bool, at: Time) -> Vec<PresenceChange> {
    vec![PresenceChange { user_id: user.clone(), online, at }]
}

async fn arrival_is_due_at_once_and_departure_after_the_grace(
    ports: PresencePorts,
    data: CaseData,
) -> Outcome {
    let user = data.user_id();
    let (connection, _) = ports.attach_new(&data, &user).await?;
    let arrived = claim(&ports, &user, data.now).await?;
    expect_eq(arrived.clone(), change(&user, true, data.now))?;
    ports.changes.mark_announced(&arrived).await?;
    expect_eq(claim(&ports, &user, data.after(1)).await?, Vec::new())?;
    ports.connections.end(&connection.id, data.after(10)).await?;
    expect_true(ports.changes.counts_as_online(&user).await?, "an unannounced departure is seen")?;
    expect_eq(claim(&ports, &user, data.after(9)).await?, Vec::new())?;
    let left = claim(&ports, &user, data.after(10)).await?;
    expect_eq(left.clone(), change(&user, false, data.after(10)))?;
    expect_true(!ports.changes.counts_as_online(&user).await?, "a claimed departure is not seen")?;
    ports.changes.mark_announced(&left).await?;
    expect_true(!ports.changes.counts_as_online(&user).await?, "the user is offline")?;
    expect_eq(claim(&ports, &user, data.after(99)).await?, Vec::new())
}

async fn return_before_the_claim_is_announced_as_neither(ports: PresencePorts, data: CaseData) -> Outcome {
    let user = data.user_id();
    let (one, _) = ports.attach_new(&data, &user).await?;
    ports.changes.mark_announced(&change(&user, true, data.now)).await?;
    ports.connections.end(&one.id, data.after(1)).await?;
    let (two, _) = ports.attach_new(&data, &user).await?;
    expect_eq(claim(&ports, &user, data.after(99)).await?, Vec::new())?;
    expect_true(ports.changes.counts_as_online(&user).await?, "the user is online")?;
    Ok(ports.end_all(&[two]).await?)
}

async fn departure_before_the_claim_of_the_arrival_is_announced_as_neither(
    ports: PresencePorts,
    data: CaseData,
) -> Outcome {
    let user = data.user_id();
    let (one, _) = ports.attach_new(&data, &user).await?;
    ports.connections.end(&one.id, data.after(1)).await?;
    expect_eq(claim(&ports, &user, data.after(99)).await?, Vec::new())?;
    expect_true(!ports.changes.counts_as_online(&user).await?, "an unannounced arrival counts")
}

async fn return_after_the_claim_is_an_arrival(ports: PresencePorts, data: CaseData) -> Outcome {
    let user = data.user_id();
    let (one, _) = ports.attach_new(&data, &user).await?;
    ports.changes.mark_announced(&change(&user, true, data.now)).await?;
    ports.connections.end(&one.id, data.after(1)).await?;
    let left = claim(&ports, &user, data.after(5)).await?;
    expect_eq(left.clone(), change(&user, false, data.after(1)))?;
    let (two, _) = ports.attach_new(&data, &user).await?;
    expect_true(ports.changes.counts_as_online(&user).await?, "the user has returned")?;
    // The announcement of the departure ends only now.
    ports.changes.mark_announced(&left).await?;
    expect_eq(claim(&ports, &user, data.after(6)).await?, change(&user, true, data.now))?;
    Ok(ports.end_all(&[two]).await?)
}

async fn each_change_is_claimed_by_one_of_many(ports: PresencePorts, data: CaseData) -> Outcome {
    let user = data.user_id();
    let (connection, _) = ports.attach_new(&data, &user).await?;
    let claimed = concurrently(20, |_| {
        let (ports, data, user) = (ports.clone(), data.clone(), user.clone());
        async move { claim(&ports, &user, data.now).await }
    })
    .await?;
    expect_eq(claimed.into_iter().flatten().count(), 1)?;
    ports.changes.mark_announced(&change(&user, true, data.now)).await?;
    Ok(ports.end_all(&[connection]).await?)
}

async fn unfinished_claim_is_due_again(ports: PresencePorts, data: CaseData) -> Outcome {
    let user = data.user_id();
    let (connection, _) = ports.attach_new(&data, &user).await?;
    expect_eq(claim(&ports, &user, data.now).await?, change(&user, true, data.now))?;
    expect_eq(claim(&ports, &user, data.after(59)).await?, Vec::new())?;
    expect_eq(claim(&ports, &user, data.after(61)).await?, change(&user, true, data.now))?;
    ports.connections.end(&connection.id, data.after(62)).await?;
    // Without a user, a claim finds every change that is due.
    let (now, claimed_until) = (data.after(70), data.after(200));
    let all = PresenceClaim { user: None, now, left_before: now, claimed_until, limit: 9 };
    let found = ports.changes.claim(all).await?;
    expect_true(found.contains(&change(&user, false, data.after(62))[0]), "the departure is not found")?;
    Ok(ports.changes.mark_announced(&found).await?)
}

async fn repeated_attach_and_end_lose_no_change(ports: PresencePorts, data: CaseData) -> Outcome {
    let user = data.user_id();
    let (connection, _) = ports.attach_new(&data, &user).await?;
    let identity = super::super::expect_some(connection.identity.clone())?;
    ports.attach(&connection.id, &identity, data.after(100), data.after(1)).await?;
    expect_eq(claim(&ports, &user, data.after(2)).await?, change(&user, true, data.now))?;
    ports.changes.mark_announced(&change(&user, true, data.now)).await?;
    for _ in 0..2 {
        ports.connections.end(&connection.id, data.after(3)).await?;
    }
    let left = claim(&ports, &user, data.after(4)).await?;
    expect_eq(left.clone(), change(&user, false, data.after(3)))?;
    Ok(ports.changes.mark_announced(&left).await?)
}

async fn announced_change_is_kept_when_it_has_changed_since(ports: PresencePorts, data: CaseData) -> Outcome {
    let user = data.user_id();
    let (connection, _) = ports.attach_new(&data, &user).await?;
    let arrived = claim(&ports, &user, data.now).await?;
    ports.connections.end(&connection.id, data.after(1)).await?;
    ports.changes.mark_announced(&arrived).await?;
    let left = claim(&ports, &user, data.after(2)).await?;
    expect_eq(left.clone(), change(&user, false, data.after(1)))?;
    Ok(ports.changes.mark_announced(&left).await?)
}

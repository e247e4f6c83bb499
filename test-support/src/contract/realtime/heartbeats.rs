//! Cases of `Heartbeats`. The times of two cases are days apart, so "before now" finds only a case's own connections.

use shared::connection::Connection;
use shared::id::ConnectionId;

use super::super::{Case, CaseData, Failure, Outcome, cases, expect_eq, sorted};
use super::{PresencePorts, connection, identity};

/// Every case of [`Heartbeats`](shared::ports::Heartbeats).
pub fn heartbeats() -> Vec<Case<PresencePorts>> {
    cases![
        due_connections_are_sorted_by_last_ping,
        ping_postpones_the_next_one,
        renewed_lease_never_moves_back,
        connections_expire_after_their_lease,
        ended_connection_is_never_due_or_expired,
    ]
}

/// Opens connections that were pinged at `now` plus the given seconds, with leases of 100 seconds more.
async fn leased(ports: &PresencePorts, data: &CaseData, seconds: &[u64]) -> Result<Vec<Connection>, Failure> {
    let mut all = Vec::new();
    for second in seconds {
        let (pinged_at, lease_until) = (data.after(*second), data.after(*second + 100));
        let one = Connection { pinged_at, lease_until, ..connection(data) };
        ports.connections.open(&one, 0).await?;
        all.push(one);
    }
    Ok(all)
}

fn ids<'a>(connections: impl IntoIterator<Item = &'a Connection>) -> Vec<ConnectionId> {
    connections.into_iter().map(|connection| connection.id.clone()).collect()
}

async fn due_connections_are_sorted_by_last_ping(ports: PresencePorts, data: CaseData) -> Outcome {
    let all = leased(&ports, &data, &[30, 10, 20]).await?;
    let due = |second, limit| ports.heartbeats.due(data.after(second), limit);
    expect_eq(due(30, 10).await?, vec![all[1].clone(), all[2].clone(), all[0].clone()])?;
    expect_eq(ids(&due(30, 2).await?), ids([&all[1], &all[2]]))?;
    expect_eq(ids(&due(20, 10).await?), ids([&all[1], &all[2]]))?;
    expect_eq(ids(&due(9, 10).await?), Vec::new())?;
    Ok(ports.end_all(&all).await?)
}

async fn ping_postpones_the_next_one(ports: PresencePorts, data: CaseData) -> Outcome {
    let all = leased(&ports, &data, &[1, 2]).await?;
    ports.heartbeats.mark_pinged(&all[0].id, data.after(50)).await?;
    expect_eq(ids(&ports.heartbeats.due(data.after(49), 10).await?), ids([&all[1]]))?;
    expect_eq(ids(&ports.heartbeats.due(data.after(50), 10).await?), ids([&all[1], &all[0]]))?;
    let stored = ports.stored(&all[0].id).await?;
    expect_eq((stored.pinged_at, stored.lease_until), (data.after(50), all[0].lease_until))?;
    Ok(ports.end_all(&all).await?)
}

async fn renewed_lease_never_moves_back(ports: PresencePorts, data: CaseData) -> Outcome {
    let all = leased(&ports, &data, &[0]).await?;
    for (second, expected) in [(200, 200), (150, 200), (201, 201)] {
        ports.heartbeats.renew_lease(&all[0].id, data.after(second)).await?;
        expect_eq(ports.stored(&all[0].id).await?.lease_until, data.after(expected))?;
    }
    expect_eq(ports.heartbeats.expired(data.after(201), 10).await?, Vec::new())?;
    expect_eq(ports.heartbeats.expired(data.after(202), 10).await?, ids(&all))?;
    Ok(ports.end_all(&all).await?)
}

async fn connections_expire_after_their_lease(ports: PresencePorts, data: CaseData) -> Outcome {
    let all = leased(&ports, &data, &[0, 5, 10]).await?;
    let identity = identity(&data, &data.user_id());
    ports.attach(&all[1].id, &identity, data.after(105), data.now).await?;
    let dead = |second, limit| ports.heartbeats.expired(data.after(second), limit);
    expect_eq(dead(100, 10).await?, Vec::new())?;
    expect_eq(dead(101, 10).await?, ids([&all[0]]))?;
    expect_eq(sorted(dead(107, 10).await?), sorted(ids([&all[0], &all[1]])))?;
    expect_eq(sorted(dead(111, 10).await?), sorted(ids(&all)))?;
    expect_eq(dead(111, 2).await?.len(), 2)?;
    Ok(ports.end_all(&all).await?)
}

async fn ended_connection_is_never_due_or_expired(ports: PresencePorts, data: CaseData) -> Outcome {
    let all = leased(&ports, &data, &[0]).await?;
    ports.end_all(&all).await?;
    ports.heartbeats.mark_pinged(&all[0].id, data.after(1)).await?;
    ports.heartbeats.renew_lease(&all[0].id, data.after(1)).await?;
    expect_eq(ports.heartbeats.due(data.after(500), 10).await?, Vec::new())?;
    expect_eq(ports.heartbeats.expired(data.after(500), 10).await?, Vec::new())?;
    expect_eq(ports.connections.get(&all[0].id).await?, None)
}

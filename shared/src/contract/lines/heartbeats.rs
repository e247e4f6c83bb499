//! `Heartbeats`. Worlds are so far apart that "before now" finds this case's connections only.

use super::super::{Case, Failure, Outcome, World, cases, same, sorted};
use super::{Lines, connection, identity};
use crate::connection::Connection;
use crate::id::ConnectionId;

/// Every case of [`Heartbeats`](crate::ports::Heartbeats).
pub fn heartbeats() -> Vec<Case<Lines>> {
    cases![
        the_longest_unpinged_are_due_first,
        a_ping_puts_off_the_next,
        a_sign_of_life_moves_the_lease_forward_only,
        the_silent_are_dead,
        what_has_ended_has_no_heartbeat,
    ]
}

/// Connections pinged and leased so many seconds after now.
async fn leased(lines: &Lines, world: &World, seconds: &[u64]) -> Result<Vec<Connection>, Failure> {
    let mut all = Vec::new();
    for second in seconds {
        let (pinged_at, lease_until) = (world.after(*second), world.after(*second + 100));
        let one = Connection { pinged_at, lease_until, ..connection(world) };
        lines.connections.open(&one).await?;
        all.push(one);
    }
    Ok(all)
}

fn ids<'a>(connections: impl IntoIterator<Item = &'a Connection>) -> Vec<ConnectionId> {
    connections.into_iter().map(|connection| connection.id.clone()).collect()
}

async fn the_longest_unpinged_are_due_first(lines: Lines, world: World) -> Outcome {
    let all = leased(&lines, &world, &[30, 10, 20]).await?;
    let due = |second, limit| lines.heartbeats.due(world.after(second), limit);
    same(due(30, 10).await?, vec![all[1].clone(), all[2].clone(), all[0].clone()])?;
    same(ids(&due(30, 2).await?), ids([&all[1], &all[2]]))?;
    same(ids(&due(20, 10).await?), ids([&all[1], &all[2]]))?;
    same(ids(&due(9, 10).await?), Vec::new())?;
    Ok(lines.hang_up(&all).await?)
}

async fn a_ping_puts_off_the_next(lines: Lines, world: World) -> Outcome {
    let all = leased(&lines, &world, &[1, 2]).await?;
    lines.heartbeats.mark_pinged(&all[0].id, world.after(50)).await?;
    same(ids(&lines.heartbeats.due(world.after(49), 10).await?), ids([&all[1]]))?;
    same(ids(&lines.heartbeats.due(world.after(50), 10).await?), ids([&all[1], &all[0]]))?;
    let stored = lines.stored(&all[0].id).await?;
    same((stored.pinged_at, stored.lease_until), (world.after(50), all[0].lease_until))?;
    Ok(lines.hang_up(&all).await?)
}

async fn a_sign_of_life_moves_the_lease_forward_only(lines: Lines, world: World) -> Outcome {
    let all = leased(&lines, &world, &[0]).await?;
    for (second, expected) in [(200, 200), (150, 200), (201, 201)] {
        lines.heartbeats.renew_lease(&all[0].id, world.after(second)).await?;
        same(lines.stored(&all[0].id).await?.lease_until, world.after(expected))?;
    }
    same(lines.heartbeats.expired(world.after(201), 10).await?, Vec::new())?;
    same(lines.heartbeats.expired(world.after(202), 10).await?, ids(&all))?;
    Ok(lines.hang_up(&all).await?)
}

async fn the_silent_are_dead(lines: Lines, world: World) -> Outcome {
    let all = leased(&lines, &world, &[0, 5, 10]).await?;
    let identity = identity(&world, &world.user_id());
    lines.connections.attach(&all[1].id, &identity, world.after(105)).await?;
    let dead = |second, limit| lines.heartbeats.expired(world.after(second), limit);
    same(dead(100, 10).await?, Vec::new())?;
    same(dead(101, 10).await?, ids([&all[0]]))?;
    same(sorted(dead(107, 10).await?), sorted(ids([&all[0], &all[1]])))?;
    same(sorted(dead(111, 10).await?), sorted(ids(&all)))?;
    same(dead(111, 2).await?.len(), 2)?;
    Ok(lines.hang_up(&all).await?)
}

async fn what_has_ended_has_no_heartbeat(lines: Lines, world: World) -> Outcome {
    let all = leased(&lines, &world, &[0]).await?;
    lines.hang_up(&all).await?;
    lines.heartbeats.mark_pinged(&all[0].id, world.after(1)).await?;
    lines.heartbeats.renew_lease(&all[0].id, world.after(1)).await?;
    same(lines.heartbeats.due(world.after(500), 10).await?, Vec::new())?;
    same(lines.heartbeats.expired(world.after(500), 10).await?, Vec::new())?;
    same(lines.connections.get(&all[0].id).await?, None)
}

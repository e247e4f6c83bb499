//! `Presence`: what the edges add up to.

use super::super::{Case, Outcome, World, cases, same, sorted, yes};
use super::Lines;
use crate::id::UserId;

/// Every case of [`Presence`](crate::ports::Presence).
pub fn presence() -> Vec<Case<Lines>> {
    cases![
        online_are_those_with_a_connection,
        a_user_counts_once,
        a_connection_without_a_name_is_nobody,
        mending_leaves_the_living_alone,
    ]
}

async fn online_are_those_with_a_connection(lines: Lines, world: World) -> Outcome {
    let people: Vec<UserId> = (0..3).map(|_| world.user_id()).collect();
    same(lines.presence.online_of(&people).await?, Vec::new())?;
    same(lines.presence.online_of(&[]).await?, Vec::new())?;
    let (one, _) = lines.attached(&world, &people[0]).await?;
    let (two, _) = lines.attached(&world, &people[2]).await?;
    let both = sorted([people[0].clone(), people[2].clone()]);
    same(sorted(lines.presence.online_of(&people).await?), both.clone())?;
    let all = lines.presence.online().await?;
    yes(both.iter().all(|id| all.contains(id)) && !all.contains(&people[1]), "all of them and nobody else")?;
    lines.hang_up(&[one, two]).await?;
    same(lines.presence.online_of(&people).await?, Vec::new())
}

async fn a_user_counts_once(lines: Lines, world: World) -> Outcome {
    let before = lines.presence.count().await?;
    let (ada, bob) = world.pair();
    let mut all = Vec::new();
    for (user, expected) in [(&ada, 1), (&ada, 1), (&bob, 2)] {
        all.push(lines.attached(&world, user).await?.0);
        same(lines.presence.count().await? - before, expected)?;
    }
    same(lines.presence.online().await?.len() as u64, before + 2)?;
    for (line, expected) in all.iter().zip([2, 1, 0]) {
        lines.connections.end(&line.id, world.now).await?;
        same(lines.presence.count().await? - before, expected)?;
    }
    Ok(())
}

async fn a_connection_without_a_name_is_nobody(lines: Lines, world: World) -> Outcome {
    let before = lines.presence.count().await?;
    let opened = lines.opened(&world).await?;
    same(lines.presence.count().await?, before)?;
    lines.connections.end(&opened.id, world.now).await?;
    same(lines.presence.count().await?, before)
}

async fn mending_leaves_the_living_alone(lines: Lines, world: World) -> Outcome {
    let (ada, bob) = world.pair();
    let (line, _) = lines.attached(&world, &ada).await?;
    let (gone, _) = lines.attached(&world, &bob).await?;
    lines.hang_up(&[gone]).await?;
    let mended = lines.presence.reconcile(world.now).await?;
    yes(!mended.contains(&ada) && !mended.contains(&bob), "there was nothing to mend")?;
    yes(lines.is_online(&ada).await? && !lines.is_online(&bob).await?, "and nothing changed")?;
    lines.hang_up(&[line]).await?;
    yes(
        !lines.presence.reconcile(world.now).await?.contains(&ada),
        "an announced edge is not announced again",
    )
}

//! `LastSeen`: the time of a last edge stays until it was carried over.

use super::super::{Case, Outcome, World, cases, same, yes};
use super::Lines;
use crate::id::UserId;
use crate::ports::StoreResult;
use crate::time::Time;

/// Every case of [`LastSeen`](crate::ports::LastSeen).
pub fn last_seen() -> Vec<Case<Lines>> {
    cases![
        the_last_disconnect_leaves_its_time,
        what_was_carried_over_is_forgotten,
        an_older_one_does_not_carry_a_newer,
        a_connection_without_a_name_leaves_nothing,
        they_come_in_pages,
    ]
}

/// Asked together with somebody who never left.
async fn left(lines: &Lines, user: &UserId) -> StoreResult<Option<Time>> {
    let asked = [UserId::trusted("nobody"), user.clone()];
    let found = lines.last_seen.times_of(&asked).await?;
    Ok(found.into_iter().find(|(who, _)| who == user).map(|(_, at)| at))
}

async fn the_last_disconnect_leaves_its_time(lines: Lines, world: World) -> Outcome {
    same(lines.last_seen.times_of(&[]).await?, Vec::new())?;
    let ada = world.user_id();
    let (one, _) = lines.attached(&world, &ada).await?;
    let (two, _) = lines.attached(&world, &ada).await?;
    lines.connections.end(&one.id, world.after(1)).await?;
    same(left(&lines, &ada).await?, None)?;
    lines.connections.end(&two.id, world.after(2)).await?;
    same(left(&lines, &ada).await?, Some(world.after(2)))?;
    lines.connections.end(&two.id, world.after(3)).await?;
    same(left(&lines, &ada).await?, Some(world.after(2)))?;
    same(lines.last_seen.unsynced(9).await?, vec![(ada.clone(), world.after(2))])?;
    Ok(lines.last_seen.mark_synced(&[(ada, world.after(2))]).await?)
}

async fn what_was_carried_over_is_forgotten(lines: Lines, world: World) -> Outcome {
    let (ada, bob) = world.pair();
    for user in [&ada, &bob] {
        let (line, _) = lines.attached(&world, user).await?;
        lines.connections.end(&line.id, world.after(1)).await?;
    }
    lines.last_seen.mark_synced(&[(ada.clone(), world.after(1))]).await?;
    same(left(&lines, &ada).await?, None)?;
    same(lines.last_seen.unsynced(9).await?, vec![(bob.clone(), world.after(1))])?;
    lines.last_seen.mark_synced(&[(ada, world.after(1)), (bob, world.after(1))]).await?;
    lines.last_seen.mark_synced(&[]).await?;
    same(lines.last_seen.unsynced(9).await?, Vec::new())
}

async fn an_older_one_does_not_carry_a_newer(lines: Lines, world: World) -> Outcome {
    let ada = world.user_id();
    for second in [1, 2] {
        let (line, _) = lines.attached(&world, &ada).await?;
        lines.connections.end(&line.id, world.after(second)).await?;
    }
    lines.last_seen.mark_synced(&[(ada.clone(), world.after(1))]).await?;
    same(left(&lines, &ada).await?, Some(world.after(2)))?;
    Ok(lines.last_seen.mark_synced(&[(ada, world.after(2))]).await?)
}

async fn a_connection_without_a_name_leaves_nothing(lines: Lines, world: World) -> Outcome {
    let opened = lines.opened(&world).await?;
    lines.connections.end(&opened.id, world.now).await?;
    same(lines.last_seen.unsynced(9).await?, Vec::new())
}

async fn they_come_in_pages(lines: Lines, world: World) -> Outcome {
    let mut expected: Vec<UserId> = (0..5).map(|_| world.user_id()).collect();
    for user in &expected {
        let (line, _) = lines.attached(&world, user).await?;
        lines.connections.end(&line.id, world.now).await?;
    }
    let mut found = Vec::new();
    loop {
        let page = lines.last_seen.unsynced(2).await?;
        yes(page.len() <= 2, "no more than was asked for")?;
        if page.is_empty() {
            break;
        }
        lines.last_seen.mark_synced(&page).await?;
        found.extend(page.into_iter().map(|(user, _)| user));
    }
    expected.sort();
    found.sort();
    same(found, expected)
}

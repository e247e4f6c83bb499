//! `Rooms`.

use super::super::{Case, Outcome, World, at_once, cases, same, some, sorted};
use super::{Lines, identity, in_order, receivers};
use crate::connection::Connection;
use crate::id::ConversationId;

/// Every case of [`Rooms`](crate::ports::Rooms).
pub fn rooms() -> Vec<Case<Lines>> {
    cases![
        who_joined_is_there_until_it_leaves,
        the_end_leaves_every_room,
        an_ended_connection_does_not_join,
        without_a_name_nobody_is_seen_in_a_room,
        fifty_join_at_once,
    ]
}

fn room(world: &World) -> ConversationId {
    ConversationId::trusted(world.id())
}

async fn who_joined_is_there_until_it_leaves(lines: Lines, world: World) -> Outcome {
    let (hall, den) = (room(&world), room(&world));
    let (ada, _) = lines.attached(&world, &world.user_id()).await?;
    let (bob, _) = lines.attached(&world, &world.user_id()).await?;
    for (room, line) in [(&hall, &ada), (&hall, &ada), (&hall, &bob), (&den, &bob)] {
        lines.rooms.join(room, &line.id).await?;
    }
    same(in_order(lines.rooms.joined(&hall).await?), receivers([&ada, &bob]))?;
    same(lines.rooms.joined(&den).await?, receivers([&bob]))?;
    for _ in 0..2 {
        lines.rooms.leave(&hall, &bob.id).await?;
    }
    same(lines.rooms.joined(&hall).await?, receivers([&ada]))?;
    same(lines.rooms.joined(&den).await?, receivers([&bob]))?;
    same(lines.rooms.joined(&room(&world)).await?, Vec::new())?;
    Ok(lines.hang_up(&[ada, bob]).await?)
}

async fn the_end_leaves_every_room(lines: Lines, world: World) -> Outcome {
    let rooms = [room(&world), room(&world), room(&world)];
    let (ada, _) = lines.attached(&world, &world.user_id()).await?;
    for room in &rooms {
        lines.rooms.join(room, &ada.id).await?;
    }
    lines.rooms.leave(&rooms[1], &ada.id).await?;
    let ended = some(lines.connections.end(&ada.id, world.now).await?)?;
    same(sorted(ended.rooms), sorted([rooms[0].clone(), rooms[2].clone()]))?;
    for room in &rooms {
        same(lines.rooms.joined(room).await?, Vec::new())?;
    }
    Ok(())
}

async fn an_ended_connection_does_not_join(lines: Lines, world: World) -> Outcome {
    let hall = room(&world);
    let (ada, _) = lines.attached(&world, &world.user_id()).await?;
    lines.connections.end(&ada.id, world.now).await?;
    lines.rooms.join(&hall, &ada.id).await?;
    same(lines.rooms.joined(&hall).await?, Vec::new())?;
    lines.rooms.leave(&hall, &ada.id).await?;
    same(lines.connections.get(&ada.id).await?, None)
}

async fn without_a_name_nobody_is_seen_in_a_room(lines: Lines, world: World) -> Outcome {
    let hall = room(&world);
    let opened = lines.opened(&world).await?;
    lines.rooms.join(&hall, &opened.id).await?;
    same(lines.rooms.joined(&hall).await?, Vec::new())?;
    let identity = identity(&world, &world.user_id());
    lines.connections.attach(&opened.id, &identity, world.after(100)).await?;
    let named = Connection { identity: Some(identity), ..opened };
    same(lines.rooms.joined(&hall).await?, receivers([&named]))?;
    same(some(lines.connections.end(&named.id, world.now).await?)?.rooms, vec![hall])
}

async fn fifty_join_at_once(lines: Lines, world: World) -> Outcome {
    let hall = room(&world);
    let joined = at_once(50, |_| {
        let (lines, world, hall) = (lines.clone(), world.clone(), hall.clone());
        async move {
            let (line, _) = lines.attached(&world, &world.user_id()).await?;
            lines.rooms.join(&hall, &line.id).await?;
            Ok(line)
        }
    })
    .await?;
    same(in_order(lines.rooms.joined(&hall).await?), receivers(&joined))?;
    lines.hang_up(&joined).await?;
    same(lines.rooms.joined(&hall).await?, Vec::new())
}

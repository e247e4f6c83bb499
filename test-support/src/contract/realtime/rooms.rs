//! Cases of `Rooms`.

use shared::connection::Connection;
use shared::id::ConversationId;

use super::super::{Case, CaseData, Outcome, cases, concurrently, expect_eq, expect_some, sorted};
use super::{PresencePorts, identity, in_order, receivers};

/// Every case of [`Rooms`](shared::ports::Rooms).
pub fn rooms() -> Vec<Case<PresencePorts>> {
    cases![
        joined_connections_stay_until_they_leave,
        ended_connection_leaves_every_room,
        ended_connection_cannot_join,
        unattached_connection_is_hidden_in_its_rooms,
        fifty_connections_join_concurrently,
    ]
}

fn room(data: &CaseData) -> ConversationId {
    ConversationId::trusted(data.id())
}

async fn joined_connections_stay_until_they_leave(ports: PresencePorts, data: CaseData) -> Outcome {
    let (hall, den) = (room(&data), room(&data));
    let (ada, _) = ports.attach_new(&data, &data.user_id()).await?;
    let (bob, _) = ports.attach_new(&data, &data.user_id()).await?;
    for (room, connection) in [(&hall, &ada), (&hall, &ada), (&hall, &bob), (&den, &bob)] {
        ports.rooms.join(room, &connection.id).await?;
    }
    expect_eq(in_order(ports.rooms.joined(&hall).await?), receivers([&ada, &bob]))?;
    expect_eq(ports.rooms.joined(&den).await?, receivers([&bob]))?;
    for _ in 0..2 {
        ports.rooms.leave(&hall, &bob.id).await?;
    }
    expect_eq(ports.rooms.joined(&hall).await?, receivers([&ada]))?;
    expect_eq(ports.rooms.joined(&den).await?, receivers([&bob]))?;
    expect_eq(ports.rooms.joined(&room(&data)).await?, Vec::new())?;
    Ok(ports.end_all(&[ada, bob]).await?)
}

async fn ended_connection_leaves_every_room(ports: PresencePorts, data: CaseData) -> Outcome {
    let rooms = [room(&data), room(&data), room(&data)];
    let (ada, _) = ports.attach_new(&data, &data.user_id()).await?;
    for room in &rooms {
        ports.rooms.join(room, &ada.id).await?;
    }
    ports.rooms.leave(&rooms[1], &ada.id).await?;
    let ended = expect_some(ports.connections.end(&ada.id, data.now).await?)?;
    expect_eq(sorted(ended.rooms), sorted([rooms[0].clone(), rooms[2].clone()]))?;
    for room in &rooms {
        expect_eq(ports.rooms.joined(room).await?, Vec::new())?;
    }
    Ok(())
}

async fn ended_connection_cannot_join(ports: PresencePorts, data: CaseData) -> Outcome {
    let hall = room(&data);
    let (ada, _) = ports.attach_new(&data, &data.user_id()).await?;
    ports.connections.end(&ada.id, data.now).await?;
    ports.rooms.join(&hall, &ada.id).await?;
    expect_eq(ports.rooms.joined(&hall).await?, Vec::new())?;
    ports.rooms.leave(&hall, &ada.id).await?;
    expect_eq(ports.connections.get(&ada.id).await?, None)
}

async fn unattached_connection_is_hidden_in_its_rooms(ports: PresencePorts, data: CaseData) -> Outcome {
    let hall = room(&data);
    let opened = ports.open_new(&data).await?;
    ports.rooms.join(&hall, &opened.id).await?;
    expect_eq(ports.rooms.joined(&hall).await?, Vec::new())?;
    let identity = identity(&data, &data.user_id());
    ports.attach(&opened.id, &identity, data.after(100), data.now).await?;
    let named = Connection { identity: Some(identity), ..opened };
    expect_eq(ports.rooms.joined(&hall).await?, receivers([&named]))?;
    expect_eq(expect_some(ports.connections.end(&named.id, data.now).await?)?.rooms, vec![hall])
}

async fn fifty_connections_join_concurrently(ports: PresencePorts, data: CaseData) -> Outcome {
    let hall = room(&data);
    let joined = concurrently(50, |_| {
        let (ports, data, hall) = (ports.clone(), data.clone(), hall.clone());
        async move {
            let (connection, _) = ports.attach_new(&data, &data.user_id()).await?;
            ports.rooms.join(&hall, &connection.id).await?;
            Ok(connection)
        }
    })
    .await?;
    expect_eq(in_order(ports.rooms.joined(&hall).await?), receivers(&joined))?;
    ports.end_all(&joined).await?;
    expect_eq(ports.rooms.joined(&hall).await?, Vec::new())
}

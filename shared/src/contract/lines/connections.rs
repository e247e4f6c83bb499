//! `Connections`: what is open, and the first-connect and last-disconnect edges.

use super::super::{Case, Outcome, World, at_once, cases, same, some, sorted, yes};
use super::{Lines, connection, identity, in_order, receivers};
use crate::connection::Dialect;
use crate::connection::{AttachOutcome, Connection, EndedConnection, UpgradeToken};
use crate::error::Unauthenticated;
use crate::id::ConnectionId;
use crate::ports::StoreResult;

/// Every case of [`Connections`](crate::ports::Connections).
pub fn connections() -> Vec<Case<Lines>> {
    cases![
        an_opened_connection_comes_back_whole,
        without_a_name_it_is_nobody,
        only_the_first_connection_is_first,
        only_the_last_disconnect_is_last,
        an_ended_connection_cannot_be_attached,
        attaching_moves_the_lease_forward_only,
        fifty_at_once_make_one_first_and_one_last,
        edges_come_in_pairs_under_churn,
        one_connection_ends_once_whoever_ends_it,
        receivers_are_found_by_user_and_by_session,
        everyone_comes_by_id_in_strict_pages,
    ]
}

async fn an_opened_connection_comes_back_whole(lines: Lines, world: World) -> Outcome {
    let opened = Connection { dialect: Dialect::SocketIo, ..connection(&world) };
    lines.connections.open(&opened).await?;
    same(lines.stored(&opened.id).await?, opened.clone())?;
    let user = world.user_id();
    let identity = identity(&world, &user);
    lines.connections.attach(&opened.id, &identity, world.after(150)).await?;
    let attached = Connection { identity: Some(identity), lease_until: world.after(150), ..opened.clone() };
    same(lines.stored(&opened.id).await?, attached.clone())?;
    let ended = EndedConnection { connection: attached, last: true, rooms: Vec::new() };
    same(lines.connections.end(&opened.id, world.now).await?, Some(ended))?;
    same(lines.connections.get(&opened.id).await?, None)?;
    same(lines.connections.get(&ConnectionId::trusted(world.id())).await?, None)
}

async fn without_a_name_it_is_nobody(lines: Lines, world: World) -> Outcome {
    let user = world.user_id();
    for why in [Unauthenticated::NoToken, Unauthenticated::Expired, Unauthenticated::Revoked] {
        let refused = Connection { upgrade_token: Some(UpgradeToken::Rejected(why)), ..connection(&world) };
        lines.connections.open(&refused).await?;
        same(lines.stored(&refused.id).await?, refused.clone())?;
        lines.connections.end(&refused.id, world.now).await?;
    }
    let upgrade_token = Some(UpgradeToken::Valid(identity(&world, &user)));
    let opened = Connection { upgrade_token, ..connection(&world) };
    lines.connections.open(&opened).await?;
    same(lines.stored(&opened.id).await?, opened.clone())?;
    yes(!lines.is_online(&user).await?, "a claim is not yet a name")?;
    same(lines.connections.of_users(&[user]).await?, Vec::new())?;
    let everyone = lines.connections.all_attached(None, 1_000).await?;
    yes(everyone.iter().all(|receiver| receiver.id != opened.id), "it is nobody to push to")?;
    let ended = some(lines.connections.end(&opened.id, world.now).await?)?;
    same((ended.connection, ended.last), (opened, false))
}

async fn only_the_first_connection_is_first(lines: Lines, world: World) -> Outcome {
    let user = world.user_id();
    let (one, first) = lines.attached(&world, &user).await?;
    let (two, second) = lines.attached(&world, &user).await?;
    same(
        (first, second),
        (AttachOutcome::Attached { came_online: true }, AttachOutcome::Attached { came_online: false }),
    )?;
    let identity = some(one.identity.clone())?;
    let again = lines.connections.attach(&one.id, &identity, world.after(100)).await?;
    same(again, AttachOutcome::Attached { came_online: false })?;
    let (three, stranger) = lines.attached(&world, &world.user_id()).await?;
    same(stranger, AttachOutcome::Attached { came_online: true })?;
    lines.hang_up(&[one, two, three]).await?;
    let (four, back) = lines.attached(&world, &user).await?;
    same(back, AttachOutcome::Attached { came_online: true })?;
    Ok(lines.hang_up(&[four]).await?)
}

async fn only_the_last_disconnect_is_last(lines: Lines, world: World) -> Outcome {
    let user = world.user_id();
    let (one, _) = lines.attached(&world, &user).await?;
    let (two, _) = lines.attached(&world, &user).await?;
    let nameless = lines.opened(&world).await?;
    same(some(lines.connections.end(&one.id, world.now).await?)?.last, false)?;
    yes(lines.is_online(&user).await?, "a closed tab takes nobody offline")?;
    same(some(lines.connections.end(&nameless.id, world.now).await?)?.last, false)?;
    same(some(lines.connections.end(&two.id, world.now).await?)?.last, true)?;
    yes(!lines.is_online(&user).await?, "the last one does")?;
    same(lines.connections.end(&two.id, world.now).await?, None)
}

async fn an_ended_connection_cannot_be_attached(lines: Lines, world: World) -> Outcome {
    let opened = lines.opened(&world).await?;
    lines.connections.end(&opened.id, world.now).await?;
    let user = world.user_id();
    let identity = identity(&world, &user);
    same(
        lines.connections.attach(&opened.id, &identity, world.after(1)).await?,
        AttachOutcome::ConnectionGone,
    )?;
    let never = ConnectionId::trusted(world.id());
    same(lines.connections.attach(&never, &identity, world.after(1)).await?, AttachOutcome::ConnectionGone)?;
    yes(!lines.is_online(&user).await?, "nobody came online")?;
    same(lines.connections.of_users(&[user]).await?, Vec::new())?;
    same(lines.connections.get(&never).await?, None)
}

async fn attaching_moves_the_lease_forward_only(lines: Lines, world: World) -> Outcome {
    let (line, _) = lines.attached(&world, &world.user_id()).await?;
    let identity = some(line.identity.clone())?;
    for (second, expected) in [(200, 200), (50, 200)] {
        lines.connections.attach(&line.id, &identity, world.after(second)).await?;
        same(lines.stored(&line.id).await?.lease_until, world.after(expected))?;
    }
    Ok(lines.hang_up(&[line]).await?)
}

async fn fifty_at_once_make_one_first_and_one_last(lines: Lines, world: World) -> Outcome {
    let user = world.user_id();
    let attached = at_once(50, |_| {
        let (lines, world, user) = (lines.clone(), world.clone(), user.clone());
        async move { lines.attached(&world, &user).await }
    })
    .await?;
    same(
        attached
            .iter()
            .filter(|(_, attached)| *attached == AttachOutcome::Attached { came_online: true })
            .count(),
        1,
    )?;
    same(lines.connections.of_users(std::slice::from_ref(&user)).await?.len(), 50)?;
    let ended = at_once(50, |n| {
        let (lines, id) = (lines.clone(), attached[n].0.id.clone());
        async move { lines.connections.end(&id, world.now).await }
    })
    .await?;
    same(ended.iter().flatten().count(), 50)?;
    same(ended.iter().flatten().filter(|ended| ended.last).count(), 1)?;
    yes(!lines.is_online(&user).await?, "offline in the end")
}

async fn edges_come_in_pairs_under_churn(lines: Lines, world: World) -> Outcome {
    let user = world.user_id();
    let edges = at_once(50, |_| {
        let (lines, world, user) = (lines.clone(), world.clone(), user.clone());
        async move {
            let (line, attached) = lines.attached(&world, &user).await?;
            tokio::task::yield_now().await;
            let last = lines.connections.end(&line.id, world.now).await?.is_some_and(|ended| ended.last);
            StoreResult::Ok((attached == AttachOutcome::Attached { came_online: true }, last))
        }
    })
    .await?;
    let firsts = edges.iter().filter(|(first, _)| *first).count();
    yes(firsts > 0, "somebody was first")?;
    same(firsts, edges.iter().filter(|(_, last)| *last).count())?;
    yes(!lines.is_online(&user).await?, "offline in the end")
}

async fn one_connection_ends_once_whoever_ends_it(lines: Lines, world: World) -> Outcome {
    let (line, _) = lines.attached(&world, &world.user_id()).await?;
    let ended = at_once(20, |_| {
        let (lines, id) = (lines.clone(), line.id.clone());
        async move { lines.connections.end(&id, world.now).await }
    })
    .await?;
    same(ended.into_iter().flatten().map(|ended| ended.last).collect::<Vec<_>>(), vec![true])
}

async fn receivers_are_found_by_user_and_by_session(lines: Lines, world: World) -> Outcome {
    let (ada, bob) = world.pair();
    let mut all = Vec::new();
    for user in [&ada, &ada, &bob] {
        all.push(lines.attached(&world, user).await?.0);
    }
    let of = |lines: Lines, users: Vec<_>| async move {
        StoreResult::Ok(in_order(lines.connections.of_users(&users).await?))
    };
    same(of(lines.clone(), vec![ada.clone()]).await?, receivers(&all[..2]))?;
    same(of(lines.clone(), vec![bob.clone(), world.user_id(), ada.clone()]).await?, receivers(&all))?;
    same(of(lines.clone(), vec![]).await?, Vec::new())?;
    let session = some(all[0].identity.clone())?.session_id;
    same(lines.connections.of_session(&session).await?, receivers(&all[..1]))?;
    lines.connections.end(&all[0].id, world.now).await?;
    same(lines.connections.of_session(&session).await?, Vec::new())?;
    same(of(lines.clone(), vec![ada]).await?, receivers(&all[1..2]))?;
    Ok(lines.hang_up(&all).await?)
}

async fn everyone_comes_by_id_in_strict_pages(lines: Lines, world: World) -> Outcome {
    let mut all = Vec::new();
    for _ in 0..5 {
        all.push(lines.attached(&world, &world.user_id()).await?.0);
    }
    let nameless = lines.opened(&world).await?;
    let own = sorted(all.iter().map(|line| line.id.clone()));
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = lines.connections.all_attached(after.as_ref(), 2).await?;
        yes(page.len() <= 2, "a page keeps its limit")?;
        yes(
            page.iter().all(|one| Some(&one.id) > after.as_ref() && one.id != nameless.id),
            "strictly after",
        )?;
        let Some(last) = page.last() else { break };
        after = Some(last.id.clone());
        seen.extend(page.into_iter().map(|one| one.id).filter(|id| own.contains(id)));
    }
    same(seen, own)?;
    lines.hang_up(&[nameless]).await?;
    Ok(lines.hang_up(&all).await?)
}

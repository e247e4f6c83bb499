//! Cases of `Connections`: what is open, and which connect is a user's first and which disconnect the last.

mod limits;

use shared::connection::Dialect;
use shared::connection::{AttachOutcome, Connection, EndedConnection, PresenceChange, UpgradeToken};
use shared::error::Unauthenticated;
use shared::id::{ConnectionId, ConversationId};
use shared::ports::StoreResult;

use super::super::{
    Case, CaseData, Outcome, cases, concurrently, expect_eq, expect_some, expect_true, sorted,
};
use super::{PresencePorts, connection, identity, in_order, receivers};

/// Every case of [`Connections`](shared::ports::Connections).
pub fn connections() -> Vec<Case<PresencePorts>> {
    let mut cases = cases![
        opened_connection_is_returned_unchanged,
        unattached_connection_belongs_to_no_user,
        only_the_first_connection_brings_the_user_online,
        only_the_last_disconnect_is_reported_as_last,
        ended_connection_cannot_be_attached,
        attach_never_shortens_the_lease,
        fifty_concurrent_connections_make_one_first_and_one_last,
        firsts_and_lasts_are_equal_in_number_under_load,
        connection_ends_once_when_ended_concurrently,
        receivers_are_found_by_user_and_by_session,
        everyone_pages_are_sorted_by_id_and_start_after_the_cursor,
        session_pages_name_each_attached_session_once,
        lowest_missed_seq_of_each_conversation_is_remembered,
    ];
    cases.extend(limits::limits());
    cases
}

async fn opened_connection_is_returned_unchanged(ports: PresencePorts, data: CaseData) -> Outcome {
    let opened = Connection { dialect: Dialect::SocketIo, ..connection(&data) };
    ports.connections.open(&opened, 0).await?;
    expect_eq(ports.stored(&opened.id).await?, opened.clone())?;
    let user = data.user_id();
    let identity = identity(&data, &user);
    ports.attach(&opened.id, &identity, data.after(150), data.now).await?;
    let attached = Connection { identity: Some(identity), lease_until: data.after(150), ..opened.clone() };
    expect_eq(ports.stored(&opened.id).await?, attached.clone())?;
    let ended = EndedConnection { connection: attached, last: true, rooms: Vec::new() };
    expect_eq(ports.connections.end(&opened.id, data.now).await?, Some(ended))?;
    expect_eq(ports.connections.get(&opened.id).await?, None)?;
    expect_eq(ports.connections.get(&ConnectionId::trusted(data.id())).await?, None)
}

async fn unattached_connection_belongs_to_no_user(ports: PresencePorts, data: CaseData) -> Outcome {
    let user = data.user_id();
    for why in [Unauthenticated::NoToken, Unauthenticated::Expired, Unauthenticated::Revoked] {
        let refused = Connection { upgrade_token: Some(UpgradeToken::Rejected(why)), ..connection(&data) };
        ports.connections.open(&refused, 0).await?;
        expect_eq(ports.stored(&refused.id).await?, refused.clone())?;
        ports.connections.end(&refused.id, data.now).await?;
    }
    let upgrade_token = Some(UpgradeToken::Valid(identity(&data, &user)));
    let opened = Connection { upgrade_token, ..connection(&data) };
    ports.connections.open(&opened, 0).await?;
    expect_eq(ports.stored(&opened.id).await?, opened.clone())?;
    expect_true(!ports.is_online(&user).await?, "an upgrade token alone brought the user online")?;
    expect_eq(ports.connections.of_users(&[user]).await?, Vec::new())?;
    let everyone = ports.connections.all_attached(None, 1_000).await?;
    expect_true(
        everyone.iter().all(|receiver| receiver.id != opened.id),
        "an unattached connection is listed as a receiver",
    )?;
    let ended = expect_some(ports.connections.end(&opened.id, data.now).await?)?;
    expect_eq((ended.connection, ended.last), (opened, false))
}

async fn only_the_first_connection_brings_the_user_online(ports: PresencePorts, data: CaseData) -> Outcome {
    let user = data.user_id();
    let (one, first) = ports.attach_new(&data, &user).await?;
    let (two, second) = ports.attach_new(&data, &user).await?;
    expect_eq(
        (first, second),
        (AttachOutcome::Attached { came_online: true }, AttachOutcome::Attached { came_online: false }),
    )?;
    let identity = expect_some(one.identity.clone())?;
    let again = ports.attach(&one.id, &identity, data.after(100), data.now).await?;
    expect_eq(again, AttachOutcome::Attached { came_online: true })?;
    let arrival = PresenceChange { user_id: user.clone(), online: true, at: data.now };
    ports.changes.mark_announced(&[arrival]).await?;
    let again = ports.attach(&one.id, &identity, data.after(100), data.now).await?;
    expect_eq(again, AttachOutcome::Attached { came_online: false })?;
    let (three, stranger) = ports.attach_new(&data, &data.user_id()).await?;
    expect_eq(stranger, AttachOutcome::Attached { came_online: true })?;
    ports.end_all(&[one, two, three]).await?;
    let left = PresenceChange { user_id: user.clone(), online: false, at: data.now };
    ports.changes.mark_announced(&[left]).await?;
    let (four, back) = ports.attach_new(&data, &user).await?;
    expect_eq(back, AttachOutcome::Attached { came_online: true })?;
    Ok(ports.end_all(&[four]).await?)
}

async fn only_the_last_disconnect_is_reported_as_last(ports: PresencePorts, data: CaseData) -> Outcome {
    let user = data.user_id();
    let (one, _) = ports.attach_new(&data, &user).await?;
    let (two, _) = ports.attach_new(&data, &user).await?;
    let unattached = ports.open_new(&data).await?;
    expect_eq(expect_some(ports.connections.end(&one.id, data.now).await?)?.last, false)?;
    expect_true(ports.is_online(&user).await?, "the user went offline with one connection left")?;
    expect_eq(expect_some(ports.connections.end(&unattached.id, data.now).await?)?.last, false)?;
    expect_eq(expect_some(ports.connections.end(&two.id, data.now).await?)?.last, true)?;
    expect_true(!ports.is_online(&user).await?, "the user is online without a connection")?;
    expect_eq(ports.connections.end(&two.id, data.now).await?, None)
}

async fn ended_connection_cannot_be_attached(ports: PresencePorts, data: CaseData) -> Outcome {
    let opened = ports.open_new(&data).await?;
    ports.connections.end(&opened.id, data.now).await?;
    let user = data.user_id();
    let identity = identity(&data, &user);
    expect_eq(
        ports.attach(&opened.id, &identity, data.after(1), data.now).await?,
        AttachOutcome::ConnectionGone,
    )?;
    let never = ConnectionId::trusted(data.id());
    expect_eq(
        ports.attach(&never, &identity, data.after(1), data.now).await?,
        AttachOutcome::ConnectionGone,
    )?;
    expect_true(!ports.is_online(&user).await?, "a failed attach brought the user online")?;
    expect_eq(ports.connections.of_users(&[user]).await?, Vec::new())?;
    expect_eq(ports.connections.get(&never).await?, None)
}

async fn attach_never_shortens_the_lease(ports: PresencePorts, data: CaseData) -> Outcome {
    let (connection, _) = ports.attach_new(&data, &data.user_id()).await?;
    let identity = expect_some(connection.identity.clone())?;
    for (second, expected) in [(200, 200), (50, 200)] {
        ports.attach(&connection.id, &identity, data.after(second), data.now).await?;
        expect_eq(ports.stored(&connection.id).await?.lease_until, data.after(expected))?;
    }
    Ok(ports.end_all(&[connection]).await?)
}

async fn fifty_concurrent_connections_make_one_first_and_one_last(
    ports: PresencePorts,
    data: CaseData,
) -> Outcome {
    let user = data.user_id();
    let attached = concurrently(50, |_| {
        let (ports, data, user) = (ports.clone(), data.clone(), user.clone());
        async move { ports.attach_new(&data, &user).await }
    })
    .await?;
    expect_eq(
        attached
            .iter()
            .filter(|(_, attached)| *attached == AttachOutcome::Attached { came_online: true })
            .count(),
        1,
    )?;
    expect_eq(ports.connections.of_users(std::slice::from_ref(&user)).await?.len(), 50)?;
    let ended = concurrently(50, |n| {
        let (ports, id) = (ports.clone(), attached[n].0.id.clone());
        async move { ports.connections.end(&id, data.now).await }
    })
    .await?;
    expect_eq(ended.iter().flatten().count(), 50)?;
    expect_eq(ended.iter().flatten().filter(|ended| ended.last).count(), 1)?;
    expect_true(!ports.is_online(&user).await?, "the user is online without a connection")
}

async fn firsts_and_lasts_are_equal_in_number_under_load(ports: PresencePorts, data: CaseData) -> Outcome {
    let user = data.user_id();
    let edges = concurrently(50, |_| {
        let (ports, data, user) = (ports.clone(), data.clone(), user.clone());
        async move {
            let (connection, attached) = ports.attach_new(&data, &user).await?;
            tokio::task::yield_now().await;
            let last = ports.connections.end(&connection.id, data.now).await?.is_some_and(|ended| ended.last);
            StoreResult::Ok((attached == AttachOutcome::Attached { came_online: true }, last))
        }
    })
    .await?;
    // An unclaimed arrival cancels with the departure after it, so every round is one of each.
    let firsts = edges.iter().filter(|(first, _)| *first).count();
    expect_true(firsts > 0, "no connection was the first")?;
    expect_eq(firsts, edges.iter().filter(|(_, last)| *last).count())?;
    expect_true(!ports.is_online(&user).await?, "the user is online without a connection")
}

async fn connection_ends_once_when_ended_concurrently(ports: PresencePorts, data: CaseData) -> Outcome {
    let (connection, _) = ports.attach_new(&data, &data.user_id()).await?;
    let ended = concurrently(20, |_| {
        let (ports, id) = (ports.clone(), connection.id.clone());
        async move { ports.connections.end(&id, data.now).await }
    })
    .await?;
    expect_eq(ended.into_iter().flatten().map(|ended| ended.last).collect::<Vec<_>>(), vec![true])
}

async fn receivers_are_found_by_user_and_by_session(ports: PresencePorts, data: CaseData) -> Outcome {
    let (ada, bob) = data.pair();
    let mut all = Vec::new();
    for user in [&ada, &ada, &bob] {
        all.push(ports.attach_new(&data, user).await?.0);
    }
    let of = |ports: PresencePorts, users: Vec<_>| async move {
        StoreResult::Ok(in_order(ports.connections.of_users(&users).await?))
    };
    expect_eq(of(ports.clone(), vec![ada.clone()]).await?, receivers(&all[..2]))?;
    expect_eq(of(ports.clone(), vec![bob.clone(), data.user_id(), ada.clone()]).await?, receivers(&all))?;
    expect_eq(of(ports.clone(), vec![]).await?, Vec::new())?;
    let session = expect_some(all[0].identity.clone())?.session_id;
    expect_eq(ports.connections.of_session(&session).await?, receivers(&all[..1]))?;
    ports.connections.end(&all[0].id, data.now).await?;
    expect_eq(ports.connections.of_session(&session).await?, Vec::new())?;
    expect_eq(of(ports.clone(), vec![ada]).await?, receivers(&all[1..2]))?;
    Ok(ports.end_all(&all).await?)
}

async fn everyone_pages_are_sorted_by_id_and_start_after_the_cursor(
    ports: PresencePorts,
    data: CaseData,
) -> Outcome {
    let mut all = Vec::new();
    for _ in 0..5 {
        all.push(ports.attach_new(&data, &data.user_id()).await?.0);
    }
    let unattached = ports.open_new(&data).await?;
    let own = sorted(all.iter().map(|connection| connection.id.clone()));
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = ports.connections.all_attached(after.as_ref(), 2).await?;
        expect_true(page.len() <= 2, "the page is longer than its limit")?;
        expect_true(
            page.iter().all(|one| Some(&one.id) > after.as_ref() && one.id != unattached.id),
            "the page contains an unattached connection or one before the cursor",
        )?;
        let Some(last) = page.last() else { break };
        after = Some(last.id.clone());
        seen.extend(page.into_iter().map(|one| one.id).filter(|id| own.contains(id)));
    }
    expect_eq(seen, own)?;
    ports.end_all(&[unattached]).await?;
    Ok(ports.end_all(&all).await?)
}

async fn session_pages_name_each_attached_session_once(ports: PresencePorts, data: CaseData) -> Outcome {
    let mut all = Vec::new();
    for _ in 0..4 {
        all.push(ports.attach_new(&data, &data.user_id()).await?.0);
    }
    // Two more connections of the second session, so that a page may end within it.
    let shared = expect_some(all[1].identity.clone())?;
    for _ in 0..2 {
        let opened = ports.open_new(&data).await?;
        ports.attach(&opened.id, &shared, opened.lease_until, data.now).await?;
        all.push(Connection { identity: Some(shared.clone()), ..opened });
    }
    let own = sorted(all[..4].iter().filter_map(|c| c.identity.clone()).map(|identity| identity.session_id));
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = ports.connections.sessions(after.as_ref(), 2).await?;
        expect_true(page.len() <= 2, "the page is longer than its limit")?;
        let Some(last) = page.last() else { break };
        after = Some(last.clone());
        seen.extend(page.into_iter().filter(|id| own.contains(id)));
    }
    expect_eq(seen, own)?;
    ports.end_all(&all).await?;
    let left = ports.connections.sessions(None, 1_000).await?;
    expect_true(!left.contains(&shared.session_id), "a session without a connection is listed")
}

async fn lowest_missed_seq_of_each_conversation_is_remembered(
    ports: PresencePorts,
    data: CaseData,
) -> Outcome {
    let (ada, bob) = data.pair();
    let [one, two] = [ConversationId::trusted(data.id()), ConversationId::trusted(data.id())];
    for (conversation, seq) in [(&one, 7), (&one, 5), (&two, 1), (&one, 9), (&one, 5)] {
        ports.connections.note_missed(&ada, conversation, seq, data.now).await?;
    }
    expect_eq(sorted(ports.connections.missed(&ada, data.now).await?), sorted([(one, 5), (two, 1)]))?;
    expect_eq(ports.connections.missed(&bob, data.now).await?, Vec::new())
}

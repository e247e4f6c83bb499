//! Cases of `Sessions`.

mod rotation;

use std::sync::Arc;

use shared::id::{SessionId, UserId};
use shared::ports::{Sessions, StoreResult};
use shared::session::{Rotation, Session};

use rotation::rotate;

use super::{Case, CaseData, Outcome, cases, concurrently, expect_eq, expect_true, sorted};

type Subject = Arc<dyn Sessions>;

/// Every case of [`Sessions`].
pub fn sessions() -> Vec<Case<Subject>> {
    let mut cases = cases![
        session_is_live_until_it_expires,
        session_too_many_ends_the_one_that_expires_first,
        twenty_concurrent_logins_leave_as_many_sessions_as_allowed,
        session_is_ended_once_and_only_by_its_owner,
        end_all_keeps_only_the_given_session,
        list_contains_live_sessions_newest_first,
        sessions_that_are_not_live_are_found_among_others,
    ];
    cases.extend(rotation::rotation());
    cases
}

fn session(data: &CaseData, user: &UserId, opened: u64) -> Session {
    let id = SessionId::trusted(data.id());
    Session {
        refresh_hash: format!("{id}-0"),
        id,
        user_id: user.clone(),
        device: "Firefox; \"quoted\" ıİ".to_owned(),
        created_at: data.after(opened),
        last_seen_at: data.after(opened),
        expires_at: data.after(opened + 1_000),
    }
}

async fn open_new(sessions: &Subject, data: &CaseData) -> StoreResult<Session> {
    let session = session(data, &data.user_id(), 0);
    sessions.open(&session, MANY).await?;
    Ok(session)
}

/// More sessions than a case opens.
const MANY: u32 = 100;

async fn session_is_live_until_it_expires(sessions: Subject, data: CaseData) -> Outcome {
    let session = open_new(&sessions, &data).await?;
    expect_eq(sessions.live(&session.id, data.now).await?, Some(session.clone()))?;
    expect_eq(sessions.live(&session.id, data.after(999)).await?, Some(session.clone()))?;
    expect_eq(sessions.live(&session.id, data.after(1_000)).await?, None)?;
    expect_eq(sessions.live(&SessionId::trusted(data.id()), data.now).await?, None)
}

async fn session_too_many_ends_the_one_that_expires_first(sessions: Subject, data: CaseData) -> Outcome {
    let user = data.user_id();
    let mine = [0, 1, 2, 3].map(|n| session(&data, &user, n));
    for session in &mine[..3] {
        expect_eq(sessions.open(session, 3).await?, Vec::new())?;
    }
    // The first one is refreshed, so the second one now expires first.
    rotate(&sessions, &mine[0], 0, 1, data.after(3)).await?;
    let other = open_new(&sessions, &data).await?;
    expect_eq(sessions.open(&mine[3], 3).await?, vec![mine[1].id.clone()])?;
    expect_eq(sessions.live(&mine[1].id, data.after(4)).await?, None)?;
    expect_eq(rotate(&sessions, &mine[1], 0, 1, data.after(4)).await?, Rotation::Unknown)?;
    let left = sessions.list(&user, data.after(4)).await?.into_iter().map(|session| session.id);
    expect_eq(sorted(left), sorted([&mine[0], &mine[2], &mine[3]].map(|session| session.id.clone())))?;
    expect_true(sessions.live(&other.id, data.after(4)).await?.is_some(), "another user's session ended")
}

async fn twenty_concurrent_logins_leave_as_many_sessions_as_allowed(
    sessions: Subject,
    data: CaseData,
) -> Outcome {
    let user = data.user_id();
    let ended = concurrently(20, |n| {
        let (sessions, session) = (Arc::clone(&sessions), session(&data, &user, n as u64));
        async move { sessions.open(&session, 5).await }
    })
    .await?;
    expect_eq(ended.iter().map(Vec::len).sum::<usize>(), 15)?;
    expect_eq(sessions.list(&user, data.after(20)).await?.len(), 5)
}

async fn session_is_ended_once_and_only_by_its_owner(sessions: Subject, data: CaseData) -> Outcome {
    let session = open_new(&sessions, &data).await?;
    expect_eq(sessions.end(&data.user_id(), &session.id).await?, false)?;
    expect_eq(sessions.live(&session.id, data.now).await?, Some(session.clone()))?;
    let ended = concurrently(10, |_| {
        let (sessions, session) = (Arc::clone(&sessions), session.clone());
        async move { sessions.end(&session.user_id, &session.id).await }
    })
    .await?;
    expect_eq(ended.into_iter().filter(|ended| *ended).count(), 1)?;
    expect_eq(sessions.live(&session.id, data.now).await?, None)?;
    expect_eq(rotate(&sessions, &session, 0, 1, data.after(1)).await?, Rotation::Unknown)?;
    expect_eq(sessions.list(&session.user_id, data.now).await?, Vec::new())
}

async fn end_all_keeps_only_the_given_session(sessions: Subject, data: CaseData) -> Outcome {
    let user = data.user_id();
    let mine = [0, 1, 2].map(|n| session(&data, &user, n));
    for session in &mine {
        sessions.open(session, MANY).await?;
    }
    let other = open_new(&sessions, &data).await?;
    let ended = sessions.end_all(&user, Some(&mine[1].id)).await?;
    expect_eq(sorted(ended), sorted([mine[0].id.clone(), mine[2].id.clone()]))?;
    expect_eq(sessions.list(&user, data.after(3)).await?, vec![mine[1].clone()])?;
    expect_eq(sessions.end_all(&user, None).await?, vec![mine[1].id.clone()])?;
    expect_eq(sessions.end_all(&user, None).await?, Vec::new())?;
    expect_eq(sessions.live(&other.id, data.now).await?, Some(other))
}

async fn list_contains_live_sessions_newest_first(sessions: Subject, data: CaseData) -> Outcome {
    let user = data.user_id();
    let [first, second, third] = [0, 500, 600].map(|n| session(&data, &user, n));
    for session in [&second, &first, &third] {
        sessions.open(session, MANY).await?;
    }
    open_new(&sessions, &data).await?;
    let listed = sessions.list(&user, data.after(700)).await?;
    expect_eq(listed, vec![third.clone(), second.clone(), first])?;
    expect_eq(sessions.list(&user, data.after(1_200)).await?, vec![third, second])?;
    expect_eq(sessions.list(&data.user_id(), data.now).await?, Vec::new())
}

async fn sessions_that_are_not_live_are_found_among_others(sessions: Subject, data: CaseData) -> Outcome {
    let user = data.user_id();
    let [live, expired, ended] = [10, 0, 5].map(|n| session(&data, &user, n));
    for session in [&live, &expired, &ended] {
        sessions.open(session, MANY).await?;
    }
    sessions.end(&user, &ended.id).await?;
    let unknown = SessionId::trusted(data.id());
    let ids = [unknown.clone(), live.id, expired.id.clone(), ended.id.clone()];
    let found = sessions.not_live(&ids, data.after(1_000)).await?;
    expect_eq(found, vec![unknown, expired.id, ended.id])?;
    expect_eq(sessions.not_live(&[], data.now).await?, Vec::new())
}

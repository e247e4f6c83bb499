//! Cases of `Sessions`.

use std::sync::Arc;

use shared::id::{SessionId, UserId};
use shared::ports::{Sessions, StoreResult};
use shared::session::{Rotation, Session};
use shared::time::Time;

use super::{Case, CaseData, Outcome, cases, concurrently, expect_eq, expect_true, sorted};

type Subject = Arc<dyn Sessions>;

/// Every case of [`Sessions`].
pub fn sessions() -> Vec<Case<Subject>> {
    cases![
        session_is_live_until_it_expires,
        current_token_is_rotated,
        reused_token_ends_the_session,
        old_reused_token_ends_the_session,
        unknown_token_changes_nothing,
        expired_session_is_not_rotated,
        one_of_twenty_concurrent_rotations_succeeds,
        session_is_ended_once_and_only_by_its_owner,
        end_all_keeps_only_the_given_session,
        list_contains_live_sessions_newest_first,
    ]
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
    sessions.open(&session).await?;
    Ok(session)
}

/// Rotates the session's token number `shown` to number `new`.
async fn rotate(sessions: &Subject, of: &Session, shown: u32, new: u32, now: Time) -> StoreResult<Rotation> {
    let [shown, new] = [shown, new].map(|n| format!("{}-{n}", of.id));
    sessions.rotate(&of.id, &shown, &new, now, now + std::time::Duration::from_secs(2_000)).await
}

async fn session_is_live_until_it_expires(sessions: Subject, data: CaseData) -> Outcome {
    let session = open_new(&sessions, &data).await?;
    expect_eq(sessions.live(&session.id, data.now).await?, Some(session.clone()))?;
    expect_eq(sessions.live(&session.id, data.after(999)).await?, Some(session.clone()))?;
    expect_eq(sessions.live(&session.id, data.after(1_000)).await?, None)?;
    expect_eq(sessions.live(&SessionId::trusted(data.id()), data.now).await?, None)
}

async fn current_token_is_rotated(sessions: Subject, data: CaseData) -> Outcome {
    let session = open_new(&sessions, &data).await?;
    let expected = Session {
        refresh_hash: format!("{}-1", session.id),
        last_seen_at: data.after(10),
        expires_at: data.after(2_010),
        ..session.clone()
    };
    let rotated = rotate(&sessions, &session, 0, 1, data.after(10)).await?;
    expect_eq(rotated, Rotation::Rotated(expected.clone()))?;
    expect_eq(sessions.live(&session.id, data.after(1_500)).await?, Some(expected))?;
    let next = rotate(&sessions, &session, 1, 2, data.after(1_600)).await?;
    expect_true(matches!(next, Rotation::Rotated(_)), "the new token is not valid in the extended session")
}

async fn reused_token_ends_the_session(sessions: Subject, data: CaseData) -> Outcome {
    let session = open_new(&sessions, &data).await?;
    rotate(&sessions, &session, 0, 1, data.after(1)).await?;
    match rotate(&sessions, &session, 0, 2, data.after(2)).await? {
        Rotation::Reused(ended) => {
            expect_eq((ended.id, ended.user_id), (session.id.clone(), session.user_id.clone()))?;
        }
        other => return expect_eq(format!("{other:?}"), "Reused".to_owned()),
    }
    expect_eq(sessions.live(&session.id, data.after(3)).await?, None)?;
    expect_eq(rotate(&sessions, &session, 1, 3, data.after(3)).await?, Rotation::Unknown)?;
    expect_eq(rotate(&sessions, &session, 0, 3, data.after(3)).await?, Rotation::Unknown)
}

async fn old_reused_token_ends_the_session(sessions: Subject, data: CaseData) -> Outcome {
    let session = open_new(&sessions, &data).await?;
    for n in 0..5 {
        rotate(&sessions, &session, n, n + 1, data.after(1)).await?;
    }
    let reused = rotate(&sessions, &session, 1, 9, data.after(2)).await?;
    expect_true(matches!(reused, Rotation::Reused(_)), "a token that was valid once counts as unknown")?;
    expect_eq(sessions.live(&session.id, data.after(3)).await?, None)
}

async fn unknown_token_changes_nothing(sessions: Subject, data: CaseData) -> Outcome {
    let session = open_new(&sessions, &data).await?;
    expect_eq(rotate(&sessions, &session, 7, 8, data.after(1)).await?, Rotation::Unknown)?;
    let stranger = Session { id: SessionId::trusted(data.id()), ..session.clone() };
    expect_eq(rotate(&sessions, &stranger, 0, 1, data.after(1)).await?, Rotation::Unknown)?;
    expect_eq(sessions.live(&session.id, data.after(2)).await?, Some(session))
}

async fn expired_session_is_not_rotated(sessions: Subject, data: CaseData) -> Outcome {
    let session = open_new(&sessions, &data).await?;
    expect_eq(rotate(&sessions, &session, 0, 1, data.after(1_000)).await?, Rotation::Unknown)
}

async fn one_of_twenty_concurrent_rotations_succeeds(sessions: Subject, data: CaseData) -> Outcome {
    let session = open_new(&sessions, &data).await?;
    let answers = concurrently(20, |n| {
        let (sessions, session, now) = (Arc::clone(&sessions), session.clone(), data.after(1));
        async move { rotate(&sessions, &session, 0, 100 + n as u32, now).await }
    })
    .await?;
    expect_eq(answers.iter().filter(|answer| matches!(answer, Rotation::Rotated(_))).count(), 1)?;
    expect_eq(answers.iter().filter(|answer| matches!(answer, Rotation::Reused(_))).count(), 1)?;
    expect_eq(sessions.live(&session.id, data.after(2)).await?, None)
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
        sessions.open(session).await?;
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
        sessions.open(session).await?;
    }
    open_new(&sessions, &data).await?;
    let listed = sessions.list(&user, data.after(700)).await?;
    expect_eq(listed, vec![third.clone(), second.clone(), first])?;
    expect_eq(sessions.list(&user, data.after(1_200)).await?, vec![third, second])?;
    expect_eq(sessions.list(&data.user_id(), data.now).await?, Vec::new())
}

//! `Sessions`.

use std::sync::Arc;

use super::{Case, Outcome, World, at_once, cases, same, sorted, yes};
use crate::id::{SessionId, UserId};
use crate::ports::{Sessions, StoreResult};
use crate::session::{Rotation, Session};
use crate::time::Time;

type Subject = Arc<dyn Sessions>;

/// Every case of [`Sessions`].
pub fn sessions() -> Vec<Case<Subject>> {
    cases![
        a_session_lives_until_it_expires,
        a_good_token_is_rotated,
        a_token_shown_again_ends_the_session,
        a_token_of_long_ago_ends_the_session_too,
        a_token_that_was_never_good_harms_nobody,
        an_expired_session_is_not_rotated,
        of_twenty_rotations_of_one_token_one_succeeds,
        only_the_owner_ends_a_session_and_only_once,
        all_but_one_are_ended,
        the_list_is_newest_first_and_only_the_living,
    ]
}

fn session(world: &World, user: &UserId, opened: u64) -> Session {
    let id = SessionId::trusted(world.id());
    Session {
        refresh_hash: format!("{id}-0"),
        id,
        user_id: user.clone(),
        device: "Firefox; \"quoted\" ıİ".to_owned(),
        created_at: world.after(opened),
        last_seen_at: world.after(opened),
        expires_at: world.after(opened + 1_000),
    }
}

async fn opened(sessions: &Subject, world: &World) -> StoreResult<Session> {
    let session = session(world, &world.user_id(), 0);
    sessions.open(&session).await?;
    Ok(session)
}

/// Shows the session's `shown`th token and offers the `new`th.
async fn rotate(sessions: &Subject, of: &Session, shown: u32, new: u32, now: Time) -> StoreResult<Rotation> {
    let [shown, new] = [shown, new].map(|n| format!("{}-{n}", of.id));
    sessions.rotate(&of.id, &shown, &new, now, now + std::time::Duration::from_secs(2_000)).await
}

async fn a_session_lives_until_it_expires(sessions: Subject, world: World) -> Outcome {
    let session = opened(&sessions, &world).await?;
    same(sessions.live(&session.id, world.now).await?, Some(session.clone()))?;
    same(sessions.live(&session.id, world.after(999)).await?, Some(session.clone()))?;
    same(sessions.live(&session.id, world.after(1_000)).await?, None)?;
    same(sessions.live(&SessionId::trusted(world.id()), world.now).await?, None)
}

async fn a_good_token_is_rotated(sessions: Subject, world: World) -> Outcome {
    let session = opened(&sessions, &world).await?;
    let expected = Session {
        refresh_hash: format!("{}-1", session.id),
        last_seen_at: world.after(10),
        expires_at: world.after(2_010),
        ..session.clone()
    };
    let rotated = rotate(&sessions, &session, 0, 1, world.after(10)).await?;
    same(rotated, Rotation::Rotated(expected.clone()))?;
    same(sessions.live(&session.id, world.after(1_500)).await?, Some(expected))?;
    let next = rotate(&sessions, &session, 1, 2, world.after(1_600)).await?;
    yes(matches!(next, Rotation::Rotated(_)), "the new token is good, and the session lives longer")
}

async fn a_token_shown_again_ends_the_session(sessions: Subject, world: World) -> Outcome {
    let session = opened(&sessions, &world).await?;
    rotate(&sessions, &session, 0, 1, world.after(1)).await?;
    match rotate(&sessions, &session, 0, 2, world.after(2)).await? {
        Rotation::Reused(ended) => {
            same((ended.id, ended.user_id), (session.id.clone(), session.user_id.clone()))?;
        }
        other => return same(format!("{other:?}"), "Reused".to_owned()),
    }
    same(sessions.live(&session.id, world.after(3)).await?, None)?;
    same(rotate(&sessions, &session, 1, 3, world.after(3)).await?, Rotation::Unknown)?;
    same(rotate(&sessions, &session, 0, 3, world.after(3)).await?, Rotation::Unknown)
}

async fn a_token_of_long_ago_ends_the_session_too(sessions: Subject, world: World) -> Outcome {
    let session = opened(&sessions, &world).await?;
    for n in 0..5 {
        rotate(&sessions, &session, n, n + 1, world.after(1)).await?;
    }
    let reused = rotate(&sessions, &session, 1, 9, world.after(2)).await?;
    yes(matches!(reused, Rotation::Reused(_)), "every token that was good once is remembered")?;
    same(sessions.live(&session.id, world.after(3)).await?, None)
}

async fn a_token_that_was_never_good_harms_nobody(sessions: Subject, world: World) -> Outcome {
    let session = opened(&sessions, &world).await?;
    same(rotate(&sessions, &session, 7, 8, world.after(1)).await?, Rotation::Unknown)?;
    let stranger = Session { id: SessionId::trusted(world.id()), ..session.clone() };
    same(rotate(&sessions, &stranger, 0, 1, world.after(1)).await?, Rotation::Unknown)?;
    same(sessions.live(&session.id, world.after(2)).await?, Some(session))
}

async fn an_expired_session_is_not_rotated(sessions: Subject, world: World) -> Outcome {
    let session = opened(&sessions, &world).await?;
    same(rotate(&sessions, &session, 0, 1, world.after(1_000)).await?, Rotation::Unknown)
}

async fn of_twenty_rotations_of_one_token_one_succeeds(sessions: Subject, world: World) -> Outcome {
    let session = opened(&sessions, &world).await?;
    let answers = at_once(20, |n| {
        let (sessions, session, now) = (Arc::clone(&sessions), session.clone(), world.after(1));
        async move { rotate(&sessions, &session, 0, 100 + n as u32, now).await }
    })
    .await?;
    same(answers.iter().filter(|answer| matches!(answer, Rotation::Rotated(_))).count(), 1)?;
    same(answers.iter().filter(|answer| matches!(answer, Rotation::Reused(_))).count(), 1)?;
    same(sessions.live(&session.id, world.after(2)).await?, None)
}

async fn only_the_owner_ends_a_session_and_only_once(sessions: Subject, world: World) -> Outcome {
    let session = opened(&sessions, &world).await?;
    same(sessions.end(&world.user_id(), &session.id).await?, false)?;
    same(sessions.live(&session.id, world.now).await?, Some(session.clone()))?;
    let ended = at_once(10, |_| {
        let (sessions, session) = (Arc::clone(&sessions), session.clone());
        async move { sessions.end(&session.user_id, &session.id).await }
    })
    .await?;
    same(ended.into_iter().filter(|ended| *ended).count(), 1)?;
    same(sessions.live(&session.id, world.now).await?, None)?;
    same(rotate(&sessions, &session, 0, 1, world.after(1)).await?, Rotation::Unknown)?;
    same(sessions.list(&session.user_id, world.now).await?, Vec::new())
}

async fn all_but_one_are_ended(sessions: Subject, world: World) -> Outcome {
    let user = world.user_id();
    let mine = [0, 1, 2].map(|n| session(&world, &user, n));
    for session in &mine {
        sessions.open(session).await?;
    }
    let other = opened(&sessions, &world).await?;
    let ended = sessions.end_all(&user, Some(&mine[1].id)).await?;
    same(sorted(ended), sorted([mine[0].id.clone(), mine[2].id.clone()]))?;
    same(sessions.list(&user, world.after(3)).await?, vec![mine[1].clone()])?;
    same(sessions.end_all(&user, None).await?, vec![mine[1].id.clone()])?;
    same(sessions.end_all(&user, None).await?, Vec::new())?;
    same(sessions.live(&other.id, world.now).await?, Some(other))
}

async fn the_list_is_newest_first_and_only_the_living(sessions: Subject, world: World) -> Outcome {
    let user = world.user_id();
    let [first, second, third] = [0, 500, 600].map(|n| session(&world, &user, n));
    for session in [&second, &first, &third] {
        sessions.open(session).await?;
    }
    opened(&sessions, &world).await?;
    let listed = sessions.list(&user, world.after(700)).await?;
    same(listed, vec![third.clone(), second.clone(), first])?;
    same(sessions.list(&user, world.after(1_200)).await?, vec![third, second])?;
    same(sessions.list(&world.user_id(), world.now).await?, Vec::new())
}

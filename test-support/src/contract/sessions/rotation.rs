//! Cases of `Sessions::rotate`.

use std::sync::Arc;
use std::time::Duration;

use shared::id::SessionId;
use shared::ports::StoreResult;
use shared::session::{Rotation, RotationRequest, Session};
use shared::time::Time;

use super::{Subject, open_new};
use crate::contract::{Case, CaseData, Outcome, cases, concurrently, expect_eq, expect_some, expect_true};

/// Every case of `Sessions::rotate`.
pub(super) fn rotation() -> Vec<Case<Subject>> {
    cases![
        current_token_is_rotated,
        replaced_token_gets_the_same_successor_within_the_grace_period,
        replaced_token_ends_the_session_after_the_grace_period,
        token_before_the_replaced_one_ends_the_session_within_the_grace_period,
        without_a_grace_period_every_replaced_token_ends_the_session,
        old_reused_token_ends_the_session,
        unknown_token_changes_nothing,
        expired_session_is_not_rotated,
        session_never_outlives_its_lifetime,
        twenty_concurrent_rotations_of_one_token_get_one_successor,
        two_tabs_that_refresh_at_the_same_moment_for_two_minutes_stay_logged_in,
    ]
}

/// The grace period of [`rotate`], in seconds.
const GRACE: u64 = 10;

fn request(of: &Session, shown: &str, new: &str, now: Time) -> RotationRequest {
    RotationRequest {
        id: of.id.clone(),
        shown_hash: shown.to_owned(),
        new_hash: new.to_owned(),
        sealed_token: format!("sealed {new}"),
        now,
        expires_at: now + Duration::from_secs(2_000),
        lifetime: Duration::from_secs(1_000_000),
        grace: Duration::from_secs(GRACE),
    }
}

/// Rotates the session's token number `shown` to number `new`.
pub(super) async fn rotate(
    sessions: &Subject,
    of: &Session,
    shown: u32,
    new: u32,
    now: Time,
) -> StoreResult<Rotation> {
    let [shown, new] = [shown, new].map(|n| format!("{}-{n}", of.id));
    sessions.rotate(&request(of, &shown, &new, now)).await
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

async fn replaced_token_gets_the_same_successor_within_the_grace_period(
    sessions: Subject,
    data: CaseData,
) -> Outcome {
    let session = open_new(&sessions, &data).await?;
    rotate(&sessions, &session, 0, 1, data.after(100)).await?;
    let current = sessions.live(&session.id, data.after(100)).await?;
    // The second one was received before the rotation and handled after it.
    for (new, second) in [(2, 100), (3, 99), (4, 100 + GRACE - 1)] {
        let sealed_token = format!("sealed {}-1", session.id);
        let expected = current.clone().map(|session| Rotation::Repeated { session, sealed_token });
        expect_eq(Some(rotate(&sessions, &session, 0, new, data.after(second)).await?), expected)?;
        expect_eq(sessions.live(&session.id, data.after(second)).await?, current.clone())?;
    }
    let next = rotate(&sessions, &session, 1, 5, data.after(200)).await?;
    expect_true(matches!(next, Rotation::Rotated(_)), "a repeat has changed the current token")
}

async fn replaced_token_ends_the_session_after_the_grace_period(
    sessions: Subject,
    data: CaseData,
) -> Outcome {
    let session = open_new(&sessions, &data).await?;
    rotate(&sessions, &session, 0, 1, data.after(1)).await?;
    let late = data.after(1 + GRACE);
    match rotate(&sessions, &session, 0, 2, late).await? {
        Rotation::Reused(ended) => {
            expect_eq((ended.id, ended.user_id), (session.id.clone(), session.user_id.clone()))?;
        }
        other => return expect_eq(format!("{other:?}"), "Reused".to_owned()),
    }
    expect_eq(sessions.live(&session.id, late).await?, None)?;
    expect_eq(rotate(&sessions, &session, 1, 3, late).await?, Rotation::Unknown)?;
    expect_eq(rotate(&sessions, &session, 0, 3, late).await?, Rotation::Unknown)
}

async fn token_before_the_replaced_one_ends_the_session_within_the_grace_period(
    sessions: Subject,
    data: CaseData,
) -> Outcome {
    let session = open_new(&sessions, &data).await?;
    rotate(&sessions, &session, 0, 1, data.after(1)).await?;
    rotate(&sessions, &session, 1, 2, data.after(2)).await?;
    let repeated = rotate(&sessions, &session, 1, 3, data.after(3)).await?;
    expect_true(matches!(repeated, Rotation::Repeated { .. }), "the preceding token was refused")?;
    let reused = rotate(&sessions, &session, 0, 4, data.after(3)).await?;
    expect_true(matches!(reused, Rotation::Reused(_)), "an older token was accepted")?;
    expect_eq(sessions.live(&session.id, data.after(3)).await?, None)
}

async fn without_a_grace_period_every_replaced_token_ends_the_session(
    sessions: Subject,
    data: CaseData,
) -> Outcome {
    let session = open_new(&sessions, &data).await?;
    let strict = |shown: u32, new: u32| {
        let [shown, new] = [shown, new].map(|n| format!("{}-{n}", session.id));
        RotationRequest { grace: Duration::ZERO, ..request(&session, &shown, &new, data.after(1)) }
    };
    sessions.rotate(&strict(0, 1)).await?;
    let reused = sessions.rotate(&strict(0, 2)).await?;
    expect_true(matches!(reused, Rotation::Reused(_)), "the repeat was answered")
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

async fn session_never_outlives_its_lifetime(sessions: Subject, data: CaseData) -> Outcome {
    let session = open_new(&sessions, &data).await?;
    let short = |shown: u32, new: u32, second: u64| {
        let [shown, new] = [shown, new].map(|n| format!("{}-{n}", session.id));
        let lifetime = Duration::from_secs(1_500);
        RotationRequest { lifetime, ..request(&session, &shown, &new, data.after(second)) }
    };
    for (shown, second, expires) in [(0, 900, 1_500), (1, 1_499, 1_500)] {
        match sessions.rotate(&short(shown, shown + 1, second)).await? {
            Rotation::Rotated(session) => expect_eq(session.expires_at, data.after(expires))?,
            other => return expect_eq(format!("{other:?}"), "Rotated".to_owned()),
        }
    }
    expect_eq(sessions.live(&session.id, data.after(1_500)).await?, None)?;
    expect_eq(sessions.rotate(&short(2, 3, 1_500)).await?, Rotation::Unknown)
}

async fn twenty_concurrent_rotations_of_one_token_get_one_successor(
    sessions: Subject,
    data: CaseData,
) -> Outcome {
    let session = open_new(&sessions, &data).await?;
    let answers = concurrently(20, |n| {
        let (sessions, session, now) = (Arc::clone(&sessions), session.clone(), data.after(1));
        async move { rotate(&sessions, &session, 0, 100 + n as u32, now).await }
    })
    .await?;
    let winner = answers.iter().find_map(|answer| match answer {
        Rotation::Rotated(session) => Some(session.clone()),
        _ => None,
    });
    let winner = expect_some(winner)?;
    let sealed_token = format!("sealed {}", winner.refresh_hash);
    let repeated = Rotation::Repeated { session: winner.clone(), sealed_token };
    expect_eq(answers.iter().filter(|answer| **answer == repeated).count(), 19)?;
    expect_eq(sessions.live(&session.id, data.after(2)).await?, Some(winner))
}

/// Both tabs show the token that they received last. Every third time the second tab is a while later than the first.
async fn two_tabs_that_refresh_at_the_same_moment_for_two_minutes_stay_logged_in(
    sessions: Subject,
    data: CaseData,
) -> Outcome {
    let session = open_new(&sessions, &data).await?;
    let mut token = session.refresh_hash.clone();
    for n in 0..24 {
        let second = 5 * n;
        let delays = if n % 3 == 2 { [0, 4] } else { [0, 0] };
        let answers = concurrently(2, |tab| {
            let now = data.after(second + delays[tab]);
            let request = request(&session, &token, &format!("{}-{n}-{tab}", session.id), now);
            let sessions = Arc::clone(&sessions);
            async move { sessions.rotate(&request).await }
        })
        .await?;
        let successors: Vec<String> = answers
            .iter()
            .map(|answer| match answer {
                Rotation::Rotated(session) => format!("sealed {}", session.refresh_hash),
                Rotation::Repeated { sealed_token, .. } => sealed_token.clone(),
                refused => format!("{refused:?}"),
            })
            .collect();
        expect_eq(&successors[0], &successors[1])?;
        token = successors[0].trim_start_matches("sealed ").to_owned();
        expect_true(sessions.live(&session.id, data.after(second)).await?.is_some(), "logged out")?;
    }
    Ok(())
}

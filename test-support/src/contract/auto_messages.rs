//! Cases of `AutoMessages`. The times of two cases are days apart, so "due at now" finds only a case's own rows.

use std::collections::BTreeSet;
use std::sync::Arc;

use shared::auto_message::AutoMessage;
use shared::id::{AutoMessageId, UserId};
use shared::ports::{AutoMessages, StoreResult};

use super::{
    Case, CaseData, Failure, Outcome, cases, concurrently, expect_eq, expect_some, expect_true, sorted,
};

type Subject = Arc<dyn AutoMessages>;

/// Every case of [`AutoMessages`].
pub fn auto_messages() -> Vec<Case<Subject>> {
    cases![
        planned_row_is_returned_unchanged,
        day_is_planned_once,
        ten_concurrent_planners_plan_once,
        user_takes_part_once_a_day,
        concurrent_planners_with_other_pairs_use_each_user_once,
        planned_users_contains_senders_and_receivers,
        due_rows_are_claimed_oldest_first,
        leased_rows_are_claimed_again_when_the_lease_expires,
        queued_rows_are_never_claimed_again,
        concurrent_claims_never_share_a_row,
        backlog_counts_due_unqueued_rows,
        sent_mark_is_stored,
    ]
}

/// Rows of one day, due one second apart, the first at `now` plus `first` seconds.
fn rows(data: &CaseData, day: &str, count: u64, first: i64) -> Vec<AutoMessage> {
    let day = format!("{day}-{}", data.tag);
    let row = |n: u64| AutoMessage {
        id: AutoMessageId::trusted(format!("{}-{n:03}-{}", data.tag, data.id())),
        sender_id: data.user_id(),
        receiver_id: data.user_id(),
        content: format!("günaydın {n} 👋"),
        send_date: if first < 0 { data.before(first.unsigned_abs() - n) } else { data.after(n) },
        planned_for: day.clone(),
        is_queued: false,
        is_sent: false,
        attempts: 0,
    };
    (0..count).map(row).collect()
}

fn ids(rows: &[AutoMessage]) -> Vec<AutoMessageId> {
    rows.iter().map(|row| row.id.clone()).collect()
}

/// Marks the rows as queued, so that nothing is due in a later case.
async fn mark_all_queued(auto_messages: &Subject, rows: &[AutoMessage]) -> Outcome {
    Ok(auto_messages.mark_queued(&ids(rows)).await?)
}

async fn planned_row_is_returned_unchanged(auto_messages: Subject, data: CaseData) -> Outcome {
    let planned = rows(&data, "whole", 3, -60);
    expect_eq(auto_messages.plan(&planned).await?, 3)?;
    for row in &planned {
        expect_eq(auto_messages.get(&row.id).await?.as_ref(), Some(row))?;
    }
    expect_eq(auto_messages.get(&AutoMessageId::trusted(data.id())).await?, None)?;
    expect_eq(auto_messages.plan(&[]).await?, 0)?;
    mark_all_queued(&auto_messages, &planned).await
}

async fn day_is_planned_once(auto_messages: Subject, data: CaseData) -> Outcome {
    let planned = rows(&data, "monday", 3, -60);
    expect_eq(auto_messages.plan(&planned[..2]).await?, 2)?;
    let again: Vec<_> = planned
        .iter()
        .map(|row| AutoMessage {
            content: "other words".to_owned(),
            receiver_id: data.user_id(),
            ..row.clone()
        })
        .collect();
    expect_eq(auto_messages.plan(&again).await?, 1)?;
    expect_eq(auto_messages.plan(&again).await?, 0)?;
    expect_eq(auto_messages.get(&planned[0].id).await?, Some(planned[0].clone()))?;
    let same_sender = AutoMessage { id: AutoMessageId::trusted(data.id()), ..planned[0].clone() };
    expect_eq(auto_messages.plan(std::slice::from_ref(&same_sender)).await?, 0)?;
    let tuesday = AutoMessage { planned_for: format!("tuesday-{}", data.tag), ..same_sender };
    expect_eq(auto_messages.plan(std::slice::from_ref(&tuesday)).await?, 1)?;
    mark_all_queued(&auto_messages, &planned).await?;
    mark_all_queued(&auto_messages, &[tuesday]).await
}

async fn ten_concurrent_planners_plan_once(auto_messages: Subject, data: CaseData) -> Outcome {
    let planned = Arc::new(rows(&data, "race", 50, -60));
    let new = concurrently(10, |_| {
        let (auto_messages, planned) = (Arc::clone(&auto_messages), Arc::clone(&planned));
        async move { auto_messages.plan(&planned).await }
    })
    .await?;
    expect_eq(new.into_iter().sum::<u64>(), 50)?;
    expect_eq(auto_messages.backlog(data.now).await?, 50)?;
    mark_all_queued(&auto_messages, &planned).await
}

/// A row between two users, on the day of `template`.
fn row_between(data: &CaseData, template: &AutoMessage, from: &UserId, to: &UserId) -> AutoMessage {
    let (sender_id, receiver_id) = (from.clone(), to.clone());
    AutoMessage { id: AutoMessageId::trusted(data.id()), sender_id, receiver_id, ..template.clone() }
}

async fn user_takes_part_once_a_day(auto_messages: Subject, data: CaseData) -> Outcome {
    let first = rows(&data, "parts", 1, -60).remove(0);
    let (a, b, c, d) = (&first.sender_id, &first.receiver_id, &data.user_id(), &data.user_id());
    expect_eq(auto_messages.plan(std::slice::from_ref(&first)).await?, 1)?;
    let taken = [(a, c), (c, a), (b, c), (c, b), (b, a)];
    let taken: Vec<_> = taken.iter().map(|(from, to)| row_between(&data, &first, from, to)).collect();
    expect_eq(auto_messages.plan(&taken).await?, 0)?;
    // Both in one call: the first row is stored.
    let both = [row_between(&data, &first, c, d), row_between(&data, &first, d, c)];
    expect_eq(auto_messages.plan(&both).await?, 1)?;
    expect_eq(auto_messages.get(&both[0].id).await?, Some(both[0].clone()))?;
    expect_eq(
        sorted(auto_messages.planned_users(&first.planned_for, &[c.clone(), d.clone()]).await?).len(),
        2,
    )?;
    let tomorrow = AutoMessage { planned_for: format!("next-{}", data.tag), ..taken[4].clone() };
    expect_eq(auto_messages.plan(std::slice::from_ref(&tomorrow)).await?, 1)?;
    mark_all_queued(&auto_messages, &[first, both[0].clone(), tomorrow]).await
}

async fn concurrent_planners_with_other_pairs_use_each_user_once(
    auto_messages: Subject,
    data: CaseData,
) -> Outcome {
    let template = rows(&data, "rivals", 1, -60).remove(0);
    let people: Vec<UserId> = (0..60).map(|_| data.user_id()).collect();
    // Each planner pairs the same users at another distance.
    let plans: Arc<Vec<Vec<AutoMessage>>> = Arc::new(
        (0..6)
            .map(|shift| {
                let pairs = (0..30).map(|n| (&people[n], &people[30 + (n + shift) % 30]));
                let turned = pairs.map(|(a, b)| if shift % 2 == 0 { (a, b) } else { (b, a) });
                turned.map(|(from, to)| row_between(&data, &template, from, to)).collect()
            })
            .collect(),
    );
    let new = concurrently(6, |n| {
        let (auto_messages, plans) = (Arc::clone(&auto_messages), Arc::clone(&plans));
        async move { auto_messages.plan(&plans[n]).await }
    })
    .await?;
    let mut stored = Vec::new();
    for row in plans.iter().flatten() {
        stored.extend(auto_messages.get(&row.id).await?);
    }
    expect_eq(new.into_iter().sum::<u64>(), stored.len() as u64)?;
    let parts: Vec<&UserId> = stored.iter().flat_map(|row| [&row.sender_id, &row.receiver_id]).collect();
    expect_eq(parts.iter().collect::<BTreeSet<_>>().len(), parts.len())?;
    expect_true(stored.len() > 10, "concurrent planners refused almost every row")?;
    mark_all_queued(&auto_messages, &stored).await
}

async fn planned_users_contains_senders_and_receivers(auto_messages: Subject, data: CaseData) -> Outcome {
    let planned = rows(&data, "part", 2, -60);
    auto_messages.plan(&planned).await?;
    let other_user = data.user_id();
    let all_users: Vec<UserId> = planned
        .iter()
        .flat_map(|row| [row.sender_id.clone(), row.receiver_id.clone()])
        .chain([other_user.clone()])
        .collect();
    let day = &planned[0].planned_for;
    expect_eq(
        sorted(auto_messages.planned_users(day, &all_users).await?),
        sorted(all_users[..4].iter().cloned()),
    )?;
    expect_eq(auto_messages.planned_users(day, &all_users[1..2]).await?, all_users[1..2].to_vec())?;
    expect_eq(auto_messages.planned_users(day, &[other_user]).await?, Vec::new())?;
    expect_eq(auto_messages.planned_users(day, &[]).await?, Vec::new())?;
    expect_eq(auto_messages.planned_users("another day", &all_users).await?, Vec::new())?;
    mark_all_queued(&auto_messages, &planned).await
}

async fn claimed(
    auto_messages: &Subject,
    data: &CaseData,
    at: u64,
    limit: u32,
) -> StoreResult<Vec<AutoMessage>> {
    auto_messages.claim(data.after(at), data.after(at + 100), limit).await
}

async fn due_rows_are_claimed_oldest_first(auto_messages: Subject, data: CaseData) -> Outcome {
    let planned = rows(&data, "due", 5, 0);
    let mut shuffled = planned.clone();
    shuffled.reverse();
    auto_messages.plan(&shuffled).await?;
    let first = claimed(&auto_messages, &data, 3, 2).await?;
    let expected: Vec<_> =
        planned[..2].iter().map(|row| AutoMessage { attempts: 1, ..row.clone() }).collect();
    expect_eq(first, expected)?;
    expect_eq(ids(&claimed(&auto_messages, &data, 3, 100).await?), ids(&planned[2..4]))?;
    expect_eq(ids(&claimed(&auto_messages, &data, 3, 100).await?), Vec::new())?;
    expect_eq(ids(&claimed(&auto_messages, &data, 4, 100).await?), ids(&planned[4..]))?;
    mark_all_queued(&auto_messages, &planned).await
}

async fn leased_rows_are_claimed_again_when_the_lease_expires(
    auto_messages: Subject,
    data: CaseData,
) -> Outcome {
    let planned = rows(&data, "lease", 3, -60);
    auto_messages.plan(&planned).await?;
    expect_eq(claimed(&auto_messages, &data, 0, 100).await?.len(), 3)?;
    expect_eq(claimed(&auto_messages, &data, 99, 100).await?, Vec::new())?;
    let again = claimed(&auto_messages, &data, 100, 100).await?;
    expect_eq(ids(&again), ids(&planned))?;
    expect_true(again.iter().all(|row| row.attempts == 2), "a claim was not counted as an attempt")?;
    expect_eq(expect_some(auto_messages.get(&planned[0].id).await?)?.attempts, 2)?;
    expect_eq(claimed(&auto_messages, &data, 150, 100).await?, Vec::new())?;
    mark_all_queued(&auto_messages, &planned).await
}

async fn queued_rows_are_never_claimed_again(auto_messages: Subject, data: CaseData) -> Outcome {
    let planned = rows(&data, "queued", 3, -60);
    auto_messages.plan(&planned).await?;
    claimed(&auto_messages, &data, 0, 100).await?;
    auto_messages.mark_queued(&ids(&planned[..2])).await?;
    auto_messages.mark_queued(&ids(&planned[..2])).await?;
    auto_messages.mark_queued(&[]).await?;
    expect_true(
        expect_some(auto_messages.get(&planned[0].id).await?)?.is_queued,
        "the row is not marked as queued",
    )?;
    expect_eq(ids(&claimed(&auto_messages, &data, 1_000, 100).await?), ids(&planned[2..]))?;
    expect_eq(auto_messages.plan(&planned).await?, 0)?;
    expect_eq(claimed(&auto_messages, &data, 1_001, 100).await?, Vec::new())?;
    mark_all_queued(&auto_messages, &planned).await
}

async fn concurrent_claims_never_share_a_row(auto_messages: Subject, data: CaseData) -> Outcome {
    let planned = rows(&data, "race", 100, -600);
    auto_messages.plan(&planned).await?;
    let mut all = Vec::new();
    for _ in 0..3 {
        let lists = concurrently(10, |_| {
            let (auto_messages, data) = (Arc::clone(&auto_messages), data.clone());
            async move { claimed(&auto_messages, &data, 0, 7).await }
        })
        .await?;
        expect_true(lists.iter().all(|list| list.len() <= 7), "a claim returned more rows than its limit")?;
        all.extend(lists.into_iter().flatten());
    }
    all.extend(claimed(&auto_messages, &data, 0, 100).await?);
    expect_eq(all.len(), 100)?;
    expect_eq(all.iter().map(|row| &row.id).collect::<BTreeSet<_>>().len(), 100)?;
    expect_true(all.iter().all(|row| row.attempts == 1), "a row was claimed twice")?;
    mark_all_queued(&auto_messages, &planned).await
}

async fn backlog_counts_due_unqueued_rows(auto_messages: Subject, data: CaseData) -> Outcome {
    expect_eq(auto_messages.backlog(data.now).await?, 0)?;
    let planned = rows(&data, "backlog", 5, 0);
    auto_messages.plan(&planned).await?;
    expect_eq(auto_messages.backlog(data.after(2)).await?, 3)?;
    claimed(&auto_messages, &data, 2, 100).await?;
    expect_eq(auto_messages.backlog(data.after(2)).await?, 3)?;
    auto_messages.mark_queued(&ids(&planned[..2])).await?;
    expect_eq(auto_messages.backlog(data.after(2)).await?, 1)?;
    expect_eq(auto_messages.backlog(data.after(100)).await?, 3)?;
    mark_all_queued(&auto_messages, &planned).await
}

async fn sent_mark_is_stored(auto_messages: Subject, data: CaseData) -> Outcome {
    let planned = rows(&data, "sent", 2, -60);
    auto_messages.plan(&planned).await?;
    auto_messages.mark_queued(&ids(&planned)).await?;
    for _ in 0..2 {
        auto_messages.mark_sent(&planned[0].id).await?;
    }
    auto_messages.mark_sent(&AutoMessageId::trusted(data.id())).await?;
    let states: Result<Vec<bool>, Failure> = futures::future::try_join_all(
        planned.iter().map(|row| async { Ok(expect_some(auto_messages.get(&row.id).await?)?.is_sent) }),
    )
    .await;
    expect_eq(states?, vec![true, false])
}

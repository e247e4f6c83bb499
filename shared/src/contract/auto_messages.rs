//! `AutoMessages`. Worlds are so far apart that "due at now" finds this case's rows only.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Case, Failure, Outcome, World, at_once, cases, same, some, sorted, yes};
use crate::auto_message::AutoMessage;
use crate::id::{AutoMessageId, UserId};
use crate::ports::{AutoMessages, StoreResult};

type Subject = Arc<dyn AutoMessages>;

/// Every case of [`AutoMessages`].
pub fn auto_messages() -> Vec<Case<Subject>> {
    cases![
        a_planned_row_comes_back_whole,
        a_day_is_planned_once,
        ten_planners_at_once_plan_once,
        nobody_has_two_parts_in_a_day,
        planners_with_different_pairs_give_nobody_two_parts,
        who_takes_part_is_known,
        due_rows_are_claimed_oldest_first,
        a_lease_keeps_others_out_until_it_ends,
        what_the_broker_has_is_never_claimed_again,
        concurrent_claims_never_share_a_row,
        the_backlog_is_what_is_due_and_unqueued,
        sent_is_remembered,
    ]
}

/// Rows of one day, due every second from `first` on.
fn rows(world: &World, day: &str, count: u64, first: i64) -> Vec<AutoMessage> {
    let day = format!("{day}-{}", world.tag);
    let row = |n: u64| AutoMessage {
        id: AutoMessageId::trusted(format!("{}-{n:03}-{}", world.tag, world.id())),
        sender_id: world.user_id(),
        receiver_id: world.user_id(),
        content: format!("günaydın {n} 👋"),
        send_date: if first < 0 { world.before(first.unsigned_abs() - n) } else { world.after(n) },
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

/// Leaves nothing due for a later case.
async fn finish(autos: &Subject, rows: &[AutoMessage]) -> Outcome {
    Ok(autos.mark_queued(&ids(rows)).await?)
}

async fn a_planned_row_comes_back_whole(autos: Subject, world: World) -> Outcome {
    let planned = rows(&world, "whole", 3, -60);
    same(autos.plan(&planned).await?, 3)?;
    for row in &planned {
        same(autos.get(&row.id).await?.as_ref(), Some(row))?;
    }
    same(autos.get(&AutoMessageId::trusted(world.id())).await?, None)?;
    same(autos.plan(&[]).await?, 0)?;
    finish(&autos, &planned).await
}

async fn a_day_is_planned_once(autos: Subject, world: World) -> Outcome {
    let planned = rows(&world, "monday", 3, -60);
    same(autos.plan(&planned[..2]).await?, 2)?;
    let again: Vec<_> = planned
        .iter()
        .map(|row| AutoMessage {
            content: "other words".to_owned(),
            receiver_id: world.user_id(),
            ..row.clone()
        })
        .collect();
    same(autos.plan(&again).await?, 1)?;
    same(autos.plan(&again).await?, 0)?;
    same(autos.get(&planned[0].id).await?, Some(planned[0].clone()))?;
    let same_sender = AutoMessage { id: AutoMessageId::trusted(world.id()), ..planned[0].clone() };
    same(autos.plan(std::slice::from_ref(&same_sender)).await?, 0)?;
    let tuesday = AutoMessage { planned_for: format!("tuesday-{}", world.tag), ..same_sender };
    same(autos.plan(std::slice::from_ref(&tuesday)).await?, 1)?;
    finish(&autos, &planned).await?;
    finish(&autos, &[tuesday]).await
}

async fn ten_planners_at_once_plan_once(autos: Subject, world: World) -> Outcome {
    let planned = Arc::new(rows(&world, "race", 50, -60));
    let new = at_once(10, |_| {
        let (autos, planned) = (Arc::clone(&autos), Arc::clone(&planned));
        async move { autos.plan(&planned).await }
    })
    .await?;
    same(new.into_iter().sum::<u64>(), 50)?;
    same(autos.backlog(world.now).await?, 50)?;
    finish(&autos, &planned).await
}

/// A row from one to the other, on the day of `like`.
fn pairing(world: &World, like: &AutoMessage, from: &UserId, to: &UserId) -> AutoMessage {
    let (sender_id, receiver_id) = (from.clone(), to.clone());
    AutoMessage { id: AutoMessageId::trusted(world.id()), sender_id, receiver_id, ..like.clone() }
}

async fn nobody_has_two_parts_in_a_day(autos: Subject, world: World) -> Outcome {
    let first = rows(&world, "parts", 1, -60).remove(0);
    let (a, b, c, d) = (&first.sender_id, &first.receiver_id, &world.user_id(), &world.user_id());
    same(autos.plan(std::slice::from_ref(&first)).await?, 1)?;
    let taken = [(a, c), (c, a), (b, c), (c, b), (b, a)];
    let taken: Vec<_> = taken.iter().map(|(from, to)| pairing(&world, &first, from, to)).collect();
    same(autos.plan(&taken).await?, 0)?;
    // Both within one call: the first of them stays.
    let both = [pairing(&world, &first, c, d), pairing(&world, &first, d, c)];
    same(autos.plan(&both).await?, 1)?;
    same(autos.get(&both[0].id).await?, Some(both[0].clone()))?;
    same(sorted(autos.planned_users(&first.planned_for, &[c.clone(), d.clone()]).await?).len(), 2)?;
    let tomorrow = AutoMessage { planned_for: format!("next-{}", world.tag), ..taken[4].clone() };
    same(autos.plan(std::slice::from_ref(&tomorrow)).await?, 1)?;
    finish(&autos, &[first, both[0].clone(), tomorrow]).await
}

async fn planners_with_different_pairs_give_nobody_two_parts(autos: Subject, world: World) -> Outcome {
    let like = rows(&world, "rivals", 1, -60).remove(0);
    let people: Vec<UserId> = (0..60).map(|_| world.user_id()).collect();
    // Each planner pairs the same people at another distance.
    let plans: Arc<Vec<Vec<AutoMessage>>> = Arc::new(
        (0..6)
            .map(|shift| {
                let pairs = (0..30).map(|n| (&people[n], &people[30 + (n + shift) % 30]));
                let turned = pairs.map(|(a, b)| if shift % 2 == 0 { (a, b) } else { (b, a) });
                turned.map(|(from, to)| pairing(&world, &like, from, to)).collect()
            })
            .collect(),
    );
    let new = at_once(6, |n| {
        let (autos, plans) = (Arc::clone(&autos), Arc::clone(&plans));
        async move { autos.plan(&plans[n]).await }
    })
    .await?;
    let mut stored = Vec::new();
    for row in plans.iter().flatten() {
        stored.extend(autos.get(&row.id).await?);
    }
    same(new.into_iter().sum::<u64>(), stored.len() as u64)?;
    let parts: Vec<&UserId> = stored.iter().flat_map(|row| [&row.sender_id, &row.receiver_id]).collect();
    same(parts.iter().collect::<BTreeSet<_>>().len(), parts.len())?;
    yes(stored.len() > 10, "rivals still plan")?;
    finish(&autos, &stored).await
}

async fn who_takes_part_is_known(autos: Subject, world: World) -> Outcome {
    let planned = rows(&world, "part", 2, -60);
    autos.plan(&planned).await?;
    let stranger = world.user_id();
    let everybody: Vec<UserId> = planned
        .iter()
        .flat_map(|row| [row.sender_id.clone(), row.receiver_id.clone()])
        .chain([stranger.clone()])
        .collect();
    let day = &planned[0].planned_for;
    same(sorted(autos.planned_users(day, &everybody).await?), sorted(everybody[..4].iter().cloned()))?;
    same(autos.planned_users(day, &everybody[1..2]).await?, everybody[1..2].to_vec())?;
    same(autos.planned_users(day, &[stranger]).await?, Vec::new())?;
    same(autos.planned_users(day, &[]).await?, Vec::new())?;
    same(autos.planned_users("another day", &everybody).await?, Vec::new())?;
    finish(&autos, &planned).await
}

async fn claimed(autos: &Subject, world: &World, at: u64, limit: u32) -> StoreResult<Vec<AutoMessage>> {
    autos.claim(world.after(at), world.after(at + 100), limit).await
}

async fn due_rows_are_claimed_oldest_first(autos: Subject, world: World) -> Outcome {
    let planned = rows(&world, "due", 5, 0);
    let mut shuffled = planned.clone();
    shuffled.reverse();
    autos.plan(&shuffled).await?;
    let first = claimed(&autos, &world, 3, 2).await?;
    let expected: Vec<_> =
        planned[..2].iter().map(|row| AutoMessage { attempts: 1, ..row.clone() }).collect();
    same(first, expected)?;
    same(ids(&claimed(&autos, &world, 3, 100).await?), ids(&planned[2..4]))?;
    same(ids(&claimed(&autos, &world, 3, 100).await?), Vec::new())?;
    same(ids(&claimed(&autos, &world, 4, 100).await?), ids(&planned[4..]))?;
    finish(&autos, &planned).await
}

async fn a_lease_keeps_others_out_until_it_ends(autos: Subject, world: World) -> Outcome {
    let planned = rows(&world, "lease", 3, -60);
    autos.plan(&planned).await?;
    same(claimed(&autos, &world, 0, 100).await?.len(), 3)?;
    same(claimed(&autos, &world, 99, 100).await?, Vec::new())?;
    let again = claimed(&autos, &world, 100, 100).await?;
    same(ids(&again), ids(&planned))?;
    yes(again.iter().all(|row| row.attempts == 2), "each claim counts")?;
    same(some(autos.get(&planned[0].id).await?)?.attempts, 2)?;
    same(claimed(&autos, &world, 150, 100).await?, Vec::new())?;
    finish(&autos, &planned).await
}

async fn what_the_broker_has_is_never_claimed_again(autos: Subject, world: World) -> Outcome {
    let planned = rows(&world, "queued", 3, -60);
    autos.plan(&planned).await?;
    claimed(&autos, &world, 0, 100).await?;
    autos.mark_queued(&ids(&planned[..2])).await?;
    autos.mark_queued(&ids(&planned[..2])).await?;
    autos.mark_queued(&[]).await?;
    yes(some(autos.get(&planned[0].id).await?)?.is_queued, "it says so")?;
    same(ids(&claimed(&autos, &world, 1_000, 100).await?), ids(&planned[2..]))?;
    same(autos.plan(&planned).await?, 0)?;
    same(claimed(&autos, &world, 1_001, 100).await?, Vec::new())?;
    finish(&autos, &planned).await
}

async fn concurrent_claims_never_share_a_row(autos: Subject, world: World) -> Outcome {
    let planned = rows(&world, "race", 100, -600);
    autos.plan(&planned).await?;
    let mut all = Vec::new();
    for _ in 0..3 {
        let lists = at_once(10, |_| {
            let (autos, world) = (Arc::clone(&autos), world.clone());
            async move { claimed(&autos, &world, 0, 7).await }
        })
        .await?;
        yes(lists.iter().all(|list| list.len() <= 7), "a claim keeps its limit")?;
        all.extend(lists.into_iter().flatten());
    }
    all.extend(claimed(&autos, &world, 0, 100).await?);
    same(all.len(), 100)?;
    same(all.iter().map(|row| &row.id).collect::<BTreeSet<_>>().len(), 100)?;
    yes(all.iter().all(|row| row.attempts == 1), "each row was claimed once")?;
    finish(&autos, &planned).await
}

async fn the_backlog_is_what_is_due_and_unqueued(autos: Subject, world: World) -> Outcome {
    same(autos.backlog(world.now).await?, 0)?;
    let planned = rows(&world, "backlog", 5, 0);
    autos.plan(&planned).await?;
    same(autos.backlog(world.after(2)).await?, 3)?;
    claimed(&autos, &world, 2, 100).await?;
    same(autos.backlog(world.after(2)).await?, 3)?;
    autos.mark_queued(&ids(&planned[..2])).await?;
    same(autos.backlog(world.after(2)).await?, 1)?;
    same(autos.backlog(world.after(100)).await?, 3)?;
    finish(&autos, &planned).await
}

async fn sent_is_remembered(autos: Subject, world: World) -> Outcome {
    let planned = rows(&world, "sent", 2, -60);
    autos.plan(&planned).await?;
    autos.mark_queued(&ids(&planned)).await?;
    for _ in 0..2 {
        autos.mark_sent(&planned[0].id).await?;
    }
    autos.mark_sent(&AutoMessageId::trusted(world.id())).await?;
    let states: Result<Vec<bool>, Failure> = futures::future::try_join_all(
        planned.iter().map(|row| async { Ok(some(autos.get(&row.id).await?)?.is_sent) }),
    )
    .await;
    same(states?, vec![true, false])
}

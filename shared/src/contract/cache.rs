//! `Cache`.

use std::sync::Arc;

use super::{Case, Outcome, World, at_once, cases, same, yes};
use crate::conversation::{Circle, LARGEST_GROUP};
use crate::id::ConversationId;
use crate::ports::Cache;

type Subject = Arc<dyn Cache>;

/// Every case of [`Cache`].
pub fn cache() -> Vec<Case<Subject>> {
    cases![
        nothing_is_found_before_it_was_kept,
        what_was_kept_is_found_as_it_was,
        a_large_group_is_kept_whole_or_not_at_all,
        conversations_know_nothing_of_each_other,
        fifty_at_once_keep_the_same,
    ]
}

fn circle(world: &World, members: usize) -> Circle {
    let mut members: Vec<_> = (0..members).map(|_| world.user_id()).collect();
    members.sort();
    Circle { id: ConversationId::trusted(world.id()), members }
}

async fn nothing_is_found_before_it_was_kept(cache: Subject, world: World) -> Outcome {
    same(cache.circle(&circle(&world, 2).id).await?, None)
}

async fn what_was_kept_is_found_as_it_was(cache: Subject, world: World) -> Outcome {
    let pair = circle(&world, 2);
    for _ in 0..2 {
        cache.keep(&pair).await?;
        same(cache.circle(&pair.id).await?, Some(pair.clone()))?;
    }
    Ok(())
}

async fn a_large_group_is_kept_whole_or_not_at_all(cache: Subject, world: World) -> Outcome {
    for size in [15, 16, 17, LARGEST_GROUP] {
        let group = circle(&world, size);
        cache.keep(&group).await?;
        let found = cache.circle(&group.id).await?;
        yes(found.is_none_or(|found| found == group), "never a part of it")?;
    }
    Ok(())
}

async fn conversations_know_nothing_of_each_other(cache: Subject, world: World) -> Outcome {
    let (one, other) = (circle(&world, 2), circle(&world, 3));
    cache.keep(&one).await?;
    same(cache.circle(&other.id).await?, None)?;
    cache.keep(&other).await?;
    same(cache.circle(&one.id).await?, Some(one))?;
    same(cache.circle(&other.id).await?, Some(other))
}

async fn fifty_at_once_keep_the_same(cache: Subject, world: World) -> Outcome {
    let pair = circle(&world, 2);
    let (kept, shared) = (pair.clone(), cache.clone());
    let found = at_once(50, move |_| {
        let (cache, pair) = (shared.clone(), kept.clone());
        async move {
            cache.keep(&pair).await?;
            cache.circle(&pair.id).await
        }
    })
    .await?;
    for answer in found {
        same(answer, Some(pair.clone()))?;
    }
    Ok(())
}

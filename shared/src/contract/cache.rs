//! `MemberCache`.

use std::sync::Arc;

use super::{Case, Outcome, World, at_once, cases, same, yes};
use crate::conversation::{LARGEST_GROUP, Members};
use crate::id::ConversationId;
use crate::ports::MemberCache;

type Subject = Arc<dyn MemberCache>;

/// Every case of [`MemberCache`].
pub fn cache() -> Vec<Case<Subject>> {
    cases![
        nothing_is_found_before_it_was_kept,
        what_was_kept_is_found_as_it_was,
        a_large_group_is_kept_whole_or_not_at_all,
        conversations_know_nothing_of_each_other,
        fifty_at_once_keep_the_same,
    ]
}

fn members(world: &World, members: usize) -> Members {
    let mut user_ids: Vec<_> = (0..members).map(|_| world.user_id()).collect();
    user_ids.sort();
    Members { conversation_id: ConversationId::trusted(world.id()), user_ids }
}

async fn nothing_is_found_before_it_was_kept(cache: Subject, world: World) -> Outcome {
    same(cache.get(&members(&world, 2).conversation_id).await?, None)
}

async fn what_was_kept_is_found_as_it_was(cache: Subject, world: World) -> Outcome {
    let pair = members(&world, 2);
    for _ in 0..2 {
        cache.put(&pair).await?;
        same(cache.get(&pair.conversation_id).await?, Some(pair.clone()))?;
    }
    Ok(())
}

async fn a_large_group_is_kept_whole_or_not_at_all(cache: Subject, world: World) -> Outcome {
    for size in [15, 16, 17, LARGEST_GROUP] {
        let group = members(&world, size);
        cache.put(&group).await?;
        let found = cache.get(&group.conversation_id).await?;
        yes(found.is_none_or(|found| found == group), "never a part of it")?;
    }
    Ok(())
}

async fn conversations_know_nothing_of_each_other(cache: Subject, world: World) -> Outcome {
    let (one, other) = (members(&world, 2), members(&world, 3));
    cache.put(&one).await?;
    same(cache.get(&other.conversation_id).await?, None)?;
    cache.put(&other).await?;
    same(cache.get(&one.conversation_id).await?, Some(one))?;
    same(cache.get(&other.conversation_id).await?, Some(other))
}

async fn fifty_at_once_keep_the_same(cache: Subject, world: World) -> Outcome {
    let pair = members(&world, 2);
    let (kept, shared) = (pair.clone(), cache.clone());
    let found = at_once(50, move |_| {
        let (cache, pair) = (shared.clone(), kept.clone());
        async move {
            cache.put(&pair).await?;
            cache.get(&pair.conversation_id).await
        }
    })
    .await?;
    for answer in found {
        same(answer, Some(pair.clone()))?;
    }
    Ok(())
}

//! Cases of `MemberCache`.

use std::sync::Arc;

use shared::conversation::{LARGEST_GROUP, Members};
use shared::id::ConversationId;
use shared::ports::MemberCache;

use super::{Case, CaseData, Outcome, cases, concurrently, expect_eq, expect_true};

type Subject = Arc<dyn MemberCache>;

/// Every case of [`MemberCache`].
pub fn member_cache() -> Vec<Case<Subject>> {
    cases![
        get_returns_none_before_put,
        get_returns_what_was_put,
        large_group_is_cached_whole_or_not_at_all,
        entries_are_kept_per_conversation,
        fifty_concurrent_puts_keep_one_value,
    ]
}

fn members(data: &CaseData, members: usize) -> Members {
    let mut user_ids: Vec<_> = (0..members).map(|_| data.user_id()).collect();
    user_ids.sort();
    Members { conversation_id: ConversationId::trusted(data.id()), user_ids }
}

async fn get_returns_none_before_put(cache: Subject, data: CaseData) -> Outcome {
    expect_eq(cache.get(&members(&data, 2).conversation_id).await?, None)
}

async fn get_returns_what_was_put(cache: Subject, data: CaseData) -> Outcome {
    let pair = members(&data, 2);
    for _ in 0..2 {
        cache.put(&pair).await?;
        expect_eq(cache.get(&pair.conversation_id).await?, Some(pair.clone()))?;
    }
    Ok(())
}

async fn large_group_is_cached_whole_or_not_at_all(cache: Subject, data: CaseData) -> Outcome {
    for size in [15, 16, 17, LARGEST_GROUP] {
        let group = members(&data, size);
        cache.put(&group).await?;
        let found = cache.get(&group.conversation_id).await?;
        expect_true(found.is_none_or(|found| found == group), "a part of the group was cached")?;
    }
    Ok(())
}

async fn entries_are_kept_per_conversation(cache: Subject, data: CaseData) -> Outcome {
    let (one, other) = (members(&data, 2), members(&data, 3));
    cache.put(&one).await?;
    expect_eq(cache.get(&other.conversation_id).await?, None)?;
    cache.put(&other).await?;
    expect_eq(cache.get(&one.conversation_id).await?, Some(one))?;
    expect_eq(cache.get(&other.conversation_id).await?, Some(other))
}

async fn fifty_concurrent_puts_keep_one_value(cache: Subject, data: CaseData) -> Outcome {
    let pair = members(&data, 2);
    let (kept, shared) = (pair.clone(), cache.clone());
    let found = concurrently(50, move |_| {
        let (cache, pair) = (shared.clone(), kept.clone());
        async move {
            cache.put(&pair).await?;
            cache.get(&pair.conversation_id).await
        }
    })
    .await?;
    for answer in found {
        expect_eq(answer, Some(pair.clone()))?;
    }
    Ok(())
}

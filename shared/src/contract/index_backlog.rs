//! `IndexBacklog`, with the `Messages` that make it wait.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::chats::Chats;
use super::{Case, Failure, Outcome, World, at_once, cases, same, some, sorted, yes};
use crate::conversation::Conversation;
use crate::id::{MessageId, UserId};
use crate::message::Message;
use crate::ports::{IndexBacklog, SearchDocument};
use crate::time::Time;

/// A document store and what an index beside it lacks.
#[derive(Clone)]
pub struct Waiting {
    /// The store.
    pub chats: Chats,
    /// The same store's list.
    pub index_backlog: Arc<dyn IndexBacklog>,
}

/// Every case of [`IndexBacklog`].
pub fn index_backlog() -> Vec<Case<Waiting>> {
    cases![
        a_new_message_waits_and_a_marked_one_does_not,
        what_is_indexable_is_the_message_with_its_members,
        a_change_waits_again_with_a_higher_revision,
        a_change_between_reading_and_marking_keeps_waiting,
        what_is_postponed_waits_later_unless_it_changes,
        those_that_wait_longest_come_first,
        marks_in_any_order_forget_nobody,
        sweeps_and_writers_at_once_lose_nothing,
        a_walk_over_all_messages_meets_each_once,
        what_does_not_exist_is_nobody,
    ]
}

/// More than all cases together leave waiting.
const ALL: u32 = 10_000;

impl Waiting {
    /// Those of `ids` that wait at `now`.
    async fn those(&self, now: Time, ids: &[MessageId]) -> Result<Vec<MessageId>, Failure> {
        let waiting: BTreeSet<_> = self.index_backlog.waiting(now, ALL).await?.into_iter().collect();
        Ok(ids.iter().filter(|id| waiting.contains(id)).cloned().collect())
    }

    async fn one(&self, id: &MessageId) -> Result<SearchDocument, Failure> {
        some(self.index_backlog.documents(std::slice::from_ref(id)).await?.pop())
    }

    /// What an indexer does.
    async fn mark(&self, ids: &[MessageId]) -> Outcome {
        let read = self.index_backlog.documents(ids).await?;
        Ok(self.index_backlog.mark_indexed(&marks(&read)).await?)
    }

    /// Messages a second apart in a conversation of their own.
    async fn write(
        &self,
        world: &World,
        texts: &[&str],
    ) -> Result<(Conversation, UserId, Vec<Message>), Failure> {
        let (conversation, a, _) = self.chats.direct(world).await?;
        let mut written = Vec::new();
        for (n, text) in (1..).zip(texts) {
            let draft = world.draft_at(&conversation, &a, text, world.after(n))?;
            written.push(self.chats.written(&draft).await?);
        }
        Ok((conversation, a, written))
    }
}

fn marks(read: &[SearchDocument]) -> Vec<(MessageId, u64)> {
    read.iter().map(|row| (row.message.id.clone(), row.revision)).collect()
}

fn ids(messages: &[Message]) -> Vec<MessageId> {
    messages.iter().map(|message| message.id.clone()).collect()
}

async fn a_new_message_waits_and_a_marked_one_does_not(subject: Waiting, world: World) -> Outcome {
    let (_, _, written) = subject.write(&world, &["one", "two", "three"]).await?;
    let (ids, now) = (ids(&written), world.after(60));
    same(subject.those(now, &ids).await?, ids.clone())?;
    subject.mark(&ids[1..2]).await?;
    same(subject.those(now, &ids).await?, vec![ids[0].clone(), ids[2].clone()])?;
    subject.mark(&ids).await?;
    subject.mark(&ids).await?;
    same(subject.those(world.after(9_000), &ids).await?, Vec::new())?;
    subject.index_backlog.mark_indexed(&[]).await?;
    Ok(())
}

async fn what_is_indexable_is_the_message_with_its_members(subject: Waiting, world: World) -> Outcome {
    let people: Vec<UserId> = sorted((0..5).map(|_| world.user_id()));
    let group = world.group("five", &people);
    subject.chats.conversations.insert_group(&group).await?;
    let said = subject.chats.written(&world.draft(&group, &people[2], "çay?")?).await?;
    let (direct, a, other) = subject.write(&world, &["hi"]).await?;
    let found = subject.index_backlog.documents(&[said.id.clone(), other[0].id.clone()]).await?;
    same(found.len(), 2)?;
    for row in found {
        let is_said = row.message.id == said.id;
        same(&row.message, if is_said { &said } else { &other[0] })?;
        same(sorted(row.members), if is_said { people.clone() } else { sorted(direct.member_ids()) })?;
        yes(row.revision > 0, "revisions are counted from 1")?;
    }
    yes(direct.member_ids().contains(&a), "and the writer is one of them")
}

async fn a_change_waits_again_with_a_higher_revision(subject: Waiting, world: World) -> Outcome {
    let (_, _, written) = subject.write(&world, &["first"]).await?;
    let (id, ids) = (written[0].id.clone(), ids(&written));
    let mut before = subject.one(&id).await?.revision;
    subject.mark(&ids).await?;
    // Two within one millisecond, and one by a clock that is behind: revisions do not go by clocks.
    for (text, at) in [(Some("second"), 100), (Some("third"), 100), (Some("fourth"), 50), (None, 50)] {
        let changed = match text {
            Some(text) => subject.chats.messages.edit(&id, text, world.after(at)).await?,
            None => subject.chats.messages.delete(&id, world.after(at)).await?,
        };
        same(subject.those(world.after(100), &ids).await?, ids.clone())?;
        let now = subject.one(&id).await?;
        same(Some(&now.message), changed.as_ref())?;
        yes(now.revision > before, "a change has a higher revision")?;
        before = now.revision;
        subject.mark(&ids).await?;
        same(subject.those(world.after(9_000), &ids).await?, Vec::new())?;
    }
    Ok(())
}

async fn a_change_between_reading_and_marking_keeps_waiting(subject: Waiting, world: World) -> Outcome {
    let (_, _, written) = subject.write(&world, &["first", "other"]).await?;
    let ids = ids(&written);
    let first = subject.index_backlog.documents(&ids).await?;
    subject.chats.messages.edit(&ids[0], "second", world.after(70)).await?;
    subject.index_backlog.mark_indexed(&marks(&first)).await?;
    same(subject.those(world.after(100), &ids).await?, ids[..1].to_vec())?;
    // A late mark of an old revision, after a newer one was marked and the message changed once more.
    subject.mark(&ids).await?;
    subject.chats.messages.edit(&ids[0], "third", world.after(80)).await?;
    subject.index_backlog.mark_indexed(&marks(&first)).await?;
    same(subject.those(world.after(100), &ids).await?, ids[..1].to_vec())
}

async fn what_is_postponed_waits_later_unless_it_changes(subject: Waiting, world: World) -> Outcome {
    let (_, _, written) = subject.write(&world, &["one", "two", "three"]).await?;
    let ids = ids(&written);
    subject.index_backlog.hide_until(&ids[..2], world.after(99), world.after(600)).await?;
    same(subject.those(world.after(599), &ids).await?, ids[2..].to_vec())?;
    subject.chats.messages.edit(&ids[1], "changed", world.after(100)).await?;
    same(subject.those(world.after(599), &ids).await?, ids[1..].to_vec())?;
    same(subject.those(world.after(600), &ids).await?, ids.clone())?;
    // What changed after the sweeper looked keeps waiting.
    subject.chats.messages.edit(&ids[2], "changed", world.after(300)).await?;
    subject.index_backlog.hide_until(&ids[2..], world.after(299), world.after(600)).await?;
    same(subject.those(world.after(599), &ids).await?, ids[1..].to_vec())?;
    // Who was marked meanwhile does not come back by being postponed.
    subject.mark(&ids[..1]).await?;
    subject.index_backlog.hide_until(&ids, world.after(600), world.after(700)).await?;
    same(subject.those(world.after(9_000), &ids).await?, ids[1..].to_vec())
}

async fn those_that_wait_longest_come_first(subject: Waiting, world: World) -> Outcome {
    let (_, _, written) = subject.write(&world, &["one", "two", "three", "four"]).await?;
    let ids = ids(&written);
    subject.index_backlog.hide_until(&ids[..1], world.after(99), world.after(600)).await?;
    let mut seen: Vec<MessageId> = subject.index_backlog.waiting(world.after(9_000), ALL).await?;
    seen.retain(|id| ids.contains(id));
    same(seen.len(), 4)?;
    let place = |id| seen.iter().position(|other| other == id);
    yes(place(&ids[1]) < place(&ids[2]) && place(&ids[2]) < place(&ids[3]), "in the order of waiting")?;
    same(subject.index_backlog.waiting(world.after(9_000), 2).await?.len(), 2)?;
    same(subject.index_backlog.waiting(world.after(9_000), 0).await?, Vec::new())
}

async fn marks_in_any_order_forget_nobody(subject: Waiting, world: World) -> Outcome {
    let (_, _, written) = subject.write(&world, &["one", "two", "three", "four", "five"]).await?;
    let ids = ids(&written);
    let later = world.after(9_000);
    subject.mark(&ids[4..]).await?;
    same(subject.those(later, &ids).await?, ids[..4].to_vec())?;
    subject.index_backlog.hide_until(&ids[2..3], world.after(49), world.after(50)).await?;
    same(subject.those(later, &ids).await?, ids[..4].to_vec())?;
    subject.mark(&ids[..1]).await?;
    same(subject.those(later, &ids).await?, ids[1..4].to_vec())?;
    subject.mark(&ids[1..4]).await?;
    same(subject.those(later, &ids).await?, Vec::new())
}

/// Writers change messages while indexers read, "index" and mark. What the index saw last of each message is
/// in the end what the store says, or the message still waits.
async fn sweeps_and_writers_at_once_lose_nothing(subject: Waiting, world: World) -> Outcome {
    let (_, _, written) = subject.write(&world, &["a", "b", "c", "d"]).await?;
    let ids = Arc::new(ids(&written));
    let rounds = at_once(8, |n| {
        let (subject, world, ids) = (subject.clone(), world.clone(), Arc::clone(&ids));
        async move {
            let mut indexed = Vec::new();
            for round in 0..10_u64 {
                if n % 2 == 0 {
                    let id = &ids[(n / 2 + round as usize) % ids.len()];
                    let text = format!("writer {n} round {round}");
                    subject.chats.messages.edit(id, &text, world.after(100 + round)).await?;
                } else {
                    let read = subject.index_backlog.documents(&ids).await?;
                    subject.index_backlog.mark_indexed(&marks(&read)).await?;
                    indexed.extend(read);
                }
            }
            Ok(indexed)
        }
    })
    .await?;
    let still: BTreeSet<_> = subject.those(world.after(9_000), &ids).await?.into_iter().collect();
    for now in subject.index_backlog.documents(&ids).await? {
        let seen = rounds.iter().flatten().filter(|row| row.message.id == now.message.id);
        let last = seen.max_by_key(|row| row.revision);
        yes(still.contains(&now.message.id) || last == Some(&now), "indexed as it is, or waiting")?;
    }
    Ok(())
}

async fn a_walk_over_all_messages_meets_each_once(subject: Waiting, world: World) -> Outcome {
    let (_, _, written) = subject.write(&world, &["one", "two", "three", "four", "five"]).await?;
    subject.mark(&ids(&written[..2])).await?;
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = subject.index_backlog.all(after.as_ref(), 2).await?;
        yes(page.len() <= 2, "a page keeps its limit")?;
        let Some(last) = page.last() else { break };
        after = Some(last.clone());
        seen.extend(page);
    }
    yes(seen.is_sorted_by(|one, next| one < next), "by id, each once")?;
    let own: Vec<MessageId> = seen.iter().filter(|id| ids(&written).contains(id)).cloned().collect();
    same(own, sorted(ids(&written)))?;
    yes(subject.index_backlog.total().await? >= 5, "and they are counted")
}

async fn what_does_not_exist_is_nobody(subject: Waiting, world: World) -> Outcome {
    let nobody = [MessageId::trusted(world.id())];
    same(subject.index_backlog.documents(&nobody).await?, Vec::new())?;
    same(subject.index_backlog.documents(&[]).await?, Vec::new())?;
    subject.index_backlog.hide_until(&nobody, world.after(9), world.after(10)).await?;
    subject.index_backlog.mark_indexed(&[(nobody[0].clone(), 1)]).await?;
    same(subject.those(world.after(9_000), &nobody).await?, Vec::new())
}

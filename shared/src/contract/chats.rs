//! `Conversations`, with the `Messages` that move them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Case, Failure, Outcome, World, at_once, cases, same, some, sorted, yes};
use crate::conversation::{ActivityCursor, Conversation, MemberConversation};
use crate::id::{ConversationId, UserId};
use crate::message::{Appended, Draft, Message};
use crate::ports::{Conversations, Messages, StoreResult};

/// Conversations and their messages, which one store keeps together.
#[derive(Clone)]
pub struct Chats {
    /// The one.
    pub conversations: Arc<dyn Conversations>,
    /// The other.
    pub messages: Arc<dyn Messages>,
}

impl Chats {
    /// A stored direct conversation of two new people.
    pub(super) async fn direct(&self, world: &World) -> StoreResult<(Conversation, UserId, UserId)> {
        let (a, b) = world.pair();
        let (conversation, _) = self.conversations.ensure_direct(&world.direct(&a, &b)).await?;
        Ok((conversation, a, b))
    }

    /// A message that must be new.
    pub(super) async fn written(&self, draft: &Draft) -> Result<Message, Failure> {
        match self.messages.append(draft).await? {
            Appended::Created(message) => Ok(message),
            Appended::Duplicate(message) => Err(Failure(format!("taken for a repeat: {message:?}"))),
        }
    }

    pub(super) async fn seen_by(
        &self,
        id: &ConversationId,
        member: &UserId,
    ) -> Result<MemberConversation, Failure> {
        some(self.conversations.for_member(id, member).await?)
    }
}

/// Every case of [`Conversations`].
pub fn conversations() -> Vec<Case<Chats>> {
    cases![
        a_pair_has_one_conversation_whoever_asks,
        fifty_at_once_from_both_sides_make_one,
        a_group_of_two_is_not_their_direct_conversation,
        groups_come_back_whole_and_may_be_many,
        strangers_see_nothing,
        the_list_has_the_newest_activity_first,
        pages_are_strict_and_stable_between_equals,
        read_moves_forward_to_the_last_message_and_never_back,
        only_members_read,
        concurrent_reads_end_at_the_furthest,
        unread_are_the_others_messages_that_are_not_deleted,
    ]
}

async fn a_pair_has_one_conversation_whoever_asks(chats: Chats, world: World) -> Outcome {
    let (a, b) = world.pair();
    let new = world.direct(&a, &b);
    same(chats.conversations.ensure_direct(&new).await?, (new.clone(), true))?;
    same(chats.conversations.ensure_direct(&world.direct(&b, &a)).await?, (new.clone(), false))?;
    same(chats.seen_by(&new.id, &b).await?, MemberConversation { conversation: new.clone(), unread: 0 })?;
    let message = chats.written(&world.draft(&new, &a, "hi")?).await?;
    let (again, _) = chats.conversations.ensure_direct(&world.direct(&a, &b)).await?;
    same((again.last_seq, again.last_message), (message.seq, Some(message)))?;
    let (third, is_new) = chats.conversations.ensure_direct(&world.direct(&a, &world.user_id())).await?;
    yes(is_new && third.id != new.id, "another pair, another conversation")
}

async fn fifty_at_once_from_both_sides_make_one(chats: Chats, world: World) -> Outcome {
    let (a, b) = world.pair();
    let made = at_once(50, |n| {
        let chats = chats.clone();
        let new = if n % 2 == 0 { world.direct(&a, &b) } else { world.direct(&b, &a) };
        async move { chats.conversations.ensure_direct(&new).await }
    })
    .await?;
    same(made.iter().map(|(conversation, _)| conversation.id.clone()).collect::<BTreeSet<_>>().len(), 1)?;
    same(made.iter().filter(|(_, new)| *new).count(), 1)?;
    same(chats.conversations.list(&a, None, 10).await?.len(), 1)?;
    same(chats.conversations.list(&b, None, 10).await?.len(), 1)
}

async fn a_group_of_two_is_not_their_direct_conversation(chats: Chats, world: World) -> Outcome {
    let (a, b) = world.pair();
    let group = world.group("two", &[a.clone(), b.clone()]);
    chats.conversations.insert_group(&group).await?;
    let (direct, new) = chats.conversations.ensure_direct(&world.direct(&a, &b)).await?;
    yes(new && direct.id != group.id, "the group was not taken for the pair's conversation")
}

async fn groups_come_back_whole_and_may_be_many(chats: Chats, world: World) -> Outcome {
    let people: Vec<UserId> = (0..5).map(|_| world.user_id()).collect();
    let [one, two] = ["İzmir 🏖", "same people"].map(|name| world.group(name, &people));
    chats.conversations.insert_group(&one).await?;
    chats.conversations.insert_group(&two).await?;
    for person in &people {
        same(chats.seen_by(&one.id, person).await?.conversation, one.clone())?;
        same(chats.conversations.list(person, None, 10).await?.len(), 2)?;
    }
    same(one.member_ids(), sorted(people))
}

async fn strangers_see_nothing(chats: Chats, world: World) -> Outcome {
    let (conversation, a, _) = chats.direct(&world).await?;
    let stranger = world.user_id();
    same(chats.conversations.for_member(&conversation.id, &stranger).await?, None)?;
    same(chats.conversations.for_member(&ConversationId::trusted(world.id()), &a).await?, None)?;
    same(chats.conversations.list(&stranger, None, 10).await?, Vec::new())?;
    same(chats.conversations.unread(&stranger).await?, Vec::new())
}

/// Conversations of one person with `count` others, each with a message written so many seconds after now.
async fn busy(
    chats: &Chats,
    world: &World,
    seconds: &[u64],
) -> Result<(UserId, Vec<ConversationId>), Failure> {
    let me = world.user_id();
    let mut ids = Vec::new();
    for second in seconds {
        let other = world.user_id();
        let (conversation, _) = chats.conversations.ensure_direct(&world.direct(&me, &other)).await?;
        let draft = world.draft_at(&conversation, &other, "hi", world.after(*second))?;
        chats.written(&draft).await?;
        ids.push(conversation.id);
    }
    Ok((me, ids))
}

async fn the_list_has_the_newest_activity_first(chats: Chats, world: World) -> Outcome {
    let (me, ids) = busy(&chats, &world, &[30, 10, 20]).await?;
    let listed = chats.conversations.list(&me, None, 10).await?;
    let order: Vec<_> = listed.iter().map(|row| row.conversation.id.clone()).collect();
    same(order, vec![ids[0].clone(), ids[2].clone(), ids[1].clone()])?;
    same(listed[0].conversation.updated_at, world.after(30))?;
    for row in &listed {
        same(row, &chats.seen_by(&row.conversation.id, &me).await?)?;
    }
    let draft = world.draft_at(&listed[2].conversation, &me, "up", world.after(40))?;
    chats.written(&draft).await?;
    let top = chats.conversations.list(&me, None, 1).await?;
    same(top.len(), 1)?;
    same((&top[0].conversation.id, top[0].conversation.updated_at), (&ids[1], world.after(40)))
}

async fn pages_are_strict_and_stable_between_equals(chats: Chats, world: World) -> Outcome {
    let (me, ids) = busy(&chats, &world, &[5, 5, 5, 5, 5, 5, 5, 9, 1]).await?;
    for limit in [1, 2, 3, 100] {
        let (mut seen, mut after) = (Vec::<MemberConversation>::new(), None);
        loop {
            let page = chats.conversations.list(&me, after.as_ref(), limit).await?;
            yes(page.len() <= limit as usize, "a page keeps its limit")?;
            let Some(MemberConversation { conversation: last, .. }) = page.last() else { break };
            after = Some(ActivityCursor { updated_at: last.updated_at, id: last.id.clone() });
            seen.extend(page);
            yes(seen.len() <= ids.len(), "no row comes twice")?;
        }
        yes(
            seen.is_sorted_by(|a, b| a.conversation.updated_at >= b.conversation.updated_at),
            "newest first",
        )?;
        same(sorted(seen.into_iter().map(|row| row.conversation.id)), sorted(ids.clone()))?;
    }
    Ok(())
}

async fn read_moves_forward_to_the_last_message_and_never_back(chats: Chats, world: World) -> Outcome {
    let (conversation, a, b) = chats.direct(&world).await?;
    same(chats.conversations.mark_read(&conversation.id, &b, 5).await?, Some(0))?;
    let mut seqs = Vec::new();
    for _ in 0..3 {
        seqs.push(chats.written(&world.draft(&conversation, &a, "hi")?).await?.seq);
    }
    for (up_to, expected) in [(seqs[1], seqs[1]), (seqs[0], seqs[1]), (0, seqs[1]), (u64::MAX, seqs[2])] {
        same(chats.conversations.mark_read(&conversation.id, &b, up_to).await?, Some(expected))?;
    }
    let members = chats.seen_by(&conversation.id, &a).await?.conversation.members;
    same(members.iter().map(|member| member.read_seq).collect::<Vec<_>>(), vec![0, seqs[2]])
}

async fn only_members_read(chats: Chats, world: World) -> Outcome {
    let (conversation, a, _) = chats.direct(&world).await?;
    chats.written(&world.draft(&conversation, &a, "hi")?).await?;
    let before = chats.seen_by(&conversation.id, &a).await?;
    same(chats.conversations.mark_read(&conversation.id, &world.user_id(), 1).await?, None)?;
    same(chats.conversations.mark_read(&ConversationId::trusted(world.id()), &a, 1).await?, None)?;
    same(chats.seen_by(&conversation.id, &a).await?, before)
}

async fn concurrent_reads_end_at_the_furthest(chats: Chats, world: World) -> Outcome {
    let (conversation, a, b) = chats.direct(&world).await?;
    let mut last = 0;
    for _ in 0..20 {
        last = chats.written(&world.draft(&conversation, &a, "hi")?).await?.seq;
    }
    let reads = at_once(20, |n| {
        let (chats, id, b) = (chats.clone(), conversation.id.clone(), b.clone());
        async move { chats.conversations.mark_read(&id, &b, last - n as u64).await.map(|read| (n, read)) }
    })
    .await?;
    yes(reads.into_iter().all(|(n, read)| read >= Some(last - n as u64)), "never less than was asked for")?;
    same(chats.conversations.mark_read(&conversation.id, &b, 0).await?, Some(last))
}

/// What the member has not read, by each of the three ways of asking.
async fn unread(chats: &Chats, id: &ConversationId, member: &UserId) -> Result<u64, Failure> {
    let one = chats.seen_by(id, member).await?.unread;
    let all = chats.conversations.unread(member).await?;
    let listed = chats.conversations.list(member, None, 100).await?;
    let of_all = all.iter().find(|(of, _)| of == id).map_or(0, |(_, count)| *count);
    let of_list = listed.iter().find(|row| row.conversation.id == *id).map_or(0, |row| row.unread);
    yes(all.iter().all(|(_, count)| *count > 0), "only conversations with unread messages")?;
    same((of_all, of_list), (one, one))?;
    Ok(one)
}

async fn unread_are_the_others_messages_that_are_not_deleted(chats: Chats, world: World) -> Outcome {
    let people: Vec<UserId> = sorted((0..3).map(|_| world.user_id()));
    let group = world.group("three", &people);
    chats.conversations.insert_group(&group).await?;
    let mut written = Vec::new();
    for writer in [0, 1, 0, 2, 0] {
        written.push(chats.written(&world.draft(&group, &people[writer], "hi")?).await?);
    }
    for (person, expected) in [(0, 2), (1, 4), (2, 4)] {
        same(unread(&chats, &group.id, &people[person]).await?, expected)?;
    }
    chats.messages.delete(&written[2].id, world.after(90)).await?;
    chats.messages.edit(&written[0].id, "edited", world.after(90)).await?;
    for (person, expected) in [(0, 2), (1, 3), (2, 3)] {
        same(unread(&chats, &group.id, &people[person]).await?, expected)?;
    }
    chats.conversations.mark_read(&group.id, &people[1], written[3].seq).await?;
    same(unread(&chats, &group.id, &people[1]).await?, 1)?;
    same(unread(&chats, &group.id, &people[2]).await?, 3)?;
    chats.conversations.mark_read(&group.id, &people[1], u64::MAX).await?;
    same(unread(&chats, &group.id, &people[1]).await?, 0)
}

//! Cases of `Conversations`, whose activity and unread counts come from `Messages`.

use std::collections::BTreeSet;
use std::sync::Arc;

use shared::conversation::{ActivityCursor, Conversation, MemberConversation};
use shared::id::{ConversationId, UserId};
use shared::message::{Appended, Draft, Message};
use shared::ports::{Conversations, Messages, StoreResult};

use super::{
    Case, CaseData, Failure, Outcome, cases, concurrently, expect_eq, expect_some, expect_true, sorted,
};

/// Conversations and their messages, in one store.
#[derive(Clone)]
pub struct DocumentPorts {
    pub conversations: Arc<dyn Conversations>,
    pub messages: Arc<dyn Messages>,
}

impl DocumentPorts {
    /// Stores a direct conversation of two new users.
    pub(super) async fn direct(&self, data: &CaseData) -> StoreResult<(Conversation, UserId, UserId)> {
        let (a, b) = data.pair();
        let (conversation, _) = self.conversations.ensure_direct(&data.direct(&a, &b)).await?;
        Ok((conversation, a, b))
    }

    /// Appends a message that must not count as a duplicate.
    pub(super) async fn append_new(&self, draft: &Draft) -> Result<Message, Failure> {
        match self.messages.append(draft).await? {
            Appended::Created(message) => Ok(message),
            Appended::Duplicate(message) => Err(Failure(format!("stored as a duplicate: {message:?}"))),
        }
    }

    pub(super) async fn conversation_for(
        &self,
        id: &ConversationId,
        member: &UserId,
    ) -> Result<MemberConversation, Failure> {
        expect_some(self.conversations.for_member(id, member).await?)
    }
}

/// Every case of [`Conversations`].
pub fn conversations() -> Vec<Case<DocumentPorts>> {
    cases![
        pair_has_one_conversation_from_either_side,
        fifty_concurrent_calls_create_one_conversation,
        group_of_two_is_not_their_direct_conversation,
        groups_of_the_same_members_are_returned_unchanged,
        non_members_see_nothing,
        list_is_sorted_by_newest_activity,
        pages_with_equal_times_repeat_and_skip_nothing,
        read_mark_never_moves_back_or_past_the_last_message,
        mark_read_ignores_non_members,
        concurrent_read_marks_end_at_the_highest,
        unread_counts_other_members_undeleted_messages,
        contacts_share_a_conversation_and_come_in_pages_sorted_by_id,
    ]
}

async fn pair_has_one_conversation_from_either_side(documents: DocumentPorts, data: CaseData) -> Outcome {
    let (a, b) = data.pair();
    let new = data.direct(&a, &b);
    expect_eq(documents.conversations.ensure_direct(&new).await?, (new.clone(), true))?;
    expect_eq(documents.conversations.ensure_direct(&data.direct(&b, &a)).await?, (new.clone(), false))?;
    expect_eq(
        documents.conversation_for(&new.id, &b).await?,
        MemberConversation { conversation: new.clone(), unread: 0 },
    )?;
    let message = documents.append_new(&data.draft(&new, &a, "hi")?).await?;
    let (again, _) = documents.conversations.ensure_direct(&data.direct(&a, &b)).await?;
    expect_eq((again.last_seq, again.last_message), (message.seq, Some(message)))?;
    let (third, is_new) = documents.conversations.ensure_direct(&data.direct(&a, &data.user_id())).await?;
    expect_true(is_new && third.id != new.id, "another pair gets its own conversation")
}

async fn fifty_concurrent_calls_create_one_conversation(documents: DocumentPorts, data: CaseData) -> Outcome {
    let (a, b) = data.pair();
    let made = concurrently(50, |n| {
        let documents = documents.clone();
        let new = if n % 2 == 0 { data.direct(&a, &b) } else { data.direct(&b, &a) };
        async move { documents.conversations.ensure_direct(&new).await }
    })
    .await?;
    expect_eq(
        made.iter().map(|(conversation, _)| conversation.id.clone()).collect::<BTreeSet<_>>().len(),
        1,
    )?;
    expect_eq(made.iter().filter(|(_, new)| *new).count(), 1)?;
    expect_eq(documents.conversations.list(&a, None, 10).await?.len(), 1)?;
    expect_eq(documents.conversations.list(&b, None, 10).await?.len(), 1)
}

async fn group_of_two_is_not_their_direct_conversation(documents: DocumentPorts, data: CaseData) -> Outcome {
    let (a, b) = data.pair();
    let group = data.group("two", &[a.clone(), b.clone()]);
    documents.conversations.insert_group(&group).await?;
    let (direct, new) = documents.conversations.ensure_direct(&data.direct(&a, &b)).await?;
    expect_true(new && direct.id != group.id, "the group was returned as the pair's conversation")
}

async fn groups_of_the_same_members_are_returned_unchanged(
    documents: DocumentPorts,
    data: CaseData,
) -> Outcome {
    let people: Vec<UserId> = (0..5).map(|_| data.user_id()).collect();
    let [one, two] = ["İzmir 🏖", "same people"].map(|name| data.group(name, &people));
    documents.conversations.insert_group(&one).await?;
    documents.conversations.insert_group(&two).await?;
    for person in &people {
        expect_eq(documents.conversation_for(&one.id, person).await?.conversation, one.clone())?;
        expect_eq(documents.conversations.list(person, None, 10).await?.len(), 2)?;
    }
    expect_eq(one.member_ids(), sorted(people))
}

async fn non_members_see_nothing(documents: DocumentPorts, data: CaseData) -> Outcome {
    let (conversation, a, _) = documents.direct(&data).await?;
    let stranger = data.user_id();
    expect_eq(documents.conversations.for_member(&conversation.id, &stranger).await?, None)?;
    expect_eq(documents.conversations.for_member(&ConversationId::trusted(data.id()), &a).await?, None)?;
    expect_eq(documents.conversations.list(&stranger, None, 10).await?, Vec::new())?;
    expect_eq(documents.conversations.unread(&stranger).await?, Vec::new())
}

/// One user's conversations with other users, each with one message at `now` plus the given seconds.
async fn conversations_active_at(
    documents: &DocumentPorts,
    data: &CaseData,
    seconds: &[u64],
) -> Result<(UserId, Vec<ConversationId>), Failure> {
    let me = data.user_id();
    let mut ids = Vec::new();
    for second in seconds {
        let other = data.user_id();
        let (conversation, _) = documents.conversations.ensure_direct(&data.direct(&me, &other)).await?;
        let draft = data.draft_at(&conversation, &other, "hi", data.after(*second))?;
        documents.append_new(&draft).await?;
        ids.push(conversation.id);
    }
    Ok((me, ids))
}

async fn list_is_sorted_by_newest_activity(documents: DocumentPorts, data: CaseData) -> Outcome {
    let (me, ids) = conversations_active_at(&documents, &data, &[30, 10, 20]).await?;
    let listed = documents.conversations.list(&me, None, 10).await?;
    let order: Vec<_> = listed.iter().map(|row| row.conversation.id.clone()).collect();
    expect_eq(order, vec![ids[0].clone(), ids[2].clone(), ids[1].clone()])?;
    expect_eq(listed[0].conversation.updated_at, data.after(30))?;
    for row in &listed {
        expect_eq(row, &documents.conversation_for(&row.conversation.id, &me).await?)?;
    }
    let draft = data.draft_at(&listed[2].conversation, &me, "up", data.after(40))?;
    documents.append_new(&draft).await?;
    let top = documents.conversations.list(&me, None, 1).await?;
    expect_eq(top.len(), 1)?;
    expect_eq((&top[0].conversation.id, top[0].conversation.updated_at), (&ids[1], data.after(40)))
}

async fn pages_with_equal_times_repeat_and_skip_nothing(documents: DocumentPorts, data: CaseData) -> Outcome {
    let (me, ids) = conversations_active_at(&documents, &data, &[5, 5, 5, 5, 5, 5, 5, 9, 1]).await?;
    for limit in [1, 2, 3, 100] {
        let (mut seen, mut after) = (Vec::<MemberConversation>::new(), None);
        loop {
            let page = documents.conversations.list(&me, after.as_ref(), limit).await?;
            expect_true(page.len() <= limit as usize, "the page is longer than its limit")?;
            let Some(MemberConversation { conversation: last, .. }) = page.last() else { break };
            after = Some(ActivityCursor { updated_at: last.updated_at, id: last.id.clone() });
            seen.extend(page);
            expect_true(seen.len() <= ids.len(), "a row came twice")?;
        }
        expect_true(
            seen.is_sorted_by(|a, b| a.conversation.updated_at >= b.conversation.updated_at),
            "the rows are not sorted newest first",
        )?;
        expect_eq(sorted(seen.into_iter().map(|row| row.conversation.id)), sorted(ids.clone()))?;
    }
    Ok(())
}

async fn read_mark_never_moves_back_or_past_the_last_message(
    documents: DocumentPorts,
    data: CaseData,
) -> Outcome {
    let (conversation, a, b) = documents.direct(&data).await?;
    expect_eq(documents.conversations.mark_read(&conversation.id, &b, 5).await?, Some(0))?;
    let mut seqs = Vec::new();
    for _ in 0..3 {
        seqs.push(documents.append_new(&data.draft(&conversation, &a, "hi")?).await?.seq);
    }
    for (up_to, expected) in [(seqs[1], seqs[1]), (seqs[0], seqs[1]), (0, seqs[1]), (u64::MAX, seqs[2])] {
        expect_eq(documents.conversations.mark_read(&conversation.id, &b, up_to).await?, Some(expected))?;
    }
    let members = documents.conversation_for(&conversation.id, &a).await?.conversation.members;
    expect_eq(members.iter().map(|member| member.read_seq).collect::<Vec<_>>(), vec![0, seqs[2]])
}

async fn mark_read_ignores_non_members(documents: DocumentPorts, data: CaseData) -> Outcome {
    let (conversation, a, _) = documents.direct(&data).await?;
    documents.append_new(&data.draft(&conversation, &a, "hi")?).await?;
    let before = documents.conversation_for(&conversation.id, &a).await?;
    expect_eq(documents.conversations.mark_read(&conversation.id, &data.user_id(), 1).await?, None)?;
    expect_eq(documents.conversations.mark_read(&ConversationId::trusted(data.id()), &a, 1).await?, None)?;
    expect_eq(documents.conversation_for(&conversation.id, &a).await?, before)
}

async fn concurrent_read_marks_end_at_the_highest(documents: DocumentPorts, data: CaseData) -> Outcome {
    let (conversation, a, b) = documents.direct(&data).await?;
    let mut last = 0;
    for _ in 0..20 {
        last = documents.append_new(&data.draft(&conversation, &a, "hi")?).await?.seq;
    }
    let reads = concurrently(20, |n| {
        let (documents, id, b) = (documents.clone(), conversation.id.clone(), b.clone());
        async move { documents.conversations.mark_read(&id, &b, last - n as u64).await.map(|read| (n, read)) }
    })
    .await?;
    expect_true(
        reads.into_iter().all(|(n, read)| read >= Some(last - n as u64)),
        "a read mark is lower than requested",
    )?;
    expect_eq(documents.conversations.mark_read(&conversation.id, &b, 0).await?, Some(last))
}

/// The member's unread count, which `for_member`, `unread` and `list` must agree on.
async fn unread(documents: &DocumentPorts, id: &ConversationId, member: &UserId) -> Result<u64, Failure> {
    let one = documents.conversation_for(id, member).await?.unread;
    let all = documents.conversations.unread(member).await?;
    let listed = documents.conversations.list(member, None, 100).await?;
    let of_all = all.iter().find(|(of, _)| of == id).map_or(0, |(_, count)| *count);
    let of_list = listed.iter().find(|row| row.conversation.id == *id).map_or(0, |row| row.unread);
    expect_true(
        all.iter().all(|(_, count)| *count > 0),
        "a conversation without unread messages was counted",
    )?;
    expect_eq((of_all, of_list), (one, one))?;
    Ok(one)
}

async fn unread_counts_other_members_undeleted_messages(documents: DocumentPorts, data: CaseData) -> Outcome {
    let people: Vec<UserId> = sorted((0..3).map(|_| data.user_id()));
    let group = data.group("three", &people);
    documents.conversations.insert_group(&group).await?;
    let mut written = Vec::new();
    for writer in [0, 1, 0, 2, 0] {
        written.push(documents.append_new(&data.draft(&group, &people[writer], "hi")?).await?);
    }
    for (person, expected) in [(0, 2), (1, 4), (2, 4)] {
        expect_eq(unread(&documents, &group.id, &people[person]).await?, expected)?;
    }
    documents.messages.delete(&written[2].id, data.after(90)).await?;
    documents.messages.edit(&written[0].id, "edited", data.after(90)).await?;
    for (person, expected) in [(0, 2), (1, 3), (2, 3)] {
        expect_eq(unread(&documents, &group.id, &people[person]).await?, expected)?;
    }
    documents.conversations.mark_read(&group.id, &people[1], written[3].seq).await?;
    expect_eq(unread(&documents, &group.id, &people[1]).await?, 1)?;
    expect_eq(unread(&documents, &group.id, &people[2]).await?, 3)?;
    documents.conversations.mark_read(&group.id, &people[1], u64::MAX).await?;
    expect_eq(unread(&documents, &group.id, &people[1]).await?, 0)
}

async fn contacts_share_a_conversation_and_come_in_pages_sorted_by_id(
    documents: DocumentPorts,
    data: CaseData,
) -> Outcome {
    let (ada, stranger) = data.pair();
    let others: Vec<UserId> = (0..5).map(|_| data.user_id()).collect();
    let conversations = &documents.conversations;
    conversations.ensure_direct(&data.direct(&ada, &others[0])).await?;
    let members = [&others[..], std::slice::from_ref(&ada)].concat();
    conversations.insert_group(&data.group("all", &members)).await?;
    conversations.ensure_direct(&data.direct(&stranger, &others[1])).await?;
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = conversations.contacts(&ada, after.as_ref(), 2).await?;
        expect_true(page.len() <= 2, "the page is longer than its limit")?;
        let Some(last) = page.last() else { break };
        after = Some(last.clone());
        found.extend(page);
    }
    expect_eq(found, sorted(others))?;
    expect_eq(conversations.contacts(&data.user_id(), None, 9).await?, Vec::new())
}

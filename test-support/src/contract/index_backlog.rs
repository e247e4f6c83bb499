//! Cases of `IndexBacklog`, which every change through `Messages` fills.

use std::collections::BTreeSet;
use std::sync::Arc;

use shared::conversation::Conversation;
use shared::id::{MessageId, UserId};
use shared::message::Message;
use shared::ports::{IndexBacklog, SearchDocument};
use shared::time::Time;

use super::conversations::DocumentPorts;
use super::{
    Case, CaseData, Failure, Outcome, cases, concurrently, expect_eq, expect_some, expect_true, sorted,
};

/// A document store and its backlog.
#[derive(Clone)]
pub struct BacklogPorts {
    pub documents: DocumentPorts,
    pub index_backlog: Arc<dyn IndexBacklog>,
}

/// Every case of [`IndexBacklog`].
pub fn index_backlog() -> Vec<Case<BacklogPorts>> {
    cases![
        new_messages_wait_until_they_are_marked_as_indexed,
        documents_contain_the_message_and_its_members,
        changed_message_waits_again_with_a_higher_revision,
        message_changed_before_its_mark_keeps_waiting,
        hidden_message_waits_again_at_the_end_or_when_it_changes,
        waiting_messages_are_sorted_by_age,
        marks_in_any_order_keep_all_other_messages_waiting,
        concurrent_sweeps_and_edits_lose_no_change,
        pages_of_all_messages_contain_each_once,
        unknown_messages_are_ignored,
    ]
}

/// More than all cases together add to the backlog.
const ALL: u32 = 10_000;

impl BacklogPorts {
    /// Those of `ids` that are in the backlog at `now`.
    async fn waiting_among(&self, now: Time, ids: &[MessageId]) -> Result<Vec<MessageId>, Failure> {
        let waiting: BTreeSet<_> = self.index_backlog.waiting(now, ALL).await?.into_iter().collect();
        Ok(ids.iter().filter(|id| waiting.contains(id)).cloned().collect())
    }

    async fn document(&self, id: &MessageId) -> Result<SearchDocument, Failure> {
        expect_some(self.index_backlog.documents(std::slice::from_ref(id)).await?.pop())
    }

    /// Reads the documents and marks them as indexed, as an indexer does.
    async fn mark_as_indexed(&self, ids: &[MessageId]) -> Outcome {
        let read = self.index_backlog.documents(ids).await?;
        Ok(self.index_backlog.mark_indexed(&marks(&read)).await?)
    }

    /// Appends messages, one second apart, to a new conversation.
    async fn append_all(
        &self,
        data: &CaseData,
        texts: &[&str],
    ) -> Result<(Conversation, UserId, Vec<Message>), Failure> {
        let (conversation, a, _) = self.documents.direct(data).await?;
        let mut written = Vec::new();
        for (n, text) in (1..).zip(texts) {
            let draft = data.draft_at(&conversation, &a, text, data.after(n))?;
            written.push(self.documents.append_new(&draft).await?);
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

async fn new_messages_wait_until_they_are_marked_as_indexed(
    subject: BacklogPorts,
    data: CaseData,
) -> Outcome {
    let (_, _, written) = subject.append_all(&data, &["one", "two", "three"]).await?;
    let (ids, now) = (ids(&written), data.after(60));
    expect_eq(subject.waiting_among(now, &ids).await?, ids.clone())?;
    subject.mark_as_indexed(&ids[1..2]).await?;
    expect_eq(subject.waiting_among(now, &ids).await?, vec![ids[0].clone(), ids[2].clone()])?;
    subject.mark_as_indexed(&ids).await?;
    subject.mark_as_indexed(&ids).await?;
    expect_eq(subject.waiting_among(data.after(9_000), &ids).await?, Vec::new())?;
    subject.index_backlog.mark_indexed(&[]).await?;
    Ok(())
}

async fn documents_contain_the_message_and_its_members(subject: BacklogPorts, data: CaseData) -> Outcome {
    let people: Vec<UserId> = sorted((0..5).map(|_| data.user_id()));
    let group = data.group("five", &people);
    subject.documents.conversations.insert_group(&group).await?;
    let group_message = subject.documents.append_new(&data.draft(&group, &people[2], "çay?")?).await?;
    let (direct, a, other) = subject.append_all(&data, &["hi"]).await?;
    let found = subject.index_backlog.documents(&[group_message.id.clone(), other[0].id.clone()]).await?;
    expect_eq(found.len(), 2)?;
    for row in found {
        let is_group_message = row.message.id == group_message.id;
        expect_eq(&row.message, if is_group_message { &group_message } else { &other[0] })?;
        expect_eq(
            sorted(row.members),
            if is_group_message { people.clone() } else { sorted(direct.member_ids()) },
        )?;
        expect_true(row.revision > 0, "revision 0 was assigned")?;
    }
    expect_true(direct.member_ids().contains(&a), "the sender is not a member")
}

async fn changed_message_waits_again_with_a_higher_revision(
    subject: BacklogPorts,
    data: CaseData,
) -> Outcome {
    let (_, _, written) = subject.append_all(&data, &["first"]).await?;
    let (id, ids) = (written[0].id.clone(), ids(&written));
    let mut before = subject.document(&id).await?.revision;
    subject.mark_as_indexed(&ids).await?;
    // Two edits have the same time and one an earlier time: revisions do not depend on clocks.
    for (text, at) in [(Some("second"), 100), (Some("third"), 100), (Some("fourth"), 50), (None, 50)] {
        let changed = match text {
            Some(text) => subject.documents.messages.edit(&id, text, data.after(at)).await?,
            None => subject.documents.messages.delete(&id, data.after(at)).await?,
        };
        expect_eq(subject.waiting_among(data.after(100), &ids).await?, ids.clone())?;
        let now = subject.document(&id).await?;
        expect_eq(Some(&now.message), changed.as_ref())?;
        expect_true(now.revision > before, "the revision did not grow")?;
        before = now.revision;
        subject.mark_as_indexed(&ids).await?;
        expect_eq(subject.waiting_among(data.after(9_000), &ids).await?, Vec::new())?;
    }
    Ok(())
}

async fn message_changed_before_its_mark_keeps_waiting(subject: BacklogPorts, data: CaseData) -> Outcome {
    let (_, _, written) = subject.append_all(&data, &["first", "other"]).await?;
    let ids = ids(&written);
    let first = subject.index_backlog.documents(&ids).await?;
    subject.documents.messages.edit(&ids[0], "second", data.after(70)).await?;
    subject.index_backlog.mark_indexed(&marks(&first)).await?;
    expect_eq(subject.waiting_among(data.after(100), &ids).await?, ids[..1].to_vec())?;
    // A late mark of an old revision, after a newer one was marked and the message was edited again.
    subject.mark_as_indexed(&ids).await?;
    subject.documents.messages.edit(&ids[0], "third", data.after(80)).await?;
    subject.index_backlog.mark_indexed(&marks(&first)).await?;
    expect_eq(subject.waiting_among(data.after(100), &ids).await?, ids[..1].to_vec())
}

async fn hidden_message_waits_again_at_the_end_or_when_it_changes(
    subject: BacklogPorts,
    data: CaseData,
) -> Outcome {
    let (_, _, written) = subject.append_all(&data, &["one", "two", "three"]).await?;
    let ids = ids(&written);
    subject.index_backlog.hide_until(&ids[..2], data.after(99), data.after(600)).await?;
    expect_eq(subject.waiting_among(data.after(599), &ids).await?, ids[2..].to_vec())?;
    subject.documents.messages.edit(&ids[1], "changed", data.after(100)).await?;
    expect_eq(subject.waiting_among(data.after(599), &ids).await?, ids[1..].to_vec())?;
    expect_eq(subject.waiting_among(data.after(600), &ids).await?, ids.clone())?;
    // A message edited after the time of the sweep keeps waiting.
    subject.documents.messages.edit(&ids[2], "changed", data.after(300)).await?;
    subject.index_backlog.hide_until(&ids[2..], data.after(299), data.after(600)).await?;
    expect_eq(subject.waiting_among(data.after(599), &ids).await?, ids[1..].to_vec())?;
    // Hiding a message that is already marked does not add it to the backlog again.
    subject.mark_as_indexed(&ids[..1]).await?;
    subject.index_backlog.hide_until(&ids, data.after(600), data.after(700)).await?;
    expect_eq(subject.waiting_among(data.after(9_000), &ids).await?, ids[1..].to_vec())
}

async fn waiting_messages_are_sorted_by_age(subject: BacklogPorts, data: CaseData) -> Outcome {
    let (_, _, written) = subject.append_all(&data, &["one", "two", "three", "four"]).await?;
    let ids = ids(&written);
    subject.index_backlog.hide_until(&ids[..1], data.after(99), data.after(600)).await?;
    let mut seen: Vec<MessageId> = subject.index_backlog.waiting(data.after(9_000), ALL).await?;
    seen.retain(|id| ids.contains(id));
    expect_eq(seen.len(), 4)?;
    let place = |id| seen.iter().position(|other| other == id);
    expect_true(
        place(&ids[1]) < place(&ids[2]) && place(&ids[2]) < place(&ids[3]),
        "the messages are not sorted by how long they wait",
    )?;
    expect_eq(subject.index_backlog.waiting(data.after(9_000), 2).await?.len(), 2)?;
    expect_eq(subject.index_backlog.waiting(data.after(9_000), 0).await?, Vec::new())
}

async fn marks_in_any_order_keep_all_other_messages_waiting(
    subject: BacklogPorts,
    data: CaseData,
) -> Outcome {
    let (_, _, written) = subject.append_all(&data, &["one", "two", "three", "four", "five"]).await?;
    let ids = ids(&written);
    let later = data.after(9_000);
    subject.mark_as_indexed(&ids[4..]).await?;
    expect_eq(subject.waiting_among(later, &ids).await?, ids[..4].to_vec())?;
    subject.index_backlog.hide_until(&ids[2..3], data.after(49), data.after(50)).await?;
    expect_eq(subject.waiting_among(later, &ids).await?, ids[..4].to_vec())?;
    subject.mark_as_indexed(&ids[..1]).await?;
    expect_eq(subject.waiting_among(later, &ids).await?, ids[1..4].to_vec())?;
    subject.mark_as_indexed(&ids[1..4]).await?;
    expect_eq(subject.waiting_among(later, &ids).await?, Vec::new())
}

/// Writers edit messages while indexers read and mark them. In the end the newest document that an indexer read of
/// a message is the stored one, or the message still waits.
async fn concurrent_sweeps_and_edits_lose_no_change(subject: BacklogPorts, data: CaseData) -> Outcome {
    let (_, _, written) = subject.append_all(&data, &["a", "b", "c", "d"]).await?;
    let ids = Arc::new(ids(&written));
    let rounds = concurrently(8, |n| {
        let (subject, data, ids) = (subject.clone(), data.clone(), Arc::clone(&ids));
        async move {
            let mut indexed = Vec::new();
            for round in 0..10_u64 {
                if n % 2 == 0 {
                    let id = &ids[(n / 2 + round as usize) % ids.len()];
                    let text = format!("writer {n} round {round}");
                    subject.documents.messages.edit(id, &text, data.after(100 + round)).await?;
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
    let still: BTreeSet<_> = subject.waiting_among(data.after(9_000), &ids).await?.into_iter().collect();
    for now in subject.index_backlog.documents(&ids).await? {
        let seen = rounds.iter().flatten().filter(|row| row.message.id == now.message.id);
        let last = seen.max_by_key(|row| row.revision);
        expect_true(
            still.contains(&now.message.id) || last == Some(&now),
            "a message is neither indexed in its last revision nor waiting",
        )?;
    }
    Ok(())
}

async fn pages_of_all_messages_contain_each_once(subject: BacklogPorts, data: CaseData) -> Outcome {
    let (_, _, written) = subject.append_all(&data, &["one", "two", "three", "four", "five"]).await?;
    subject.mark_as_indexed(&ids(&written[..2])).await?;
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = subject.index_backlog.all(after.as_ref(), 2).await?;
        expect_true(page.len() <= 2, "the page is longer than its limit")?;
        let Some(last) = page.last() else { break };
        after = Some(last.clone());
        seen.extend(page);
    }
    expect_true(seen.is_sorted_by(|one, next| one < next), "the ids are not sorted or come twice")?;
    let own: Vec<MessageId> = seen.iter().filter(|id| ids(&written).contains(id)).cloned().collect();
    expect_eq(own, sorted(ids(&written)))?;
    expect_true(subject.index_backlog.total().await? >= 5, "the total is too low")
}

async fn unknown_messages_are_ignored(subject: BacklogPorts, data: CaseData) -> Outcome {
    let unknown = [MessageId::trusted(data.id())];
    expect_eq(subject.index_backlog.documents(&unknown).await?, Vec::new())?;
    expect_eq(subject.index_backlog.documents(&[]).await?, Vec::new())?;
    subject.index_backlog.hide_until(&unknown, data.after(9), data.after(10)).await?;
    subject.index_backlog.mark_indexed(&[(unknown[0].clone(), 1)]).await?;
    expect_eq(subject.waiting_among(data.after(9_000), &unknown).await?, Vec::new())
}

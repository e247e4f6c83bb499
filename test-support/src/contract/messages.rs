//! Cases of `Messages`, which also change their `Conversations`.

use std::collections::BTreeSet;
use std::sync::Arc;

use shared::conversation::Conversation;
use shared::id::{AutoMessageId, MessageId, UserId};
use shared::message::{Appended, Draft, Message, MessageKind, SeqRange};

use super::conversations::DocumentPorts;
use super::{
    Case, CaseData, Failure, Outcome, cases, concurrently, expect_eq, expect_some, expect_true, sorted,
};

/// Every case of [`Messages`](shared::ports::Messages).
pub fn messages() -> Vec<Case<DocumentPorts>> {
    cases![
        appended_message_is_returned_unchanged,
        append_updates_the_conversations_last_message,
        client_message_id_is_used_once_per_sender,
        other_senders_may_use_the_same_client_message_id,
        twenty_concurrent_repeats_create_one_message,
        auto_message_creates_one_message,
        concurrent_appends_get_distinct_seqs,
        pages_are_adjacent_to_their_cursor,
        pages_contain_one_conversation_only,
        edit_is_visible_in_pages_and_as_last_message,
        deleted_message_stays_empty,
        unknown_messages_are_not_changed,
    ]
}

async fn stored(documents: &DocumentPorts, id: &MessageId) -> Result<Message, Failure> {
    expect_some(documents.messages.by_ids(std::slice::from_ref(id)).await?.pop())
}

async fn latest(documents: &DocumentPorts, conversation: &Conversation) -> Result<Vec<Message>, Failure> {
    Ok(documents.messages.page(&conversation.id, SeqRange::Latest, 100).await?)
}

async fn last_message(
    documents: &DocumentPorts,
    conversation: &Conversation,
    me: &UserId,
) -> Result<Message, Failure> {
    expect_some(documents.conversation_for(&conversation.id, me).await?.conversation.last_message)
}

async fn appended_message_is_returned_unchanged(documents: DocumentPorts, data: CaseData) -> Outcome {
    let (conversation, a, _) = documents.direct(&data).await?;
    let long = "ş".repeat(4_000);
    for text in ["héllo\n\t👩‍👩‍👧 <b>'\"$gt{}%_\\", "0", &long] {
        let key = format!("{} ' $ é {}", data.tag, text.len());
        let draft = Draft { client_message_id: Some(key), ..data.draft(&conversation, &a, text)? };
        let message = documents.append_new(&draft).await?;
        expect_true(message.seq > 0, "seq 0 was assigned")?;
        expect_eq(&message, &draft.to_message(message.seq))?;
        expect_eq(stored(&documents, &message.id).await?, message)?;
    }
    let auto = Draft {
        kind: MessageKind::Auto,
        auto_message_id: Some(AutoMessageId::trusted(data.id())),
        ..data.draft(&conversation, &a, "planned")?
    };
    let message = documents.append_new(&auto).await?;
    expect_eq(stored(&documents, &message.id).await?, auto.to_message(message.seq))
}

async fn append_updates_the_conversations_last_message(documents: DocumentPorts, data: CaseData) -> Outcome {
    let (conversation, a, b) = documents.direct(&data).await?;
    let mut before = 0;
    for (writer, second) in [(&a, 10), (&b, 20), (&a, 30)] {
        let draft = data.draft_at(&conversation, writer, "hi", data.after(second))?;
        let message = documents.append_new(&draft).await?;
        expect_true(message.seq > before, "seq did not grow")?;
        before = message.seq;
        let now = documents.conversation_for(&conversation.id, &b).await?.conversation;
        expect_eq((now.last_seq, now.updated_at, now.created_at), (before, data.after(second), data.now))?;
        expect_eq(now.last_message, Some(message))?;
    }
    Ok(())
}

fn keyed(
    data: &CaseData,
    conversation: &Conversation,
    sender: &UserId,
    text: &str,
) -> Result<Draft, Failure> {
    let key = Some(format!("key-{}", data.tag));
    Ok(Draft { client_message_id: key, ..data.draft(conversation, sender, text)? })
}

async fn client_message_id_is_used_once_per_sender(documents: DocumentPorts, data: CaseData) -> Outcome {
    let (conversation, a, b) = documents.direct(&data).await?;
    let first = documents.append_new(&keyed(&data, &conversation, &a, "first")?).await?;
    let second = documents.append_new(&data.draft(&conversation, &b, "second")?).await?;
    let repeat = keyed(&data, &conversation, &a, "other words")?;
    expect_eq(documents.messages.append(&repeat).await?, Appended::Duplicate(first.clone()))?;
    let (other, ..) = documents.direct(&data).await?;
    let elsewhere = keyed(&data, &other, &a, "elsewhere")?;
    expect_eq(documents.messages.append(&elsewhere).await?, Appended::Duplicate(first.clone()))?;
    expect_eq(latest(&documents, &conversation).await?, vec![first, second.clone()])?;
    expect_eq(latest(&documents, &other).await?, Vec::new())?;
    expect_eq(last_message(&documents, &conversation, &a).await?, second)?;
    expect_eq(documents.messages.by_ids(&[repeat.id, elsewhere.id]).await?, Vec::new())
}

async fn other_senders_may_use_the_same_client_message_id(
    documents: DocumentPorts,
    data: CaseData,
) -> Outcome {
    let (conversation, a, b) = documents.direct(&data).await?;
    let first = documents.append_new(&keyed(&data, &conversation, &a, "mine")?).await?;
    let second = documents.append_new(&keyed(&data, &conversation, &b, "mine too")?).await?;
    expect_eq(latest(&documents, &conversation).await?, vec![first, second])
}

/// Appends all drafts concurrently. Returns how many were created, and the message of every answer.
async fn append_concurrently(
    documents: &DocumentPorts,
    drafts: Vec<Draft>,
) -> Result<(usize, Vec<Message>), Failure> {
    let drafts = Arc::new(drafts);
    let answers = concurrently(drafts.len(), |n| {
        let (documents, drafts) = (documents.clone(), Arc::clone(&drafts));
        async move { documents.messages.append(&drafts[n]).await }
    })
    .await?;
    let fresh = answers.iter().filter(|answer| matches!(answer, Appended::Created(_))).count();
    let messages = answers.into_iter().map(|answer| match answer {
        Appended::Created(message) | Appended::Duplicate(message) => message,
    });
    Ok((fresh, messages.collect()))
}

async fn twenty_concurrent_repeats_create_one_message(documents: DocumentPorts, data: CaseData) -> Outcome {
    let (conversation, a, _) = documents.direct(&data).await?;
    let drafts = (0..20).map(|_| keyed(&data, &conversation, &a, "hi")).collect::<Result<_, _>>()?;
    let (fresh, messages) = append_concurrently(&documents, drafts).await?;
    expect_eq(fresh, 1)?;
    expect_true(
        messages.iter().all(|message| *message == messages[0]),
        "the answers name different messages",
    )?;
    expect_eq(latest(&documents, &conversation).await?, vec![messages[0].clone()])
}

async fn auto_message_creates_one_message(documents: DocumentPorts, data: CaseData) -> Outcome {
    let (conversation, a, b) = documents.direct(&data).await?;
    let id = AutoMessageId::trusted(data.id());
    let draft = || -> Result<Draft, Failure> {
        let auto_message_id = Some(id.clone());
        Ok(Draft { kind: MessageKind::Auto, auto_message_id, ..data.draft(&conversation, &a, "hi")? })
    };
    let (fresh, messages) =
        append_concurrently(&documents, (0..20).map(|_| draft()).collect::<Result<_, _>>()?).await?;
    expect_eq(fresh, 1)?;
    expect_true(
        messages.iter().all(|message| *message == messages[0]),
        "the answers name different messages",
    )?;
    expect_eq(documents.messages.append(&draft()?).await?, Appended::Duplicate(messages[0].clone()))?;
    expect_eq(latest(&documents, &conversation).await?, vec![messages[0].clone()])?;
    expect_eq(documents.conversation_for(&conversation.id, &b).await?.unread, 1)
}

async fn concurrent_appends_get_distinct_seqs(documents: DocumentPorts, data: CaseData) -> Outcome {
    let (conversation, a, b) = documents.direct(&data).await?;
    let draft = |n| data.draft(&conversation, if n % 2 == 0 { &a } else { &b }, &format!("message {n}"));
    let (fresh, messages) =
        append_concurrently(&documents, (0..50).map(draft).collect::<Result<_, _>>()?).await?;
    expect_eq(fresh, 50)?;
    expect_eq(messages.iter().map(|message| message.seq).collect::<BTreeSet<_>>().len(), 50)?;
    let page = latest(&documents, &conversation).await?;
    expect_true(page.is_sorted_by(|one, next| one.seq < next.seq), "the page is not sorted by seq")?;
    expect_eq(
        sorted(page.iter().map(|message| &message.id)),
        sorted(messages.iter().map(|message| &message.id)),
    )?;
    let now = documents.conversation_for(&conversation.id, &a).await?;
    expect_eq(now.conversation.last_message.as_ref(), page.last())?;
    expect_eq((Some(now.conversation.last_seq), now.unread), (page.last().map(|message| message.seq), 25))
}

async fn pages_are_adjacent_to_their_cursor(documents: DocumentPorts, data: CaseData) -> Outcome {
    let (conversation, a, _) = documents.direct(&data).await?;
    let mut seqs = Vec::new();
    for n in 0..10 {
        seqs.push(documents.append_new(&data.draft(&conversation, &a, &n.to_string())?).await?.seq);
    }
    let end = u64::MAX;
    for (span, limit, expected) in [
        (SeqRange::Latest, 3, 7..10),
        (SeqRange::Latest, 100, 0..10),
        (SeqRange::Before(seqs[7]), 3, 4..7),
        (SeqRange::Before(seqs[2]), 100, 0..2),
        (SeqRange::Before(seqs[0]), 3, 0..0),
        (SeqRange::Before(end), 2, 8..10),
        (SeqRange::After(seqs[4]), 3, 5..8),
        (SeqRange::After(seqs[7]), 100, 8..10),
        (SeqRange::After(seqs[9]), 3, 0..0),
        (SeqRange::After(0), 2, 0..2),
        (SeqRange::After(end), 2, 0..0),
    ] {
        let page = documents.messages.page(&conversation.id, span, limit).await?;
        let found: Vec<u64> = page.iter().map(|message| message.seq).collect();
        expect_eq((span, limit, found), (span, limit, seqs[expected].to_vec()))?;
    }
    Ok(())
}

async fn pages_contain_one_conversation_only(documents: DocumentPorts, data: CaseData) -> Outcome {
    let (one, a, _) = documents.direct(&data).await?;
    let (two, b, _) = documents.direct(&data).await?;
    let (empty, ..) = documents.direct(&data).await?;
    let first = documents.append_new(&data.draft(&one, &a, "one")?).await?;
    let second = documents.append_new(&data.draft(&two, &b, "two")?).await?;
    expect_eq(latest(&documents, &one).await?, vec![first.clone()])?;
    expect_eq(latest(&documents, &two).await?, vec![second.clone()])?;
    expect_eq(latest(&documents, &empty).await?, Vec::new())?;
    let ids = [first.id.clone(), MessageId::trusted(data.id()), second.id.clone()];
    let found = documents.messages.by_ids(&ids).await?;
    expect_eq(sorted(found.into_iter().map(|message| message.id)), sorted([first.id, second.id]))?;
    expect_eq(documents.messages.by_ids(&[]).await?, Vec::new())
}

async fn edit_is_visible_in_pages_and_as_last_message(documents: DocumentPorts, data: CaseData) -> Outcome {
    let (conversation, a, b) = documents.direct(&data).await?;
    let first = documents.append_new(&data.draft(&conversation, &a, "first")?).await?;
    let last = documents.append_new(&data.draft(&conversation, &a, "last")?).await?;
    let edited = |message: &Message, content: &str, second| Message {
        content: content.to_owned(),
        edited_at: Some(data.after(second)),
        ..message.clone()
    };
    let first_edit = documents.messages.edit(&first.id, "1st", data.after(100)).await?;
    expect_eq(first_edit, Some(edited(&first, "1st", 100)))?;
    expect_eq(last_message(&documents, &conversation, &b).await?, last.clone())?;
    documents.messages.edit(&last.id, "ignored", data.after(101)).await?;
    let last_edit = documents.messages.edit(&last.id, "lást", data.after(102)).await?;
    expect_eq(last_edit, Some(edited(&last, "lást", 102)))?;
    expect_eq(last_message(&documents, &conversation, &b).await?, edited(&last, "lást", 102))?;
    let page = vec![edited(&first, "1st", 100), edited(&last, "lást", 102)];
    expect_eq(latest(&documents, &conversation).await?, page)?;
    let updated_at = documents.conversation_for(&conversation.id, &b).await?.conversation.updated_at;
    expect_eq(updated_at, last.created_at)
}

async fn deleted_message_stays_empty(documents: DocumentPorts, data: CaseData) -> Outcome {
    let (conversation, a, b) = documents.direct(&data).await?;
    let first = documents.append_new(&data.draft(&conversation, &a, "first")?).await?;
    let last = documents.append_new(&data.draft(&conversation, &a, "last")?).await?;
    let gone = Message { content: String::new(), deleted_at: Some(data.after(100)), ..last.clone() };
    expect_eq(documents.messages.delete(&last.id, data.after(100)).await?, Some(gone.clone()))?;
    expect_eq(documents.messages.delete(&last.id, data.after(200)).await?, Some(gone.clone()))?;
    expect_eq(documents.messages.edit(&last.id, "again", data.after(300)).await?, None)?;
    expect_eq(last_message(&documents, &conversation, &b).await?, gone.clone())?;
    expect_eq(latest(&documents, &conversation).await?, vec![first.clone(), gone.clone()])?;
    let next = documents.append_new(&data.draft(&conversation, &a, "next")?).await?;
    expect_true(next.seq > gone.seq, "the seq of a deleted message was reused")?;
    documents.messages.delete(&first.id, data.after(400)).await?;
    expect_eq(last_message(&documents, &conversation, &b).await?, next)
}

async fn unknown_messages_are_not_changed(documents: DocumentPorts, data: CaseData) -> Outcome {
    let id = MessageId::trusted(data.id());
    expect_eq(documents.messages.edit(&id, "x", data.now).await?, None)?;
    expect_eq(documents.messages.delete(&id, data.now).await?, None)?;
    expect_eq(documents.messages.by_ids(&[id]).await?, Vec::new())
}

//! `Messages`, with the `Conversations` that they move.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::chats::Chats;
use super::{Case, Failure, Outcome, World, at_once, cases, same, some, sorted, yes};
use crate::conversation::Conversation;
use crate::id::{AutoMessageId, MessageId, UserId};
use crate::message::{Appended, Draft, Message, MessageKind, SeqRange};

/// Every case of [`Messages`](crate::ports::Messages).
pub fn messages() -> Vec<Case<Chats>> {
    cases![
        an_appended_message_comes_back_whole,
        the_last_message_is_the_conversations,
        a_client_message_id_is_used_once,
        the_same_client_message_id_of_another_sender_is_another,
        twenty_repeats_at_once_make_one_message,
        an_auto_message_becomes_one_message,
        concurrent_appends_get_places_of_their_own,
        pages_directly_precede_or_follow,
        pages_hold_one_conversation_only,
        an_edit_shows_everywhere,
        a_deletion_empties_for_good,
        nothing_happens_to_what_does_not_exist,
    ]
}

async fn stored(chats: &Chats, id: &MessageId) -> Result<Message, Failure> {
    some(chats.messages.by_ids(std::slice::from_ref(id)).await?.pop())
}

async fn latest(chats: &Chats, conversation: &Conversation) -> Result<Vec<Message>, Failure> {
    Ok(chats.messages.page(&conversation.id, SeqRange::Latest, 100).await?)
}

async fn last_message(chats: &Chats, conversation: &Conversation, me: &UserId) -> Result<Message, Failure> {
    some(chats.seen_by(&conversation.id, me).await?.conversation.last_message)
}

async fn an_appended_message_comes_back_whole(chats: Chats, world: World) -> Outcome {
    let (conversation, a, _) = chats.direct(&world).await?;
    let long = "ş".repeat(4_000);
    for text in ["héllo\n\t👩‍👩‍👧 <b>'\"$gt{}%_\\", "0", &long] {
        let key = format!("{} ' $ é {}", world.tag, text.len());
        let draft = Draft { client_message_id: Some(key), ..world.draft(&conversation, &a, text)? };
        let message = chats.written(&draft).await?;
        yes(message.seq > 0, "places are counted from 1")?;
        same(&message, &draft.to_message(message.seq))?;
        same(stored(&chats, &message.id).await?, message)?;
    }
    let auto = Draft {
        kind: MessageKind::Auto,
        auto_message_id: Some(AutoMessageId::trusted(world.id())),
        ..world.draft(&conversation, &a, "planned")?
    };
    let message = chats.written(&auto).await?;
    same(stored(&chats, &message.id).await?, auto.to_message(message.seq))
}

async fn the_last_message_is_the_conversations(chats: Chats, world: World) -> Outcome {
    let (conversation, a, b) = chats.direct(&world).await?;
    let mut before = 0;
    for (writer, second) in [(&a, 10), (&b, 20), (&a, 30)] {
        let draft = world.draft_at(&conversation, writer, "hi", world.after(second))?;
        let message = chats.written(&draft).await?;
        yes(message.seq > before, "places grow")?;
        before = message.seq;
        let now = chats.seen_by(&conversation.id, &b).await?.conversation;
        same((now.last_seq, now.updated_at, now.created_at), (before, world.after(second), world.now))?;
        same(now.last_message, Some(message))?;
    }
    Ok(())
}

fn keyed(world: &World, conversation: &Conversation, sender: &UserId, text: &str) -> Result<Draft, Failure> {
    let key = Some(format!("key-{}", world.tag));
    Ok(Draft { client_message_id: key, ..world.draft(conversation, sender, text)? })
}

async fn a_client_message_id_is_used_once(chats: Chats, world: World) -> Outcome {
    let (conversation, a, b) = chats.direct(&world).await?;
    let first = chats.written(&keyed(&world, &conversation, &a, "first")?).await?;
    let second = chats.written(&world.draft(&conversation, &b, "second")?).await?;
    let repeat = keyed(&world, &conversation, &a, "other words")?;
    same(chats.messages.append(&repeat).await?, Appended::Duplicate(first.clone()))?;
    let (other, ..) = chats.direct(&world).await?;
    let elsewhere = keyed(&world, &other, &a, "elsewhere")?;
    same(chats.messages.append(&elsewhere).await?, Appended::Duplicate(first.clone()))?;
    same(latest(&chats, &conversation).await?, vec![first, second.clone()])?;
    same(latest(&chats, &other).await?, Vec::new())?;
    same(last_message(&chats, &conversation, &a).await?, second)?;
    same(chats.messages.by_ids(&[repeat.id, elsewhere.id]).await?, Vec::new())
}

async fn the_same_client_message_id_of_another_sender_is_another(chats: Chats, world: World) -> Outcome {
    let (conversation, a, b) = chats.direct(&world).await?;
    let first = chats.written(&keyed(&world, &conversation, &a, "mine")?).await?;
    let second = chats.written(&keyed(&world, &conversation, &b, "mine too")?).await?;
    same(latest(&chats, &conversation).await?, vec![first, second])
}

/// Appends all drafts at once: how many were new, and the one message that all answers name.
async fn race(chats: &Chats, drafts: Vec<Draft>) -> Result<(usize, Vec<Message>), Failure> {
    let drafts = Arc::new(drafts);
    let answers = at_once(drafts.len(), |n| {
        let (chats, drafts) = (chats.clone(), Arc::clone(&drafts));
        async move { chats.messages.append(&drafts[n]).await }
    })
    .await?;
    let fresh = answers.iter().filter(|answer| matches!(answer, Appended::Created(_))).count();
    let messages = answers.into_iter().map(|answer| match answer {
        Appended::Created(message) | Appended::Duplicate(message) => message,
    });
    Ok((fresh, messages.collect()))
}

async fn twenty_repeats_at_once_make_one_message(chats: Chats, world: World) -> Outcome {
    let (conversation, a, _) = chats.direct(&world).await?;
    let drafts = (0..20).map(|_| keyed(&world, &conversation, &a, "hi")).collect::<Result<_, _>>()?;
    let (fresh, messages) = race(&chats, drafts).await?;
    same(fresh, 1)?;
    yes(messages.iter().all(|message| *message == messages[0]), "all answers name one message")?;
    same(latest(&chats, &conversation).await?, vec![messages[0].clone()])
}

async fn an_auto_message_becomes_one_message(chats: Chats, world: World) -> Outcome {
    let (conversation, a, b) = chats.direct(&world).await?;
    let id = AutoMessageId::trusted(world.id());
    let draft = || -> Result<Draft, Failure> {
        let auto_message_id = Some(id.clone());
        Ok(Draft { kind: MessageKind::Auto, auto_message_id, ..world.draft(&conversation, &a, "hi")? })
    };
    let (fresh, messages) = race(&chats, (0..20).map(|_| draft()).collect::<Result<_, _>>()?).await?;
    same(fresh, 1)?;
    yes(messages.iter().all(|message| *message == messages[0]), "all answers name one message")?;
    same(chats.messages.append(&draft()?).await?, Appended::Duplicate(messages[0].clone()))?;
    same(latest(&chats, &conversation).await?, vec![messages[0].clone()])?;
    same(chats.seen_by(&conversation.id, &b).await?.unread, 1)
}

async fn concurrent_appends_get_places_of_their_own(chats: Chats, world: World) -> Outcome {
    let (conversation, a, b) = chats.direct(&world).await?;
    let draft = |n| world.draft(&conversation, if n % 2 == 0 { &a } else { &b }, &format!("message {n}"));
    let (fresh, messages) = race(&chats, (0..50).map(draft).collect::<Result<_, _>>()?).await?;
    same(fresh, 50)?;
    same(messages.iter().map(|message| message.seq).collect::<BTreeSet<_>>().len(), 50)?;
    let page = latest(&chats, &conversation).await?;
    yes(page.is_sorted_by(|one, next| one.seq < next.seq), "oldest first")?;
    same(sorted(page.iter().map(|message| &message.id)), sorted(messages.iter().map(|message| &message.id)))?;
    let now = chats.seen_by(&conversation.id, &a).await?;
    same(now.conversation.last_message.as_ref(), page.last())?;
    same((Some(now.conversation.last_seq), now.unread), (page.last().map(|message| message.seq), 25))
}

async fn pages_directly_precede_or_follow(chats: Chats, world: World) -> Outcome {
    let (conversation, a, _) = chats.direct(&world).await?;
    let mut seqs = Vec::new();
    for n in 0..10 {
        seqs.push(chats.written(&world.draft(&conversation, &a, &n.to_string())?).await?.seq);
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
        let page = chats.messages.page(&conversation.id, span, limit).await?;
        let found: Vec<u64> = page.iter().map(|message| message.seq).collect();
        same((span, limit, found), (span, limit, seqs[expected].to_vec()))?;
    }
    Ok(())
}

async fn pages_hold_one_conversation_only(chats: Chats, world: World) -> Outcome {
    let (one, a, _) = chats.direct(&world).await?;
    let (two, b, _) = chats.direct(&world).await?;
    let (empty, ..) = chats.direct(&world).await?;
    let first = chats.written(&world.draft(&one, &a, "one")?).await?;
    let second = chats.written(&world.draft(&two, &b, "two")?).await?;
    same(latest(&chats, &one).await?, vec![first.clone()])?;
    same(latest(&chats, &two).await?, vec![second.clone()])?;
    same(latest(&chats, &empty).await?, Vec::new())?;
    let ids = [first.id.clone(), MessageId::trusted(world.id()), second.id.clone()];
    let found = chats.messages.by_ids(&ids).await?;
    same(sorted(found.into_iter().map(|message| message.id)), sorted([first.id, second.id]))?;
    same(chats.messages.by_ids(&[]).await?, Vec::new())
}

async fn an_edit_shows_everywhere(chats: Chats, world: World) -> Outcome {
    let (conversation, a, b) = chats.direct(&world).await?;
    let first = chats.written(&world.draft(&conversation, &a, "first")?).await?;
    let last = chats.written(&world.draft(&conversation, &a, "last")?).await?;
    let edited = |message: &Message, content: &str, second| Message {
        content: content.to_owned(),
        edited_at: Some(world.after(second)),
        ..message.clone()
    };
    let first_edit = chats.messages.edit(&first.id, "1st", world.after(100)).await?;
    same(first_edit, Some(edited(&first, "1st", 100)))?;
    same(last_message(&chats, &conversation, &b).await?, last.clone())?;
    chats.messages.edit(&last.id, "ignored", world.after(101)).await?;
    let last_edit = chats.messages.edit(&last.id, "lást", world.after(102)).await?;
    same(last_edit, Some(edited(&last, "lást", 102)))?;
    same(last_message(&chats, &conversation, &b).await?, edited(&last, "lást", 102))?;
    let page = vec![edited(&first, "1st", 100), edited(&last, "lást", 102)];
    same(latest(&chats, &conversation).await?, page)?;
    let updated_at = chats.seen_by(&conversation.id, &b).await?.conversation.updated_at;
    same(updated_at, last.created_at)
}

async fn a_deletion_empties_for_good(chats: Chats, world: World) -> Outcome {
    let (conversation, a, b) = chats.direct(&world).await?;
    let first = chats.written(&world.draft(&conversation, &a, "first")?).await?;
    let last = chats.written(&world.draft(&conversation, &a, "last")?).await?;
    let gone = Message { content: String::new(), deleted_at: Some(world.after(100)), ..last.clone() };
    same(chats.messages.delete(&last.id, world.after(100)).await?, Some(gone.clone()))?;
    same(chats.messages.delete(&last.id, world.after(200)).await?, Some(gone.clone()))?;
    same(chats.messages.edit(&last.id, "again", world.after(300)).await?, None)?;
    same(last_message(&chats, &conversation, &b).await?, gone.clone())?;
    same(latest(&chats, &conversation).await?, vec![first.clone(), gone.clone()])?;
    let next = chats.written(&world.draft(&conversation, &a, "next")?).await?;
    yes(next.seq > gone.seq, "a deleted message keeps its place")?;
    chats.messages.delete(&first.id, world.after(400)).await?;
    same(last_message(&chats, &conversation, &b).await?, next)
}

async fn nothing_happens_to_what_does_not_exist(chats: Chats, world: World) -> Outcome {
    let id = MessageId::trusted(world.id());
    same(chats.messages.edit(&id, "x", world.now).await?, None)?;
    same(chats.messages.delete(&id, world.now).await?, None)?;
    same(chats.messages.by_ids(&[id]).await?, Vec::new())
}

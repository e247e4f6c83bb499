//! `SearchIndex`, fed by a document store, by `SearchIndexWriter`, or by both.

use std::sync::Arc;
use std::time::Duration;

use super::chats::Chats;
use super::{Case, Failure, Outcome, World, cases, same, some, yes};
use crate::conversation::Conversation;
use crate::id::{MessageId, UserId};
use crate::message::Message;
use crate::ports::{SearchDocument, SearchIndex, SearchIndexWriter, SearchQuery};
use crate::search::terms;

/// Longer than an index may take to show what it was given.
const REFRESH: Duration = Duration::from_secs(10);

/// An index and how messages get into it.
#[derive(Clone)]
pub struct Search {
    /// What is asked.
    pub index: Arc<dyn SearchIndex>,
    /// The document store, when the index reads from it.
    pub chats: Option<Chats>,
    /// The way in, when the index has one of its own.
    pub indexing: Option<Arc<dyn SearchIndexWriter>>,
}

/// Every case of [`SearchIndex`] and [`SearchIndexWriter`].
pub fn search() -> Vec<Case<Search>> {
    cases![
        every_term_begins_some_word,
        turkish_and_accents_are_found_by_either_spelling,
        strangers_never_hit,
        one_conversation_may_be_asked_for,
        hits_are_newest_first_in_strict_pages,
        what_was_edited_is_found_by_its_new_words,
        what_was_deleted_is_not_found,
        a_query_is_words_and_no_language,
        long_messages_are_found_by_their_last_word,
        indexing_twice_is_harmless,
    ]
}

impl Search {
    async fn direct(&self, world: &World) -> Result<(Conversation, UserId, UserId), Failure> {
        if let Some(chats) = &self.chats {
            return Ok(chats.direct(world).await?);
        }
        let (a, b) = world.pair();
        Ok((world.direct(&a, &b), a, b))
    }

    /// Writes messages, a second apart, so that the last one is the newest, and waits until they can be found.
    async fn write(&self, world: &World, to: &Conversation, texts: &[&str]) -> Result<Vec<Message>, Failure> {
        let sender = some(to.members.first())?.user_id.clone();
        let mut written = Vec::new();
        for (n, text) in (1..).zip(texts) {
            let draft = world.draft_at(to, &sender, text, world.after(n))?;
            written.push(match &self.chats {
                Some(chats) => chats.written(&draft).await?,
                None => draft.to_message(n),
            });
        }
        self.show(to, &written, 1).await?;
        for (message, text) in written.iter().zip(texts) {
            let found = self.until(&sender, text, |hits| hits.contains(&message.id)).await?;
            yes(found, &format!("{text:?} became visible"))?;
        }
        Ok(written)
    }

    /// Tells the index, when it must be told.
    async fn show(&self, to: &Conversation, messages: &[Message], revision: u64) -> Outcome {
        if let Some(indexing) = &self.indexing {
            let row = |message: &Message| SearchDocument {
                message: message.clone(),
                members: to.member_ids(),
                revision,
            };
            indexing.index(&messages.iter().map(row).collect::<Vec<_>>()).await?;
        }
        Ok(())
    }

    async fn ask(&self, query: &SearchQuery) -> Result<Vec<MessageId>, Failure> {
        Ok(self.index.search(query).await?.into_iter().map(|hit| hit.message).collect())
    }

    async fn hits(&self, member: &UserId, text: &str) -> Result<Vec<MessageId>, Failure> {
        self.ask(&query(member, text)).await
    }

    async fn until(
        &self,
        member: &UserId,
        text: &str,
        settled: impl Fn(&[MessageId]) -> bool,
    ) -> Result<bool, Failure> {
        let mut waited = Duration::ZERO;
        while !settled(&self.hits(member, text).await?) {
            if waited > REFRESH {
                return Ok(false);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            waited += Duration::from_millis(50);
        }
        Ok(true)
    }
}

fn query(member: &UserId, text: &str) -> SearchQuery {
    SearchQuery { member: member.clone(), terms: terms(text), conversation: None, after: None, limit: 100 }
}

async fn every_term_begins_some_word(search: Search, world: World) -> Outcome {
    let (conversation, _, b) = search.direct(&world).await?;
    let written =
        search.write(&world, &conversation, &["Quick brown foxes jump, over!", "slow brown dogs"]).await?;
    let (fox, dog) = (written[0].id.clone(), written[1].id.clone());
    for (text, expected) in [
        ("brown", vec![dog.clone(), fox.clone()]),
        ("brown quick", vec![fox.clone()]),
        ("q", vec![fox.clone()]),
        ("fo ju bro", vec![fox.clone()]),
        ("JUMP over", vec![fox]),
        ("dogs slow", vec![dog]),
        ("quick dogs", vec![]),
        ("oxes", vec![]),
        ("brownish", vec![]),
        ("", vec![]),
    ] {
        same((text, search.hits(&b, text).await?), (text, expected))?;
    }
    Ok(())
}

async fn turkish_and_accents_are_found_by_either_spelling(search: Search, world: World) -> Outcome {
    let (conversation, _, b) = search.direct(&world).await?;
    for (text, queries) in [
        ("İstanbul'da görüşürüz", ["istanbul", "ISTANBUL", "İSTANBUL", "ıstanbul", "gorusuruz"]),
        ("ISPARTA gülleri", ["ısparta", "isparta", "Isparta", "İSPARTA", "GÜL"]),
        ("ılık bir çay", ["ILIK", "ilik", "cay", "ÇAY", "ça"]),
        ("un café très crème", ["cafe", "CAFÉ", "tres", "TRÈS", "crè"]),
    ] {
        let written = search.write(&world, &conversation, &[text]).await?;
        for query in queries {
            let hits = search.hits(&b, query).await?;
            yes(hits.contains(&written[0].id), &format!("{query:?} finds {text:?}"))?;
        }
    }
    Ok(())
}

async fn strangers_never_hit(search: Search, world: World) -> Outcome {
    let (ours, a, b) = search.direct(&world).await?;
    let (theirs, c, _) = search.direct(&world).await?;
    let secret = format!("secret{}", world.tag);
    let mine = search.write(&world, &ours, &[&secret]).await?;
    let others = search.write(&world, &theirs, &[&secret]).await?;
    same(search.hits(&a, &secret).await?, vec![mine[0].id.clone()])?;
    same(search.hits(&b, &secret).await?, vec![mine[0].id.clone()])?;
    same(search.hits(&c, &secret).await?, vec![others[0].id.clone()])?;
    same(search.hits(&world.user_id(), &secret).await?, Vec::new())?;
    let across = SearchQuery { conversation: Some(theirs.id), ..query(&a, &secret) };
    same(search.ask(&across).await?, Vec::new())
}

async fn one_conversation_may_be_asked_for(search: Search, world: World) -> Outcome {
    let (one, a, _) = search.direct(&world).await?;
    let two = match &search.chats {
        Some(chats) => chats.conversations.ensure_direct(&world.direct(&a, &world.user_id())).await?.0,
        None => world.direct(&a, &world.user_id()),
    };
    let first = search.write(&world, &one, &["shared word"]).await?;
    let second = search.write(&world, &two, &["shared word"]).await?;
    same(search.hits(&a, "shared").await?.len(), 2)?;
    for (conversation, expected) in [(one, &first), (two, &second)] {
        let asked = SearchQuery { conversation: Some(conversation.id), ..query(&a, "shared") };
        same(search.ask(&asked).await?, vec![expected[0].id.clone()])?;
    }
    Ok(())
}

async fn hits_are_newest_first_in_strict_pages(search: Search, world: World) -> Outcome {
    let (conversation, _, b) = search.direct(&world).await?;
    let written = search.write(&world, &conversation, &["page me"; 7]).await?;
    let newest_first: Vec<MessageId> = written.into_iter().rev().map(|message| message.id).collect();
    for limit in [1, 3, 7, 100] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let asked = SearchQuery { after: after.take(), limit, ..query(&b, "page") };
            let page = search.index.search(&asked).await?;
            yes(page.len() <= limit as usize, "a page keeps its limit")?;
            let Some(last) = page.last() else { break };
            after = Some(last.cursor.clone());
            seen.extend(page.into_iter().map(|hit| hit.message));
            yes(seen.len() <= newest_first.len(), "no hit comes twice")?;
        }
        same(seen, newest_first.clone())?;
    }
    Ok(())
}

async fn what_was_edited_is_found_by_its_new_words(search: Search, world: World) -> Outcome {
    let (conversation, _, b) = search.direct(&world).await?;
    let written = search.write(&world, &conversation, &["before alike"]).await?;
    let id = written[0].id.clone();
    let edited = match &search.chats {
        Some(chats) => some(chats.messages.edit(&id, "after alike", world.after(9)).await?)?,
        None => Message { content: "after alike".to_owned(), ..written[0].clone() },
    };
    search.show(&conversation, &[edited], 2).await?;
    yes(search.until(&b, "after", |hits| hits == [id.clone()]).await?, "found by the new word")?;
    yes(search.until(&b, "before", <[_]>::is_empty).await?, "not by the old one")?;
    same(search.hits(&b, "alike").await?, vec![id])
}

async fn what_was_deleted_is_not_found(search: Search, world: World) -> Outcome {
    let (conversation, a, b) = search.direct(&world).await?;
    let written = search.write(&world, &conversation, &["stays here", "goes here"]).await?;
    let gone = match &search.chats {
        Some(chats) => some(chats.messages.delete(&written[1].id, world.after(9)).await?)?,
        None => Message { content: String::new(), deleted_at: Some(world.after(9)), ..written[1].clone() },
    };
    search.show(&conversation, &[gone], 2).await?;
    for member in [&a, &b] {
        yes(search.until(member, "goes", <[_]>::is_empty).await?, "the deleted one is out")?;
        same(search.hits(member, "here").await?, vec![written[0].id.clone()])?;
    }
    Ok(())
}

async fn a_query_is_words_and_no_language(search: Search, world: World) -> Outcome {
    let (conversation, _, b) = search.direct(&world).await?;
    let written = search.write(&world, &conversation, &["this or that", "near not and"]).await?;
    same(search.hits(&b, "this OR nothing").await?, Vec::new())?;
    same(search.hits(&b, "this OR").await?, vec![written[0].id.clone()])?;
    same(search.hits(&b, "NOT near AND").await?, vec![written[1].id.clone()])?;
    for hostile in
        ["\"", "*", "th*", "\"this\" OR \"near\"", "words:this", "^this", "{", "\\", "' OR 1=1 --", "-"]
    {
        let raw = SearchQuery { terms: vec![hostile.to_owned()], ..query(&b, "") };
        let hits = search.ask(&raw).await?;
        yes(hits.len() <= 1, &format!("{hostile:?} is not understood as everything"))?;
    }
    Ok(())
}

async fn long_messages_are_found_by_their_last_word(search: Search, world: World) -> Outcome {
    let (conversation, _, b) = search.direct(&world).await?;
    let text = format!("{}the end", "word ".repeat(700));
    let sender = conversation.members[0].user_id.clone();
    let draft = world.draft(&conversation, &sender, &text)?;
    let message = match &search.chats {
        Some(chats) => chats.written(&draft).await?,
        None => draft.to_message(1),
    };
    search.show(&conversation, std::slice::from_ref(&message), 1).await?;
    yes(search.until(&b, "end", |hits| hits == [message.id.clone()]).await?, "every word counts")
}

async fn indexing_twice_is_harmless(search: Search, world: World) -> Outcome {
    let (conversation, _, b) = search.direct(&world).await?;
    let written = search.write(&world, &conversation, &["once only"]).await?;
    for _ in 0..3 {
        search.show(&conversation, &written, 1).await?;
    }
    search.write(&world, &conversation, &["later"]).await?;
    same(search.hits(&b, "once").await?, vec![written[0].id.clone()])
}

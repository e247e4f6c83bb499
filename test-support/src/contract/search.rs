//! Cases of `SearchIndex`, filled by a document store or by `SearchIndexWriter`.

use std::sync::Arc;
use std::time::Duration;

use shared::conversation::Conversation;
use shared::id::{MessageId, UserId};
use shared::message::Message;
use shared::ports::{SearchDocument, SearchIndex, SearchIndexWriter, SearchQuery};
use shared::search::terms;

use super::conversations::DocumentPorts;
use super::{Case, CaseData, Failure, Outcome, cases, expect_eq, expect_some, expect_true};

/// The longest time until an indexed message is found.
const REFRESH: Duration = Duration::from_secs(10);

/// An index and what fills it.
#[derive(Clone)]
pub struct SearchPorts {
    pub index: Arc<dyn SearchIndex>,
    /// The document store, if the index reads from it.
    pub documents: Option<DocumentPorts>,
    /// The writer, if the index is separate from the document store.
    pub writer: Option<Arc<dyn SearchIndexWriter>>,
}

/// Every case of [`SearchIndex`] and [`SearchIndexWriter`].
pub fn search() -> Vec<Case<SearchPorts>> {
    cases![
        every_term_must_begin_a_word,
        turkish_and_accented_words_match_either_spelling,
        non_members_find_nothing,
        search_can_be_limited_to_one_conversation,
        hit_pages_are_newest_first_and_start_after_the_cursor,
        edited_message_is_found_by_its_new_words_only,
        deleted_message_is_not_found,
        query_operators_have_no_meaning,
        long_message_is_found_by_its_last_word,
        repeated_indexing_changes_nothing,
    ]
}

impl SearchPorts {
    async fn direct(&self, data: &CaseData) -> Result<(Conversation, UserId, UserId), Failure> {
        if let Some(documents) = &self.documents {
            return Ok(documents.direct(data).await?);
        }
        let (a, b) = data.pair();
        Ok((data.direct(&a, &b), a, b))
    }

    /// Appends messages, one second apart, and waits until each can be found.
    async fn append_all(
        &self,
        data: &CaseData,
        to: &Conversation,
        texts: &[&str],
    ) -> Result<Vec<Message>, Failure> {
        let sender = expect_some(to.members.first())?.user_id.clone();
        let mut written = Vec::new();
        for (n, text) in (1..).zip(texts) {
            let draft = data.draft_at(to, &sender, text, data.after(n))?;
            written.push(match &self.documents {
                Some(documents) => documents.append_new(&draft).await?,
                None => draft.to_message(n),
            });
        }
        self.index(to, &written, 1).await?;
        for (message, text) in written.iter().zip(texts) {
            let found = self.wait_until(&sender, text, |hits| hits.contains(&message.id)).await?;
            expect_true(found, &format!("{text:?} is not found"))?;
        }
        Ok(written)
    }

    /// Writes the messages to the index if it has a writer.
    async fn index(&self, to: &Conversation, messages: &[Message], revision: u64) -> Outcome {
        if let Some(writer) = &self.writer {
            let row = |message: &Message| SearchDocument {
                message: message.clone(),
                members: to.member_ids(),
                revision,
            };
            writer.index(&messages.iter().map(row).collect::<Vec<_>>()).await?;
        }
        Ok(())
    }

    async fn find(&self, query: &SearchQuery) -> Result<Vec<MessageId>, Failure> {
        Ok(self.index.search(query).await?.into_iter().map(|hit| hit.message).collect())
    }

    async fn hits(&self, member: &UserId, text: &str) -> Result<Vec<MessageId>, Failure> {
        self.find(&query(member, text)).await
    }

    async fn wait_until(
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

async fn every_term_must_begin_a_word(search: SearchPorts, data: CaseData) -> Outcome {
    let (conversation, _, b) = search.direct(&data).await?;
    let written = search
        .append_all(&data, &conversation, &["Quick brown foxes jump, over!", "slow brown dogs"])
        .await?;
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
        expect_eq((text, search.hits(&b, text).await?), (text, expected))?;
    }
    Ok(())
}

async fn turkish_and_accented_words_match_either_spelling(search: SearchPorts, data: CaseData) -> Outcome {
    let (conversation, _, b) = search.direct(&data).await?;
    for (text, queries) in [
        ("İstanbul'da görüşürüz", ["istanbul", "ISTANBUL", "İSTANBUL", "ıstanbul", "gorusuruz"]),
        ("ISPARTA gülleri", ["ısparta", "isparta", "Isparta", "İSPARTA", "GÜL"]),
        ("ılık bir çay", ["ILIK", "ilik", "cay", "ÇAY", "ça"]),
        ("un café très crème", ["cafe", "CAFÉ", "tres", "TRÈS", "crè"]),
    ] {
        let written = search.append_all(&data, &conversation, &[text]).await?;
        for query in queries {
            let hits = search.hits(&b, query).await?;
            expect_true(hits.contains(&written[0].id), &format!("{query:?} does not find {text:?}"))?;
        }
    }
    Ok(())
}

async fn non_members_find_nothing(search: SearchPorts, data: CaseData) -> Outcome {
    let (ours, a, b) = search.direct(&data).await?;
    let (theirs, c, _) = search.direct(&data).await?;
    let secret = format!("secret{}", data.tag);
    let mine = search.append_all(&data, &ours, &[&secret]).await?;
    let others = search.append_all(&data, &theirs, &[&secret]).await?;
    expect_eq(search.hits(&a, &secret).await?, vec![mine[0].id.clone()])?;
    expect_eq(search.hits(&b, &secret).await?, vec![mine[0].id.clone()])?;
    expect_eq(search.hits(&c, &secret).await?, vec![others[0].id.clone()])?;
    expect_eq(search.hits(&data.user_id(), &secret).await?, Vec::new())?;
    let across = SearchQuery { conversation: Some(theirs.id), ..query(&a, &secret) };
    expect_eq(search.find(&across).await?, Vec::new())
}

async fn search_can_be_limited_to_one_conversation(search: SearchPorts, data: CaseData) -> Outcome {
    let (one, a, _) = search.direct(&data).await?;
    let two = match &search.documents {
        Some(documents) => documents.conversations.ensure_direct(&data.direct(&a, &data.user_id())).await?.0,
        None => data.direct(&a, &data.user_id()),
    };
    let first = search.append_all(&data, &one, &["shared word"]).await?;
    let second = search.append_all(&data, &two, &["shared word"]).await?;
    expect_eq(search.hits(&a, "shared").await?.len(), 2)?;
    for (conversation, expected) in [(one, &first), (two, &second)] {
        let asked = SearchQuery { conversation: Some(conversation.id), ..query(&a, "shared") };
        expect_eq(search.find(&asked).await?, vec![expected[0].id.clone()])?;
    }
    Ok(())
}

async fn hit_pages_are_newest_first_and_start_after_the_cursor(
    search: SearchPorts,
    data: CaseData,
) -> Outcome {
    let (conversation, _, b) = search.direct(&data).await?;
    let written = search.append_all(&data, &conversation, &["page me"; 7]).await?;
    let newest_first: Vec<MessageId> = written.into_iter().rev().map(|message| message.id).collect();
    for limit in [1, 3, 7, 100] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let asked = SearchQuery { after: after.take(), limit, ..query(&b, "page") };
            let page = search.index.search(&asked).await?;
            expect_true(page.len() <= limit as usize, "the page is longer than its limit")?;
            let Some(last) = page.last() else { break };
            after = Some(last.cursor.clone());
            seen.extend(page.into_iter().map(|hit| hit.message));
            expect_true(seen.len() <= newest_first.len(), "a hit came twice")?;
        }
        expect_eq(seen, newest_first.clone())?;
    }
    Ok(())
}

async fn edited_message_is_found_by_its_new_words_only(search: SearchPorts, data: CaseData) -> Outcome {
    let (conversation, _, b) = search.direct(&data).await?;
    let written = search.append_all(&data, &conversation, &["before alike"]).await?;
    let id = written[0].id.clone();
    let edited = match &search.documents {
        Some(documents) => expect_some(documents.messages.edit(&id, "after alike", data.after(9)).await?)?,
        None => Message { content: "after alike".to_owned(), ..written[0].clone() },
    };
    search.index(&conversation, &[edited], 2).await?;
    expect_true(
        search.wait_until(&b, "after", |hits| hits == [id.clone()]).await?,
        "the edited message is not found by its new word",
    )?;
    expect_true(
        search.wait_until(&b, "before", <[_]>::is_empty).await?,
        "the edited message is still found by its old word",
    )?;
    expect_eq(search.hits(&b, "alike").await?, vec![id])
}

async fn deleted_message_is_not_found(search: SearchPorts, data: CaseData) -> Outcome {
    let (conversation, a, b) = search.direct(&data).await?;
    let written = search.append_all(&data, &conversation, &["stays here", "goes here"]).await?;
    let gone = match &search.documents {
        Some(documents) => expect_some(documents.messages.delete(&written[1].id, data.after(9)).await?)?,
        None => Message { content: String::new(), deleted_at: Some(data.after(9)), ..written[1].clone() },
    };
    search.index(&conversation, &[gone], 2).await?;
    for member in [&a, &b] {
        expect_true(
            search.wait_until(member, "goes", <[_]>::is_empty).await?,
            "the deleted message is still found",
        )?;
        expect_eq(search.hits(member, "here").await?, vec![written[0].id.clone()])?;
    }
    Ok(())
}

async fn query_operators_have_no_meaning(search: SearchPorts, data: CaseData) -> Outcome {
    let (conversation, _, b) = search.direct(&data).await?;
    let written = search.append_all(&data, &conversation, &["this or that", "near not and"]).await?;
    expect_eq(search.hits(&b, "this OR nothing").await?, Vec::new())?;
    expect_eq(search.hits(&b, "this OR").await?, vec![written[0].id.clone()])?;
    expect_eq(search.hits(&b, "NOT near AND").await?, vec![written[1].id.clone()])?;
    for hostile in
        ["\"", "*", "th*", "\"this\" OR \"near\"", "words:this", "^this", "{", "\\", "' OR 1=1 --", "-"]
    {
        let raw = SearchQuery { terms: vec![hostile.to_owned()], ..query(&b, "") };
        let hits = search.find(&raw).await?;
        expect_true(hits.len() <= 1, &format!("{hostile:?} matches everything"))?;
    }
    Ok(())
}

async fn long_message_is_found_by_its_last_word(search: SearchPorts, data: CaseData) -> Outcome {
    let (conversation, _, b) = search.direct(&data).await?;
    let text = format!("{}the end", "word ".repeat(700));
    let sender = conversation.members[0].user_id.clone();
    let draft = data.draft(&conversation, &sender, &text)?;
    let message = match &search.documents {
        Some(documents) => documents.append_new(&draft).await?,
        None => draft.to_message(1),
    };
    search.index(&conversation, std::slice::from_ref(&message), 1).await?;
    expect_true(
        search.wait_until(&b, "end", |hits| hits == [message.id.clone()]).await?,
        "the last word of a long message is not found",
    )
}

async fn repeated_indexing_changes_nothing(search: SearchPorts, data: CaseData) -> Outcome {
    let (conversation, _, b) = search.direct(&data).await?;
    let written = search.append_all(&data, &conversation, &["once only"]).await?;
    for _ in 0..3 {
        search.index(&conversation, &written, 1).await?;
    }
    search.append_all(&data, &conversation, &["later"]).await?;
    expect_eq(search.hits(&b, "once").await?, vec![written[0].id.clone()])
}

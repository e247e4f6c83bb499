//! `Cache`: conversations' members, so many that memory stays bounded.

use std::collections::HashMap;

use async_trait::async_trait;
use shared::conversation::Circle;
use shared::id::{ConversationId, UserId};
use shared::ports::{Cache, Stored};

use crate::Embedded;

/// Members of all kept conversations together; some 10 MB.
const MOST: usize = 100_000;

#[derive(Default)]
pub(super) struct Kept {
    by_id: HashMap<ConversationId, Vec<UserId>>,
    members: usize,
}

#[async_trait]
impl Cache for Embedded {
    async fn circle(&self, id: &ConversationId) -> Stored<Option<Circle>> {
        let members = self.live.circles().by_id.get(id).cloned();
        Ok(members.map(|members| Circle { id: id.clone(), members }))
    }

    async fn keep(&self, circle: &Circle) -> Stored<()> {
        self.live.circles().keep(circle);
        Ok(())
    }
}

impl Kept {
    /// When it is full it starts afresh: whoever still talks is back after one look at the documents.
    fn keep(&mut self, circle: &Circle) {
        if self.members + circle.members.len() > MOST {
            *self = Self::default();
        }
        let before = self.by_id.insert(circle.id.clone(), circle.members.clone());
        self.members += circle.members.len();
        self.members -= before.map_or(0, |members| members.len());
    }
}

#[cfg(test)]
mod tests {
    use shared::conversation::Circle;
    use shared::id::{ConversationId, UserId};

    use super::{Kept, MOST};

    #[test]
    fn it_never_holds_more_than_it_may() {
        let mut kept = Kept::default();
        for n in 0..2 * MOST / 256 + 2 {
            let id = ConversationId::trusted(format!("c{}", n / 2));
            kept.keep(&Circle { id, members: vec![UserId::trusted("u"); 256] });
            let held: usize = kept.by_id.values().map(Vec::len).sum();
            assert_eq!(held, kept.members);
            assert!(held <= MOST, "{held}");
        }
        assert!(kept.by_id.len() < MOST / 256, "it was emptied once");
    }
}

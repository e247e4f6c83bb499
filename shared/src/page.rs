//! Paging: how many, and from where.

use serde_json::Value;

/// The most that one page holds.
pub const LARGEST_PAGE: u32 = 100;

/// How many rows a page holds, 1–100.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize(u32);

impl Default for PageSize {
    fn default() -> Self {
        Self(50)
    }
}

impl PageSize {
    /// A number, or a query's digits.
    pub fn parse(value: &Value) -> Result<Self, String> {
        let number = match value {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        number
            .and_then(|n| u32::try_from(n).ok())
            .filter(|n| (1..=LARGEST_PAGE).contains(n))
            .map(Self)
            .ok_or_else(|| format!("must be a whole number from 1 to {LARGEST_PAGE}"))
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// One more than a page, to learn whether another follows.
    pub const fn plus_one(self) -> u32 {
        self.0 + 1
    }
}

/// A page and where the next one starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows, in the order of the port's contract.
    pub rows: Vec<T>,
    /// Opaque; `None` on the last page.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// Cuts `rows`, fetched with [`PageSize::plus_one`], to the page; the cursor is made from its last row.
    pub fn cut(mut rows: Vec<T>, limit: PageSize, cursor: impl Fn(&T) -> String) -> Self {
        let more = rows.len() > limit.get() as usize;
        rows.truncate(limit.get() as usize);
        let next = if more { rows.last().map(cursor) } else { None };
        Self { rows, next }
    }

    /// The same page of something else.
    pub fn map<U>(self, each: impl FnMut(T) -> U) -> Page<U> {
        Page { rows: self.rows.into_iter().map(each).collect(), next: self.next }
    }
}

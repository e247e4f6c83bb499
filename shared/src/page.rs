//! Pages of lists: their size, and the cursor of the next one.

use serde_json::Value;

/// The most rows of a page.
pub const LARGEST_PAGE: u32 = 100;

/// The rows of a page unless the request says otherwise.
pub const USUAL_PAGE: u32 = 50;

/// How many rows a page has: 1 to [`LARGEST_PAGE`], by default [`USUAL_PAGE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize(u32);

impl Default for PageSize {
    fn default() -> Self {
        Self(USUAL_PAGE)
    }
}

impl PageSize {
    /// Parses a JSON number, or a string of digits as a query has it.
    ///
    /// # Errors
    /// The message for the field's error.
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

    pub const fn get(self) -> u32 {
        self.0
    }

    /// The limit to read with, to see whether another page follows.
    pub const fn plus_one(self) -> u32 {
        self.0 + 1
    }
}

/// A page and where the next one starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    pub rows: Vec<T>,
    /// The cursor of the next page; `None` on the last one.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// Cuts `rows`, read with [`PageSize::plus_one`], to a page. `cursor` makes the next page's cursor from the
    /// last row.
    pub fn cut(mut rows: Vec<T>, size: PageSize, cursor: impl Fn(&T) -> String) -> Self {
        let more = rows.len() > size.get() as usize;
        rows.truncate(size.get() as usize);
        let next = if more { rows.last().map(cursor) } else { None };
        Self { rows, next }
    }

    /// Converts each row.
    pub fn map<U>(self, convert: impl FnMut(T) -> U) -> Page<U> {
        Page { rows: self.rows.into_iter().map(convert).collect(), next: self.next }
    }
}

//! Searching in words: folding, terms and highlights. One fold for every store, so that all find alike.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The most terms of one search.
const MOST_TERMS: usize = 16;

/// Folds text for comparison: lower case, no accents, dotted and dotless i alike. Every character becomes
/// exactly one, so that a place in the folded text is the same place in the original.
pub fn fold(text: &str) -> String {
    text.chars().map(fold_char).collect()
}

fn fold_char(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let base = std::iter::once(c).nfkd().find(|c| !is_combining_mark(*c)).unwrap_or(c);
    match base.to_lowercase().next().unwrap_or(base) {
        'ı' => 'i',
        lower => lower,
    }
}

/// The folded words of a query; each must begin some word of a message.
pub fn terms(query: &str) -> Vec<String> {
    let folded = fold(query);
    words(&folded).map(|(_, word)| word.to_owned()).take(MOST_TERMS).collect()
}

/// Whether every term begins some word of a text: what every search promises of its hits.
pub fn matches(content: &str, terms: &[String]) -> bool {
    let folded = fold(content);
    terms.iter().all(|term| words(&folded).any(|(_, word)| word.starts_with(term.as_str())))
}

/// The words of a text with the place, in characters, where each begins.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut place = 0;
    text.split(|c: char| !c.is_alphanumeric()).filter_map(move |word| {
        let start = place;
        place += word.chars().count() + 1;
        (!word.is_empty()).then_some((start, word))
    })
}

/// The content as HTML text, safe to show, with `<mark>` around the words that a term begins.
pub fn highlight(content: &str, terms: &[String]) -> String {
    let folded = fold(content);
    let marked: Vec<(usize, usize)> = words(&folded)
        .filter(|(_, word)| terms.iter().any(|term| word.starts_with(term.as_str())))
        .map(|(start, word)| (start, start + word.chars().count()))
        .collect();
    let mut html = String::with_capacity(content.len() + marked.len() * 13);
    let mut next = marked.iter().peekable();
    for (place, c) in content.chars().enumerate() {
        if next.peek().is_some_and(|(start, _)| *start == place) {
            html.push_str("<mark>");
        }
        escape(c, &mut html);
        if next.peek().is_some_and(|(_, end)| *end == place + 1) {
            html.push_str("</mark>");
            next.next();
        }
    }
    html
}

fn escape(c: char, html: &mut String) {
    match c {
        '<' => html.push_str("&lt;"),
        '>' => html.push_str("&gt;"),
        '&' => html.push_str("&amp;"),
        '"' => html.push_str("&quot;"),
        '\'' => html.push_str("&#39;"),
        c => html.push(c),
    }
}

#[cfg(test)]
mod tests {
    use super::{fold, highlight, matches, terms};

    #[test]
    fn turkish_and_accents_fold_alike() {
        for (text, folded) in
            [("İstanbul", "istanbul"), ("ISPARTA ısparta", "isparta isparta"), ("Çağrı ÉTÉ", "cagri ete")]
        {
            assert_eq!(fold(text), folded);
            assert_eq!(fold(text).chars().count(), text.chars().count());
        }
    }

    #[test]
    fn every_term_must_begin_a_word() {
        for (query, found) in
            [("ist kahve", true), ("KAHVE", true), ("ahve", false), ("istanbul çay", false), ("", true)]
        {
            assert_eq!(matches("İstanbul'da kahve", &terms(query)), found, "{query}");
        }
    }

    #[test]
    fn highlights_are_safe_and_in_place() {
        assert_eq!(
            highlight("<b>İstanbul'da & ısparta", &terms("istan ISP")),
            "&lt;b&gt;<mark>İstanbul</mark>&#39;da &amp; <mark>ısparta</mark>"
        );
        assert_eq!(highlight("", &terms("x")), "");
        assert_eq!(terms("\"a\" OR b*"), ["a", "or", "b"]);
    }
}

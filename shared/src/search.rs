//! Search by words: folding, terms and highlights. Every store uses these, so that all find the same messages.

use std::collections::BTreeSet;
use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The most terms of a search.
pub const MAX_TERMS: usize = 16;

/// The most characters of a query.
pub const LONGEST_QUERY: usize = 400;

/// Folds text for comparison: to lower case, without accents, with each character in one Unicode form, and with the
/// dotless i as i. Marks that are not accents (a Hangul vowel, the voicing of a kana) are kept.
pub fn fold(text: &str) -> String {
    text.nfkd().filter(|c| !is_accent(*c)).flat_map(char::to_lowercase).map(plain).nfc().collect()
}

/// Whether a mark may be left out of a query: the accents of Latin, Greek, Cyrillic, Hebrew and Arabic.
fn is_accent(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
        | '\u{fe20}'..='\u{fe2f}' | '\u{591}'..='\u{5c7}' | '\u{64b}'..='\u{65f}' | '\u{670}')
}

/// Replaces letters that have no decomposition.
fn plain(c: char) -> char {
    match c {
        'ı' => 'i',
        'ς' => 'σ',
        other => other,
    }
}

/// A word of a text.
#[derive(Debug, PartialEq, Eq)]
struct Word {
    folded: String,
    /// Its position in the original text, in characters.
    range: Range<usize>,
}

fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut word = String::new();
    let end = [' '];
    for (index, c) in text.chars().chain(end).enumerate() {
        // A combining mark belongs to the letter before it.
        if c.is_alphanumeric() || is_combining_mark(c) && !word.is_empty() {
            word.push(c);
        } else if !word.is_empty() {
            let mut folded = fold(&word);
            // Folding may turn one character into several: ½ into 1, a slash and 2.
            folded.retain(|c| c.is_alphanumeric() || is_combining_mark(c));
            let start = index - word.chars().count();
            words.push(Word { folded, range: start..index });
            word.clear();
        }
    }
    words
}

/// The folded words of a text, each once and sorted. A term matches the text if one of them begins with it.
pub fn vocabulary(text: &str) -> Vec<String> {
    let distinct: BTreeSet<String> = words(text).into_iter().map(|word| word.folded).collect();
    distinct.into_iter().collect()
}

/// The folded words of a query, each once, in the query's order.
pub fn terms(query: &str) -> Vec<String> {
    let mut seen = BTreeSet::new();
    words(query).into_iter().map(|word| word.folded).filter(|word| seen.insert(word.clone())).collect()
}

/// Whether every term begins some word of the content, as it must in every hit of a search.
pub fn matches(content: &str, terms: &[String]) -> bool {
    let words = vocabulary(content);
    terms.iter().all(|term| words.iter().any(|word| word.starts_with(term.as_str())))
}

/// The content as escaped HTML, with `<mark>` around each word that begins with a term.
pub fn highlight(content: &str, terms: &[String]) -> String {
    let marked: Vec<Range<usize>> = words(content)
        .into_iter()
        .filter(|word| terms.iter().any(|term| word.folded.starts_with(term.as_str())))
        .map(|word| word.range)
        .collect();
    let mut html = String::with_capacity(content.len() + marked.len() * 13);
    let mut next = marked.iter().peekable();
    for (index, c) in content.chars().enumerate() {
        if next.peek().is_some_and(|mark| mark.start == index) {
            html.push_str("<mark>");
        }
        escape(c, &mut html);
        if next.peek().is_some_and(|mark| mark.end == index + 1) {
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
    fn fold_removes_case_and_accents_but_keeps_letters() {
        for (text, folded) in [
            ("İstanbul", "istanbul"),
            ("ISPARTA ısparta", "isparta isparta"),
            ("Çağrı ÉTÉ", "cagri ete"),
            ("e\u{301}te\u{301}", "ete"),
            ("ΟΔΟΣ οδός", "οδοσ οδοσ"),
            ("ＡＢＣ ﬁn", "abc fin"),
            ("한국 \u{1112}\u{1161}\u{11ab}", "한국 한"),
            ("は ば ぱ", "は ば ぱ"),
            ("हिन्दी", "हिन्दी"),
        ] {
            assert_eq!(fold(text), folded);
            assert_eq!(fold(folded), folded, "folding twice changes nothing");
        }
    }

    #[test]
    fn terms_are_the_same_for_composed_and_decomposed_text() {
        for (text, expected) in [
            ("re\u{301}sume\u{301}, u\u{308}ber", vec!["resume", "uber"]),
            ("학교 가자", vec!["학교", "가자"]),
            ("हिन्दी।", vec!["हिन्दी"]),
            ("½ \u{301}x ''", vec!["12", "x"]),
            ("", vec![]),
        ] {
            assert_eq!(terms(text), expected, "{text}");
        }
        assert!(!matches("학교 가자", &terms("호객")), "the same first consonants are not the same word");
    }

    #[test]
    fn content_matches_only_when_every_term_begins_a_word() {
        for (query, expected) in
            [("ist kahve", true), ("KAHVE", true), ("ahve", false), ("istanbul çay", false), ("", true)]
        {
            assert_eq!(matches("İstanbul'da kahve", &terms(query)), expected, "{query}");
        }
    }

    #[test]
    fn highlight_escapes_html_and_marks_whole_words() {
        assert_eq!(
            highlight("<b>İstanbul'da & ısparta", &terms("istan ISP")),
            "&lt;b&gt;<mark>İstanbul</mark>&#39;da &amp; <mark>ısparta</mark>"
        );
        assert_eq!(highlight("", &terms("x")), "");
        assert_eq!(highlight("u\u{308}ber e\u{301}", &terms("uber")), "<mark>u\u{308}ber</mark> e\u{301}");
        assert_eq!(terms("\"a\" OR b*"), ["a", "or", "b"]);
    }
}

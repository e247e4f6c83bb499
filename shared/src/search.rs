//! Searching in words: folding, terms and highlights. One fold for every store, so that all find alike.

use std::collections::BTreeSet;
use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The most terms of one search.
pub const MAX_TERMS: usize = 16;

/// Folds text for comparison: lower case, no accents, one form of each character whichever way it was typed, dotted
/// and dotless i alike. What an accent is not (a Hangul vowel, the voicing of a kana) stays.
pub fn fold(text: &str) -> String {
    text.nfkd().filter(|c| !is_accent(*c)).flat_map(char::to_lowercase).map(plain).nfc().collect()
}

/// What Latin, Greek, Cyrillic, Hebrew and Arabic writers leave out when they search.
fn is_accent(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
        | '\u{fe20}'..='\u{fe2f}' | '\u{591}'..='\u{5c7}' | '\u{64b}'..='\u{65f}' | '\u{670}')
}

fn plain(c: char) -> char {
    match c {
        'ı' => 'i',
        'ς' => 'σ',
        other => other,
    }
}

/// A word of a text: folded, and where it stands in the text as it was written, in characters.
#[derive(Debug, PartialEq, Eq)]
struct Word {
    folded: String,
    place: Range<usize>,
}

fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut written = String::new();
    let end = [' '];
    for (place, c) in text.chars().chain(end).enumerate() {
        // A mark that was typed by itself belongs to the letter before it.
        if c.is_alphanumeric() || is_combining_mark(c) && !written.is_empty() {
            written.push(c);
        } else if !written.is_empty() {
            let mut folded = fold(&written);
            // A single character may stand for several, as ½ for 1, a stroke and 2.
            folded.retain(|c| c.is_alphanumeric() || is_combining_mark(c));
            let start = place - written.chars().count();
            words.push(Word { folded, place: start..place });
            written.clear();
        }
    }
    words
}

/// The folded words of a text, each once: what a term must begin.
pub fn vocabulary(text: &str) -> Vec<String> {
    let once: BTreeSet<String> = words(text).into_iter().map(|word| word.folded).collect();
    once.into_iter().collect()
}

/// The folded words of a query, each once, in its order; each must begin some word of a message.
pub fn terms(query: &str) -> Vec<String> {
    let mut seen = BTreeSet::new();
    words(query).into_iter().map(|word| word.folded).filter(|word| seen.insert(word.clone())).collect()
}

/// Whether every term begins some word of a text: what every search promises of its hits.
pub fn matches(content: &str, terms: &[String]) -> bool {
    let words = vocabulary(content);
    terms.iter().all(|term| words.iter().any(|word| word.starts_with(term.as_str())))
}

/// The content as HTML text, safe to show, with `<mark>` around the words that a term begins.
pub fn highlight(content: &str, terms: &[String]) -> String {
    let marked: Vec<Range<usize>> = words(content)
        .into_iter()
        .filter(|word| terms.iter().any(|term| word.folded.starts_with(term.as_str())))
        .map(|word| word.place)
        .collect();
    let mut html = String::with_capacity(content.len() + marked.len() * 13);
    let mut next = marked.iter().peekable();
    for (place, c) in content.chars().enumerate() {
        if next.peek().is_some_and(|mark| mark.start == place) {
            html.push_str("<mark>");
        }
        escape(c, &mut html);
        if next.peek().is_some_and(|mark| mark.end == place + 1) {
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
    fn accents_and_cases_fold_alike_and_letters_do_not() {
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
    fn words_are_cut_between_letters_however_they_were_typed() {
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
        assert_eq!(highlight("u\u{308}ber e\u{301}", &terms("uber")), "<mark>u\u{308}ber</mark> e\u{301}");
        assert_eq!(terms("\"a\" OR b*"), ["a", "or", "b"]);
    }
}

//! Unicode rules for names: one normal form, comparison without regard to case, no invisible characters.

use unicode_normalization::UnicodeNormalization;

/// Normalises a name to NFKC, so that texts that look alike are stored alike: full-width letters become plain ones, and
/// composed and decomposed accents become the same.
pub fn normalize(text: &str) -> String {
    text.nfkc().collect()
}

/// Folds a name for comparison: NFKC and without regard to case. `ß` equals `ss`, and a final sigma equals a sigma. The
/// dotless ı stays a letter of its own, as in Unicode's case folding.
pub fn fold_name(text: &str) -> String {
    let mut folded = fold_once(text);
    // Folding may make a text that has another normal form. Three rounds reach a fixed point for every text; the limit
    // only keeps this loop visibly finite.
    for _ in 0..3 {
        let again = fold_once(&folded);
        if again == folded {
            break;
        }
        folded = again;
    }
    folded
}

fn fold_once(text: &str) -> String {
    let upper = text.nfkc().flat_map(|c| {
        let (keep, change) = if c == 'ı' { (Some(c), None) } else { (None, Some(c.to_uppercase())) };
        keep.into_iter().chain(change.into_iter().flatten())
    });
    upper.flat_map(char::to_lowercase).nfkc().collect()
}

/// Whether the text contains a character that is not shown or that changes how others are shown: controls, zero-width
/// characters, marks of direction, fillers and tags. With them two names would look the same. The variation selector of
/// an emoji is allowed after a character that is no letter and no digit.
pub fn has_hidden_characters(text: &str) -> bool {
    let mut before = None;
    text.chars().any(|c| {
        let after_symbol = before.is_some_and(|c: char| !c.is_alphanumeric() && !c.is_whitespace());
        before = Some(c);
        match c {
            '\u{fe0e}' | '\u{fe0f}' => !after_symbol,
            _ => c.is_control() || is_hidden(c),
        }
    })
}

/// Unicode's default-ignorable characters, marks of direction, and separators of lines.
fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::{fold_name, has_hidden_characters};

    #[test]
    fn names_that_differ_only_in_case_or_form_fold_to_the_same_text() {
        for (a, b) in [
            ("Ada", "aDA"),
            ("ＡＤＡ", "ada"),
            ("e\u{301}", "É"),
            ("Straße", "STRASSE"),
            ("ΟΔΟΣ", "οδος"),
            ("ﬁn", "FIN"),
            ("①", "1"),
        ] {
            assert_eq!(fold_name(a), fold_name(b), "{a} {b}");
        }
        for (a, b) in [("ı", "i"), ("ada", "adá"), ("а", "a")] {
            assert_ne!(fold_name(a), fold_name(b), "{a} {b}");
        }
    }

    #[test]
    fn folding_a_folded_text_changes_nothing() {
        for c in (0..=0x2_ffff).filter_map(char::from_u32) {
            for text in [c.to_string(), format!("a{c}\u{301}"), format!("{c}\u{345}\u{300}")] {
                let once = fold_name(&text);
                assert_eq!(fold_name(&once), once, "{text:?}");
            }
        }
    }

    #[test]
    fn invisible_characters_and_marks_of_direction_are_found() {
        for hidden in [
            "a\u{200b}da",
            "ada\u{202e}",
            "\u{feff}ada",
            "a\u{200d}da",
            "ada\u{fe0f}",
            "\u{3164}",
            "a\u{ad}da",
            "a\u{2067}da",
            "a\nda",
            "a\u{e0041}",
            "\u{fe0f}",
        ] {
            assert!(has_hidden_characters(hidden), "{hidden:?}");
        }
        for visible in ["Ada Lövelace", "İpek", "愛", "❤\u{fe0f}", "عدا", "👋🏽"] {
            assert!(!has_hidden_characters(visible), "{visible:?}");
        }
    }
}

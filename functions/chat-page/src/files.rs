//! The files of `app/`, as the binary contains them.

use std::borrow::Cow;

/// The page.
pub(crate) const PAGE: &str = include_str!("../app/index.html");

const SCRIPT: &str = "text/javascript; charset=utf-8";

macro_rules! files {
    ($($content_type:expr => [$($path:literal),+ $(,)?]);+ $(;)?) => {
        const FILES: &[(&str, &str, &str)] =
            &[$($(($path, $content_type, include_str!(concat!("../app/", $path)))),+),+];
    };
}

files! {
    "text/css; charset=utf-8" => ["style.css"];
    "image/svg+xml" => ["icon.svg"];
    SCRIPT => [
        "api.js", "chat.js", "dom.js", "en.js", "highlight.js", "history.js", "main.js", "names.js", "outbox.js",
        "session.js", "socket.js", "spent.js", "state.js", "store.js", "sync.js", "text.js", "timeline.js", "tr.js", "writing.js",
        "views/account.js", "views/avatar.js", "views/composer.js", "views/conversations.js", "views/dialog.js",
        "views/form.js", "views/login.js", "views/message.js", "views/people.js", "views/search.js",
        "views/shell.js", "views/thread.js",
    ];
}

/// A file by its path below `app/`: its media type and its text, without comments and indentation.
pub(crate) fn find(path: &str) -> Option<(&'static str, Cow<'static, str>)> {
    let (_, content_type, text) = FILES.iter().find(|(name, _, _)| *name == path)?;
    Some((content_type, shortened(text).into()))
}

/// The lines that are not comments as a whole, without their indentation; both would be a quarter of what is sent.
/// Comments of several lines begin and end on lines of their own, and no text goes over a line's end.
fn shortened(text: &str) -> String {
    let mut is_inside = false;
    let is_code = |line: &&str| {
        let is_comment = is_inside || line.starts_with("/*") || line.starts_with("//");
        is_inside = (is_inside || line.starts_with("/*")) && !line.contains("*/");
        !is_comment && !line.is_empty()
    };
    text.lines().map(str::trim_start).filter(is_code).map(|line| format!("{line}\n")).collect()
}

//! The document around the records: it loads nothing, and runs nothing but its own script.

use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::shown;
use crate::lang::Lang;

/// The sheet of a page, for light and dark, screens and paper.
pub const STYLE: &str = concat!(
    include_str!("css/page.css"),
    include_str!("css/list.css"),
    include_str!("css/said.css"),
    include_str!("css/bytes.css"),
    include_str!("css/media.css"),
);

/// The module that draws records. It exports `Panel`, and draws the page that it stands in.
pub const SCRIPT: &str = concat!(
    include_str!("js/dom.js"),
    include_str!("js/blocks.js"),
    include_str!("js/bytes.js"),
    include_str!("js/record.js"),
    include_str!("js/list.js"),
    include_str!("js/timeline.js"),
    include_str!("js/stats.js"),
    include_str!("js/tip.js"),
    include_str!("js/panel.js"),
    include_str!("js/page.js"),
);

/// The Content Security Policy of a page that has [`SCRIPT`] and [`STYLE`] within it and needs nothing else.
pub fn policy() -> String {
    policy_of(SCRIPT, STYLE)
}

/// The same of a page that has another script and sheet.
fn policy_of(script: &str, style: &str) -> String {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; base-uri 'none'; \
         form-action 'none'",
        hash(script),
        hash(style)
    )
}

/// The document around what is to be seen: it has nothing but its own sheet and script.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// What it is about.
    pub title: &'a str,
    /// The language of its words.
    pub lang: Lang,
    /// The sheet.
    pub style: &'a str,
    /// The module that it runs.
    pub script: &'a str,
}

impl Frame<'_> {
    /// What stands before the body's content.
    pub fn beginning(&self) -> String {
        let Self { title, lang, style, script } = self;
        format!(
            "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<title>{} · wstool</title>\n\
             <style>{style}</style>\n</head>\n<body>\n",
            lang.code(),
            shown::html(&policy_of(script, style)),
            shown::html(title),
        )
    }

    /// The element with the script.
    pub fn module(&self) -> String {
        format!("<script type=\"module\">{}</script>\n", self.script)
    }
}

/// What stands before the records.
pub fn beginning(title: &str, lang: Lang, words: &str) -> String {
    let frame = Frame { title, lang, style: STYLE, script: SCRIPT };
    format!(
        "{}<main id=\"wstool\"></main>\n<noscript><p>{}</p></noscript>\n{}{}\
         <script type=\"application/json\" id=\"records\">\n",
        frame.beginning(),
        shown::html(super::words::without_script(lang)),
        data_script("id=\"words\"", words),
        frame.module(),
    )
}

/// What stands behind them.
pub const END: &str = concat!("</script>\n", "</body>\n</html>\n");

/// What stands behind the content of a page that has no records at its end.
pub const CLOSE: &str = "</body>\n</html>\n";

/// An element that holds JSON for the script to read.
pub fn data_script(attributes: &str, json: &str) -> String {
    format!("<script type=\"application/json\" {attributes}>{}</script>\n", embedded(json))
}

/// JSON within a script element: the same values without a character that HTML looks at.
fn embedded(json: &str) -> String {
    let mut out = Vec::with_capacity(json.len());
    // A vector takes everything.
    let _ = embed(json, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// Writes JSON as it can stand within a script element. Outside of strings JSON has none of these characters.
pub fn embed(json: &str, out: &mut impl Write) -> io::Result<()> {
    let mut rest = json;
    while let Some(at) = rest.find(['<', '>', '&']) {
        let escape = match rest.as_bytes()[at] {
            b'<' => "\\u003c",
            b'>' => "\\u003e",
            _ => "\\u0026",
        };
        out.write_all(&rest.as_bytes()[..at])?;
        out.write_all(escape.as_bytes())?;
        rest = &rest[at + 1..];
    }
    out.write_all(rest.as_bytes())
}

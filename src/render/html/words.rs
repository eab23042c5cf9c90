//! The words of the page's own: what is on buttons, above columns, and in hints.

use std::collections::BTreeMap;

use crate::lang::Lang;

/// All that the script says, in English. It says them by these keys, as the code does.
const WORDS: &[&str] = &[
    "{} frames and messages are left out: a page holds only so much; --stream and --around select fewer",
    "{} of {}",
    "{} of {} bytes",
    "and {} more",
    "and {} more connections",
    "binary",
    "byte {}",
    "byte {}, bit {}",
    "byte {}, bits {}–{}",
    "bytes {}–{}",
    "client",
    "close",
    "connection {}",
    "continuation",
    "every opcode",
    "either side",
    "fold all",
    "j and k go from one to the next, Enter opens it, n goes to the next finding, / searches",
    "lost in a gap",
    "nothing here matches",
    "only findings",
    "open all",
    "ping",
    "pong",
    "search text, rules, addresses",
    "server",
    "statistics",
    "text",
    "time line",
];

/// The page's words in a language, as one object of JSON: what [`SCRIPT`](super::SCRIPT)'s `Panel` is given.
pub fn words(lang: Lang) -> String {
    let words: BTreeMap<&str, &str> = WORDS.iter().map(|english| (*english, lang.words(english))).collect();
    // Strings always make JSON.
    serde_json::to_string(&words).unwrap_or_default()
}

/// What a page says whose script does not run.
pub fn without_script(lang: Lang) -> &'static str {
    lang.words("This page draws itself by a script of its own, which is not allowed to run here.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::html::SCRIPT;

    #[test]
    fn the_script_says_these_words_and_no_others() {
        let said: Vec<&str> = SCRIPT
            .split("say(\"")
            .skip(1)
            .map(|rest| rest.split_once('"').expect("a literal ends").0)
            .collect();
        assert!(said.len() > 10);
        for words in &said {
            assert!(WORDS.contains(words), "`{words}` is not among WORDS");
        }
        for words in WORDS {
            let is_there = said.contains(words) || SCRIPT.contains(&format!("\"{words}\""));
            assert!(is_there, "the script never says `{words}`");
        }
    }
}

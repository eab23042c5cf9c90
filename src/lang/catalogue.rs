//! Catalogues: the words of a language by their English keys, in gettext's PO format.
//!
//! ```text
//! #. a remark for translators
//! msgid "{} of {} bytes captured"
//! msgstr "{1}字节中捕获了{0}字节"
//!
//! msgid "{} frame"
//! msgid_plural "{} frames"
//! msgstr[0] "{}帧"
//! ```
//!
//! A translation may number its holes, `{0}` and `{1}`, to change their order, and needs no
//! spaces around them: where Chinese and Latin meet, one comes by itself.
//!
//! Of the format this reads what catalogues without plural forms need: languages
//! with more than one have not come yet.

use std::collections::HashMap;

use memchr::memchr2;

/// The words of a language.
#[derive(Debug, Default)]
pub struct Catalogue {
    words: HashMap<String, Entry>,
}

/// A key's other half.
#[derive(Debug, Default)]
struct Entry {
    plural: Option<String>,
    translation: String,
}

impl Catalogue {
    /// Reads a PO file.
    ///
    /// # Errors
    ///
    /// The line that cannot be read, and why; a key that stands twice is an error too, as is a second
    /// translation of one.
    pub fn read(po: &str) -> Result<Self, String> {
        let mut words = HashMap::new();
        let (mut key, mut entry) = (String::new(), Entry::default());
        let mut part = Part::Translation;
        for (number, line) in (1..).zip(po.lines().map(str::trim)) {
            let wrong = |what: &str| format!("line {number}: {what}");
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let at = line.find('"').ok_or_else(|| wrong("a string is wanted"))?;
            let (keyword, text) = line.split_at(at);
            part = match keyword.trim_end() {
                "" => part,
                "msgid" => {
                    let done = std::mem::take(&mut entry);
                    if words.insert(std::mem::take(&mut key), done).is_some_and(|before| before.is_used()) {
                        return Err(wrong("the entry before has a key that was there already"));
                    }
                    Part::Key
                }
                "msgid_plural" => Part::Plural,
                "msgstr" | "msgstr[0]" if part == Part::Translation => {
                    return Err(wrong("the entry has a translation already"));
                }
                "msgstr" | "msgstr[0]" => Part::Translation,
                _ => return Err(wrong("msgid, msgid_plural or msgstr is wanted")),
            };
            let words = match part {
                Part::Key => &mut key,
                Part::Plural => entry.plural.get_or_insert_default(),
                Part::Translation => &mut entry.translation,
            };
            unquote(text, words).ok_or_else(|| wrong("the string is not well-formed"))?;
        }
        if words.insert(key, entry).is_some_and(|before| before.is_used()) {
            return Err("the last entry has a key that was there already".to_owned());
        }
        // The header, and what stood before the first entry.
        words.remove("");
        Ok(Self { words })
    }

    /// The words for an English key; `None` when there are none.
    pub fn get(&self, english: &str) -> Option<&str> {
        self.words.get(english).map(|entry| entry.translation.as_str()).filter(|words| !words.is_empty())
    }

    /// Every key with the English plural, where it has one, and its translation, in no order.
    pub fn entries(&self) -> impl Iterator<Item = (&str, Option<&str>, &str)> {
        self.words
            .iter()
            .map(|(key, entry)| (key.as_str(), entry.plural.as_deref(), entry.translation.as_str()))
    }
}

impl Entry {
    /// What stands before the first key is none.
    fn is_used(&self) -> bool {
        !self.translation.is_empty() || self.plural.is_some()
    }
}

/// What a line's string belongs to.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Key,
    Plural,
    Translation,
}

/// Adds the text of a string in quotes to `words`; `None` where it is not well-formed.
fn unquote(quoted: &str, words: &mut String) -> Option<()> {
    let mut rest = quoted.strip_prefix('"')?.strip_suffix('"')?;
    // What needs no look at each character is most of it: a catalogue is read at each start.
    while let Some(at) = memchr2(b'\\', b'"', rest.as_bytes()) {
        let escaped = rest[at..].strip_prefix('\\')?.chars().next()?;
        words.push_str(&rest[..at]);
        words.push(match escaped {
            'n' => '\n',
            't' => '\t',
            '"' | '\\' => escaped,
            _ => return None,
        });
        rest = &rest[at + 2..];
    }
    words.push_str(rest);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "msgid \"\"\nmsgstr \"\"\n\"Language: zh_CN\\n\"\n";

    #[test]
    fn entries_are_read() {
        let po = format!(
            "{HEAD}\n#. a remark\nmsgid \"a \\\"b\\\"\"\nmsgstr \"\"\n\"甲\"\n\"乙\\n\"\n\n\
             msgid \"{{}} frame\"\nmsgid_plural \"{{}} frames\"\nmsgstr[0] \"{{}} 帧\"\n\nmsgid \"c\"\n\
             msgstr \"\"\n"
        );
        let words = Catalogue::read(&po).expect("it is well-formed");
        assert_eq!(words.get("a \"b\""), Some("甲乙\n"));
        assert_eq!(words.get("{} frame"), Some("{} 帧"));
        assert_eq!((words.get("c"), words.get(""), words.get("d")), (None, None, None));
        let plurals: Vec<_> = words.entries().filter_map(|(_, plural, _)| plural).collect();
        assert_eq!((words.entries().count(), plurals), (3, vec!["{} frames"]));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (po, why) in [
            ("msgid \"a\nmsgstr \"b\"", "line 1: the string is not well-formed"),
            ("msgid \"a\"\nmsgstr \"\\q\"", "line 2: the string is not well-formed"),
            ("msgid a", "line 1: a string is wanted"),
            ("msgctxt \"a\"", "line 1: msgid, msgid_plural or msgstr is wanted"),
            ("msgid \"a\"\nmsgstr \"b\"\nmsgstr \"c\"", "line 3: the entry has a translation already"),
            (
                "msgid \"a\"\nmsgstr \"b\"\nmsgid \"a\"\nmsgstr \"c\"",
                "the last entry has a key that was there already",
            ),
        ] {
            assert_eq!(Catalogue::read(po).err().as_deref(), Some(why), "{po}");
        }
    }
}

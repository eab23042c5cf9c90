//! The languages the tool speaks.
//!
//! English stands in the code; it is the key under which a [catalogue] finds the
//! words of another language, as gettext has it. Nothing is remembered for the
//! process: whoever writes words is told the [`Lang`] to write them in.

use std::borrow::Cow;
use std::fmt::{Display, Write as _};
use std::str::FromStr;
use std::sync::OnceLock;

use crate::model::{Arg, Bilingual, Text};

pub mod catalogue;

use catalogue::Catalogue;

/// A language of the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Lang {
    /// English, complete by definition: its words stand in the code.
    #[default]
    En,
    /// Simplified Chinese.
    Zh,
}

impl Bilingual {
    /// The text in one language.
    pub fn in_(&self, lang: Lang) -> &str {
        match lang {
            Lang::En => &self.en,
            Lang::Zh => &self.zh,
        }
    }
}

impl Lang {
    /// Every language, English first.
    pub const ALL: [Self; 2] = [Self::En, Self::Zh];

    /// Its ISO 639-1 code, as options and file names have it.
    pub fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh",
        }
    }

    /// The language of a POSIX locale such as `zh_CN.UTF-8`; English for those
    /// the tool does not speak.
    pub fn of_locale(locale: &str) -> Self {
        let language = locale.split(['_', '.', '@', '-']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|lang| lang.code() == language).unwrap_or_default()
    }

    /// Its words; `None` for English, whose words are the keys.
    pub fn catalogue(self) -> Option<&'static Catalogue> {
        static ZH: OnceLock<Catalogue> = OnceLock::new();
        match self {
            Self::En => None,
            // A catalogue that does not read is caught by its tests; English would be said instead.
            Self::Zh => Some(ZH.get_or_init(|| Catalogue::read(include_str!("zh.po")).unwrap_or_default())),
        }
    }

    /// Words of the tool in this language; as they are where it has none for them.
    #[inline]
    pub fn words(self, english: &'static str) -> &'static str {
        if self == Self::En {
            return english;
        }
        self.catalogue().and_then(|words| words.get(english)).unwrap_or(english)
    }

    /// A template of the tool in this language, its holes filled by `args`.
    pub fn fill(self, template: &'static str, args: &[&dyn Display]) -> String {
        self.filled(self.words(template), args)
    }

    /// The same, its holes filled by words or digits, at the end of `out`.
    pub fn fill_in(self, template: &'static str, args: &[&str], out: &mut String) {
        let template = self.words(template);
        self.add(template, out, |at, out| out.push_str(args.get(at).unwrap_or(&"{}")));
    }

    /// `number` of something, written as `shown`: `1 frame`, `2 frames`. English has two
    /// templates, other languages may have one.
    pub fn count(self, number: u64, shown: &dyn Display, [one, many]: [&'static str; 2]) -> String {
        let english = if number == 1 { one } else { many };
        let theirs = self.catalogue().and_then(|words| words.get(one));
        self.filled(theirs.unwrap_or(english), &[shown])
    }

    /// The same, at the end of `out`.
    pub fn count_in(self, number: u64, shown: &str, [one, many]: [&'static str; 2], out: &mut String) {
        let english = if number == 1 { one } else { many };
        let theirs = self.catalogue().and_then(|words| words.get(one));
        let template = theirs.unwrap_or(english);
        self.add(template, out, |at, out| out.push_str(if at == 0 { shown } else { "{}" }));
    }

    /// A template with one hole, to be filled with many numbers.
    pub fn around(self, template: &'static str) -> Around {
        let mut words = String::new();
        self.fill_in(template, &[Around::NUMBER], &mut words);
        Around::new(&words)
    }

    /// The same for one of something, and for several.
    pub fn around_count(self, noun: [&'static str; 2]) -> [Around; 2] {
        [1, 2].map(|number| {
            let mut words = String::new();
            self.count_in(number, Around::NUMBER, noun, &mut words);
            Around::new(&words)
        })
    }

    /// Fills a template at the end of `out`, and sees to no spaces between what is there and itself.
    fn add(self, template: &str, out: &mut String, hole: impl FnMut(usize, &mut String)) {
        if self.catalogue().is_none() {
            return fill_english(template, out, hole);
        }
        let mut own = String::new();
        self.fill_to(template, &mut own, hole);
        out.push_str(&own);
    }

    fn filled(self, template: &str, args: &[&dyn Display]) -> String {
        let mut out = String::new();
        self.fill_to(template, &mut out, |at, out| match args.get(at) {
            // Writing to a string cannot fail.
            Some(arg) => drop(write!(out, "{arg}")),
            None => out.push_str("{}"),
        });
        out
    }

    /// A text in this language: words without holes are those of the catalogue themselves.
    pub fn say(self, text: &Text) -> Cow<'static, str> {
        let template = self.words(text.template);
        if text.args.is_empty() && (self == Self::En || !template.contains('{')) {
            return Cow::Borrowed(template);
        }
        let mut out = String::new();
        self.say_to(text, &mut out);
        Cow::Owned(out)
    }

    fn say_to(self, text: &Text, out: &mut String) {
        self.fill_to(self.words(text.template), out, |at, out| match text.args.get(at) {
            Some(Arg::Value(value)) => out.push_str(value),
            Some(Arg::Words(words)) => self.say_to(words, out),
            None => out.push_str("{}"),
        });
    }

    /// Writes a template, calling `hole` with the number of each of its holes: `{}` are
    /// numbered from 0 as they come, `{0}` and `{1}` say which they are.
    fn fill_to(self, template: &str, out: &mut String, mut hole: impl FnMut(usize, &mut String)) {
        if self.catalogue().is_none() {
            return fill_english(template, out, hole);
        }
        let joint = |out: &mut String, write: &mut dyn FnMut(&mut String)| {
            let at = out.len();
            write(out);
            space(out, at);
        };
        let (mut rest, mut next) = (template, 0);
        while let Some((before, after)) = rest.split_once('{') {
            joint(out, &mut |out| out.push_str(before));
            // What stands between backticks is quoted as it is.
            let quoted = before.ends_with('`');
            let end = after.bytes().take_while(u8::is_ascii_digit).count();
            if after.as_bytes().get(end) == Some(&b'}') {
                let at = after[..end].parse().unwrap_or(next);
                next += 1;
                rest = &after[end + 1..];
                match rest.strip_prefix('`').filter(|_| quoted) {
                    Some(behind) => {
                        hole(at, out);
                        out.push('`');
                        rest = behind;
                    }
                    None => joint(out, &mut |out| hole(at, out)),
                }
            } else {
                out.push('{');
                rest = after;
            }
        }
        joint(out, &mut |out| out.push_str(rest));
    }
}

/// The words around a number, found once: what stands beside the number is the same for every one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Around {
    /// What stands before it.
    pub before: String,
    /// What stands behind it.
    pub behind: String,
}

impl Around {
    /// A number that stands in no template.
    const NUMBER: &'static str = "0";

    fn new(words: &str) -> Self {
        let (before, behind) = words.split_once(Self::NUMBER).unwrap_or((words, ""));
        Self { before: before.to_owned(), behind: behind.to_owned() }
    }

    /// Says it of a number at the end of `out`.
    pub fn say(&self, digits: &str, out: &mut String) {
        out.push_str(&self.before);
        out.push_str(digits);
        out.push_str(&self.behind);
    }
}

/// The same where nothing comes between the parts, and spaces need not be thought of.
fn fill_english(template: &str, out: &mut String, mut hole: impl FnMut(usize, &mut String)) {
    let (mut rest, mut next) = (template, 0);
    while let Some(at) = rest.bytes().position(|byte| byte == b'{') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let end = rest.bytes().take_while(u8::is_ascii_digit).count();
        if rest.as_bytes().get(end) == Some(&b'}') {
            hole(rest[..end].parse().unwrap_or(next), out);
            next += 1;
            rest = &rest[end + 1..];
        } else {
            out.push('{');
        }
    }
    out.push_str(rest);
}

/// Parts Chinese characters and Latin ones that meet at byte `at`, as printers do, so that
/// translations need not know what comes into their holes.
fn space(words: &mut String, at: usize) {
    let (before, after) = words.split_at(at);
    if let (Some(before), Some(after)) = (before.chars().next_back(), after.chars().next())
        && (is_han(before) && is_latin(after) || is_latin(before) && is_han(after))
    {
        words.insert(at, ' ');
    }
}

/// The unified ideographs and their extension A.
fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}')
}

fn is_latin(c: char) -> bool {
    c.is_ascii_graphic() && !matches!(c, ',' | '.' | ';' | ':' | '(' | ')' | '"') || c == '§'
}

impl FromStr for Lang {
    type Err = String;

    fn from_str(code: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|lang| lang.code() == code).ok_or_else(|| "en or zh is wanted".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locales() {
        for (locale, lang) in [
            ("zh_CN.UTF-8", Lang::Zh),
            ("zh", Lang::Zh),
            ("zh-Hans", Lang::Zh),
            ("en_GB.UTF-8", Lang::En),
            ("de_DE", Lang::En),
            ("C", Lang::En),
            ("", Lang::En),
        ] {
            assert_eq!(Lang::of_locale(locale), lang, "{locale}");
        }
    }

    #[test]
    fn holes_may_change_places() {
        let filled = |template| {
            let mut out = String::new();
            Lang::Zh.fill_to(template, &mut out, |at, out| out.push_str(["a", "乙"].get(at).unwrap_or(&"?")));
            out
        };
        for (template, expected) in [
            ("{} of {}", "a of 乙"),
            ("{1}中的{0}", "乙中的 a"),
            ("由{0}到{1}。", "由 a 到乙。"),
            ("（{0}）", "（a）"),
            ("在 `{1}` 里", "在 `乙` 里"),
            ("{x} {", "{x} {"),
            ("{2}", "?"),
            ("", ""),
        ] {
            assert_eq!(filled(template), expected);
        }
    }

    #[test]
    fn a_text_is_said_with_the_words_in_it() {
        let text = Text::new("a {} frame").word("close");
        assert_eq!(Lang::En.say(&text), text.to_string());
        assert_eq!(Lang::Zh.say(&text), "一个 Close 帧");
        let quoted = Text::with("a {} frame", "close");
        assert_eq!(Lang::Zh.say(&quoted), "一个 close 帧", "a value is no word");
    }

    #[test]
    fn numbers_choose_their_template() {
        let say = |lang: Lang, number| lang.count(number, &number, ["{} frame", "{} frames"]);
        assert_eq!([say(Lang::En, 1), say(Lang::En, 2)], ["1 frame", "2 frames"]);
        assert_eq!([say(Lang::Zh, 1), say(Lang::Zh, 2)], ["1 帧", "2 帧"]);
    }
}

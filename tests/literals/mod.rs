//! The string literals of the sources, read as tokens: comments, attributes, tests
//! and what is said to programmers (`expect`, `assert!`) are left out.

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// A string literal of the sources.
pub struct Literal {
    /// From `src/` on.
    pub file: String,
    /// What it stands for, without escapes.
    pub text: String,
}

/// Files that hold tests and nothing else.
const TESTS: &[&str] =
    &["tests.rs", "fixture.rs", "scenes.rs", "sample.rs", "testing.rs", "hostile.rs", "unusual.rs"];

/// Who is called like this speaks to programmers, or to who reads a page of `docs`.
const FOR_PROGRAMMERS: &[&str] =
    &["expect", "assert", "assert_eq", "assert_ne", "debug_assert", "panic", "unreachable", "Sheet"];

/// Every string literal below `src/`.
pub fn literals() -> Vec<Literal> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    walk(&root, &mut paths);
    let mut found = Vec::new();
    for path in paths {
        let file = path.strip_prefix(&root).expect("found below it").to_string_lossy().replace('\\', "/");
        let code: TokenStream = fs::read_to_string(&path).expect("UTF-8").parse().expect("it compiles");
        read(code, &file, &mut found);
    }
    found
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> =
        fs::read_dir(folder).expect("src/ can be listed").flatten().map(|e| e.path()).collect();
    entries.sort();
    for path in entries {
        let is_test = TESTS.iter().any(|name| path.ends_with(name));
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") && !is_test {
            found.push(path);
        }
    }
}

fn read(code: TokenStream, file: &str, found: &mut Vec<Literal>) {
    let mut tokens = code.into_iter().peekable();
    // The last identifier, as long as only `!` has followed; and whether the next item is a test.
    let (mut called, mut test) = (String::new(), false);
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(mark) if mark.as_char() == '#' => {
                tokens.next_if(|next| matches!(next, TokenTree::Punct(mark) if mark.as_char() == '!'));
                if let Some(TokenTree::Group(attribute)) = tokens.next_if(is_bracket) {
                    test |= attribute.stream().to_string().replace(' ', "") == "cfg(test)";
                }
            }
            TokenTree::Punct(mark) if mark.as_char() == '!' => {}
            TokenTree::Punct(mark) => {
                test &= mark.as_char() != ';';
                called.clear();
            }
            TokenTree::Ident(name) => called = name.to_string(),
            TokenTree::Group(group) => {
                let skipped = FOR_PROGRAMMERS.contains(&called.as_str()) || test;
                if group.delimiter() == Delimiter::Brace {
                    test = false;
                }
                called.clear();
                if !skipped {
                    read(Group::stream(&group), file, found);
                }
            }
            TokenTree::Literal(literal) => {
                called.clear();
                if let Some(text) = text(&literal.to_string()) {
                    found.push(Literal { file: file.to_owned(), text });
                }
            }
        }
    }
}

fn is_bracket(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket)
}

/// What a literal stands for, if it is a string.
fn text(literal: &str) -> Option<String> {
    if let Some(raw) = literal.strip_prefix('r') {
        return Some(raw.trim_matches('#').trim_matches('"').to_owned());
    }
    let inner = literal.strip_prefix('"')?.strip_suffix('"')?;
    let mut out = String::new();
    let mut chars = inner.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next()? {
            'n' => out.push('\n'),
            't' => out.push('\t'),
            'r' => out.push('\r'),
            '0' => out.push('\0'),
            '\n' => while chars.next_if(|c| c.is_whitespace()).is_some() {},
            'x' => {
                let digits: String = chars.by_ref().take(2).collect();
                out.extend(u8::from_str_radix(&digits, 16).ok().map(char::from));
            }
            'u' => {
                let digits: String = chars.by_ref().skip(1).take_while(|c| *c != '}').collect();
                out.extend(u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32));
            }
            c => out.push(c),
        }
    }
    Some(out)
}

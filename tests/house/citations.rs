//! Every quotation of an RFC in the sources is in that section of that RFC.
//!
//! ```text
//! //= RFC 6455 §5.1
//! //# a client MUST mask all frames that it sends to the server
//! ```
//!
//! The RFCs lie unmodified in `tests/rfc/`. Line ends, indentation and the
//! furniture of their pages do not count.
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::rfc::{Rfc, normal};

/// A quotation and where it was found.
#[derive(Debug)]
struct Quotation {
    /// File and line, for messages.
    place: String,
    /// Number of the RFC.
    rfc: String,
    section: String,
    words: String,
}

#[test]
fn quotations_are_exact() {
    let mut library: BTreeMap<String, Rfc> = BTreeMap::new();
    let mut wrong = String::new();
    let mut count = 0;
    for path in sources() {
        let code = fs::read_to_string(&path).expect("sources are UTF-8");
        for quotation in quotations(&code, &path, &mut wrong) {
            count += 1;
            let rfc = library.entry(quotation.rfc.clone()).or_insert_with(|| Rfc::read(&quotation.rfc));
            if let Some(error) = rfc.check(&quotation.section, &quotation.words) {
                let _ = writeln!(wrong, "{}: {error}", quotation.place);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(
        count >= 60,
        "only {count} quotations found: is the notation still `//= RFC n §s` and `//# words`?"
    );
}

/// The cited sections of rules exist too.
#[test]
fn rules_cite_sections_that_exist() {
    let mut wrong = String::new();
    for rule in wstool::rules() {
        let Some(number) = rule.cite.doc.strip_prefix("RFC ") else { continue };
        if !Rfc::path(number).exists() {
            continue;
        }
        let section = rule.cite.section;
        if !section.is_empty() && !Rfc::read(number).sections.contains_key(section) {
            let _ = writeln!(wrong, "{}: RFC {number} has no section {section}", rule.id);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// So do those of the topics that `wstool explain` tells of.
#[test]
fn topics_cite_sections_that_exist() {
    let mut library: BTreeMap<&str, Rfc> = BTreeMap::new();
    let (mut wrong, mut count) = (String::new(), 0);
    for topic in wstool::explain::topics() {
        for cite in &topic.cites {
            let Some(number) = cite.doc.strip_prefix("RFC ").filter(|number| Rfc::path(number).exists())
            else {
                continue;
            };
            let rfc = library.entry(number).or_insert_with(|| Rfc::read(number));
            if !rfc.sections.contains_key(cite.section) {
                let _ = writeln!(wrong, "{}: {cite} does not exist", topic.id);
            }
            count += 1;
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(count > 200, "{count}");
}

#[test]
fn a_wrong_quotation_is_found() {
    let rfc = Rfc::read("6455");
    assert_eq!(rfc.check("5.1", "a client MUST mask all frames that it sends to the server"), None);
    // Over a page break.
    let words = "The request MUST include a header field with the name";
    let wrong = format!("RFC 6455 §1.3 does not say {words:?}, but §4.1 does");
    assert_eq!(rfc.check("1.3", words), Some(wrong));
    assert!(rfc.check("5.1", "a client SHOULD mask").is_some());
    assert!(rfc.check("5.99", "a client").is_some());
}

/// Reads the quotations of a file; what looks like one and is none goes to `wrong`.
fn quotations(code: &str, path: &Path, wrong: &mut String) -> Vec<Quotation> {
    let mut found: Vec<Quotation> = Vec::new();
    let mut open = false;
    for (number, line) in code.lines().enumerate() {
        let place = format!("{}:{}", path.display(), number + 1);
        let line = line.trim_start();
        if let Some(cite) = line.strip_prefix("//=") {
            let parts = cite.trim().strip_prefix("RFC ").and_then(|cite| cite.split_once(" §"));
            open = parts.is_some();
            match parts {
                Some((rfc, section)) => {
                    let (rfc, section) = (rfc.to_owned(), section.trim().to_owned());
                    found.push(Quotation { place, rfc, section, words: String::new() });
                }
                None => drop(writeln!(wrong, "{place}: not of the form `//= RFC n §s`: {line}")),
            }
        } else if let Some(words) = line.strip_prefix("//#") {
            match found.last_mut().filter(|_| open) {
                Some(quotation) => {
                    quotation.words.push(' ');
                    quotation.words.push_str(words);
                }
                None => drop(writeln!(wrong, "{place}: a quotation without its source")),
            }
        } else {
            open = false;
        }
    }
    for quotation in &mut found {
        quotation.words = normal(&quotation.words);
        if quotation.words.is_empty() {
            let _ = writeln!(wrong, "{}: a source without its quotation", quotation.place);
        }
    }
    found
}

fn sources() -> Vec<PathBuf> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("src/ can be listed").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

//! The samples in the binary, and what each of them shows.

use crate::lang::Lang;
use crate::model::Rule;

/// Path from `samples/` on, with slashes, and content; sorted by path.
static FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/samples.rs"));

/// Pages about the samples, which say what each shows.
const PAGES: [&str; 2] = ["samples/README.md", "samples/handshakes/README.md"];

/// A file that comes with the tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sample {
    /// `samples/…`.
    pub(crate) path: &'static str,
    /// The heading it stands under.
    pub(crate) group: &'static str,
    /// What it shows, in Markdown.
    about: &'static str,
}

/// The content of a sample, by its path as somebody types it.
pub(crate) fn content(path: &str) -> Option<&'static [u8]> {
    let path = path.replace('\\', "/");
    let path = path.trim_start_matches("./");
    FILES.binary_search_by_key(&path, |(name, _)| name).ok().map(|at| FILES[at].1)
}

/// Whether a path would be one of samples, there or not.
pub(crate) fn is_sample(path: &str) -> bool {
    path.replace('\\', "/").trim_start_matches("./").starts_with("samples/")
}

/// All that there are, pages about them included.
pub(crate) fn files() -> &'static [(&'static str, &'static [u8])] {
    FILES
}

/// The samples that the pages speak of, in their order.
pub(crate) fn samples() -> Vec<Sample> {
    let mut all = Vec::new();
    for page in PAGES {
        let folder = page.trim_end_matches("README.md");
        let text = content(page).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default();
        let mut group = "";
        for line in text.lines() {
            if let Some(heading) = line.strip_prefix("## ") {
                group = heading;
            }
            if let Some((path, about)) = row(folder, line) {
                all.push(Sample { path, group, about });
            }
        }
    }
    all
}

/// The file and the last cell of a row such as ``| [`chat.pcap`](chat.pcap) | two people |``.
fn row(folder: &str, line: &'static str) -> Option<(&'static str, &'static str)> {
    let (link, rest) = line.strip_prefix("| [")?.split_once("](")?.1.split_once(')')?;
    let path = format!("{folder}{link}");
    let path = FILES.iter().find(|(name, _)| *name == path)?.0;
    Some((path, rest.trim_end_matches([' ', '|']).rsplit("| ").next()?))
}

impl Sample {
    /// What it shows, without Markdown. In another language than English only what a rule says.
    pub(crate) fn about(&self, lang: Lang) -> String {
        let said = self.rule().filter(|_| lang != Lang::En).map(|rule| lang.words(rule.title));
        said.map_or_else(|| self.about.replace('`', ""), str::to_owned)
    }

    /// The rule that it breaks, where it is named after one.
    pub(crate) fn rule(&self) -> Option<&'static Rule> {
        let (_, name) = self.path.split_once("/broken/")?;
        let id = name.split_once('.')?.0;
        crate::rules().find(|rule| rule.id == id)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// What is on the shelf is what the repository has, byte by byte.
    #[test]
    fn every_sample_is_in_the_binary() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert!(FILES.is_sorted() && FILES.len() > 200, "{}", FILES.len());
        for (name, bytes) in FILES {
            assert!(std::fs::read(root.join(name)).is_ok_and(|there| there == *bytes), "{name}");
        }
        assert!(!FILES.iter().any(|(name, _)| name.starts_with("samples/record/")));
    }

    #[test]
    fn every_sample_is_on_a_page_about_them() {
        let told: BTreeSet<_> = samples().iter().map(|sample| sample.path).collect();
        let untold = FILES.iter().map(|(name, _)| name).filter(|name| {
            // The logs, keys and schemas beside captures belong to these, and the truth beside the incidents.
            !told.contains(*name)
                && !matches!(
                    name.rsplit('.').next(),
                    Some("md" | "ndjson" | "jsonl" | "toml" | "proto" | "keys" | "json")
                )
        });
        assert_eq!(untold.collect::<Vec<_>>(), Vec::<&&str>::new());
        assert!(samples().iter().all(|sample| !sample.group.is_empty() && !sample.about.is_empty()));
    }

    #[test]
    fn samples_are_found_as_they_are_typed() {
        for path in ["samples/chat.pcap", "./samples/chat.pcap", "samples\\chat.pcap"] {
            assert!(content(path).is_some() && is_sample(path), "{path}");
        }
        for path in ["chat.pcap", "samples", "samples/chat", "/samples/chat.pcap", "samples/../chat.pcap"] {
            assert!(content(path).is_none(), "{path}");
        }
    }
}

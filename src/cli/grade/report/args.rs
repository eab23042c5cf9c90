//! What is asked for of what is told.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::cli::Look;
use crate::cli::output::Layout;
use crate::render::Options;
use crate::render::views::Choice;
use crate::render::{bits, hex, tree};

/// What is told of cases, and where.
#[derive(clap::Args, Clone, Debug)]
// The group would be called as that of the command's own options.
#[group(skip)]
pub struct Args {
    /// What to write to standard output
    #[arg(short, long, value_name = "FORMAT", default_value = "text", help_heading = "Reports")]
    pub format: Format,

    /// Write a report to a file, too, or to a folder with autobahn: html=grade.html; may be repeated
    #[arg(
        long = "report", value_name = "FORMAT=PATH", value_parser = Target::parse, help_heading = "Reports"
    )]
    pub reports: Vec<Target>,

    /// Fail only on what got worse since this report: one of --report json, or Autobahn's index.json
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    pub baseline: Option<PathBuf>,

    /// Do not fail on the cases that this file lists: ids, Autobahn's numbers or patterns, a line each, with
    /// comments behind #
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    pub expect: Option<PathBuf>,

    /// Show the bytes of each case that does not pass, annotated; with --case of all of these
    #[arg(
        long, value_name = "VIEW", num_args = 0..=1, require_equals = true, default_missing_value = "tree",
        help_heading = "Showing"
    )]
    pub explain: Option<Annotated>,

    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would take them for help")]
    pub layout: Layout,
}

impl Args {
    /// How what is written is laid out.
    pub fn options(&self, look: Look) -> Options {
        self.layout.options(look)
    }

    /// A folder for reports as the Autobahn testsuite writes them, besides those that were asked for.
    pub fn folder(&mut self, path: PathBuf) {
        self.reports.push(Target { format: Format::Autobahn, path });
    }

    /// Whether the bytes of cases that pass are told, too.
    pub fn needs_bytes(&self) -> bool {
        self.format == Format::Html
            || self.reports.iter().any(|target| matches!(target.format, Format::Html | Format::Autobahn))
    }
}

/// A format of reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[allow(clippy::doc_markdown, reason = "help shows it as it is")]
pub enum Format {
    /// For people
    Text,
    /// One document (schema wstool-grade/1)
    Json,
    /// A record a line, as cases are played
    Ndjson,
    /// JUnit XML, which GitLab, GitHub and Jenkins take
    Junit,
    /// For a comment on a pull request
    Markdown,
    /// A page for a browser, which needs nothing else
    Html,
    /// A folder with index.json and a file a case, as the Autobahn testsuite writes them
    Autobahn,
}

impl Format {
    fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// How bytes are annotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Annotated {
    /// Every field named
    Tree,
    /// Headers as RFC 6455 §5.2 draws them, bit by bit
    Bits,
    /// Every byte, and what it means
    Hex,
}

impl Annotated {
    /// The view that does it.
    pub fn view(self) -> &'static Choice {
        match self {
            Self::Tree => &tree::VIEW,
            Self::Bits => &bits::VIEW,
            Self::Hex => &hex::VIEW,
        }
    }
}

/// A report, and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// What is written.
    pub format: Format,
    /// The file, or the folder.
    pub path: PathBuf,
}

impl Target {
    /// Reads `html=grade.html`, or a file's name whose ending says what it is to be.
    fn parse(text: &str) -> Result<Self, String> {
        let all =
            || Format::value_variants().iter().map(|format| format.name()).collect::<Vec<_>>().join(", ");
        if let Some((format, path)) = text.split_once('=') {
            let format = Format::from_str(format, false).map_err(|_| format!("the formats are {}", all()))?;
            if path.is_empty() {
                return Err(format!("where to? {}=PATH", format.name()));
            }
            return Ok(Self { format, path: path.into() });
        }
        let ending = Path::new(text).extension().and_then(|ending| ending.to_str());
        let format = match ending {
            Some("txt") => Format::Text,
            Some("json") => Format::Json,
            Some("ndjson") => Format::Ndjson,
            Some("xml") => Format::Junit,
            Some("md") => Format::Markdown,
            Some("html") => Format::Html,
            _ => return Err(format!("say what to write: FORMAT={text}; the formats are {}", all())),
        };
        Ok(Self { format, path: text.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_named_by_format_or_ending() {
        let parsed = |text| Target::parse(text).map(|target| (target.format, target.path));
        assert_eq!(parsed("html=a=b"), Ok((Format::Html, "a=b".into())));
        assert_eq!(parsed("out/grade.xml"), Ok((Format::Junit, "out/grade.xml".into())));
        assert_eq!(parsed("autobahn=reports"), Ok((Format::Autobahn, "reports".into())));
        for wrong in ["reports", "html=", "pdf=x", "a.pdf"] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }
}

//! Where what is shown goes: standard output, or a file.

use std::io::{self, IsTerminal};

use super::{Args, Format, write};
use crate::cli::Look;
use crate::cli::output::Output;
use crate::model::Text;

/// What a build without tables says when it is asked for some.
#[cfg(not(feature = "parquet"))]
const NO_TABLES: Option<&str> = Some(
    "this build writes no tables: build it with --features parquet, or take --format ndjson, which DuckDB \
     reads, too (see docs/many.md)",
);
#[cfg(feature = "parquet")]
const NO_TABLES: Option<&str> = None;

impl Args {
    /// Why what is shown cannot go where it is to go, if so.
    pub(super) fn misplaced(&self, inputs: &[String]) -> Option<Text> {
        if let Some(problem) = self.misplaced_tables() {
            return Some(problem.into());
        }
        if let Some(path) = &self.output {
            return write::spare(path, inputs).err();
        }
        (self.format == Format::Html && io::stdout().is_terminal()).then(|| {
            Text::new("a page is for a browser, not for a terminal: --output page.html writes it into a file")
        })
    }

    /// Why there are no tables, or nothing but tables, if so.
    fn misplaced_tables(&self) -> Option<&'static str> {
        if self.format != Format::Parquet {
            let is_asked = self.out.is_some() || !self.tables.is_empty();
            return is_asked.then_some(
                "--out and --tables go with --format parquet; --output FILE writes what is shown",
            );
        }
        if NO_TABLES.is_some() {
            return NO_TABLES;
        }
        if self.out.is_none() {
            return Some("tables are a folder of files: --out DIR names it");
        }
        if self.protocol.is_some() || self.around.is_some() {
            return Some("tables are of whole captures: leave out --as and --around");
        }
        (self.output.is_some() || self.export.is_some() || self.write.is_some())
            .then_some("--output, --export and --write go with other formats than parquet")
    }

    /// Where what is shown goes; `None` where that cannot be written, which is told.
    pub(super) fn out(&self, live: bool, look: Look) -> io::Result<Option<Output>> {
        let Some(path) = &self.output else { return Ok(Some(Output::new(live))) };
        match Output::file(path, live) {
            Ok(out) => Ok(Some(out)),
            Err(problem) => look.tell("error: {}", &problem).map(|()| None),
        }
    }

    /// Whether what is shown scrolls by while it is decoded.
    pub(super) fn scrolls(&self) -> bool {
        !self.view.is_late && self.output.is_none()
    }
}

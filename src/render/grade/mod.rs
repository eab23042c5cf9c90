//! What a conformance suite found, as people and programs read it; one file a format.
//!
//! - [`line()`], [`summary`], [`report`]: text
//! - [`json`], [`junit`], [`markdown`]: for programs, pipelines and pull requests
//! - [`html`]: a page; [`autobahn`]: the files of the Autobahn testsuite
//! - [`list`], [`planned`], [`stage`]: before cases are played, and for who writes a first server
//! - `said`: the words that all formats for people have in common

pub mod autobahn;
mod figures;
pub mod html;
pub mod json;
pub mod junit;
mod list;
pub mod markdown;
mod planned;
mod said;
mod stage;
mod text;

#[cfg(test)]
mod tests;

use super::Options;
#[cfg(test)]
use super::columns;
use super::escape;

pub use figures::figures;
pub use list::list;
pub use planned::planned;
pub use stage::{Stages, stage, stages};
pub use text::{SCREEN, line, report, summary};

/// Lines that are safe already, in ASCII where that is asked for.
fn plain(text: String, options: &Options) -> String {
    if !options.ascii {
        return text;
    }
    text.split_inclusive('\n').map(|line| safe(line.trim_end_matches('\n'), options) + "\n").collect()
}

/// Words that may quote a peer, as a terminal may be told them.
fn safe(words: &str, options: &Options) -> String {
    let mut all = String::with_capacity(words.len());
    escape::words(words, options.ascii).for_each(|cell| cell.push_to(&mut all));
    all
}

//! `wstool man`: pages for man(1), in the language that was asked for.

use std::io::{self, Write};

use clap_mangen::Man;

use super::trouble::REFUSED;
use super::{Look, command, help};
use crate::lang::Lang;
use crate::model::Text;

/// Headings that the generator writes in English, with their keys in the catalogue.
const HEADINGS: [&str; 7] = ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "SUBCOMMANDS", "EXTRA", "VERSION"];

/// Writes the page of a subcommand, or of the tool as a whole, and gives the exit code.
///
/// # Errors
/// When `out` or standard error cannot be written to.
pub(super) fn man(name: Option<&str>, look: Look, out: &mut impl Write) -> io::Result<u8> {
    let whole = help::worded(command(), look.lang);
    let described = match name {
        None => whole,
        Some(name) => {
            let Some(found) = whole.find_subcommand(name) else {
                look.tell("error: {}", &Text::with("there is no command `{}`; see wstool --help", name))?;
                return Ok(REFUSED);
            };
            let full: &'static str = format!("wstool-{name}").leak();
            found.clone().name(full)
        }
    };
    let mut page = Vec::new();
    Man::new(described).render(&mut page)?;
    if look.lang.catalogue().is_none() {
        out.write_all(&page)?;
    } else {
        out.write_all(worded(&String::from_utf8_lossy(&page), look.lang).as_bytes())?;
    }
    Ok(0)
}

/// The page with the generator's own words in a language.
fn worded(page: &str, lang: Lang) -> String {
    let mut out = String::with_capacity(page.len());
    for line in page.lines() {
        let heading =
            line.strip_prefix(".SH ").and_then(|name| HEADINGS.iter().find(|known| **known == name));
        match heading {
            Some(heading) => out.extend([".SH ", lang.words(heading)]),
            None => out.push_str(
                &line
                    .replace("Possible values:", lang.words("Possible values:"))
                    .replace("[default: ", lang.words("[default: ")),
            ),
        }
        out.push('\n');
    }
    out
}

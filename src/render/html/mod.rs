//! `--format html`: a decode as one page for a browser, and the records that such a page draws.
//!
//! ```text
//! view                 a sink over a writer: the page, a record at a time
//!    page              the document around the records: policy, style, script, data
//!    records           a unit, and its record
//!       fields         what of that has a place in the bytes
//!       blocks         what the outline says, set as JSON
//!       known          what records say once
//!       wire           bytes
//!    words             the words of the page's own
//!    shown             what is safe to look at
//! ```
//!
//! [`Records`] are the second setter of what `Outline` says: the files in `css/` and `js/` make something
//! to look at of them, whether they stand in the page or arrive while somebody looks on. [`SCRIPT`] is a
//! module that exports `Panel`:
//!
//! ```js
//! import { Panel } from "/wire.js";                  // SCRIPT; STYLE is its sheet, `words` its words
//! const panel = new Panel(document.querySelector("#wire"), words);
//! source.onmessage = (event) => panel.add(JSON.parse(event.data));
//! ```
//!
//! Everything in a record is untrusted. The script makes text nodes and nothing else of it, and the page's
//! policy lets nothing run and nothing load but that script and that sheet.

mod blocks;
mod fields;
mod known;
mod page;
mod records;
mod shown;
mod view;
mod wire;
mod words;

#[cfg(test)]
mod tests;

pub(crate) use page::{CLOSE, Frame, data_script};
pub use page::{SCRIPT, STYLE, policy};
pub use records::{Records, Told};
pub(crate) use shown::html as text;
pub use view::Html;
pub use words::words;

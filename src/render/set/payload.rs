//! Payloads: text in quotes, bytes as a dump, and between them what is missing.

use crate::model::{Part, hole};
use crate::render::page::Page;
use crate::render::said::Payload;
use crate::render::style::Ink;
use crate::render::words::{MORE_BYTES, count};
use crate::render::{frames, hexdump};

/// Rows of text, and of a hexdump, that are shown of a payload unless asked for more.
const TEXT_ROWS: usize = 6;
const DUMP_ROWS: usize = 4;

/// Parts of a payload with holes that are shown unless asked for more, the holes included.
const PARTS: usize = 9;

/// Sets a payload as a block at `indent`.
pub fn payload(page: &mut Page, payload: &Payload<'_>, indent: usize) {
    if !payload.holes.is_empty() {
        return broken(page, payload, indent);
    }
    let Payload { bytes, length, text, .. } = *payload;
    if bytes.is_empty() {
        return;
    }
    let shown = if text {
        let (more, rows) = ((bytes.len() as u64) < length, page.at_most(TEXT_ROWS));
        let shown = page.to(indent).quote(bytes, more, indent, rows, 0);
        page.line();
        shown
    } else {
        let rows = page.at_most(DUMP_ROWS);
        hexdump::dump(page, bytes, 0, indent, rows)
    };
    left(page, length.saturating_sub(shown as u64), indent);
}

/// The same for a payload with holes: its parts, and between them what is missing.
fn broken(page: &mut Page, payload: &Payload<'_>, indent: usize) {
    let Payload { bytes, holes, length, text, .. } = *payload;
    let rows = page.at_most(if text { TEXT_ROWS } else { DUMP_ROWS });
    let mut shown = 0;
    for part in hole::parts(bytes, holes).take(page.at_most(PARTS)) {
        match part {
            Part::Hole(hole) => {
                let words = frames::missing(page.lang(), hole);
                page.to(indent).put(Ink::Warning, &words).line();
                shown += hole.length;
            }
            Part::Bytes(from, part) => {
                let to = from + part.len() as u64;
                let now = if text {
                    let now = page.to(indent).quote_part(part, from == 0, to == length, indent, rows);
                    page.line();
                    now
                } else {
                    hexdump::dump(page, part, from, indent, rows)
                };
                shown += now as u64;
                if now < part.len() {
                    break;
                }
            }
        }
    }
    left(page, length.saturating_sub(shown), indent);
}

/// How many bytes more there are, if any.
fn left(page: &mut Page, left: u64, indent: usize) {
    if left > 0 {
        let words = count(page.lang(), left, MORE_BYTES);
        page.to(indent).put(Ink::Faint, "… ").put(Ink::Faint, &words).line();
    }
}

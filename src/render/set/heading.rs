//! The first line of a block: what it is, who sent it, more about it, and at the right end where it is from.

use crate::render::page::Page;
use crate::render::said::Heading;
use crate::render::style::{Ink, sender as ink};

/// What the right end of a heading calls a connection, a packet and several.
type Names = [&'static str; 3];
const FULL: Names = ["connection {}", "packet {}", "packets {}–{}"];
const BRIEF: Names = ["conn {}", "pkt {}", "pkts {}–{}"];

/// Sets a heading, with a gap before it.
pub fn set(page: &mut Page, heading: &Heading<'_>) {
    page.gap();
    page.put(Ink::Strong, heading.what);
    if let Some(dir) = heading.from {
        page.put(Ink::Plain, "  ").put_way(ink(dir), dir);
    }
    if !heading.about.is_empty() {
        let indent = page.column() + 2;
        page.put(Ink::Plain, "  ").wrap(Ink::Plain, heading.about, indent.min(40), 0);
    }
    let fits = |page: &Page| page.column() + 2 + page.tail_columns() <= page.width();
    let is_too_long =
        columns(page, &FULL, heading).is_some_and(|columns| page.column() + 2 + columns > page.width());
    if !is_too_long {
        tail(page, &FULL, heading);
    }
    if is_too_long || !fits(page) {
        tail(page, &BRIEF, heading);
        if !fits(page) {
            tail(page, &FULL, heading);
        }
    }
    page.line();
}

/// Columns of the right end of a usual heading, which are known before it is put together.
fn columns(page: &mut Page, [connection, packet, _]: &Names, heading: &Heading<'_>) -> Option<usize> {
    let (None, Some((first, last)), Some(when)) = (heading.file, heading.packets, heading.when) else {
        return None;
    };
    if first != last {
        return None;
    }
    let mut columns = page.columns_with(packet, first)? + Page::BETWEEN_COLUMNS + page.measure(when);
    if let Some(number) = heading.conn {
        columns += page.columns_with(connection, number.into())? + Page::BETWEEN_COLUMNS;
    }
    Some(columns)
}

/// The right end of a heading: `connection 2 · packets 7–9 · 0.001204 s`.
fn tail(page: &mut Page, [connection, packet, several]: &Names, heading: &Heading<'_>) {
    page.tail_anew(Ink::Faint);
    if let Some(file) = heading.file {
        page.tail_part(file);
    }
    if let Some(number) = heading.conn {
        page.tail_number(connection, number.into());
    }
    match heading.packets {
        Some((first, last)) if first == last => page.tail_number(packet, first),
        Some((first, last)) => page.tail_part(&page.lang().fill(several, &[&first, &last])),
        None => {}
    }
    if let Some(when) = heading.when {
        page.tail_part(when);
    }
}

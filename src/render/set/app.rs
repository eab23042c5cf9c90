//! Content of applications: JSON laid out, fields with what they are for, points on a timeline.

use super::INDENT;
use crate::model::Dir;
use crate::model::{Cite, Value};
use crate::render::app::way;
use crate::render::page::Page;
use crate::render::pretty::pretty;
use crate::render::said::{Event, Happening};
use crate::render::style::{Ink, sender as ink};
use crate::render::words::{BYTES, count};

/// Columns that JSON is laid out for at least.
const NARROWEST_JSON: usize = 24;

/// Where the value of a field begins that is explained.
const VALUE: usize = INDENT + 15;

/// Rows that a line of a timeline may take.
const ROWS: usize = 3;

/// Whether the line on a packet has all of its JSON already, when that is laid out.
pub fn is_told(summary: &str, json: &str, laid_out: &str) -> bool {
    let json = json.trim();
    let inner = json.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(json);
    !laid_out.contains('\n') && summary.contains(inner)
}

/// Sets JSON below its name, unless `summary` has all of it.
pub fn json(page: &mut Page, label: &'static str, json: &str, summary: &str) {
    let indent = INDENT + 2;
    let width = page.width().saturating_sub(indent + 4).max(NARROWEST_JSON);
    let laid_out = pretty(json, width);
    if is_told(summary, json, &laid_out) {
        return;
    }
    page.to(indent).word(Ink::Faint, label).line();
    for row in laid_out.lines() {
        let depth = row.len() - row.trim_start().len();
        page.to(indent + 2 + depth).wrap(Ink::Plain, row.trim_start(), indent + 4 + depth, 0).line();
    }
}

/// Sets a field: what stands there, and below what that means.
pub fn part(page: &mut Page, label: &'static str, value: &Value, help: &str, cite: Cite) {
    let lang = page.lang();
    page.to(INDENT + 2).word(Ink::Faint, label).to(VALUE);
    let at = page.column();
    match value {
        Value::Text(text) => {
            page.wrap(Ink::Strong, text, at, 0);
        }
        Value::Json(json) => {
            let width = page.width().saturating_sub(at + 2).max(NARROWEST_JSON);
            for (i, row) in pretty(json, width).lines().enumerate() {
                if i > 0 {
                    page.line();
                    page.to(at + row.len() - row.trim_start().len());
                }
                page.wrap(Ink::Strong, row.trim_start(), at + 2, 0);
            }
        }
        Value::Bytes(bytes) => {
            page.put(Ink::Strong, &count(lang, bytes.len() as u64, BYTES));
        }
        Value::Number(number) | Value::Code(number) => {
            page.put(Ink::Strong, &number.to_string());
        }
        Value::Bit(bit) => {
            page.put(Ink::Strong, if *bit { "1" } else { "0" });
        }
    }
    page.line();
    page.to(VALUE).wrap(Ink::Faint, help, VALUE, 0).tail(Ink::Faint, &cite.to_string()).line();
}

/// Sets a point on a timeline.
pub fn event(page: &mut Page, event: &Event<'_>) {
    let mut at = INDENT;
    if let Some(file) = event.file {
        page.to(at).data(Ink::Faint, file.as_bytes(), event.file_columns, false);
        at += event.file_columns + 1;
    }
    if page.is_narrow() {
        // How it came is left out: the arrow needs a place.
        page.to(at)
            .put(Ink::Faint, event.when)
            .put(Ink::Plain, " ")
            .put(Ink::Plain, event.whose)
            .put(Ink::Plain, " ");
    } else {
        page.to(at).put_right(Ink::Faint, event.when, at + 14).to(at + 16).put(Ink::Plain, event.whose);
        page.to(at + 20).put(Ink::Faint, event.by).to(at + 31);
    }
    page.put(ink(event.from.unwrap_or(Dir::Server)), way(event.from)).put(Ink::Plain, " ");
    let indent = page.column();
    match event.said {
        Happening::Runs(runs) => page.runs(runs, indent),
        Happening::Line(line) => page.spill(line.as_bytes(), indent, ROWS),
    };
    page.line();
}

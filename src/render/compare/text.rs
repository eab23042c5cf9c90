//! A report in a terminal.

use std::fmt::Write as _;

use super::{columns, plain, shown};
use crate::lang::Lang;
use crate::model::quantity::grouped;
use crate::model::report::{Bars, Cell, Report, Table};
use crate::render::style::{Ink, Palette};

/// Units of bytes, each 1,024 of the one before.
const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/// How a page is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Columns.
    pub width: usize,
    /// With colours.
    pub color: bool,
    /// With ASCII only.
    pub ascii: bool,
}

/// Writes all of it.
pub(super) fn page(report: &Report, page: Page, lang: Lang) -> String {
    let mut paper = Paper { page, lang, palette: Palette::new(page.color), text: String::new() };
    for line in &report.headline {
        paper.paragraph(&plain(&lang.say(line)), 0, 0);
    }
    for table in &report.tables {
        paper.table(table);
    }
    for bars in &report.bars {
        paper.bars(bars);
    }
    if !report.verdict.is_empty() {
        paper.title(lang.words("What follows"));
        for verdict in &report.verdict {
            paper.item(&lang.say(verdict));
        }
    }
    if !report.assumptions.is_empty() {
        let widest = report.assumptions.iter().map(|a| a.option.len()).max().unwrap_or_default();
        paper.title(lang.words(if widest > 0 {
            "Assumed, with the option that changes it"
        } else {
            "Assumed"
        }));
        for assumption in &report.assumptions {
            if widest == 0 {
                paper.item(&lang.say(&assumption.text));
                continue;
            }
            let lead = format!("{:<widest$}  ", assumption.option);
            paper.paragraph(&format!("  {lead}{}", plain(&lang.say(&assumption.text))), 0, widest + 4);
        }
    }
    if !report.limits.is_empty() {
        paper.text.push('\n');
        for limit in &report.limits {
            paper.paragraph(&plain(&lang.say(limit)), 0, 0);
        }
    }
    paper.text
}

struct Paper {
    page: Page,
    lang: Lang,
    palette: Palette,
    text: String,
}

/// Columns between two of a table.
const GAP: usize = 2;

impl Paper {
    fn title(&mut self, title: &str) {
        let (open, close) = (self.palette.open(Ink::Strong), self.palette.close(Ink::Strong));
        let _ = writeln!(self.text, "\n{open}{}{close}", plain(title));
    }

    fn item(&mut self, text: &str) {
        self.paragraph(&format!("  - {}", plain(text)), 0, 4);
    }

    /// Words in as many lines as they take; lines after the first begin `hanging` columns in.
    fn paragraph(&mut self, text: &str, indent: usize, hanging: usize) {
        let mut line = " ".repeat(indent);
        // What leads the text keeps its spaces.
        let lead = text.len() - text.trim_start().len();
        let kept =
            if hanging > lead { text.char_indices().nth(hanging).map_or(lead, |(at, _)| at) } else { lead };
        line.push_str(&text[..kept]);
        // A percent sign stays with its number.
        let text = text[kept..].replace(" %", "\u{a0}%");
        let room = self.page.width.saturating_sub(columns(&line));
        let lines = super::super::columns::lines(&text, room);
        line.push_str(&lines.join(&format!("\n{}", " ".repeat(hanging))).replace('\u{a0}', " "));
        let _ = writeln!(self.text, "{}", line.trim_end());
    }

    fn table(&mut self, table: &Table) {
        self.title(&self.lang.say(&table.title));
        let blocks = table.columns.iter().map(|column| column.block).max().unwrap_or_default();
        for block in 0..=blocks {
            let mut chosen: Vec<usize> =
                (1..table.columns.len()).filter(|&i| table.columns[i].block == block).collect();
            // A column without a value anywhere says nothing.
            chosen.retain(|&i| table.rows.iter().any(|row| row[i] != Cell::Nothing));
            if block > 0 {
                self.text.push('\n');
            }
            chosen.insert(0, 0);
            self.block(table, &chosen, table.blocks.get(usize::from(block)).copied());
        }
    }

    fn block(&mut self, table: &Table, chosen: &[usize], about: Option<&'static str>) {
        let mut heads: Vec<String> =
            chosen.iter().map(|&i| self.lang.words(table.columns[i].head).to_owned()).collect();
        let unit = unit_of(table);
        if let Some(about) = about {
            let about = self.lang.words(about);
            let bytes =
                chosen.iter().any(|&i| matches!(table.rows.first().map(|row| &row[i]), Some(Cell::Bytes(_))));
            heads[0] = if bytes { format!("{} {about}", UNITS[unit]) } else { about.to_owned() };
        }
        let shown = |cell: &Cell| match *cell {
            Cell::Bytes(value) => in_unit(value, unit),
            ref cell => shown(cell, self.lang),
        };
        let rows: Vec<Vec<String>> =
            table.rows.iter().map(|row| chosen.iter().map(|&i| shown(&row[i])).collect()).collect();
        let width = |i: usize| {
            rows.iter().map(|row| columns(&row[i])).chain([columns(&heads[i])]).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..chosen.len()).map(width).collect();
        let gaps = if widths.iter().sum::<usize>() + GAP * chosen.len() > self.page.width { 1 } else { GAP };
        let words = |i: usize| matches!(table.rows.first().map(|row| &row[chosen[i]]), Some(Cell::Text(_)));
        let line = |cells: &[String]| {
            let mut line = String::new();
            for (i, cell) in cells.iter().enumerate() {
                let fill = " ".repeat(widths[i].saturating_sub(columns(cell)));
                let gap = " ".repeat(if i > 0 { gaps } else { GAP });
                line.push_str(&gap);
                if words(i) {
                    line.push_str(cell);
                    line.push_str(&fill);
                } else {
                    line.push_str(&fill);
                    line.push_str(cell);
                }
            }
            line.trim_end().to_owned()
        };
        let (open, close) = (self.palette.open(Ink::Faint), self.palette.close(Ink::Faint));
        let _ = writeln!(self.text, "{open}{}{close}", line(&heads));
        for row in &rows {
            let _ = writeln!(self.text, "{}", line(row));
        }
    }

    fn bars(&mut self, bars: &Bars) {
        self.title(&self.lang.say(&bars.title));
        let labels =
            bars.bars.iter().map(|bar| columns(&self.lang.say(&bar.label))).max().unwrap_or_default();
        let values: Vec<String> = bars.bars.iter().map(|bar| shown(&bar.value, self.lang)).collect();
        let widest = values.iter().map(|value| columns(value)).max().unwrap_or_default();
        let room = self.page.width.saturating_sub(2 + labels + 2 + widest + 2).max(8);
        let number = |cell: &Cell| cell.number().unwrap_or_default().max(0.0);
        let most = bars.bars.iter().map(|bar| number(&bar.value)).fold(0.0, f64::max);
        let (open, close) = (self.palette.open(Ink::Client), self.palette.close(Ink::Client));
        for (bar, value) in bars.bars.iter().zip(&values) {
            let share = if most > 0.0 { number(&bar.value) / most } else { 0.0 };
            let drawn = drawn(share * room as f64, self.page.ascii);
            let fill = " ".repeat(labels - columns(&self.lang.say(&bar.label)));
            let pad = " ".repeat(widest - columns(value));
            let line =
                format!("  {}{fill}  {pad}{value}  {open}{drawn}{close}", plain(&self.lang.say(&bar.label)));
            let _ = writeln!(self.text, "{}", line.trim_end());
        }
    }
}

/// The unit in which the largest number of bytes of a table has at most four digits before the point.
fn unit_of(table: &Table) -> usize {
    let bytes = table.rows.iter().flatten().filter_map(|cell| match cell {
        Cell::Bytes(value) => Some(*value),
        _ => None,
    });
    let mut most = bytes.fold(0.0, f64::max);
    let mut unit = 0;
    while most >= 9_999.5 && unit + 1 < UNITS.len() {
        most /= 1024.0;
        unit += 1;
    }
    unit
}

fn in_unit(value: f64, unit: usize) -> String {
    let scaled = value / UNITS[..unit].iter().fold(1.0, |scale, _| scale * 1024.0);
    let whole = grouped(scaled.round() as u64);
    match scaled {
        _ if unit == 0 || scaled >= 999.95 => whole,
        // One decimal would make it 0.0: a curve over decades has such values.
        _ if scaled > 0.0 && scaled < 0.0005 => "<0.001".to_owned(),
        _ if scaled > 0.0 && scaled < 0.0995 => format!("{scaled:.3}"),
        _ => format!("{scaled:.1}"),
    }
}

/// A bar of so many columns, to an eighth of one.
fn drawn(length: f64, ascii: bool) -> String {
    const EIGHTHS: [&str; 8] =
        ["", "\u{258f}", "\u{258e}", "\u{258d}", "\u{258c}", "\u{258b}", "\u{258a}", "\u{2589}"];
    if ascii {
        return "#".repeat((length.round() as usize).max(usize::from(length > 0.0)));
    }
    let eighths = (length * 8.0).round() as usize;
    let eighths = eighths.max(usize::from(length > 0.0));
    format!("{}{}", "\u{2588}".repeat(eighths / 8), EIGHTHS[eighths % 8])
}

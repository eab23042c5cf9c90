//! Results that are tables and curves rather than units of a dissection: what
//! `compare` computes and its views show.
//!
//! A number keeps its base unit (bytes, seconds, a share of 1) up to the view,
//! which rounds it for people and writes it in full for programs.

use super::Text;

/// What a comparison came to, ready to be shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// A word for programs: `model`, `preset`, `sweep`, `captures`, `live`.
    pub kind: &'static str,
    /// What was compared, a sentence a line.
    pub headline: Vec<Text>,
    /// What was counted or calculated.
    pub tables: Vec<Table>,
    /// Bars drawn under the tables.
    pub bars: Vec<Bars>,
    /// Curves, for a chart.
    pub chart: Option<Chart>,
    /// What follows, in plain words, a paragraph each.
    pub verdict: Vec<Text>,
    /// What the numbers rest on.
    pub assumptions: Vec<Assumption>,
    /// What the numbers do not show, a paragraph each.
    pub limits: Vec<Text>,
}

/// Rows of cells under columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// A word for programs, unique in the report.
    pub id: &'static str,
    /// Its heading.
    pub title: Text,
    /// The first names what each row is about.
    pub columns: Vec<Column>,
    /// What stands over the first column of each block, after the unit where it is one of bytes;
    /// nothing where there are fewer.
    pub blocks: Vec<&'static str>,
    /// Cells, as many in each row as there are columns.
    pub rows: Vec<Vec<Cell>>,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name for programs, unit included: `tcp_ip_bytes`.
    pub key: &'static str,
    /// Its heading for people.
    pub head: &'static str,
    /// Which of the blocks of a narrow page it stands in, from 0. The first column begins each block.
    pub block: u8,
}

impl Column {
    /// A column of the first block.
    pub const fn new(key: &'static str, head: &'static str) -> Self {
        Self { key, head, block: 0 }
    }

    /// A column of another block.
    pub const fn below(key: &'static str, head: &'static str, block: u8) -> Self {
        Self { key, head, block }
    }
}

/// A value with its unit.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// It does not apply.
    Nothing,
    /// Words. What fills their holes is untrusted.
    Text(Text),
    /// How many; whole.
    Count(u64),
    /// How many on average.
    Number(f64),
    /// Bytes, shown in the unit that suits all of a table.
    Bytes(f64),
    /// Bytes, always shown to the byte.
    Exact(u64),
    /// How many times another value.
    Ratio(f64),
    /// A part of 1, shown in percent.
    Share(f64),
    /// A duration.
    Seconds(f64),
    /// A number shown with so many decimals.
    Fixed(f64, u8),
}

impl Cell {
    /// The value as a number, where it is one.
    pub fn number(&self) -> Option<f64> {
        match *self {
            Self::Nothing | Self::Text(_) => None,
            Self::Count(value) | Self::Exact(value) => Some(value as f64),
            Self::Number(value)
            | Self::Bytes(value)
            | Self::Ratio(value)
            | Self::Share(value)
            | Self::Seconds(value)
            | Self::Fixed(value, _) => Some(value),
        }
    }
}

/// Something the numbers rest on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assumption {
    /// The option that sets it; empty when nothing does.
    pub option: &'static str,
    /// What is assumed, with the value.
    pub text: Text,
}

/// Bars of one quantity, from 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Bars {
    /// Its heading.
    pub title: Text,
    /// From top to bottom.
    pub bars: Vec<Bar>,
}

/// One bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// What it stands for.
    pub label: Text,
    /// How long it is.
    pub value: Cell,
}

/// Curves over common axes.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// Its heading.
    pub title: Text,
    /// What the panels have in common.
    pub x: Axis,
    /// One panel each, from top to bottom, over the same `x`.
    pub panels: Vec<Panel>,
    /// Values of `x` worth naming.
    pub marks: Vec<Mark>,
}

/// A panel of a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// What the curves show.
    pub y: Axis,
    /// Its curves.
    pub curves: Vec<Curve>,
}

/// An axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axis {
    /// What it measures, with its unit.
    pub label: Text,
    /// It grows by factors; otherwise by sums.
    pub log: bool,
}

/// A curve.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// What it stands for.
    pub name: Text,
    /// Growing in x.
    pub points: Vec<(f64, f64)>,
}

/// A value of x with what happens there.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// The value.
    pub x: f64,
    /// What happens there.
    pub text: Text,
}

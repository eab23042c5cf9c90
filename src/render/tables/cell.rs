//! What stands in a cell.

use std::borrow::Cow;

use crate::model::{Cite, CloseCode, Dir, Endpoint, Rule, Severity, Text, Time};
use crate::render::json::value::Named;

/// A cell's value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Seconds(f64),
    Time(Time),
    Text(Cow<'a, str>),
    Bytes(&'a [u8]),
    Words(Vec<&'static str>),
}

/// Seconds of so many nanoseconds.
pub(super) struct Nanos(pub i64);

/// What can stand in a cell.
pub(super) trait ToCell<'a> {
    fn cell(self) -> Cell<'a>;
}

impl<'a> ToCell<'a> for Cell<'a> {
    fn cell(self) -> Self {
        self
    }
}

impl<'a, T: ToCell<'a>> ToCell<'a> for Option<T> {
    fn cell(self) -> Cell<'a> {
        self.map_or(Cell::Null, T::cell)
    }
}

/// `impl`s of one line each.
macro_rules! as_cells {
    ($($type:ty: |$it:ident| $cell:expr;)*) => {
        $(
            impl<'a> ToCell<'a> for $type {
                fn cell(self) -> Cell<'a> {
                    let $it = self;
                    $cell
                }
            }
        )*
    };
}

as_cells! {
    bool: |it| Cell::Bool(it);
    u64: |it| Cell::Int(i64::try_from(it).unwrap_or(i64::MAX));
    u32: |it| Cell::Int(it.into());
    u16: |it| Cell::Int(it.into());
    u8: |it| Cell::Int(it.into());
    Nanos: |it| Cell::Seconds(it.0.max(0) as f64 / 1e9);
    Time: |it| Cell::Time(it);
    CloseCode: |it| Cell::Int(it.0.into());
    &'a str: |it| Cell::Text(it.into());
    &'a String: |it| Cell::Text(it.as_str().into());
    String: |it| Cell::Text(it.into());
    &'a Text: |it| Cell::Text(it.to_string().into());
    &'a [u8]: |it| Cell::Bytes(it);
    Endpoint: |it| Cell::Text(it.to_string().into());
    Cite: |it| Cell::Text(it.to_string().into());
    Dir: |it| Cell::Text(it.name().into());
    Severity: |it| Cell::Text(it.name().into());
    &'static Rule: |it| Cell::Text(it.id.into());
}

/// A word of one of the model's enumerations.
pub(super) fn word<'a>(it: impl Named) -> Cell<'a> {
    Cell::Text(it.name().into())
}

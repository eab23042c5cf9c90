//! The values of options.

use std::sync::Arc;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use regex::bytes::{Regex, RegexBuilder};

use super::Streams;
use crate::app::keys::Keys;
use crate::cli::size;
use crate::limits;
use crate::render::VIEWS;
use crate::render::views::{self, Choice};
use crate::select;

pub(super) fn view() -> impl TypedValueParser<Value = &'static Choice> {
    let names = VIEWS.map(|view| PossibleValue::new(view.name).help(view.help));
    PossibleValuesParser::new(names).try_map(|name| views::named(&name).ok_or("no view has that name"))
}

pub(super) fn memory(text: &str) -> Result<usize, String> {
    let bytes = size::at_least(text, limits::MEMORY_LEAST)?;
    Ok(usize::try_from(bytes).unwrap_or(usize::MAX))
}

pub(super) fn keys(text: &str) -> Result<Arc<Keys>, String> {
    Keys::parse(text).map(Arc::new)
}

pub(super) fn streams(text: &str) -> Result<Streams, String> {
    select::parse_streams(text).map(Streams)
}

pub(super) fn regex(text: &str) -> Result<Regex, String> {
    RegexBuilder::new(text).unicode(true).build().map_err(|e| e.to_string())
}

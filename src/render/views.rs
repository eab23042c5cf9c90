//! The views by name: one list for the command line, the fuzzer and the tests.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

pub use super::choice::{Choice, Form, Out};
use super::html::Html;
use super::{Options, View, bits, causes, hex, messages, session, stats, table, tree};

/// Every view, in the order in which help lists them.
pub static VIEWS: [&Choice; 8] = [
    &tree::VIEW,
    &bits::VIEW,
    &hex::VIEW,
    &table::VIEW,
    &messages::VIEW,
    &session::VIEW,
    &stats::VIEW,
    &causes::VIEW,
];

/// The view of a name.
pub fn named(name: &str) -> Option<&'static Choice> {
    VIEWS.into_iter().find(|view| view.name == name)
}

/// A page for a browser with what a view is about, over `out`: it shows it in a way of its own.
pub fn page(view: &Choice, out: impl Write + 'static, options: &Options) -> Box<dyn View> {
    // Who counts does not look at each frame.
    let scope = if *view == stats::VIEW { causes::VIEW.scope } else { view.scope };
    Box::new(Html::new(out, *options).only(scope))
}

/// Memory that a view can write to while somebody else has it too.
#[derive(Clone, Debug, Default)]
pub struct Kept(Rc<RefCell<Vec<u8>>>);

impl Kept {
    /// What was written since this was asked last.
    pub fn take(&self) -> Vec<u8> {
        self.0.take()
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Body, Summary, Unit};
    use crate::render::fixture;

    #[test]
    fn every_view_has_a_name_of_its_own_and_writes_in_every_form() {
        for (place, view) in VIEWS.into_iter().enumerate() {
            assert!(named(view.name).is_some_and(|found| found == VIEWS[place]), "{}", view.name);
            for form in [Form::Text, Form::Array, Form::Lines] {
                let kept = Kept::default();
                let mut shown = view.over(kept.clone(), form, &Options::default());
                let summary = Summary { frames: 7, ..Summary::default() };
                let unit = Unit { body: Body::Summary(&summary), ..fixture::EMPTY };
                assert!(shown.take(&unit).is_continue());
                assert!(!view.is_late || kept.take().is_empty());
                shown.end().unwrap();
                let text = String::from_utf8(kept.take()).unwrap();
                assert_eq!(text.starts_with('['), form == Form::Array, "{}: {text}", view.name);
                assert_eq!(
                    text.contains("\"type\":\"summary\""),
                    form != Form::Text,
                    "{}: {text}",
                    view.name
                );
            }
        }
        assert!(named("round").is_none());
    }
}

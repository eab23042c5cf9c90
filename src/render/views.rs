//! The views by name: one list for the command line, the fuzzer and the tests.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

use super::json::{Json, Scope};
use super::{Layout, Options, Screen, View, bits, causes, hex, messages, session, stats, table, tree};
use crate::limits;

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

/// Where a view writes.
pub type Out = Box<dyn Write>;

/// What a view writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// Text for people.
    #[default]
    Text,
    /// Records of schema `wstool/1`, all in one array.
    Array,
    /// The same records, one a line.
    Lines,
}

/// A view, before it is one over a certain output.
#[derive(Debug)]
pub struct Choice {
    /// What it is called on the command line.
    pub name: &'static str,
    /// What it shows, in a line of help.
    pub help: &'static str,
    /// Whether it writes nothing before the input ends.
    pub is_late: bool,
    /// Which records say the same.
    pub scope: Scope,
    /// Makes one.
    pub make: fn(&Self, Out, Form, &Options) -> Box<dyn View>,
}

impl Choice {
    /// A view that lays out unit after unit.
    pub(super) const fn of<L: Layout + 'static>(
        name: &'static str,
        help: &'static str,
        scope: Scope,
    ) -> Self {
        Self { name, help, is_late: false, scope, make: screen::<L> }
    }

    /// The view over `out`. Of each payload, records show as much as [`Options::payload`] says, or else
    /// [`limits::PAYLOAD_SHOWN`].
    pub fn over(&self, out: impl Write + 'static, form: Form, options: &Options) -> Box<dyn View> {
        (self.make)(self, Box::new(out), form, options)
    }
}

/// Views are compared by place: there is one of each.
impl PartialEq for Choice {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Choice {}

fn screen<L: Layout + 'static>(kind: &Choice, out: Out, form: Form, options: &Options) -> Box<dyn View> {
    let payload = options.payload.unwrap_or(limits::PAYLOAD_SHOWN);
    match form {
        Form::Text => Box::new(Screen::<L, Out>::new(out, *options)),
        Form::Array => Box::new(Json::array(out, payload).only(kind.scope)),
        Form::Lines => Box::new(Json::lines(out, payload).only(kind.scope)),
    }
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

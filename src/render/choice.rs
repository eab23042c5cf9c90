//! A view before it is one over a certain output: its name, its help, what its records hold.

use std::io::Write;

use super::json::{Json, Scope};
use super::{Layout, Options, Screen, View};
use crate::limits;

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

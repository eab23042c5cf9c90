//! What went wrong, and nothing else: the head of an input with everything about each cause.

use std::io::{self, Write};

use super::choice::{Choice, Form};
use super::head::{self, Depth};
use super::json::{Json, Scope};
use super::outline::Outline;
use super::page::Page;
use super::{Options, View};
use crate::cause::Head;
use crate::limits;
use crate::model::{Body, Flow, Sink, Unit, Wants};

/// Its place in the list of views.
pub static VIEW: Choice = Choice {
    name: "causes",
    help: "Why connections ended or failed: what went wrong, worst first, and what to try",
    is_late: true,
    scope: Scope::Causes,
    make: |kind, out, form, options| {
        let payload = options.payload.unwrap_or(limits::PAYLOAD_SHOWN);
        match form {
            Form::Text => Box::new(Causes { head: Head::default(), out, options: *options }),
            Form::Array => Box::new(Json::array(out, payload).only(kind.scope)),
            Form::Lines => Box::new(Json::lines(out, payload).only(kind.scope)),
        }
    },
};

/// Gathers until the end, and says all of it.
#[derive(Debug)]
pub struct Causes<W> {
    head: Head,
    out: W,
    options: Options,
}

impl<W> Sink for Causes<W> {
    fn wants(&self) -> Wants {
        self.head.wants()
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        self.head.take(unit)
    }
}

impl<W: Write> View for Causes<W> {
    fn end(mut self: Box<Self>) -> io::Result<()> {
        let mut page = Page::new(&self.options);
        let mut outline = Outline::new(&self.options);
        outline.unit(&Unit::about_input(Body::Meta(&self.head.meta)), &mut page);
        head::say(&self.head, &self.options, Depth::Full, &mut page);
        self.out.write_all(page.lines().as_bytes())?;
        self.out.flush()
    }
}

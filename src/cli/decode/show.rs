//! The selected units on their way to the view, and to what is done besides.

use std::io;

use super::aside::Aside;
use super::{Args, Format};
use crate::cli::Look;
use crate::cli::interrupt::Interrupt;
use crate::cli::output::Output;
use crate::model::{Body, Connection, Flow, Message, Single, Sink, Summary, Unit, Wants};
use crate::render::View;
use crate::render::har::Har;
use crate::render::views::{self, Form};
use crate::select;

/// Says in the summary that Ctrl-C ended the input before its time.
pub(super) struct Until<'a, S> {
    pub(super) select: &'a mut S,
    pub(super) interrupt: &'a Interrupt,
}

impl<S: Sink> Sink for Until<'_, S> {
    fn wants(&self) -> Wants {
        self.select.wants()
    }

    fn looks_at(&mut self, conn: u32, connection: &Connection) -> bool {
        self.select.looks_at(conn, connection)
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        match unit.body {
            Body::Summary(summary) if self.interrupt.has_cut() => {
                let error = Some("stopped by Ctrl-C".into());
                let summary = Summary { error, ..summary.clone() };
                self.select.take(&Unit { body: Body::Summary(&summary), ..*unit })
            }
            _ => self.select.take(unit),
        }
    }

    fn take_whole(&mut self, unit: &Unit<'_>, message: &Message<'_>) -> Flow {
        self.select.take_whole(unit, message)
    }

    fn take_single(&mut self, single: &Single<'_>) -> Flow {
        self.select.take_single(single)
    }
}

/// The chosen view in the chosen format.
pub(super) struct Show {
    pub(super) view: Box<dyn View>,
    /// What is done besides with what is shown.
    aside: Aside,
    /// The input comes as it happens: what is known shows at once.
    live: bool,
}

impl Show {
    pub(super) fn new(args: &Args, out: Output, look: Look, live: bool) -> Self {
        let options = args.options(look);
        let view = match args.format {
            // Tables are no view.
            Format::Text | Format::Parquet => args.view.over(out, Form::Text, &options),
            Format::Json => args.view.over(out, Form::Array, &options),
            Format::Ndjson => args.view.over(out, Form::Lines, &options),
            Format::Html => views::page(args.view, out, &options),
            Format::Har => Box::new(Har::new(out)),
        };
        Self { view, aside: Aside::default(), live }
    }

    pub(super) fn with(self, aside: Aside) -> Self {
        Self { aside, ..self }
    }

    pub(super) fn end(self) -> io::Result<Aside> {
        self.view.end().map(|()| self.aside)
    }

    /// Hands a unit to what is done besides, and to the view what that asked for.
    fn take_both(&mut self, unit: &Unit<'_>) -> Flow {
        self.aside.take(unit);
        let wants = self.view.wants();
        select::as_wanted(unit, wants, |unit| self.view.take(unit))
    }
}

impl Sink for Show {
    fn wants(&self) -> Wants {
        self.view.wants().or(self.aside.wants())
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        let flow = if self.aside.is_idle() { self.view.take(unit) } else { self.take_both(unit) };
        // An error is remembered and told at the end.
        if self.live && self.view.flush().is_err() { Flow::Break(()) } else { flow }
    }

    fn take_whole(&mut self, unit: &Unit<'_>, message: &Message<'_>) -> Flow {
        if !self.aside.is_idle() {
            self.take(unit)?;
            return self.take(&Unit { body: Body::Message(message), ..*unit });
        }
        let flow = self.view.take_whole(unit, message);
        if self.live && self.view.flush().is_err() { Flow::Break(()) } else { flow }
    }

    fn take_single(&mut self, single: &Single<'_>) -> Flow {
        if self.live || !self.aside.is_idle() {
            return single.lend(|unit, message| self.take_whole(unit, message));
        }
        self.view.take_single(single)
    }
}

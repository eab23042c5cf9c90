//! A layout over a writer: what the text views have in common.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

use super::head::{self, Depth};
use super::outline::Outline;
use super::page::Page;
use super::{Options, View};
use crate::cause::Head;
use crate::model::{Body, Flow, Sink, Time, Unit, Wants};

/// How one view lays out a unit.
pub trait Layout: Default {
    /// What it looks at.
    fn wants(options: &Options) -> Wants;
    /// Lays out `unit` on `page`.
    fn unit(&mut self, outline: &mut Outline, unit: &Unit<'_>, page: &mut Page);
}

/// A text view with the layout `L` over the writer `W`. Each unit is written with one
/// call, so that a unit is never torn apart, unless it is larger than anybody reads
/// ([`LINES_HELD`](crate::limits::LINES_HELD)).
#[derive(Debug)]
pub struct Screen<L, W> {
    layout: L,
    outline: Outline,
    page: Page,
    options: Options,
    /// What the input comes to, if that is to be told at its end.
    head: Option<Box<Head>>,
    /// What it came to, to be told at its beginning.
    lead: Option<Box<Head>>,
    /// Shared with the page, which writes what it cannot hold.
    out: Rc<RefCell<W>>,
}

impl<L: Layout, W: Write + 'static> Screen<L, W> {
    /// A view that writes to `out`.
    pub fn new(out: W, options: Options) -> Self {
        let out = Rc::new(RefCell::new(out));
        let page = Page::over(&options, Rc::<RefCell<W>>::clone(&out));
        let head = options.head.then(Box::default);
        Self { layout: L::default(), outline: Outline::new(&options), page, options, head, lead: None, out }
    }

    /// Counts relative times from `start`, where no beginning of an input says from when.
    #[must_use]
    pub fn counting_from(mut self, start: Time) -> Self {
        self.outline.clock.begin(Some(start));
        self
    }

    fn say(&mut self, of: &Head) {
        if !of.is_simple() {
            head::say(of, &self.options, Depth::Brief, &mut self.page);
        }
    }

    /// Flushes and gives the writer back.
    ///
    /// # Errors
    ///
    /// The first error of writing.
    pub fn finish(self) -> io::Result<W> {
        let Self { mut page, out, .. } = self;
        if let Some(error) = page.take_error() {
            return Err(error);
        }
        drop(page);
        let mut out = Rc::into_inner(out).ok_or(io::ErrorKind::ResourceBusy)?;
        out.get_mut().flush().map(|()| out.into_inner())
    }
}

impl<L: Layout, W: Write + 'static> Sink for Screen<L, W> {
    fn wants(&self) -> Wants {
        L::wants(&self.options)
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        if self.page.is_broken() {
            return Flow::Break(());
        }
        if let Some(mut head) = self.head.take() {
            head.see(unit);
            match unit.body {
                Body::Summary(_) => self.say(&head),
                _ => self.head = Some(head),
            }
        }
        self.layout.unit(&mut self.outline, unit, &mut self.page);
        if matches!(unit.body, Body::Meta(_))
            && let Some(head) = self.lead.take()
        {
            self.say(&head);
        }
        self.page.deliver();
        if self.page.is_broken() { Flow::Break(()) } else { Flow::Continue(()) }
    }
}

impl<L: Layout, W: Write + 'static> View for Screen<L, W> {
    fn flush(&mut self) -> io::Result<()> {
        // Each unit was written already.
        match self.page.error() {
            Some(error) => Err(error.kind().into()),
            None => Ok(()),
        }
    }

    fn lead(&mut self, head: Head) {
        self.lead = Some(Box::new(head));
        self.head = None;
    }

    fn end(self: Box<Self>) -> io::Result<()> {
        self.finish().map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::{Tree, fixture};

    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_error_of_writing_stops_the_view_and_is_told_at_the_end() {
        let mut view = Tree::new(Closed, Options::default());
        let meta = fixture::meta("x.pcap");
        let unit = Unit { body: Body::Meta(&meta), ..fixture::EMPTY };
        assert!(view.flush().is_ok(), "nothing was written so far");
        assert_eq!(view.take(&unit), Flow::Break(()));
        assert_eq!(view.flush().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        assert_eq!(view.take(&unit), Flow::Break(()));
        assert_eq!(Box::new(view).end().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}

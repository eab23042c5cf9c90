//! A layout over a writer: what the text views have in common.

use std::io::{self, Write};

use super::outline::Outline;
use super::{Options, View};
use crate::model::unit::Flow;
use crate::model::{Sink, Time, Unit, Wants};

/// How one view lays out a unit.
pub trait Layout: Default {
    /// What it looks at.
    fn wants(options: &Options) -> Wants;
    /// Writes `unit` on the page of `outline`.
    fn unit(&mut self, outline: &mut Outline, unit: &Unit<'_>);
}

/// A text view with the layout `L` over the writer `W`. Each unit is written with one
/// call, so that a unit is never torn apart.
#[derive(Debug)]
pub struct Screen<L, W> {
    layout: L,
    outline: Outline,
    options: Options,
    out: W,
    error: Option<io::Error>,
}

impl<L: Layout, W: Write> Screen<L, W> {
    /// A view that writes to `out`.
    pub fn new(out: W, options: Options) -> Self {
        Self { layout: L::default(), outline: Outline::new(&options), options, out, error: None }
    }

    /// Counts relative times from `start`, where no beginning of an input says from when.
    #[must_use]
    pub fn counting_from(mut self, start: Time) -> Self {
        self.outline.clock.begin(Some(start));
        self
    }

    /// Flushes and gives the writer back.
    ///
    /// # Errors
    ///
    /// The first error of writing.
    pub fn finish(mut self) -> io::Result<W> {
        match self.error {
            Some(error) => Err(error),
            None => self.out.flush().map(|()| self.out),
        }
    }
}

impl<L: Layout, W: Write> Sink for Screen<L, W> {
    fn wants(&self) -> Wants {
        L::wants(&self.options)
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        if self.error.is_some() {
            return Flow::Break(());
        }
        self.layout.unit(&mut self.outline, unit);
        let lines = self.outline.page.lines();
        let written = self.out.write_all(lines.as_bytes());
        lines.clear();
        match written {
            Ok(()) => Flow::Continue(()),
            Err(error) => {
                self.error = Some(error);
                Flow::Break(())
            }
        }
    }
}

impl<L: Layout, W: Write> View for Screen<L, W> {
    fn end(self: Box<Self>) -> io::Result<()> {
        self.finish().map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Body;
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
        assert_eq!(view.take(&unit), Flow::Break(()));
        assert_eq!(view.take(&unit), Flow::Break(()));
        assert_eq!(Box::new(view).end().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}

//! `--har`: an archive beside what is shown.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;

use crate::cli::trouble::of_file;
use crate::model::{Flow, ON, Sink, Text, Unit, Wants};
use crate::render::View;
use crate::render::har::Har;

/// A view, and an archive of the same.
pub(super) struct Archive {
    har: Box<Har<BufWriter<File>>>,
    view: Option<Box<dyn View>>,
}

/// The file of an archive.
///
/// # Errors
/// Why it cannot be written.
pub(super) fn create(path: &Path) -> Result<BufWriter<File>, Text> {
    File::create(path).map(BufWriter::new).map_err(|error| of_file(path, &error))
}

impl Archive {
    /// An archive beside a view, if there is one.
    pub fn beside(view: Option<Box<dyn View>>, file: BufWriter<File>) -> Box<dyn View> {
        Box::new(Self { har: Box::new(Har::new(file)), view })
    }
}

impl Sink for Archive {
    fn wants(&self) -> Wants {
        self.har.wants().or(self.view.as_ref().map_or(Wants::NOTHING, |view| view.wants()))
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        self.har.take(unit)?;
        self.view.as_mut().map_or(ON, |view| view.take(unit))
    }
}

impl View for Archive {
    fn flush(&mut self) -> io::Result<()> {
        self.view.as_mut().map_or(Ok(()), |view| view.flush())
    }

    fn end(self: Box<Self>) -> io::Result<()> {
        let Self { har, view } = *self;
        let archived = (har as Box<dyn View>).end();
        view.map_or(Ok(()), View::end).and(archived)
    }
}

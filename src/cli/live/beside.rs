//! `--har` and `--html`: files of what happens, beside what is shown of it.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;

use crate::cli::trouble::of_file;
use crate::model::{Flow, ON, Sink, Text, Unit, Wants};
use crate::render::har::Har;
use crate::render::{Options, View, tree, views};
use crate::select;

/// Files that are begun, and hold nothing yet.
#[derive(Default)]
pub(super) struct Files {
    har: Option<BufWriter<File>>,
    page: Option<BufWriter<File>>,
}

/// A view, if there is one, and files of the same.
struct Beside {
    view: Option<Box<dyn View>>,
    files: Vec<Box<dyn View>>,
}

impl Files {
    /// Begins an archive and a page, where they are named.
    ///
    /// # Errors
    /// Why one cannot be written.
    pub fn create(har: Option<&Path>, page: Option<&Path>) -> Result<Self, Text> {
        let begin = |path: &Path| File::create(path).map(BufWriter::new).map_err(|e| of_file(path, &e));
        Ok(Self { har: har.map(begin).transpose()?, page: page.map(begin).transpose()? })
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.har.is_none() && self.page.is_none()
    }

    /// What is shown, and the files beside it, of which a page is laid out by `options`.
    pub fn beside(self, view: Option<Box<dyn View>>, options: &Options) -> Option<Box<dyn View>> {
        if self.is_empty() {
            return view;
        }
        let har = self.har.map(|file| Box::new(Har::new(file)) as Box<dyn View>);
        let page = self.page.map(|file| page(&tree::VIEW, file, options));
        Some(Box::new(Beside { view, files: har.into_iter().chain(page).collect() }))
    }
}

/// A page of what a view is about, with what it came to on top.
pub(super) fn page(view: &views::Choice, out: impl io::Write + 'static, options: &Options) -> Box<dyn View> {
    views::page(view, out, &Options { head: true, ..*options })
}

impl Sink for Beside {
    fn wants(&self) -> Wants {
        self.files.iter().chain(&self.view).fold(Wants::NOTHING, |wants, view| wants.or(view.wants()))
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        for view in self.files.iter_mut().chain(&mut self.view) {
            select::as_wanted(unit, view.wants(), |unit| view.take(unit))?;
        }
        ON
    }
}

impl View for Beside {
    fn flush(&mut self) -> io::Result<()> {
        self.files.iter_mut().chain(&mut self.view).try_for_each(|view| view.flush())
    }

    fn end(self: Box<Self>) -> io::Result<()> {
        // Each is written, whatever became of the one before.
        let Self { view, files } = *self;
        files.into_iter().chain(view).map(View::end).fold(Ok(()), io::Result::and)
    }
}

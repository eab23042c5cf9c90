//! `--har` and `--html`: files of what happens, beside what is shown of it.

use std::io;
use std::path::Path;

use crate::cli::Look;
use crate::cli::output::Output;
use crate::model::{Flow, ON, Sink, Text, Unit, Wants};
use crate::render::har::Har;
use crate::render::{Options, View, tree, views};
use crate::select;

/// Files that are begun, and hold nothing yet.
#[derive(Default)]
pub(super) struct Files {
    har: Option<Output>,
    page: Option<Output>,
}

/// A view, if there is one, and files of the same.
struct Beside {
    view: Option<Box<dyn View>>,
    /// Those that can still be written.
    files: Vec<Box<dyn View>>,
    /// Why one of the others cannot.
    broken: Option<io::Error>,
    look: Look,
}

impl Files {
    /// Begins an archive and a page, where they are named.
    ///
    /// # Errors
    /// Why one cannot be written.
    pub fn create(har: Option<&Path>, page: Option<&Path>) -> Result<Self, Text> {
        let begin = |path: &Path| Output::file(path, false);
        Ok(Self { har: har.map(begin).transpose()?, page: page.map(begin).transpose()? })
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.har.is_none() && self.page.is_none()
    }

    /// What is shown, and the files beside it, of which a page is laid out by `options`. A file that can no
    /// longer be written is told of at once, and given up: what is shown, and what goes over the connections,
    /// is not to end with it.
    pub fn beside(self, view: Option<Box<dyn View>>, options: &Options, look: Look) -> Option<Box<dyn View>> {
        if self.is_empty() {
            return view;
        }
        let har = self.har.map(|file| Box::new(Har::new(file)) as Box<dyn View>);
        let page = self.page.map(|file| page(&tree::VIEW, file, options));
        let files = har.into_iter().chain(page).collect();
        Some(Box::new(Beside { view, files, broken: None, look }))
    }
}

/// A page of what a view is about, with what it came to on top.
pub(super) fn page(view: &views::Choice, out: impl io::Write + 'static, options: &Options) -> Box<dyn View> {
    views::page(view, out, &Options { head: true, ..*options })
}

impl Beside {
    /// Does something with each file, as long as that goes well.
    fn each(&mut self, mut act: impl FnMut(&mut dyn View) -> bool) {
        let mut at = 0;
        while let Some(file) = self.files.get_mut(at) {
            if act(&mut **file) {
                at += 1;
            } else if let Err(error) = self.files.remove(at).end() {
                // Nobody may listen any longer; that is no reason to stop.
                let _ = self.look.tell("error: {}", &unwritable(&error));
                self.broken = Some(error);
            }
        }
    }
}

/// That a file beside cannot be written, and which.
fn unwritable(error: &io::Error) -> Text {
    Text::with("cannot write the output: {}", error)
}

impl Sink for Beside {
    fn wants(&self) -> Wants {
        self.files.iter().chain(&self.view).fold(Wants::NOTHING, |wants, view| wants.or(view.wants()))
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        self.each(|file| select::as_wanted(unit, file.wants(), |unit| file.take(unit)).is_continue());
        match &mut self.view {
            Some(view) => select::as_wanted(unit, view.wants(), |unit| view.take(unit)),
            None => ON,
        }
    }
}

impl View for Beside {
    fn flush(&mut self) -> io::Result<()> {
        self.each(|file| file.flush().is_ok());
        self.view.as_mut().map_or(Ok(()), |view| view.flush())
    }

    fn end(self: Box<Self>) -> io::Result<()> {
        // Each is written, whatever became of the one before.
        let Self { view, files, broken, .. } = *self;
        let before = broken.map_or(Ok(()), Err);
        files.into_iter().chain(view).map(View::end).fold(before, io::Result::and)
    }
}

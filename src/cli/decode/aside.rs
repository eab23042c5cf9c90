//! What is done with the selected units besides showing them.

use std::io;
use std::sync::Arc;

use super::Args;
use super::export::Export;
use super::kept::Keep;
use super::write::{Marks, Source, Target};
use crate::cli::Look;
use crate::limits;
use crate::model::{Text, Unit, Wants};

/// See the [module](self).
#[derive(Default)]
pub(super) struct Aside {
    export: Option<Export>,
    marks: Option<(Marks, Target)>,
}

impl Aside {
    /// What a command line asks for.
    ///
    /// # Errors
    /// What cannot be done, and what to try.
    pub(super) fn new(args: &Args, inputs: &[String], look: Look) -> Result<Self, Text> {
        let window = args.narrowed.as_ref().map(|(window, _)| window.clone());
        let export = args.export.as_deref().map(|folder| Export::to(folder, &args.opcode)).transpose()?;
        let marks = match &args.write {
            None => None,
            Some(path) => {
                let target = Target::new(path, inputs, Arc::clone(&args.secrets))?;
                Some((target.marks(look.lang, args.concat, window), target))
            }
        };
        Ok(Self { export, marks })
    }

    /// What keeps a copy of an input that has to be read again, and cannot be.
    pub(super) fn keep(&mut self, input: &str) -> Option<Keep> {
        self.marks.as_mut().and_then(|(_, target)| target.keep(input))
    }

    /// Whether packets can be written although Ctrl-C has ended the inputs.
    pub(super) fn is_kept(&self, inputs: &[&str]) -> bool {
        self.marks.as_ref().is_some_and(|(_, target)| target.is_kept(inputs))
    }

    /// What it looks at.
    pub(super) fn wants(&self) -> Wants {
        let exported = Wants { payload: limits::PAYLOAD_KEPT, app: true, ..Wants::NOTHING };
        let export = self.export.as_ref().map_or(Wants::NOTHING, |_| exported);
        self.marks.as_ref().map_or(export, |(marks, _)| export.or(marks.wants()))
    }

    /// Whether there is nothing to do.
    pub(super) fn is_idle(&self) -> bool {
        self.export.is_none() && self.marks.is_none()
    }

    /// Takes a unit that was selected.
    pub(super) fn take(&mut self, unit: &Unit<'_>) {
        if let Some(export) = &mut self.export {
            export.take(unit);
        }
        if let Some((marks, _)) = &mut self.marks {
            marks.take(unit);
        }
    }

    /// All units were taken: writes packets, and says what was written; the exit code where something was
    /// not.
    pub(super) fn end(self, source: Option<&Source<'_>>, look: Look) -> io::Result<Option<u8>> {
        let mut code = None;
        if let Some(export) = self.export {
            code = export.end(look)?;
        }
        if let (Some((marks, target)), Some(source)) = (self.marks, source) {
            code = code.max(target.write(&marks, source, look)?);
        }
        Ok(code)
    }
}

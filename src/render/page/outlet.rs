//! Where lines go.

use std::cell::RefCell;
use std::fmt;
use std::io::{self, Write};
use std::rc::Rc;

/// Where the lines of a page go, if not to whoever asks for them.
#[derive(Default)]
pub struct Outlet {
    pub out: Option<Rc<RefCell<dyn Write>>>,
    /// The first error of writing, after which nothing is written.
    pub error: Option<io::Error>,
}

impl fmt::Debug for Outlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outlet").field("is_open", &self.out.is_some()).field("error", &self.error).finish()
    }
}

//! What is shown of live connections.

use super::looking::Looking;
use crate::model::{Flow, ON, Sink, Unit, Wants};
use crate::render::View;
use crate::select::{self, Verdict};

/// What is shown, and how bad it is.
pub(super) struct Show {
    pub view: Option<Box<dyn View>>,
    pub looking: Option<Looking>,
    /// HTTP that has nothing to do with WebSocket is shown, too.
    pub http: bool,
    pub verdict: Verdict,
}

impl Show {
    /// Lets what was shown so far be seen.
    pub fn flush(&mut self) -> Flow {
        // An error is remembered and told at the end.
        let is_broken = self.view.as_mut().is_some_and(|view| view.flush().is_err());
        if is_broken { Flow::Break(()) } else { ON }
    }
}

impl Sink for Show {
    fn wants(&self) -> Wants {
        let view = self.view.as_ref().map_or(Wants::NOTHING, |view| view.wants());
        let wants = self.looking.as_ref().map_or(view, |looking| view.or(looking.wants()));
        Wants { http: wants.http || self.http, ..wants }
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        if self.looking.as_mut().is_some_and(|looking| looking.hides(unit)) {
            return ON;
        }
        self.verdict.see(unit.findings);
        match (&mut self.view, &mut self.looking) {
            (Some(view), None) => view.take(unit),
            (Some(view), Some(looking)) => {
                looking.take(unit)?;
                select::as_wanted(unit, view.wants(), |unit| view.take(unit))
            }
            (None, Some(looking)) => looking.take(unit),
            (None, None) => ON,
        }
    }
}

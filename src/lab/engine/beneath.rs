//! The connection that a request came over, where something may go wrong on purpose.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use hyper::Request;

use crate::lab::fate::Fate;
use crate::lab::fault::Plan;
use crate::synth::Rng;

/// A connection, as far as something can be done to it.
pub trait Beneath: Send + Sync {
    /// What goes wrong on it.
    fn plan(&self) -> &Plan;

    /// A generator for what befalls messages.
    fn chance(&self) -> Rng;

    /// Has it end as it is fated to. Where it is to be closed in order, that is for others to do.
    fn meet(&self, fate: Fate);

    /// Waits until whoever serves it ends.
    fn stopping(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// The connection that a request came over, among its extensions.
#[derive(Clone)]
pub struct Under(pub Arc<dyn Beneath>);

impl Under {
    /// That of a request, if anything is known of it.
    pub(super) fn of<B>(request: &Request<B>) -> Option<Self> {
        request.extensions().get::<Self>().cloned()
    }

    /// Has the connection end, and waits as long as anybody waits for what does not come.
    pub(super) async fn meet(&self, fate: Fate) {
        self.0.meet(fate);
        self.0.stopping().await;
    }
}

/// What goes wrong on it: where nothing is known of it, nothing does.
pub(super) fn plan(under: Option<&Under>) -> Plan {
    under.map_or_else(Plan::default, |under| under.0.plan().clone())
}

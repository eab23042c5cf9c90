//! Ctrl-C, and being asked to end.

use std::io;
use std::thread;

use tokio::runtime::Builder;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::cli::interrupt::INTERRUPTED;

/// Who hears that it is time to end, whenever it asks: what was said meanwhile waits for it.
pub type Stop = UnboundedReceiver<()>;

/// Listens from now on: what is given hears of the first time. The second ends the program at once, whatever
/// it is at: whoever insists does not want to see the rest.
///
/// # Errors
/// When the system does not tell.
pub fn listen() -> io::Result<Stop> {
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let mut signals = {
        let _inside = runtime.enter();
        Signals::new()?
    };
    let (tell, told) = unbounded_channel();
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        runtime.block_on(async {
            signals.next().await;
            // Who is at its end already need not be told.
            let _ = tell.send(());
            signals.next().await;
            std::process::exit(INTERRUPTED.into());
        });
    })?;
    Ok(told)
}

#[cfg(unix)]
struct Signals([tokio::signal::unix::Signal; 2]);

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self([signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?]))
    }

    async fn next(&mut self) {
        let [interrupt, terminate] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            // Where it cannot be heard, it ends the program as ever.
            std::future::pending::<()>().await;
        }
    }
}

//! Ctrl-C while an input is read: the input ends there, and what it came to is shown.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The exit code of a run that was interrupted, as shells have it: 128 and the number of SIGINT.
pub const INTERRUPTED: u8 = 130;

/// How long a pipe may still say what it had to say: whoever writes to it, such as tcpdump, has got
/// the same Ctrl-C and hands over what it has gathered.
const GRACE: Duration = Duration::from_secs(2);

/// A pipe that says nothing for so long after Ctrl-C will say nothing more.
const SILENCE: Duration = Duration::from_millis(300);

/// After [`GRACE`], pieces that are at hand are still taken, so many at most: what a pipe holds, however
/// long it took to get to it, and of one that never falls silent no more.
const AT_HAND: usize = 64;

/// Bytes read from a pipe at a time.
const PIECE: usize = 64 * 1024;

/// Pieces read ahead of the decoder.
const AHEAD: usize = 2;

/// Listens for Ctrl-C.
#[derive(Clone, Default)]
pub struct Interrupt {
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// How often Ctrl-C was pressed.
    count: AtomicU32,
    cut: AtomicBool,
    /// Readers that may be waiting for a pipe.
    readers: Mutex<Vec<SyncSender<Event>>>,
}

/// What a reader that waits is told.
enum Event {
    Bytes(Vec<u8>),
    End(io::Result<()>),
    /// Ctrl-C was pressed: look at how often.
    Wake,
}

impl Interrupt {
    /// Listens from now on. Where that is not possible Ctrl-C ends the program as ever.
    pub fn listen() -> Self {
        let interrupt = Self::default();
        let state = Arc::clone(&interrupt.state);
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else {
            return interrupt;
        };
        let (ready, is_ready) = sync_channel::<()>(1);
        thread::spawn(move || {
            runtime.block_on(async {
                let mut ready = Some(ready);
                loop {
                    let ctrl_c = tokio::signal::ctrl_c();
                    tokio::pin!(ctrl_c);
                    // The handler is installed by the first poll.
                    let first = std::future::poll_fn(|cx| {
                        let poll = ctrl_c.as_mut().poll(cx);
                        drop(ready.take());
                        poll
                    });
                    if first.await.is_err() {
                        return;
                    }
                    state.stop();
                }
            });
        });
        // Nothing is sent: the other end is dropped once Ctrl-C is heard.
        let _ = is_ready.recv();
        interrupt
    }

    /// Whether Ctrl-C was pressed.
    pub fn seen(&self) -> bool {
        self.state.count() > 0
    }

    /// Whether an input was given up before its end because of that.
    pub fn has_cut(&self) -> bool {
        self.state.cut.load(Ordering::Relaxed)
    }

    /// An input is given up before it is begun.
    pub fn give_up(&self) {
        self.state.cut.store(true, Ordering::Relaxed);
    }

    /// A reader of something that is at hand, such as a file: it ends at once.
    pub fn file(&self, reader: Box<dyn Read + Send>) -> Box<dyn Read + Send> {
        Box::new(Stoppable { reader, interrupt: self.clone() })
    }

    /// A reader of something that may have to be waited for, such as a pipe.
    pub fn pipe(&self, mut reader: Box<dyn Read + Send>) -> Box<dyn Read + Send> {
        let (sender, events) = sync_channel(AHEAD);
        // Ctrl-C may have been quicker; whoever was pushed behind it sees that it was counted.
        self.state.readers().push(sender.clone());
        thread::spawn(move || {
            let end = loop {
                let mut piece = vec![0; PIECE];
                match reader.read(&mut piece) {
                    Ok(0) => break Ok(()),
                    Ok(count) => piece.truncate(count),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => break Err(error),
                }
                if sender.send(Event::Bytes(piece)).is_err() {
                    return;
                }
            };
            // Nobody may be listening any longer.
            let _ = sender.send(Event::End(end));
        });
        Box::new(Piped {
            events,
            piece: Vec::new(),
            at: 0,
            // Whoever is stopped before it could say anything has not fallen silent.
            silence: if self.seen() { GRACE } else { SILENCE },
            until: None,
            at_hand: AT_HAND,
            over: false,
            interrupt: self.clone(),
        })
    }
}

impl State {
    fn readers(&self) -> std::sync::MutexGuard<'_, Vec<SyncSender<Event>>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self) -> u32 {
        self.count.load(Ordering::Relaxed)
    }

    /// Ctrl-C was pressed.
    fn stop(&self) {
        if self.count.fetch_add(1, Ordering::Relaxed) > 1 {
            // Whoever insists does not want to see the rest.
            std::process::exit(INTERRUPTED.into());
        }
        // A reader that has something to take is not waiting, and looks before it waits again.
        self.readers()
            .retain(|reader| !matches!(reader.try_send(Event::Wake), Err(TrySendError::Disconnected(_))));
    }
}

struct Stoppable {
    reader: Box<dyn Read + Send>,
    interrupt: Interrupt,
}

impl Read for Stoppable {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.interrupt.seen() {
            self.interrupt.give_up();
            return Ok(0);
        }
        self.reader.read(into)
    }
}

struct Piped {
    events: Receiver<Event>,
    piece: Vec<u8>,
    at: usize,
    /// How long it may say nothing after Ctrl-C.
    silence: Duration,
    /// Ctrl-C was pressed: the end is waited for until then.
    until: Option<Instant>,
    /// Pieces that may come after that.
    at_hand: usize,
    over: bool,
    interrupt: Interrupt,
}

impl Piped {
    /// What comes next; nothing when it is not waited for any longer.
    fn next(&mut self) -> Option<Event> {
        let count = self.interrupt.state.count();
        if count == 0 {
            return self.events.recv().ok();
        }
        let now = Instant::now();
        let left = self.until.get_or_insert_with(|| now + GRACE).saturating_duration_since(now);
        if left.is_zero() {
            self.at_hand = self.at_hand.checked_sub(1)?;
        }
        if count > 1 { None } else { self.events.recv_timeout(self.silence.min(left)).ok() }
    }
}

impl Read for Piped {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.at == self.piece.len() && !self.over {
            match self.next() {
                Some(Event::Bytes(piece)) => {
                    (self.piece, self.at) = (piece, 0);
                    self.silence = SILENCE;
                }
                Some(Event::Wake) => {}
                Some(Event::End(end)) => {
                    self.over = true;
                    end?;
                }
                None => {
                    self.over = true;
                    self.interrupt.give_up();
                }
            }
        }
        let count = into.len().min(self.piece.len() - self.at);
        into[..count].copy_from_slice(&self.piece[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pipe that is never closed.
    struct Open(Option<&'static [u8]>);

    impl Read for Open {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let Some(bytes) = self.0.take() else {
                loop {
                    thread::park();
                }
            };
            into[..bytes.len()].copy_from_slice(bytes);
            Ok(bytes.len())
        }
    }

    #[test]
    fn a_pipe_ends_with_what_it_has_said() {
        let interrupt = Interrupt::default();
        let mut pipe = interrupt.pipe(Box::new(Open(Some(b"hello"))));
        interrupt.state.stop();
        let mut said = String::new();
        pipe.read_to_string(&mut said).unwrap();
        assert_eq!((said.as_str(), interrupt.seen(), interrupt.has_cut()), ("hello", true, true));
        let mut file = interrupt.file(Box::new(io::Cursor::new("more")));
        assert_eq!(file.read(&mut [0; 4]).unwrap(), 0);
    }

    /// Ctrl-C may be quicker than what opens the pipe.
    #[test]
    fn a_pipe_that_is_opened_after_ctrl_c_ends_too() {
        let interrupt = Interrupt::default();
        interrupt.state.stop();
        let mut pipe = interrupt.pipe(Box::new(Open(Some(b"hello"))));
        let mut said = String::new();
        pipe.read_to_string(&mut said).unwrap();
        assert_eq!((said.as_str(), interrupt.has_cut()), ("hello", true));
    }

    /// Whoever writes has not heard of Ctrl-C, and never falls silent.
    #[test]
    fn a_pipe_that_never_ends_is_left() {
        let interrupt = Interrupt::default();
        let mut pipe = interrupt.pipe(Box::new(io::repeat(b'-')));
        pipe.read_exact(&mut vec![0; 3 * PIECE]).unwrap();
        interrupt.state.stop();
        io::copy(&mut pipe, &mut io::sink()).unwrap();
        assert!(interrupt.has_cut());
    }

    /// The second Ctrl-C does not wait for anything.
    #[test]
    fn insisting_ends_at_once() {
        let interrupt = Interrupt::default();
        let mut pipe = interrupt.pipe(Box::new(io::repeat(b'-')));
        interrupt.state.stop();
        interrupt.state.stop();
        assert_eq!(pipe.read(&mut [0; 4]).unwrap(), 0);
        assert!(interrupt.has_cut());
    }

    #[test]
    fn an_end_is_an_end() {
        let interrupt = Interrupt::default();
        let mut pipe = interrupt.pipe(Box::new(io::Cursor::new("all")));
        let mut said = String::new();
        pipe.read_to_string(&mut said).unwrap();
        assert_eq!((said.as_str(), interrupt.seen(), interrupt.has_cut()), ("all", false, false));
    }
}

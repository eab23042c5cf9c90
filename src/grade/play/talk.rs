//! The conversation of a case once the WebSocket is open: one side acts the script, the other listens.
//!
//! ```text
//! steps ─► frames ─► write half
//!             ▲ pongs, the answer to Close
//! Shared ◄────┴──── Frames (the decoder) ◄─ read half
//!    └─► Matcher: is it what may come?
//! ```

use std::io;
use std::sync::Mutex;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::matching::{Came, Matcher, State};
use super::record::Record;
use super::shared::{Late, Shared};
use super::wire::{self, Boundary, Framing, Pool};
use crate::grade::case::{Case, Closer, Prepared};
use crate::grade::script::{Send, Step, What};
use crate::lab::frames::{self, Reader, Violation};
use crate::lab::hub::held;
use crate::model::grade::Figures;
use crate::model::{CloseCode, Deflate, Dir, Opcode, StreamEnd};
use crate::ws::{DUPLICATE_CLOSE, encode};

/// How long the peer's answer to Close, and then the end of TCP, is waited for.
const FAREWELL: Duration = Duration::from_secs(2);
const TCP_END: Duration = Duration::from_secs(2);

/// The same where nothing depends on it any more.
const BRIEF: Duration = Duration::from_millis(250);

/// The name of the event that the peer takes nothing more.
const STUCK: &str = "stuck";

/// Bytes that are collected before they are written.
const WRITE: usize = 64 * 1024;

/// How a conversation went.
#[derive(Debug)]
pub struct Talked {
    /// The sequence that what came is.
    pub matched: Option<usize>,
    /// It is a right one but for empty pongs that may answer nothing.
    pub beside: bool,
    /// Who ended it, by Close or without.
    pub closer: Option<Dir>,
    /// Close went both ways.
    pub clean: bool,
    /// The peer's Close frame, and its code.
    pub close: Option<Option<CloseCode>>,
    /// How the peer ended its stream, if it did.
    pub end: Option<StreamEnd>,
    /// The server left the end of TCP to us, who are the client.
    pub dropped: bool,
    /// What the peer did against the rules.
    pub violation: Option<Violation>,
    /// More came than is put up with.
    pub too_much: bool,
    /// Its time was over before it was.
    pub late: Option<Late>,
    /// The connection is to be reset.
    pub reset: bool,
    /// How quickly what was sent came back.
    pub figures: Figures,
}

/// Whether a code says that what came is not taken (RFC 6455 §7.4.1).
pub(super) fn is_error(code: CloseCode) -> bool {
    matches!(code.0, 1002 | 1003 | 1007..=1010)
}

/// Talks as the case has it. `early` was read already.
pub async fn talk(
    case: &Case,
    prepared: &Prepared,
    (us, deflate): (Dir, Option<Deflate>),
    (stream, early): (impl AsyncRead + AsyncWrite + Unpin, &[u8]),
    record: &mut Record,
) -> Talked {
    let (mut reading, writing) = tokio::io::split(stream);
    let (deadline, limit) = record.end();
    let shared = Mutex::new(Shared {
        us,
        frames: Reader::taking(case.most).open(us.peer(), deflate).further(),
        matcher: Matcher::new(prepared),
        greeting: prepared.greeting,
        record,
        seen: 0,
        answers: Vec::new(),
        close: None,
        sent_close: false,
        closer: None,
        end: None,
        violation: None,
        too_much: false,
        is_of_second_close: case.rests_on(&DUPLICATE_CLOSE),
        late: None,
        got: (0, 0),
        heard: None,
        reset: false,
        gave_up: false,
        deaf: None,
        began: None,
        figures: Figures::default(),
    });
    let news = Notify::new();
    held(&shared).take(early);
    let listening = async {
        let mut room = vec![0; WRITE];
        loop {
            let deaf = held(&shared).deaf;
            if let Some(until) = deaf {
                sleep_until(until).await;
            }
            let read = reading.read(&mut room).await;
            let is_over = {
                let mut shared = held(&shared);
                match read {
                    Ok(count @ 1..) => {
                        shared.record.bytes(us.peer(), &room[..count]);
                        shared.take(&room[..count]);
                    }
                    Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
                        shared.end = Some(StreamEnd::Rst);
                    }
                    _ => shared.end = Some(StreamEnd::Fin),
                }
                let is_over = shared.end.is_some() || shared.too_much;
                if is_over {
                    shared.ends();
                }
                is_over
            };
            news.notify_one();
            if is_over {
                std::future::pending::<()>().await;
            }
        }
    };
    let mut actor = Actor {
        us,
        case,
        writing,
        shared: &shared,
        news: &news,
        framing: Framing::new(us, deflate),
        entropy: Pool::default(),
        waiting: Vec::new(),
        kept: Kept::default(),
        boundary: Boundary::default(),
    };
    let dropped = tokio::select! {
        dropped = actor.act(prepared) => dropped,
        () = listening => false,
        () = sleep_until(deadline.into()) => {
            held(&shared).is_late(limit, case.patience, FAREWELL);
            false
        }
    };
    drop(actor);
    let shared = shared.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    Talked {
        matched: shared.matcher.matched(),
        beside: shared.matcher.matched_beside().is_some_and(|at| at < prepared.right),
        closer: shared.closer,
        clean: shared.sent_close && shared.close.is_some(),
        close: shared.close,
        end: shared.end,
        dropped,
        violation: shared.violation,
        too_much: shared.too_much,
        late: shared.late,
        reset: shared.reset,
        figures: shared.figures,
    }
}

/// Closes what has nothing to be played on.
pub async fn goodbye(
    us: Dir,
    deflate: Option<Deflate>,
    stream: impl AsyncRead + AsyncWrite + Unpin,
    early: &[u8],
    record: &mut Record,
) -> Talked {
    let case = Case::nothing();
    // It has no script that could be broken.
    let prepared = case.prepare(us).unwrap_or_default();
    talk(&case, &prepared, (us, deflate), (stream, early), record).await
}

struct Actor<'t, 'c, W> {
    us: Dir,
    case: &'c Case,
    writing: W,
    shared: &'t Mutex<Shared<'c>>,
    news: &'t Notify,
    framing: Framing,
    entropy: Pool,
    /// What is written with what is sent next.
    waiting: Vec<u8>,
    kept: Kept,
    /// Where in a frame what was written ends.
    boundary: Boundary,
}

/// What was cut off.
#[derive(Default)]
struct Kept {
    bytes: Vec<u8>,
    /// It is of a Close frame.
    closes: bool,
}

impl<W: AsyncWrite + Unpin> Actor<'_, '_, W> {
    /// Acts the script to the end of the connection. Says whether we had to end TCP in the server's place.
    async fn act(&mut self, prepared: &Prepared) -> bool {
        for step in &prepared.steps {
            if held(self.shared).is_done() {
                break;
            }
            let is_done = self.step(step).await;
            // Nothing more is expected of who was cut off.
            if matches!(step, Step::Reset) {
                return false;
            }
            if is_done.is_err() {
                break;
            }
        }
        // What is written to who has gone is lost, as it should be.
        let _ = self.flush().await;
        self.settle().await;
        // A rest that the script leaves out never comes.
        (self.kept, self.boundary) = (Kept::default(), Boundary::default());
        if prepared.parts {
            held(self.shared).closer.get_or_insert(self.us);
            let _ = timeout_at(Instant::now() + TCP_END, self.writing.shutdown()).await;
            return false;
        }
        let is_certain = held(self.shared).is_failed(self.case.ending.closer);
        let [farewell, tcp_end] = if is_certain { [BRIEF; 2] } else { [FAREWELL, TCP_END] };
        if !prepared.closes || held(self.shared).is_over() {
            let _ = self.say_goodbye(farewell).await;
        }
        self.part(tcp_end).await
    }

    async fn step(&mut self, step: &Step) -> io::Result<()> {
        match step {
            Step::Send(send) => return self.send(send).await,
            Step::Wait(time) => {
                self.flush().await?;
                self.wait(*time, |shared| shared.end.is_some()).await;
            }
            Step::Deaf(time) => {
                self.flush().await?;
                held(self.shared).deaf = Some(Instant::now() + *time);
            }
            Step::Still(name, time) => {
                self.flush().await?;
                #[allow(
                    clippy::redundant_closure_for_method_calls,
                    reason = "the method is of one lifetime"
                )]
                self.wait(*time, |shared| shared.is_over()).await;
                let mut shared = held(self.shared);
                if !shared.is_over() {
                    shared.event(Came::Still(name));
                }
            }
            Step::Await(count) => {
                self.flush().await?;
                self.wait(self.case.patience, |shared| shared.is_over() || shared.seen >= *count).await;
            }
            Step::Rest(count) => {
                let count = count.unwrap_or(usize::MAX).min(self.kept.bytes.len());
                self.waiting.extend(self.kept.bytes.drain(..count));
                if self.kept.closes && self.kept.bytes.is_empty() {
                    held(self.shared).closes();
                }
                self.flush().await?;
            }
            Step::Nothing(times) => {
                self.flush().await?;
                for nth in 0..*times {
                    if held(self.shared).is_done() {
                        break;
                    }
                    // Nothing is also what was written of it.
                    let _none = self.writing.write(&[]).await?;
                    // What is heard meanwhile is heard.
                    if nth % 64 == 0 {
                        tokio::task::yield_now().await;
                    }
                }
                self.flush().await?;
            }
            Step::Finish => {
                self.flush().await?;
                held(self.shared).closer.get_or_insert(self.us);
                self.writing.shutdown().await?;
            }
            Step::Reset => {
                self.flush().await?;
                let mut shared = held(self.shared);
                shared.closer.get_or_insert(self.us);
                shared.reset = true;
                return Err(io::ErrorKind::ConnectionReset.into());
            }
        }
        Ok(())
    }

    async fn send(&mut self, send: &Send) -> io::Result<()> {
        let before = held(self.shared).seen;
        for nth in 0..send.times {
            if let Some(window) = send.window.filter(|window| nth >= *window) {
                self.flush().await?;
                let enough = before + nth + 1 - window;
                self.wait(self.case.patience, |shared| shared.is_over() || shared.seen >= enough).await;
                let mut shared = held(self.shared);
                shared.gave_up = !shared.is_over() && shared.seen < enough;
            }
            if held(self.shared).is_done() {
                return Ok(());
            }
            {
                let mut shared = held(self.shared);
                shared.began.get_or_insert_with(Instant::now);
                if let What::Message { payload, .. } = &send.what {
                    shared.record.payload += payload.length() as u64;
                }
            }
            let before = self.waiting.len();
            let pool = &mut self.entropy;
            self.framing.write(&send.what, nth, &mut |bytes| pool.fill(bytes), &mut self.waiting);
            if let Some(cut) = send.cut {
                let at = before + cut.behind(&self.waiting[before..]);
                let bytes = self.waiting.split_off(at);
                self.kept = Kept { bytes, closes: send.what.is_close() };
            }
            // Before it is written: the answer may be quicker than we are.
            if send.what.is_close() && (send.cut.is_none() || self.kept.bytes.is_empty()) {
                held(self.shared).closes();
            }
            if send.chop.is_some() || send.stuck.is_some() || self.waiting.len() >= WRITE {
                let patience = send.stuck.unwrap_or_else(|| self.patience());
                match self.write(send.chop, send.every, patience).await {
                    Err(error) if send.stuck.is_some() && error.kind() == io::ErrorKind::TimedOut => {
                        held(self.shared).event(Came::Still(STUCK));
                        return Ok(());
                    }
                    written => held(self.shared).record.written(written)?,
                }
            }
        }
        if send.more { Ok(()) } else { self.flush().await }
    }

    async fn flush(&mut self) -> io::Result<()> {
        let patience = self.patience();
        let written = self.write(None, Duration::ZERO, patience).await;
        held(self.shared).record.written(written)
    }

    /// How long the peer may take nothing.
    fn patience(&self) -> Duration {
        held(self.shared).record.patience(self.case.patience.max(wire::PATIENCE))
    }

    /// Writes what waits, and what has to be answered, in pieces if so asked.
    async fn write(&mut self, chop: Option<usize>, every: Duration, patience: Duration) -> io::Result<()> {
        // Who sends without an end may take nothing, and is not waited for.
        if held(self.shared).too_much {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let mut bytes = std::mem::take(&mut self.waiting);
        self.boundary.pass(&bytes);
        // Nothing goes into the middle of a frame that is not whole (RFC 6455 §5.4): it would be taken for
        // the frame's rest.
        if !self.boundary.is_within() {
            bytes.append(&mut held(self.shared).answers);
        }
        for piece in bytes.chunks(chop.unwrap_or(usize::MAX)) {
            held(self.shared).record.bytes(self.us, piece);
            wire::put(&mut self.writing, piece, patience).await?;
            if !every.is_zero() {
                tokio::time::sleep(every).await;
            }
            // Who has gone takes no more.
            if held(self.shared).end.is_some() {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
        }
        bytes.clear();
        self.waiting = bytes;
        Ok(())
    }

    /// Waits for so long, or until something is the case; answers meanwhile.
    async fn wait(&mut self, time: Duration, mut until: impl FnMut(&Shared<'_>) -> bool) {
        let deadline = Instant::now() + time;
        loop {
            {
                let shared = held(self.shared);
                if until(&shared) {
                    return;
                }
            }
            // The peer may have gone; that is known by reading.
            let _ = self.flush().await;
            tokio::select! {
                () = self.news.notified() => {}
                () = sleep_until(deadline) => return,
            }
        }
    }

    /// Waits until nothing more may come, or what has to come has come.
    async fn settle(&mut self) {
        let is_peers = self.case.ending.closer == Closer::Peer;
        let is_settled = |shared: &Shared<'_>| {
            shared.is_done()
                || match shared.matcher.state() {
                    // The peer may end it all the same.
                    State::Other => !is_peers,
                    State::Whole => !is_peers && !shared.sent_close,
                    State::Open => false,
                }
        };
        let got = |shared: &Shared<'_>| shared.record.bytes[shared.us.peer().index()];
        loop {
            let before = got(&held(self.shared));
            let deaf = held(self.shared).deaf.map_or(Duration::ZERO, |until| until - Instant::now());
            self.wait(self.case.patience + deaf, is_settled).await;
            let shared = held(self.shared);
            // Who is still answering is still waited for.
            if is_peers || is_settled(&shared) || got(&shared) == before {
                return;
            }
        }
    }

    /// Begins the closing handshake, or answers it, and waits for the peer's part of it.
    async fn say_goodbye(&mut self, farewell: Duration) -> io::Result<()> {
        let code = {
            let shared = held(self.shared);
            if shared.end.is_some() {
                return Ok(());
            }
            let code = shared.violation.as_ref().map_or(CloseCode(1000), |violation| violation.code);
            (!shared.sent_close).then_some(code)
        };
        if let Some(code) = code {
            let mut shared = held(self.shared);
            shared.closes();
            let body = encode::close(code, b"");
            shared.answers.extend(frames::frame(self.us, Opcode::CLOSE, &body));
        }
        self.flush().await?;
        self.wait(farewell, |shared| shared.close.is_some() || shared.end.is_some() || shared.too_much).await;
        self.flush().await
    }

    /// Ends TCP: a server at once, a client when the server has (RFC 6455 §7.1.1).
    async fn part(&mut self, time: Duration) -> bool {
        if self.us == Dir::Server {
            let _ = timeout_at(Instant::now() + time, self.writing.shutdown()).await;
        }
        self.wait(time, |shared| shared.end.is_some() || shared.too_much).await;
        let ended = held(self.shared).end.is_some();
        let _ = timeout_at(Instant::now() + time, self.writing.shutdown()).await;
        !ended && self.us == Dir::Client
    }
}

//! A client opens a WebSocket over HTTP/2: preface, SETTINGS, extended CONNECT, and the answer.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use h2::client::{Builder, SendRequest};
use h2::ext::Protocol;
use hyper::body::Bytes;
use hyper::header::HeaderMap;
use hyper::{Request, StatusCode};
use tokio::time::{Instant, timeout_at};

use super::channel::Channel;
use super::driven::{Driven, First};
use crate::lab::overheard::Overheard;
use crate::lab::socket::Stream;
use crate::limits;
use crate::model::http2::error_shown;

/// Room for what the server sends, for the stream and the connection each: as browsers have it.
const WINDOW: u32 = 6 * 1024 * 1024;

/// How long the body of a refusal is waited for.
const BODY: Duration = Duration::from_secs(2);

/// What an extended CONNECT asks for.
pub struct Asked {
    /// The request: its URI with `:scheme`, `:authority` and `:path`.
    pub request: Request<()>,
    /// The value of `:protocol`.
    pub protocol: String,
}

/// What a server said: yes or no.
#[allow(clippy::large_enum_variant, reason = "moved once")]
pub enum Dialled {
    /// Yes, and the stream.
    Open(Answered, Channel),
    /// No, and the first of the body.
    Refused(Answered, Vec<u8>),
}

/// The head of its answer.
#[derive(Debug)]
pub struct Answered {
    /// The status.
    pub status: StatusCode,
    /// The header fields.
    pub headers: HeaderMap,
    /// The number of the stream.
    pub stream: u32,
}

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// The connection ended before there were SETTINGS, behind these first bytes.
    Foreign(Vec<u8>),
    /// No SETTINGS came in time.
    Silent,
    /// The server's SETTINGS do not have `SETTINGS_ENABLE_CONNECT_PROTOCOL`.
    NotEnabled,
    /// No answer to the request came in time.
    Late,
    /// `RST_STREAM` came instead, with this code.
    Reset(String),
    /// GOAWAY came instead, with this code.
    Goaway(String),
    /// The connection broke, or was ended.
    Broken(String),
}

/// Opens a WebSocket on a connection of its own. A request is only sent once the server has said that it
/// takes extended CONNECT (RFC 8441 §3).
///
/// # Errors
/// Why there is no answer.
pub async fn dial(stream: impl Stream, asked: Asked, deadline: Instant) -> Result<Dialled, Unanswered> {
    let first = First::default();
    let stream = Overheard::by(first.clone(), Box::new(stream));
    let mut builder = Builder::new();
    builder
        .enable_push(false)
        .initial_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .max_header_list_size(limits::HTTP_HEAD as u32);
    let foreign = || Unanswered::Foreign(first.bytes());
    let shaken = timeout_at(deadline, builder.handshake(stream)).await;
    let (sender, connection) = shaken.map_err(|_| Unanswered::Silent)?.map_err(|_| foreign())?;
    let mut connection = Driven::new(connection);
    match enabled(&mut connection, &sender, deadline).await {
        Some(Some(true)) => {}
        Some(Some(false)) => return Err(Unanswered::NotEnabled),
        Some(None) => {
            return Err(match connection.why().map(Unanswered::of) {
                Some(goaway @ Unanswered::Goaway(_)) => goaway,
                _ => foreign(),
            });
        }
        None => return Err(Unanswered::Silent),
    }
    let Asked { mut request, protocol } = asked;
    request.extensions_mut().insert(Protocol::from(&*protocol));
    let Some(sender) = connection.until(deadline, sender.ready()).await else { return Err(Unanswered::Late) };
    let mut sender = sender.map_err(|error| Unanswered::of(&error))?;
    let (response, sending) = sender.send_request(request, false).map_err(|error| Unanswered::of(&error))?;
    let stream = sending.stream_id().as_u32();
    let Some(response) = connection.until(deadline, response).await else { return Err(Unanswered::Late) };
    let (parts, mut body) = response.map_err(|error| Unanswered::of(&error))?.into_parts();
    let answered = Answered { status: parts.status, headers: parts.headers, stream };
    if answered.status.is_success() {
        return Ok(Dialled::Open(answered, Channel::new((sending, body), connection)));
    }
    let mut first = Vec::new();
    let read = async {
        while first.len() < limits::HTTP_BODY_PREVIEW {
            let Some(Ok(piece)) = body.data().await else { return };
            // Where the stream is over its room does not matter any longer.
            let _ = body.flow_control().release_capacity(piece.len());
            first.extend_from_slice(&piece);
        }
    };
    // What has come by then is there.
    let _ = connection.until(deadline.min(Instant::now() + BODY), read).await;
    first.truncate(limits::HTTP_BODY_PREVIEW);
    Ok(Dialled::Refused(answered, first))
}

/// Whether the server takes extended CONNECT: `Some(None)` where the connection ends before that is known,
/// and `None` where it is not in time.
async fn enabled(
    connection: &mut Driven,
    sender: &SendRequest<Bytes>,
    deadline: Instant,
) -> Option<Option<bool>> {
    let mut pings = connection.pings();
    let mut pong = pin!(async {
        // SETTINGS are the first that a server sends (RFC 9113 §3.4): behind them comes what it answers.
        match &mut pings {
            Some(pings) => pings.ping(h2::Ping::opaque()).await.is_ok(),
            None => true,
        }
    });
    let known = poll_fn(|cx| {
        let is_over = connection.poll(cx).is_ready();
        if sender.is_extended_connect_protocol_enabled() {
            return Poll::Ready(Some(true));
        }
        if is_over {
            return Poll::Ready(None);
        }
        pong.as_mut().poll(cx).map(|ponged| ponged.then_some(false))
    });
    timeout_at(deadline, known).await.ok()
}

impl Unanswered {
    fn of(error: &h2::Error) -> Self {
        let code = error.reason().map(|reason| error_shown(reason.into())).unwrap_or_default();
        if error.is_remote() && error.is_reset() {
            Self::Reset(code)
        } else if error.is_remote() && error.is_go_away() {
            Self::Goaway(code)
        } else {
            Self::Broken(error.to_string())
        }
    }
}

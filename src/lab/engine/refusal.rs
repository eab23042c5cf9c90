//! Requests that Engine.IO refuses: a number, and words.

use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};

use crate::app::engineio::REFUSALS;
use crate::lab::answer::{Answer, refuse};

/// Why a request is refused, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Such a transport is not known, or not allowed.
    Transport,
    /// There is no such session, or no longer.
    Session,
    /// A session begins with GET.
    Method,
    /// Something else is wrong with it.
    Request,
    /// It comes from an origin that may not ask.
    Forbidden,
    /// Another version of the protocol is spoken here.
    Version,
}

impl Refusal {
    /// The number and the words that the reference has for it.
    pub fn code(self) -> (u8, &'static str) {
        (self as u8, REFUSALS[self as usize])
    }

    fn status(self) -> StatusCode {
        if self == Self::Forbidden { StatusCode::FORBIDDEN } else { StatusCode::BAD_REQUEST }
    }

    /// The answer to a request that is no handshake of WebSocket.
    pub fn answer(self) -> Response<Answer> {
        let (code, message) = self.code();
        self.with(format!("{{\"code\":{code},\"message\":\"{message}\"}}"), "application/json")
    }

    /// The answer to a handshake of WebSocket, behind which nothing follows.
    pub fn instead_of_upgrade(self) -> Response<Answer> {
        let mut response = self.with(self.code().1.to_owned(), "text/html");
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        response
    }

    fn with(self, body: String, kind: &'static str) -> Response<Answer> {
        let mut response = refuse(self.status(), "");
        *response.body_mut() = Answer::whole(body);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        response
    }
}

//! The small objects of an archive, as they are written.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::scalar::Scalar;

/// A program.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Program {
    pub name: Scalar,
    pub version: Scalar,
}

/// A header field.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Field {
    pub name: Scalar,
    pub value: Scalar,
}

/// What a request or response carries.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Content {
    pub text: Scalar,
    pub encoding: Scalar,
}

/// What was asked.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Request {
    pub method: Scalar,
    pub url: Scalar,
    pub http_version: Scalar,
    pub headers: Option<Vec<Field>>,
    pub post_data: Option<Content>,
}

/// What was answered.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Response {
    pub status: Scalar,
    pub status_text: Scalar,
    pub http_version: Scalar,
    pub headers: Option<Vec<Field>>,
    pub content: Option<Content>,
    #[serde(rename = "_error")]
    pub error: Scalar,
}

/// How long each part took, in milliseconds; -1 where it was not there.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Timings {
    pub blocked: Scalar,
    pub dns: Scalar,
    pub connect: Scalar,
    pub send: Scalar,
    pub wait: Scalar,
}

/// A message.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Message {
    #[serde(rename = "type")]
    pub kind: Scalar,
    pub time: Scalar,
    #[serde(alias = "opCode")]
    pub opcode: Scalar,
    pub data: Scalar,
}

/// How HTTP Toolkit says that a WebSocket ended; `aborted` is a text.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Close {
    /// With a code.
    Code {
        /// Such as 1000.
        #[serde(default)]
        code: Scalar,
    },
    /// Otherwise.
    Other(IgnoredAny),
}

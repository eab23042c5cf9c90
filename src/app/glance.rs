//! What is known of a message in JSON once its strings were passed by.

use crate::model::json::is_plainly_json_of;

/// What one look at a text message has shown, so that not every protocol looks again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Glance {
    /// Nobody has looked.
    #[default]
    None,
    /// Whether it is JSON takes more than a look.
    Unsure,
    /// It is JSON.
    Json {
        /// One of its strings or names is `jsonrpc`.
        says_jsonrpc: bool,
        /// One of them ends as `ping`, `pong` and `heartbeat` do, in whatever case.
        may_say_ping: bool,
    },
}

impl Glance {
    /// Looks at `text`.
    pub fn at(text: &str) -> Self {
        let (mut says_jsonrpc, mut may_say_ping) = (false, false);
        let is_json = is_plainly_json_of(text, |string| {
            if let [.., last_but_one, last] = string {
                let end = (last_but_one | 0x20, last | 0x20);
                may_say_ping |= matches!(end, (b'n', b'g') | (b'a', b't'));
                says_jsonrpc |= string == b"jsonrpc";
            }
        });
        if is_json { Self::Json { says_jsonrpc, may_say_ping } } else { Self::Unsure }
    }
}

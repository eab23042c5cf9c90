//! HTTP that asks for no WebSocket and is shown all the same: the long polling of Engine.IO.

use crate::http::head::{Head, StartLine};

/// Whether a request's target has the parameters of Engine.IO.
pub(super) fn asks_for_engine_io(head: &Head<'_>) -> bool {
    matches!(head.start, StartLine::Request { target, .. } if polls(target.bytes))
}

/// The same of the target alone.
pub fn polls(target: &[u8]) -> bool {
    let Some(query) = target.iter().position(|b| *b == b'?') else { return false };
    let mut pairs = form_urlencoded::parse(&target[query + 1..]);
    pairs.any(|(key, value)| key == "EIO" || key == "transport" && value == "polling")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SourceId;

    #[test]
    fn the_query_tells() {
        for (target, polls) in [
            ("/socket.io/?EIO=4&transport=polling", true),
            ("/socket.io/?t=1&EIO=3", true),
            ("/x?a=b&transport=polling", true),
            ("/x?transport=poll%69ng", true),
            ("/socket.io/", false),
            ("/?xEIO=4", false),
        ] {
            let bytes = format!("GET {target} HTTP/1.1\r\n\r\n");
            let head = Head::parse(bytes.as_bytes(), SourceId::Input, 0);
            assert_eq!(asks_for_engine_io(&head), polls, "{target}");
        }
    }
}

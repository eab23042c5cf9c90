//! Handshakes that succeeded, and came to nothing all the same.

use super::over::Over;
use crate::model::{Case, Cite, Dir, Finding, rules};

rules! {
    /// Handshakes.
    RULES;
    SUBPROTOCOL_NOT_AGREED = "subprotocol-not-agreed", Warning, Cite::rfc6455("4.1"), Either,
        "the server took none of the subprotocols that were offered, and the client ended the connection",
        "browsers and many clients fail a connection on which no subprotocol was agreed",
        usually "a server that does not know the subprotocol, or a proxy that drops Sec-WebSocket-Protocol",
        mend "name one of the offered subprotocols in the response, or do not offer any";
}

/// The diagnosis of a response that names no subprotocol although some were offered.
pub(super) const NONE_CHOSEN: &str = "no-subprotocol-chosen";

pub(super) fn find(over: &Over<'_>, causes: &mut Vec<Finding>) {
    let is_clients = match over.close() {
        Some((by, _)) => by == Dir::Client,
        None => over.ending.first.is_some_and(|end| end.by == Dir::Client),
    };
    let client = &over.ending.counts[Dir::Client.index()];
    let has_spoken = client.messages > u64::from(over.close().is_some());
    let hint = over.hints.iter().find(|hint| hint.id == NONE_CHOSEN);
    let Some(hint) = hint.filter(|_| is_clients && !has_spoken) else { return };
    let what = "ended by the client, whose subprotocols the server had not taken up";
    let got = "none in the response, and the end of the connection";
    let finding = Finding::new(&SUBPROTOCOL_NOT_AGREED, None, "one of those offered".into(), got.into());
    let finding = finding.because(hint.clone());
    causes.push(finding.like(Case::new(what.into(), over.lifetime().into_iter().collect())));
}

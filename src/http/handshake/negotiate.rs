//! A server's side of negotiating permessage-deflate (RFC 7692 §5.1, §7.1).

use std::fmt::Write as _;

use super::deflate::{ClientWindow, LARGEST, NAME, Params};
use super::extensions::parse;
use crate::model::{Deflate, Text};

/// A server's answer to the offers of permessage-deflate in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acceptance {
    /// The response's `Sec-WebSocket-Extensions`.
    pub value: String,
    /// What is agreed by it.
    pub agreed: Deflate,
}

/// Accepts the first offer that is valid, in a request's `Sec-WebSocket-Extensions`; `None` when there is
/// none. `limits` are the server's own: windows that it asks to be no larger, takeover that it asks to be
/// left.
//= RFC 7692 §7
//# A server MUST decline an extension negotiation offer for this extension
pub fn accept(value: &[u8], limits: Deflate) -> Option<Acceptance> {
    // What stands before a fault was offered all the same.
    let (offers, _) = parse(value);
    let deflate = offers.iter().filter(|offer| offer.name.eq_ignore_ascii_case(NAME));
    let mut read = deflate.map(|offer| Params::read(offer, false, |_, _| {}));
    let offer = read.find(|params| params.broken.is_none())?;
    let agreed = Deflate {
        server_no_context_takeover: offer.server_no_takeover || limits.server_no_context_takeover,
        // A client that says it will leave takeover is taken at its word: its window need not be kept.
        client_no_context_takeover: offer.client_no_takeover || limits.client_no_context_takeover,
        server_max_window_bits: offer.server_window.unwrap_or(LARGEST).min(limits.server_max_window_bits),
        client_max_window_bits: match offer.client_window {
            //= RFC 7692 §7.1.2.2
            //# extension negotiation response to the offer MUST NOT include the "client_max_window_bits"
            //# extension parameter
            ClientWindow::Absent => LARGEST,
            ClientWindow::Any => limits.client_max_window_bits,
            ClientWindow::Bits(bits) => bits.min(limits.client_max_window_bits),
        },
    };
    Some(Acceptance { value: written(agreed, offer.server_window.is_some()), agreed })
}

/// The first of several answers, as a response would name them, that fits an offer of a request's
/// `Sec-WebSocket-Extensions`, and with it what that offer asks of the server.
///
/// # Errors
/// What the client would have to offer.
pub fn grant(value: &[u8], grants: &str) -> Result<Acceptance, &'static str> {
    let (offers, _) = parse(value);
    let deflate = offers.iter().filter(|offer| offer.name.eq_ignore_ascii_case(NAME));
    let read = deflate.map(|offer| Params::read(offer, false, |_, _| {}));
    let offers: Vec<Params> = read.filter(|params| params.broken.is_none()).collect();
    let (grants, _) = parse(grants.as_bytes());
    for grant in grants.iter().map(|grant| Params::read(grant, true, |_, _| {})) {
        // A server may always ask the client to leave takeover (RFC 7692 §7.1.1.2).
        let fits = |offer: &&Params| {
            offer.client_window != ClientWindow::Absent || grant.client_window == ClientWindow::Absent
        };
        if let Some(offer) = offers.iter().find(fits) {
            let granted = Params {
                server_no_takeover: offer.server_no_takeover || grant.server_no_takeover,
                server_window: match (offer.server_window, grant.server_window) {
                    (Some(most), Some(bits)) => Some(bits.min(most)),
                    (offered, named) => named.or(offered),
                },
                ..grant
            };
            return Ok(Acceptance { value: named(&granted), agreed: granted.agreed() });
        }
    }
    Err(if offers.is_empty() {
        "permessage-deflate, which it does not offer"
    } else {
        "client_max_window_bits, which it does not offer"
    })
}

/// A server's own limits, from the parameters of the extension as a response would name them; none of them is
/// no limit.
///
/// # Errors
/// What is wrong with them, in words.
pub fn limits(parameters: &str) -> Result<Deflate, Text> {
    let value = format!("{NAME}; {parameters}");
    let value = if parameters.trim().is_empty() { NAME } else { &value };
    let (found, fault) = parse(value.as_bytes());
    if let Some(fault) = fault {
        return Err(Text::with("{} expected", fault.expected));
    }
    let [extension] = found.as_slice() else {
        return Err("the parameters of one extension, divided by ;".into());
    };
    let mut wrong = None;
    let params = Params::read(extension, true, |_, it| wrong = Some(it));
    match wrong {
        None => Ok(params.agreed()),
        Some(it) => Err(Text::new("{} expected, not {}").word(Text::new(it.expected)).word(it.got)),
    }
}

/// The parameters as a response names them, without those that say nothing.
fn written(agreed: Deflate, name_server_window: bool) -> String {
    let some = |bits: u8, is_named: bool| (is_named || bits < LARGEST).then_some(bits);
    let client = some(agreed.client_max_window_bits, false);
    named(&Params {
        server_no_takeover: agreed.server_no_context_takeover,
        client_no_takeover: agreed.client_no_context_takeover,
        server_window: some(agreed.server_max_window_bits, name_server_window),
        client_window: client.map_or(ClientWindow::Absent, ClientWindow::Bits),
        broken: None,
    })
}

/// The parameters, each that is there.
fn named(params: &Params) -> String {
    let mut value = NAME.to_owned();
    if params.server_no_takeover {
        value.push_str("; server_no_context_takeover");
    }
    if params.client_no_takeover {
        value.push_str("; client_no_context_takeover");
    }
    // Writing to a string cannot fail.
    if let Some(bits) = params.server_window {
        let _ = write!(value, "; server_max_window_bits={bits}");
    }
    if let ClientWindow::Bits(bits) = params.client_window {
        let _ = write!(value, "; client_max_window_bits={bits}");
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Deflate = Deflate {
        server_no_context_takeover: false,
        client_no_context_takeover: false,
        server_max_window_bits: 15,
        client_max_window_bits: 15,
    };
    const SMALL: Deflate = Deflate {
        server_max_window_bits: 10,
        client_max_window_bits: 9,
        client_no_context_takeover: true,
        ..ALL
    };

    #[test]
    fn the_first_grant_that_fits_an_offer_is_given() {
        const GRANTS: &str = "permessage-deflate; client_no_context_takeover; client_max_window_bits=9, \
                              permessage-deflate; client_no_context_takeover, permessage-deflate";
        const WINDOW: &str = "permessage-deflate; client_max_window_bits=15";
        for (offers, grants, given) in [
            ("permessage-deflate", "permessage-deflate", Ok("permessage-deflate")),
            (
                "permessage-deflate; client_no_context_takeover",
                "permessage-deflate",
                Ok("permessage-deflate"),
            ),
            ("permessage-deflate; client_max_window_bits", WINDOW, Ok(WINDOW)),
            ("permessage-deflate; client_max_window_bits=12", WINDOW, Ok(WINDOW)),
            ("permessage-deflate", WINDOW, Err("client_max_window_bits, which it does not offer")),
            ("permessage-deflate, permessage-deflate; client_max_window_bits", WINDOW, Ok(WINDOW)),
            ("permessage-deflate", GRANTS, Ok("permessage-deflate; client_no_context_takeover")),
            (
                "permessage-deflate; client_max_window_bits; server_max_window_bits=10",
                GRANTS,
                Ok("permessage-deflate; client_no_context_takeover; server_max_window_bits=10; \
                    client_max_window_bits=9"),
            ),
            (
                "permessage-deflate; server_no_context_takeover; server_max_window_bits=10",
                "permessage-deflate; server_max_window_bits=12",
                Ok("permessage-deflate; server_no_context_takeover; server_max_window_bits=10"),
            ),
            ("", "permessage-deflate", Err("permessage-deflate, which it does not offer")),
            ("permessage-bzip2", GRANTS, Err("permessage-deflate, which it does not offer")),
            ("permessage-deflate; x", GRANTS, Err("permessage-deflate, which it does not offer")),
        ] {
            let granted = grant(offers.as_bytes(), grants);
            assert_eq!(
                granted.as_ref().map(|it| it.value.as_str()),
                given.as_ref().map(|it| *it),
                "{offers}"
            );
            let Ok(granted) = granted else { continue };
            let (answered, _) = parse(granted.value.as_bytes());
            assert_eq!(Params::read(&answered[0], true, |_, _| {}).agreed(), granted.agreed, "{offers}");
        }
    }

    #[test]
    fn the_first_offer_that_is_valid_is_accepted() {
        for (offers, limits, answer) in [
            ("permessage-deflate", ALL, Some("permessage-deflate")),
            ("permessage-deflate; client_max_window_bits", ALL, Some("permessage-deflate")),
            (
                "permessage-deflate; client_max_window_bits=11; server_max_window_bits=15",
                ALL,
                Some("permessage-deflate; server_max_window_bits=15; client_max_window_bits=11"),
            ),
            (
                "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
                ALL,
                Some("permessage-deflate; server_no_context_takeover; client_no_context_takeover"),
            ),
            (
                "permessage-deflate; server_max_window_bits=8",
                ALL,
                Some("permessage-deflate; server_max_window_bits=8"),
            ),
            // Invalid, unknown, and one that can be done.
            (
                "permessage-deflate; server_max_window_bits=7, permessage-deflate; x, x-other, \
                 permessage-deflate; server_max_window_bits=\"12\"",
                ALL,
                Some("permessage-deflate; server_max_window_bits=12"),
            ),
            ("permessage-deflate; server_max_window_bits", ALL, None),
            ("permessage-deflate; client_max_window_bits; client_max_window_bits", ALL, None),
            ("permessage-bzip2", ALL, None),
            ("permessage-deflate; =", ALL, None),
            (
                "permessage-deflate",
                SMALL,
                Some("permessage-deflate; client_no_context_takeover; server_max_window_bits=10"),
            ),
            (
                "permessage-deflate; client_max_window_bits; server_max_window_bits=9",
                SMALL,
                Some(
                    "permessage-deflate; client_no_context_takeover; server_max_window_bits=9; \
                     client_max_window_bits=9",
                ),
            ),
        ] {
            let accepted = accept(offers.as_bytes(), limits);
            assert_eq!(accepted.as_ref().map(|a| a.value.as_str()), answer, "{offers}");
            // A client that made the offer finds nothing wrong with the answer.
            let Some(accepted) = accepted else { continue };
            let (offered, _) = parse(offers.as_bytes());
            let (answered, _) = parse(accepted.value.as_bytes());
            let answer = Params::read(&answered[0], true, |_, wrong| panic!("{}", wrong.rule.id));
            let fits = |offer| Params::read(offer, false, |_, _| {}).refuses(&answer).is_none();
            assert!(offered.iter().any(fits), "{offers}");
            assert_eq!(answer.agreed(), accepted.agreed, "{offers}");
        }
    }
}

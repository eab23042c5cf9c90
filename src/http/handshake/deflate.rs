//! Negotiating permessage-deflate (RFC 7692 §5, §7.1).

use crate::model::{Deflate, Rule, Text};

use super::super::{
    PMD_DUPLICATE_PARAM, PMD_INVALID_VALUE, PMD_UNACKNOWLEDGED, PMD_UNKNOWN_PARAM, PMD_WINDOW_TOO_LARGE,
    PMD_WINDOW_UNSOLICITED,
};
use super::extensions::{Extension, Param};

/// The registered name.
pub(super) const NAME: &str = "permessage-deflate";

/// The window where none is named, and the largest there is (RFC 7692 §7.1.2).
pub(super) const LARGEST: u8 = 15;

const SERVER_NO_TAKEOVER: &str = "server_no_context_takeover";
const CLIENT_NO_TAKEOVER: &str = "client_no_context_takeover";
const SERVER_WINDOW: &str = "server_max_window_bits";
const CLIENT_WINDOW: &str = "client_max_window_bits";

/// Parameters as one side names them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Params {
    pub server_no_takeover: bool,
    pub client_no_takeover: bool,
    pub server_window: Option<u8>,
    pub client_window: ClientWindow,
    /// The first rule that they break by themselves.
    pub broken: Option<&'static Rule>,
}

/// `client_max_window_bits`, whose value an offer may leave out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum ClientWindow {
    #[default]
    Absent,
    Any,
    Bits(u8),
}

/// Something wrong with a parameter.
pub(super) struct Wrong {
    pub rule: &'static Rule,
    pub expected: &'static str,
    pub got: Text,
}

impl Params {
    /// Reads the parameters of an offer or (with `answer`) of a response. Each fault is told.
    pub fn read<'e>(
        extension: &'e Extension<'e>,
        answer: bool,
        mut tell: impl FnMut(&'e Param<'e>, Wrong),
    ) -> Self {
        let mut params = Self::default();
        let mut seen = [false; 4];
        for param in &extension.params {
            if let Err(wrong) = params.take(param, answer, &mut seen) {
                params.broken = params.broken.or(Some(wrong.rule));
                tell(param, wrong);
            }
        }
        params
    }

    fn take(&mut self, param: &Param<'_>, answer: bool, seen: &mut [bool; 4]) -> Result<(), Wrong> {
        let names = [SERVER_NO_TAKEOVER, CLIENT_NO_TAKEOVER, SERVER_WINDOW, CLIENT_WINDOW];
        let Some(which) = names.iter().position(|name| *name == param.name) else {
            let expected = "one of the four parameters of permessage-deflate";
            return Err(Wrong { rule: &PMD_UNKNOWN_PARAM, expected, got: Text::with("{}", param.name) });
        };
        if std::mem::replace(&mut seen[which], true) {
            let got = Text::with("{} again", param.name);
            return Err(Wrong { rule: &PMD_DUPLICATE_PARAM, expected: "each parameter at most once", got });
        }
        let value = param.value.as_deref();
        match (which, value) {
            (0, None) => self.server_no_takeover = true,
            (1, None) => self.client_no_takeover = true,
            (2, Some(_)) => self.server_window = Some(window(param)?),
            (3, Some(_)) => self.client_window = ClientWindow::Bits(window(param)?),
            (3, None) if !answer => self.client_window = ClientWindow::Any,
            (0 | 1, _) => {
                let got = Text::with("{}={}", param.name).and(value.unwrap_or_default());
                return Err(Wrong {
                    rule: &PMD_INVALID_VALUE,
                    expected: "the parameter without a value",
                    got,
                });
            }
            _ => {
                let got = Text::with("{} without a value", param.name);
                return Err(Wrong { rule: &PMD_INVALID_VALUE, expected: "a value from 8 to 15", got });
            }
        }
        Ok(())
    }

    /// The rule that an answer breaks if it is meant to accept this offer, and how.
    pub fn refuses(&self, answer: &Self) -> Option<Wrong> {
        if self.server_no_takeover && !answer.server_no_takeover {
            //= RFC 7692 §7.1.1.1
            //# A server accepts an extension negotiation offer that includes the "server_no_context_takeover"
            //# extension parameter by including
            let expected = "server_no_context_takeover, as in the offer";
            let got = Text::new("an answer without it");
            return Some(Wrong { rule: &PMD_UNACKNOWLEDGED, expected, got });
        }
        if let Some(most) = self.server_window
            && answer.server_window.unwrap_or(LARGEST) > most
        {
            // An answer that does not repeat the largest there is allows no larger one.
            //= RFC 7692 §7.1.2.1
            //# same or smaller value as the offer
            let got = answer.server_window.map_or_else(
                || Text::with("no server_max_window_bits, where {} is offered", most),
                |bits| Text::with("server_max_window_bits={}, where {} is offered", bits).and(most),
            );
            let expected = "server_max_window_bits with the offered value or a smaller one";
            return Some(Wrong { rule: &PMD_WINDOW_TOO_LARGE, expected, got });
        }
        if answer.client_window != ClientWindow::Absent && self.client_window == ClientWindow::Absent {
            //= RFC 7692 §7.1.2.2
            //# extension negotiation response to the offer MUST NOT include the "client_max_window_bits"
            //# extension parameter
            let expected = "no client_max_window_bits, since the client did not offer it";
            let got = Text::new("an answer with it");
            return Some(Wrong { rule: &PMD_WINDOW_UNSOLICITED, expected, got });
        }
        None
    }

    /// What is agreed when this is the answer.
    pub fn agreed(&self) -> Deflate {
        Deflate {
            server_no_context_takeover: self.server_no_takeover,
            client_no_context_takeover: self.client_no_takeover,
            server_max_window_bits: self.server_window.unwrap_or(LARGEST),
            client_max_window_bits: match self.client_window {
                ClientWindow::Bits(bits) => bits,
                ClientWindow::Absent | ClientWindow::Any => LARGEST,
            },
        }
    }
}

fn window(param: &Param<'_>) -> Result<u8, Wrong> {
    //= RFC 7692 §7.1.2.1
    //# decimal integer value without leading zeroes between 8 to 15, inclusive
    match param.value.as_deref() {
        Some("8") => Ok(8),
        Some("9") => Ok(9),
        Some(text)
            if text.len() == 2 && ("10"..="15").contains(&text) && text.as_bytes()[1].is_ascii_digit() =>
        {
            Ok(10 + text.as_bytes()[1] - b'0')
        }
        value => {
            let shown: String = value.unwrap_or_default().chars().take(32).collect();
            let got = Text::with("{}={}", param.name).and(shown);
            Err(Wrong {
                rule: &PMD_INVALID_VALUE,
                expected: "a number from 8 to 15, without leading zero",
                got,
            })
        }
    }
}

/// What a parameter means, in an offer or (with `answer`) in a response.
pub(super) fn meaning(param: &Param<'_>, answer: bool) -> Text {
    let bits = param.value.as_deref().unwrap_or_default();
    let bytes = window(param).map_or(0, |bits| 1u32 << bits);
    match (param.name, answer) {
        (SERVER_NO_TAKEOVER, false) => "the server shall start every message with an empty window".into(),
        (SERVER_NO_TAKEOVER, true) => "the server starts every message with an empty window".into(),
        (CLIENT_NO_TAKEOVER, false) => "the client will start every message with an empty window".into(),
        (CLIENT_NO_TAKEOVER, true) => "the client must start every message with an empty window".into(),
        (SERVER_WINDOW, _) if bytes > 0 => {
            Text::with("the server refers back at most 2^{} = {} bytes", bits).and(bytes)
        }
        (CLIENT_WINDOW, _) if bytes > 0 => {
            Text::with("the client refers back at most 2^{} = {} bytes", bits).and(bytes)
        }
        (CLIENT_WINDOW, false) => "the server may limit the client's window".into(),
        _ => Text::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::extensions::parse;
    use super::*;

    fn broken(value: &str, answer: bool) -> Option<&'static str> {
        let (found, fault) = parse(value.as_bytes());
        assert_eq!(fault, None, "{value}");
        let mut told = None;
        let params = Params::read(&found[0], answer, |_, wrong| told = told.or(Some(wrong.rule)));
        assert_eq!(params.broken, told);
        told.map(|rule| rule.id)
    }

    #[test]
    fn parameters_alone() {
        let invalid = Some("pmd-invalid-param-value");
        let cases = [
            ("permessage-deflate", false, None),
            ("permessage-deflate; client_max_window_bits", false, None),
            ("permessage-deflate; client_max_window_bits", true, invalid),
            ("permessage-deflate; client_max_window_bits=8", true, None),
            ("permessage-deflate; client_max_window_bits=7", false, invalid),
            ("permessage-deflate; client_max_window_bits=16", false, invalid),
            ("permessage-deflate; client_max_window_bits=08", false, invalid),
            ("permessage-deflate; server_max_window_bits", false, invalid),
            ("permessage-deflate; server_max_window_bits=\"10\"", false, None),
            ("permessage-deflate; server_no_context_takeover=1", false, invalid),
            ("permessage-deflate; client_no_context_takeover=x", true, invalid),
            (
                "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
                false,
                Some("pmd-duplicate-param"),
            ),
            ("permessage-deflate; foo", false, Some("pmd-unknown-param")),
            ("permessage-deflate; Server_No_Context_Takeover", true, Some("pmd-unknown-param")),
        ];
        for (value, answer, expected) in cases {
            assert_eq!(broken(value, answer), expected, "{value}");
        }
    }

    /// CVE-2026-2229 (undici): a window outside 8 to 15 went to zlib, which threw.
    #[test]
    fn cve_2026_2229_windows_out_of_range_are_a_finding() {
        for value in ["0", "7", "16", "99", "08", "1e1", "1000", "999999999999", "-9", "1a", "1", "+9"] {
            let header = format!("permessage-deflate; server_max_window_bits={value}");
            assert_eq!(broken(&header, true), Some("pmd-invalid-param-value"), "{value}");
        }
    }
}

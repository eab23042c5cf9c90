//! What a server does with messages, and what of a case can be judged by that.

use super::case::{Case, Closer, Prepared};
use super::script::{Send, Step, Want, What};
use crate::model::Opcode;

/// What a server does with messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Endpoint {
    /// It sends each back.
    #[default]
    Echo,
    /// It does not, and sends others when it likes.
    Push,
    /// It takes none.
    Close,
}

impl Endpoint {
    /// As options have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Echo => "echo",
            Self::Push => "push",
            Self::Close => "close",
        }
    }

    /// Whether a case says something about such a server, beyond what it sends back.
    pub fn judges(self, case: &Case, prepared: &Prepared) -> bool {
        let is_seen = |want: &Want| !is_message(want) && !matches!(want, Want::Maybe(_) | Want::Many(_));
        let shows = || {
            let answers = prepared.wants[..prepared.right].iter().all(|all| all.iter().any(is_seen));
            answers || case.ending.closer == Closer::Peer || case.request.is_some()
        };
        match self {
            Self::Echo => true,
            Self::Push => !case.needs_echo || shows(),
            Self::Close => (!case.needs_echo || shows()) && !sends_message(prepared),
        }
    }

    /// Leaves of a case what is judged with such a server: messages do not count.
    pub fn adapt(self, prepared: &mut Prepared) {
        if self == Self::Echo {
            return;
        }
        prepared.only_control = true;
        for wants in &mut prepared.wants {
            wants.retain(|want| !is_message(want));
        }
        // What is waited for may be a message.
        prepared.steps.retain(|step| !matches!(step, Step::Await(_)));
        for step in &mut prepared.steps {
            if let Step::Send(send) = step {
                send.window = None;
            }
        }
    }
}

/// Whether it is a message that may come.
fn is_message(want: &Want) -> bool {
    match want {
        Want::Data(opcode, _) => !opcode.is_control(),
        Want::Still(_) | Want::Ends => false,
        Want::Maybe(want) | Want::Many(want) => is_message(want),
    }
}

/// Whether a whole message is sent, which such a server may answer as it likes.
fn sends_message(prepared: &Prepared) -> bool {
    prepared.steps.iter().any(|step| match step {
        Step::Send(Send { what: What::Message { opcode, shape, .. }, .. }) => {
            !shape.no_fin && matches!(*opcode, Opcode::TEXT | Opcode::BINARY | Opcode::CONTINUATION)
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grade::load::read;
    use crate::model::Dir;

    fn case(keys: &str) -> Case {
        let title = "title = { en = \"x\", zh = \"x\" }";
        read(&format!("chapter = \"control\"\n[[case]]\nid = \"x\"\n{title}\n{keys}")).unwrap().remove(0)
    }

    #[test]
    fn what_does_not_rest_on_an_echo_is_judged() {
        for (keys, push, close) in [
            ("play = 'text \"a\"'\npass = 'echo'", false, false),
            ("play = 'ping \"a\"'\npass = 'pong \"a\"'", true, true),
            (
                "play = '''text \"a\" no-fin\nping \"a\"\ncontinuation \"b\"'''\n\
                 pass = '''pong \"a\"\necho'''",
                true,
                false,
            ),
            ("play = 'text ff'\ncloser = \"peer\"", true, false),
            ("play = 'ping \"a\" no-fin'\ncloser = \"peer\"", true, true),
            ("play = 'pong \"a\"'", true, true),
            ("needs-echo = true\nplay = 'pong \"a\"'", false, false),
        ] {
            let case = case(keys);
            let prepared = case.prepare(Dir::Client).unwrap();
            let judged = [Endpoint::Push, Endpoint::Close].map(|it| it.judges(&case, &prepared));
            assert_eq!(judged, [push, close], "{keys}");
            assert!(Endpoint::Echo.judges(&case, &prepared));
        }
    }

    #[test]
    fn messages_are_neither_wanted_nor_waited_for() {
        let case = case(
            "play = '''text \"a\" times=9 window=2\nawait 9\nping \"a\"'''\n\
             pass = '''echo\nmaybe text any\npong \"a\"'''",
        );
        let mut prepared = case.prepare(Dir::Client).unwrap();
        Endpoint::Push.adapt(&mut prepared);
        assert_eq!((prepared.wants[0].len(), prepared.steps.len()), (1, 2));
        assert!(matches!(&prepared.steps[0], Step::Send(send) if send.window.is_none()));
    }
}

//! What each message of WAMP consists of.

use super::element::{Element, Shape};
use super::{
    ARGS, AUTH_METHOD, DETAILS, ERROR_URI, EXTRA, KWARGS, OPTIONS, PROCEDURE, PUBLICATION, REALM, REASON,
    REGISTRATION, REQUEST, REQUEST_TYPE, SESSION, SIGNATURE, SUBSCRIPTION, TOPIC,
};
use crate::model::{FieldDef, Text};

/// A kind of message, by its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code(pub u64);

impl Code {
    pub const HELLO: Self = Self(1);
    pub const WELCOME: Self = Self(2);
    pub const ABORT: Self = Self(3);
    pub const CHALLENGE: Self = Self(4);
    pub const AUTHENTICATE: Self = Self(5);
    pub const GOODBYE: Self = Self(6);
    pub const ERROR: Self = Self(8);
    pub const PUBLISH: Self = Self(16);
    pub const PUBLISHED: Self = Self(17);
    pub const SUBSCRIBE: Self = Self(32);
    pub const SUBSCRIBED: Self = Self(33);
    pub const UNSUBSCRIBE: Self = Self(34);
    pub const UNSUBSCRIBED: Self = Self(35);
    pub const EVENT: Self = Self(36);
    pub const CALL: Self = Self(48);
    pub const CANCEL: Self = Self(49);
    pub const RESULT: Self = Self(50);
    pub const REGISTER: Self = Self(64);
    pub const REGISTERED: Self = Self(65);
    pub const UNREGISTER: Self = Self(66);
    pub const UNREGISTERED: Self = Self(67);
    pub const INVOCATION: Self = Self(68);
    pub const INTERRUPT: Self = Self(69);
    pub const YIELD: Self = Self(70);

    /// The answer that a request of this type gets when all goes well.
    pub fn answer(self) -> Option<Self> {
        Some(match self {
            Self::HELLO => Self::WELCOME,
            Self::CHALLENGE => Self::AUTHENTICATE,
            Self::GOODBYE => Self::GOODBYE,
            Self::PUBLISH => Self::PUBLISHED,
            Self::SUBSCRIBE => Self::SUBSCRIBED,
            Self::UNSUBSCRIBE => Self::UNSUBSCRIBED,
            Self::CALL => Self::RESULT,
            Self::REGISTER => Self::REGISTERED,
            Self::UNREGISTER => Self::UNREGISTERED,
            Self::INVOCATION => Self::YIELD,
            _ => return None,
        })
    }

    /// Whether an ERROR may answer it.
    pub fn may_fail(self) -> bool {
        // CANCEL is no request of its own; routers differ in what they say of one that comes too late.
        self == Self::CANCEL || self.0 >= Self::PUBLISH.0 && self.answer().is_some()
    }
}

/// Who may send a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    Client,
    Router,
    Both,
}

/// What an element has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A number from 1 to 2^53.
    Id,
    /// An id, or 0 where the router speaks by itself.
    IdOrZero,
    /// A code of a message.
    Code,
    Uri,
    /// A realm, which some clients leave to the router.
    UriOrNull,
    Word,
    Dict,
    /// A list; with payload passthru, bytes.
    Payload,
}

type Parts = &'static [(&'static FieldDef, Kind)];

/// What a message consists of.
#[derive(Debug)]
pub struct Form {
    pub code: Code,
    pub name: &'static str,
    pub from: From,
    /// What it has behind its type.
    pub parts: Parts,
    /// What it may have behind that.
    pub optional: Parts,
}

impl Form {
    /// The form of messages of this type.
    pub fn of(code: u64) -> Option<&'static Self> {
        FORMS.iter().find(|form| form.code.0 == code)
    }

    /// What is wrong with the elements behind the type: which of them (from 0), what it should be.
    pub fn fault(&self, elements: &[Element]) -> Option<(usize, Text)> {
        let mut parts = self.parts.iter().chain(self.optional).zip(elements).enumerate();
        parts.find_map(|(i, ((_, kind), element))| (!kind.fits(element)).then(|| (i, kind.words())))
    }
}

impl Kind {
    fn fits(self, element: &Element) -> bool {
        match (self, &element.shape) {
            (Self::Id, Shape::Whole(n)) => (1..=MOST).contains(n),
            (Self::IdOrZero | Self::Code, Shape::Whole(n)) => *n <= MOST,
            (Self::Uri | Self::UriOrNull | Self::Word, Shape::Text)
            | (Self::UriOrNull, Shape::Null)
            | (Self::Dict, Shape::Dict)
            | (Self::Payload, Shape::List | Shape::Bytes | Shape::Text) => true,
            _ => false,
        }
    }

    fn words(self) -> Text {
        Text::new(match self {
            Self::Id | Self::IdOrZero => "an id, a whole number from 1 to 2^53",
            Self::Code => "the type of a request, a whole number",
            Self::Uri | Self::UriOrNull => "a URI, a string",
            Self::Word => "a string",
            Self::Dict => "a dictionary",
            Self::Payload => "a list of arguments",
        })
    }
}

/// The largest id: 2^53.
const MOST: u64 = 1 << 53;

const PAYLOAD: Parts = &[(&ARGS, Kind::Payload), (&KWARGS, Kind::Dict)];

const fn form(code: Code, name: &'static str, from: From, parts: Parts, optional: Parts) -> Form {
    Form { code, name, from, parts, optional }
}

static FORMS: &[Form] = &[
    form(Code::HELLO, "HELLO", From::Client, &[(&REALM, Kind::UriOrNull), (&DETAILS, Kind::Dict)], &[]),
    form(Code::WELCOME, "WELCOME", From::Router, &[(&SESSION, Kind::Id), (&DETAILS, Kind::Dict)], &[]),
    form(Code::ABORT, "ABORT", From::Both, &[(&DETAILS, Kind::Dict), (&REASON, Kind::Uri)], PAYLOAD),
    form(
        Code::CHALLENGE,
        "CHALLENGE",
        From::Router,
        &[(&AUTH_METHOD, Kind::Word), (&EXTRA, Kind::Dict)],
        &[],
    ),
    form(
        Code::AUTHENTICATE,
        "AUTHENTICATE",
        From::Client,
        &[(&SIGNATURE, Kind::Word), (&EXTRA, Kind::Dict)],
        &[],
    ),
    form(Code::GOODBYE, "GOODBYE", From::Both, &[(&DETAILS, Kind::Dict), (&REASON, Kind::Uri)], PAYLOAD),
    form(
        Code::ERROR,
        "ERROR",
        From::Both,
        &[(&REQUEST_TYPE, Kind::Code), (&REQUEST, Kind::Id), (&DETAILS, Kind::Dict), (&ERROR_URI, Kind::Uri)],
        PAYLOAD,
    ),
    form(
        Code::PUBLISH,
        "PUBLISH",
        From::Client,
        &[(&REQUEST, Kind::Id), (&OPTIONS, Kind::Dict), (&TOPIC, Kind::Uri)],
        PAYLOAD,
    ),
    form(Code::PUBLISHED, "PUBLISHED", From::Router, &[(&REQUEST, Kind::Id), (&PUBLICATION, Kind::Id)], &[]),
    form(
        Code::SUBSCRIBE,
        "SUBSCRIBE",
        From::Client,
        &[(&REQUEST, Kind::Id), (&OPTIONS, Kind::Dict), (&TOPIC, Kind::Uri)],
        &[],
    ),
    form(
        Code::SUBSCRIBED,
        "SUBSCRIBED",
        From::Router,
        &[(&REQUEST, Kind::Id), (&SUBSCRIPTION, Kind::Id)],
        &[],
    ),
    form(
        Code::UNSUBSCRIBE,
        "UNSUBSCRIBE",
        From::Client,
        &[(&REQUEST, Kind::Id), (&SUBSCRIPTION, Kind::Id)],
        &[(&OPTIONS, Kind::Dict)],
    ),
    form(
        Code::UNSUBSCRIBED,
        "UNSUBSCRIBED",
        From::Router,
        &[(&REQUEST, Kind::IdOrZero)],
        &[(&DETAILS, Kind::Dict)],
    ),
    form(
        Code::EVENT,
        "EVENT",
        From::Router,
        &[(&SUBSCRIPTION, Kind::Id), (&PUBLICATION, Kind::Id), (&DETAILS, Kind::Dict)],
        PAYLOAD,
    ),
    form(
        Code::CALL,
        "CALL",
        From::Client,
        &[(&REQUEST, Kind::Id), (&OPTIONS, Kind::Dict), (&PROCEDURE, Kind::Uri)],
        PAYLOAD,
    ),
    form(Code::CANCEL, "CANCEL", From::Client, &[(&REQUEST, Kind::Id), (&OPTIONS, Kind::Dict)], &[]),
    form(Code::RESULT, "RESULT", From::Router, &[(&REQUEST, Kind::Id), (&DETAILS, Kind::Dict)], PAYLOAD),
    form(
        Code::REGISTER,
        "REGISTER",
        From::Client,
        &[(&REQUEST, Kind::Id), (&OPTIONS, Kind::Dict), (&PROCEDURE, Kind::Uri)],
        &[],
    ),
    form(
        Code::REGISTERED,
        "REGISTERED",
        From::Router,
        &[(&REQUEST, Kind::Id), (&REGISTRATION, Kind::Id)],
        &[],
    ),
    form(
        Code::UNREGISTER,
        "UNREGISTER",
        From::Client,
        &[(&REQUEST, Kind::Id), (&REGISTRATION, Kind::Id)],
        &[(&OPTIONS, Kind::Dict)],
    ),
    form(
        Code::UNREGISTERED,
        "UNREGISTERED",
        From::Router,
        &[(&REQUEST, Kind::IdOrZero)],
        &[(&DETAILS, Kind::Dict)],
    ),
    form(
        Code::INVOCATION,
        "INVOCATION",
        From::Router,
        &[(&REQUEST, Kind::Id), (&REGISTRATION, Kind::Id), (&DETAILS, Kind::Dict)],
        PAYLOAD,
    ),
    form(Code::INTERRUPT, "INTERRUPT", From::Router, &[(&REQUEST, Kind::Id), (&OPTIONS, Kind::Dict)], &[]),
    form(Code::YIELD, "YIELD", From::Client, &[(&REQUEST, Kind::Id), (&OPTIONS, Kind::Dict)], PAYLOAD),
];

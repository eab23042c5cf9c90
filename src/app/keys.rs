//! Requests and replies of a protocol that is not known here, by keys that the user names.

use std::sync::Arc;

use super::dialect::Said;
use super::excerpt::clipped;
use super::path::Path;
use super::pending::{Id, Pending, Request, Requests};
use super::value::Node;
use crate::model::{Answer, Dir, Time, Unanswered};

/// Where the ids of requests and replies stand in messages of JSON, and what a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    request: Path,
    reply: Path,
    method: Option<Path>,
}

impl Keys {
    /// Reads `request=$.id,reply=$.replyTo,method=$.action`; `method` may be left out.
    ///
    /// # Errors
    /// A sentence that says what is understood.
    pub fn parse(text: &str) -> Result<Self, String> {
        let understood = "keys are request=PATH,reply=PATH, and method=PATH if requests say what they ask \
                          for: \
                          request=$.id,reply=$.id,method=$.method";
        let (mut request, mut reply, mut method) = (None, None, None);
        for part in parts(text) {
            let Some((key, path)) = part.split_once('=') else {
                return Err(format!("'{part}' has no =; {understood}"));
            };
            let place = match key.trim() {
                "request" => &mut request,
                "reply" => &mut reply,
                "method" => &mut method,
                other => return Err(format!("'{other}' is no key; {understood}")),
            };
            if place.replace(Path::parse(path.trim())?).is_some() {
                return Err(format!("{} is given twice; {understood}", key.trim()));
            }
        }
        match (request, reply) {
            (Some(request), Some(reply)) => Ok(Self { request, reply, method }),
            (None, _) => Err(format!("request is missing; {understood}")),
            (_, None) => Err(format!("reply is missing; {understood}")),
        }
    }
}

/// The parts between commas that stand in no quotes.
fn parts(text: &str) -> Vec<&str> {
    let (mut all, mut from, mut quote) = (Vec::new(), 0, None);
    for (at, c) in text.char_indices() {
        match (c, quote) {
            ('\'' | '"', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            (',', None) => {
                all.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    all.push(&text[from..]);
    all
}

/// The requests of one connection that the user's keys show.
#[derive(Debug)]
pub struct Matched {
    keys: Arc<Keys>,
    pending: Pending,
    /// A message had one of the keys.
    seen: bool,
}

impl Matched {
    /// Nothing was said so far.
    pub fn new(keys: Arc<Keys>) -> Self {
        Self { keys, pending: Pending::default(), seen: false }
    }

    /// Looks at a message: `None` if it has none of the keys, otherwise what it answers, if that is known.
    #[allow(clippy::option_option, reason = "the outer one says whether the message is of this kind at all")]
    ///
    /// `value` is what a binary message says; a text has to be JSON.
    pub fn read(&mut self, said: &Said<'_>, value: Option<Node<'_>>) -> Option<Option<Answer>> {
        if !said.is_whole() {
            self.pending.lost(said.dir);
            return None;
        }
        let node = value.or_else(|| json(said))?;
        let Keys { request, reply, method } = &*self.keys;
        let id = |path: &Path| path.find_in(node).and_then(|it| Id::text(&it.json()?));
        let (own, answered) = (id(request), id(reply));
        let asks_for = method.as_ref().map(|path| path.find_in(node));
        let (dir, now) = (said.dir, said.moment());
        let is = |id: Id| move |asked: &Request| asked.id == id;
        // With one path for both, what the other side waits for is a reply; where requests say what they
        // ask for, that tells them apart for certain.
        let answered = answered.filter(|id| match asks_for {
            Some(Some(_)) => false,
            Some(None) => true,
            None if request != reply => true,
            None => {
                let is = is(id.clone());
                self.pending.waits(dir.peer(), &is) || self.pending.was_answered(dir.peer(), &is)
            }
        });
        if let Some(id) = answered {
            self.seen = true;
            return Some(self.pending.answer(dir, now, is(id), None));
        }
        if let Some(None) = asks_for {
            return None;
        }
        let id = own?;
        self.seen = true;
        let what = match asks_for.flatten() {
            Some(method) => {
                let name = method.plain().unwrap_or_default();
                clipped(&name).into_owned()
            }
            None => id.shown().unwrap_or_default(),
        };
        // Without a method, all requests are of one kind.
        let method = asks_for.is_none().then(|| request.to_string());
        self.pending.begin(dir, now, Request { id, what, method, ..Request::default() });
        Some(None)
    }

    /// Something of a direction is missing.
    pub fn lost(&mut self, dir: Dir) {
        self.pending.lost(dir);
    }

    /// The requests.
    pub fn requests(&mut self) -> &mut dyn Requests {
        &mut self.pending
    }

    /// Requests without an answer; `None` if no message had one of the keys.
    pub fn unanswered(&mut self, end: Option<Time>) -> Option<Vec<Unanswered>> {
        let mut to = Vec::new();
        self.pending.list(end, &mut to);
        self.seen.then_some(to)
    }
}

/// The object or array of JSON that a message is.
fn json<'a>(said: &Said<'a>) -> Option<Node<'a>> {
    let text = said.as_text()?;
    let text = text.trim_start().starts_with(['{', '[']).then(|| said.as_json())?;
    text.map(|text| Node::Json(text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::value::{self, Notation};
    use crate::model::Nth;

    /// What each message answers, and what is left: `?` for one without keys.
    fn run(keys: &str, messages: &[(Dir, &str)]) -> (Vec<String>, Vec<(String, u64)>) {
        let mut matched = Matched::new(Arc::new(Keys::parse(keys).unwrap()));
        let mut read = |(dir, wire): &(Dir, &str)| match matched
            .read(&Said::sample(*dir, 1, true, wire.as_bytes()), None)
        {
            None => "?".to_owned(),
            Some(None) => String::new(),
            Some(Some(answer)) if answer.nth == Nth::Again => format!("{} again", answer.what),
            Some(Some(answer)) => answer.what,
        };
        let all = messages.iter().map(&mut read).collect();
        let left = matched.unanswered(None).unwrap_or_default();
        (all, left.into_iter().map(|it| (it.method, it.count)).collect())
    }

    use Dir::{Client, Server};

    #[test]
    fn one_path_for_both() {
        let (all, left) = run(
            "request=$.id,reply=$.id",
            &[
                (Client, r#"{"id":1}"#),
                (Client, r#"{"id":2}"#),
                (Server, r#"{"id":2}"#),
                (Server, r#"{"id":2}"#),
                (Server, r#"{"event":"x"}"#),
                (Server, "hello"),
                (Server, r#"{"id":"s-1"}"#),
                (Client, r#"{"id":"s-1"}"#),
            ],
        );
        assert_eq!(all, ["", "", "2", "2 again", "?", "?", "", "s-1"]);
        assert_eq!(left, [("$.id".to_owned(), 1)]);
    }

    #[test]
    fn a_method_tells_requests_from_replies() {
        // Both sides count from 1, as in the protocol of browsers' developer tools.
        let (all, left) = run(
            "request=$.id,reply=$.id,method=$.method",
            &[
                (Client, r#"{"id":1,"method":"Page.enable"}"#),
                (Server, r#"{"id":1,"method":"ask"}"#),
                (Server, r#"{"id":1,"result":{}}"#),
                (Server, r#"{"method":"Page.loaded"}"#),
                (Client, r#"{"id":1,"result":{}}"#),
                (Client, r#"{"id":2,"method":"Page.close"}"#),
            ],
        );
        assert_eq!(all, ["", "", "Page.enable", "?", "ask", ""]);
        assert_eq!(left, [("Page.close".to_owned(), 1)]);
    }

    #[test]
    fn replies_that_name_their_request() {
        let (all, left) = run(
            "request=$.head.id,reply=$.head['in-reply-to'],method=$[0]",
            &[(Client, r#"{"head":{"id":"a"}}"#), (Server, r#"{"head":{"id":"b","in-reply-to":"a"}}"#)],
        );
        assert_eq!((all, left), (vec!["?".to_owned(), String::new()], vec![]));
        let (all, left) = run(
            "request=$.head.id,reply=$.head['in-reply-to']",
            &[(Client, r#"{"head":{"id":"a"}}"#), (Server, r#"{"head":{"id":"b","in-reply-to":"a"}}"#)],
        );
        assert_eq!((all, left), (vec![String::new(), "a".to_owned()], vec![]));
    }

    #[test]
    fn keys_in_message_pack() {
        let keys = Keys::parse("request=$.id,reply=$.re,method=$.op").unwrap();
        let mut matched = Matched::new(Arc::new(keys));
        let mut read = |dir, bytes: &[u8]| {
            let node = value::whole(Notation::MessagePack, bytes)
                .map(|values| Node::Binary(Notation::MessagePack, values[0]));
            matched.read(&Said::sample(dir, 1, false, bytes), node)
        };
        assert_eq!(read(Client, b"\x82\xa2id\x07\xa2op\xa4join"), Some(None));
        let answer = read(Server, b"\x82\xa2re\x07\xa2ok\xc3").flatten();
        assert_eq!(answer.unwrap().what, "join");
        assert_eq!(read(Server, b"\x82\xa2re\x07\xa2ok"), None);
    }

    #[test]
    fn what_is_not_understood_says_so() {
        for (keys, words) in [
            ("", "'' has no ="),
            ("request=$.id", "reply is missing"),
            ("reply=$.id", "request is missing"),
            ("request=$.id,answer=$.id", "'answer' is no key"),
            ("request=$.id,request=$.id", "request is given twice"),
            ("request=$.id,reply=id", "character 1"),
        ] {
            let error = Keys::parse(keys).unwrap_err();
            assert!(error.contains(words), "{keys}: {error}");
            assert!(error.contains("$."), "{error}");
        }
        assert!(Keys::parse("request=$['a,b'], reply=$.c").is_ok());
    }
}

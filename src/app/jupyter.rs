//! Jupyter: messages between a page and a kernel, over the server's WebSocket. A message is JSON, or, with
//! the subprotocol, binary: offsets, and the parts that they lead to.

use super::dialect::{Decoder, Dialect, Reader, Said, Sheet};
use super::excerpt::clipped;
use super::glance::PARENT_HEADER;
use super::json::{self, Object};
use super::pending::{Id, Pending, Request, Requests};
use crate::limits::APP_SHOWN;
use crate::model::{Answer, App, Cite, Failure, Finding, Span, Text, Value, fields, rules};

/// Messages of Jupyter in JSON, or where no message has come, in whatever form they will.
pub static DIALECT: Dialect = Dialect {
    id: "jupyter",
    subprotocols: &["v1.kernel.websocket.jupyter.org"],
    looks_like: Some(looks_like),
    first: b"{ \t\n\x0C\r",
    last: &[],
    marks: PARENT_HEADER,
    target: Some(is_target),
    fields: FIELDS,
    rules: RULES,
    reader: Reader::Session(|| Box::<Jupyter>::default()),
    sheet: Sheet {
        name: "Jupyter kernels",
        shown_by: "a target `/api/kernels/ID/channels`; JSON with `header` and `parent_header`",
        decoded: "channel, type, ids, parent and content, of JSON and of binary messages in both forms; \
                  requests tied to their replies by the parent's id, errors, kernels that died",
        sample: "jupyter.pcap.gz",
        source: ("Messaging in Jupyter", "https://jupyter-client.readthedocs.io/en/stable/messaging.html"),
    },
};

/// A part of the specification.
const fn jupyter(section: &'static str) -> Cite {
    Cite { doc: "Jupyter messaging", section }
}

fields! {
    /// The fields of Jupyter's messages.
    FIELDS;
    CHANNEL = "jupyter.channel", "channel", jupyter("Introduction"),
        "Which of the kernel's sockets it is of.";
    TYPE = "jupyter.msg_type", "msg_type", jupyter("General Message Format"), "What the message is for.";
    ID = "jupyter.msg_id", "msg_id", jupyter("General Message Format"), "The message's own id.";
    PARENT = "jupyter.parent_msg_id", "parent", jupyter("General Message Format"),
        "The request that it is an answer to, or came about by.";
    HEADER = "jupyter.header", "header", jupyter("General Message Format"),
        "Type, id, session, user and version.";
    PARENT_HEADER_AT = "jupyter.parent_header", "parent_header", jupyter("General Message Format"),
        "The header of the request behind it.";
    METADATA = "jupyter.metadata", "metadata", jupyter("General Message Format"),
        "What else there is to say.";
    CONTENT = "jupyter.content", "content", jupyter("General Message Format"), "What the message carries.";
    BUFFERS = "jupyter.buffers", "buffers", jupyter("General Message Format"), "Bytes that belong to it.";
}

rules! {
    /// The rules of Jupyter's messages.
    RULES;
    BAD_MESSAGE = "jupyter-bad-message", Error, jupyter("General Message Format"), Either,
        "Not a message of Jupyter",
        "The server logs it and drops it, or closes the connection.";
    DIED = "jupyter-kernel-died", Warning, jupyter("Kernel status"), Server,
        "The kernel died, or is started again",
        "What it held is gone, and requests that were under way are not answered.",
        usually "the kernel's process took too much memory and was killed, or crashed; or somebody restarted \
                 it",
        mend "look for the out-of-memory killer and at the server's log at that time";
    OFFSETS = "jupyter-bad-offsets", Error, jupyter("WebSocket"), Either,
        "Offsets of a binary message that lead out of it, or back",
        "The receiver cannot take the message apart.";
}

/// `/api/kernels/ID/channels`.
fn is_target(path: &str, _query: &str) -> bool {
    path.ends_with("/channels") && path.contains("/api/kernels/")
}

fn looks_like(said: &Said<'_>) -> bool {
    said.bears(b"{", PARENT_HEADER)
}

/// What is remembered of a connection.
#[derive(Debug, Default)]
struct Jupyter {
    pending: Pending,
}

/// What a header says.
struct Heading {
    kind: String,
    id: String,
}

/// The parts of a message, each JSON.
struct Parts<'a> {
    /// Where it is a part of its own.
    channel: Option<&'a str>,
    header: &'a str,
    parent: Option<&'a str>,
    metadata: Option<&'a str>,
    content: Option<&'a str>,
    /// What follows.
    buffers: &'a [u8],
}

impl Decoder for Jupyter {
    fn read(&mut self, said: &Said<'_>, found: &mut Vec<Finding>) -> Option<App> {
        if !said.is_whole() {
            self.pending.lost(said.dir);
            return None;
        }
        if !said.known && !said.expected && !looks_like(said) {
            return None;
        }
        let parts = if said.text { written(said).ok_or(None) } else { binary(said) };
        let parts = match parts {
            Ok(parts) => parts,
            Err(fault) => {
                found.push(fault.unwrap_or_else(|| {
                    said.broken(&BAD_MESSAGE, "an object with header, parent_header and content".into())
                }));
                self.pending.lost(said.dir);
                return None;
            }
        };
        let header = Object::read(parts.header);
        let Some((kind, id)) =
            header.as_ref().and_then(|it| Some((it.string("msg_type")?, it.string("msg_id")?)))
        else {
            let expected = "a header with msg_type and msg_id".into();
            found.push(said.broken(&BAD_MESSAGE, expected));
            return None;
        };
        Some(self.take(said, &parts, &Heading { kind, id }, found))
    }

    fn requests(&mut self) -> Option<&mut dyn Requests> {
        Some(&mut self.pending)
    }
}

impl Jupyter {
    fn take(
        &mut self,
        said: &Said<'_>,
        parts: &Parts<'_>,
        heading: &Heading,
        found: &mut Vec<Finding>,
    ) -> App {
        let (kind, id) = (heading.kind.as_str(), heading.id.as_str());
        let text =
            |def, part: &str, words: &str| said.part(def, part.as_bytes(), Value::Text(words.to_owned()));
        let parent = parts.parent.and_then(|part| Some((part, Object::read(part)?.string("msg_id")?)));
        let content = parts.content.and_then(Object::read);
        let mut fields = Vec::new();
        let channel = parts.channel.map(|part| (part, part.trim_matches('"')));
        fields.extend(channel.map(|(part, name)| text(&CHANNEL, part, name)));
        fields.push(text(&TYPE, parts.header, kind));
        fields.push(text(&ID, parts.header, id));
        fields.extend(parent.iter().map(|(part, id)| text(&PARENT, part, id)));
        fields.push(said.json(&HEADER, parts.header));
        for (def, part) in
            [(&PARENT_HEADER_AT, parts.parent), (&METADATA, parts.metadata), (&CONTENT, parts.content)]
        {
            fields.extend(part.filter(|part| *part != "{}").map(|part| said.json(def, part)));
        }
        if !parts.buffers.is_empty() {
            let shown = &parts.buffers[..parts.buffers.len().min(APP_SHOWN)];
            fields.push(said.part(&BUFFERS, parts.buffers, Value::Bytes(shown.to_vec())));
        }
        let of = |name: &str| content.as_ref().and_then(|content| content.string(name));
        let mut line = clipped(kind).into_owned();
        if let Some((_, channel)) = channel {
            line = format!("{line} ({})", clipped(channel));
        }
        let told = match kind {
            "execute_request" | "execute_input" | "complete_request" => of("code"),
            "status" => of("execution_state"),
            "stream" => of("text"),
            "error" => of("ename"),
            _ if kind.ends_with("_reply") => of("status"),
            _ => None,
        };
        if let Some(told) = told {
            line = format!("{line}: {}", clipped(told.trim_end()));
        }
        let summary = Text::with("{}", line);
        let state = of("execution_state").filter(|_| kind == "status");
        if let Some(state) =
            state.filter(|state| matches!(&**state, "dead" | "restarting" | "autorestarting"))
        {
            let expected = "a kernel that goes on".into();
            let at = parts.content.map_or_else(|| said.span(), |part| said.span_of(part));
            found.push(Finding::new(&DIED, said.dir, expected, Text::with("{}", state)).at(at));
        }
        let failure = of("status").filter(|status| status == "error").map(|_| Failure {
            code: of("ename").map(|name| clipped(&name).into_owned()),
            message: of("evalue").map(|words| clipped(&words).into_owned()),
        });
        let answers = self.tie(said, heading, parent.as_ref().map(|(_, id)| id.as_str()), failure);
        App { protocol: "jupyter", name: "Jupyter", summary, fields, answers, ..App::default() }
    }

    /// Remembers a request, or finds the one that is replied to.
    fn tie(
        &mut self,
        said: &Said<'_>,
        Heading { kind, id }: &Heading,
        parent: Option<&str>,
        failure: Option<Failure>,
    ) -> Option<Answer> {
        let now = said.moment();
        if kind.ends_with("_request") {
            let (id, what) = (Id::text(id)?, clipped(kind).into_owned());
            self.pending.begin(said.dir, now, Request { id, what, ..Request::default() });
            return None;
        }
        let request = format!("{}_request", kind.strip_suffix("_reply")?);
        let id = Id::text(parent?)?;
        // The answer to input_request, which the kernel asks, names the cell that runs.
        let by_kind = kind == "input_reply";
        let is_it = |asked: &Request| if by_kind { asked.what == request } else { asked.id == id };
        self.pending.answer(said.dir, now, is_it, failure)
    }
}

/// Reads a message in JSON.
fn written<'a>(said: &Said<'a>) -> Option<Parts<'a>> {
    parts(said.as_json()?, &[])
}

/// The parts of an object, and what follows it.
fn parts<'a>(text: &'a str, buffers: &'a [u8]) -> Option<Parts<'a>> {
    let object = Object::read(text)?;
    let part = |name: &str, begin: char| object.get(name).filter(|part| part.starts_with(begin));
    object.get("parent_header")?;
    Some(Parts {
        channel: part("channel", '"'),
        header: part("header", '{')?,
        parent: part("parent_header", '{'),
        metadata: object.get("metadata"),
        content: part("content", '{'),
        buffers,
    })
}

/// Reads a binary message: of the subprotocol, or one without it, which is JSON with buffers behind it. What
/// is wrong with its offsets, or nothing where it is something else.
#[allow(clippy::result_large_err, reason = "moved once")]
fn binary<'a>(said: &Said<'a>) -> Result<Parts<'a>, Option<Finding>> {
    let own = said.subprotocol == Some("v1.kernel.websocket.jupyter.org");
    let bytes = said.bytes;
    // Little-endian words of eight bytes, or big-endian ones of four.
    let width = if own { 8 } else { 4 };
    let number = |at: usize| -> Option<u64> {
        let word = bytes.get(at..at.checked_add(width)?)?;
        Some(match word.len() {
            8 => u64::from_le_bytes(word.try_into().ok()?),
            _ => u64::from(u32::from_be_bytes(word.try_into().ok()?)),
        })
    };
    let wrong = |at: usize, got: Text| {
        let expected = "offsets in order, within the message, and parts in JSON".into();
        let length = width.min(bytes.len().saturating_sub(at));
        let span = Span::bytes(said.source, at as u64, length as u64);
        Some(Finding::new(&OFFSETS, said.dir, expected, got).at(span))
    };
    let count = number(0).ok_or_else(|| wrong(0, Text::with("{} bytes", bytes.len())))?;
    let least = if own { 6 } else { 1 };
    if count < least || count > (bytes.len() / width) as u64 {
        return Err(wrong(0, Text::with("{} offsets", count)));
    }
    let count = count as usize;
    // What is declared is there, as it was compared with the message's length.
    let mut ends: Vec<usize> = Vec::with_capacity(count.min(bytes.len() / width) + 1);
    for i in 0..count {
        let at = width * (1 + i);
        let offset = number(at).and_then(|offset| usize::try_from(offset).ok()).unwrap_or(usize::MAX);
        let before = ends.last().copied().unwrap_or(width * (1 + count));
        if offset < before || offset > bytes.len() {
            return Err(wrong(at, Text::with("offset {}", offset)));
        }
        ends.push(offset);
    }
    ends.push(bytes.len());
    let part = |i: usize| str::from_utf8(&bytes[*ends.get(i)?..*ends.get(i + 1)?]).ok();
    let is_object = |part: &&str| part.starts_with('{') && json::is_valid(part);
    let buffers = |i: usize| ends.get(i).map_or(&[][..], |&at| &bytes[at..]);
    if !own {
        let whole = part(0).filter(is_object).ok_or(None)?;
        return parts(whole, buffers(1)).ok_or(None);
    }
    // The last offset is the end of the last part.
    let header =
        part(1).filter(is_object).ok_or_else(|| wrong(width * 2, "a header that is no object".into()))?;
    Ok(Parts {
        channel: part(0),
        header,
        parent: part(2).filter(is_object),
        metadata: part(3).filter(is_object),
        content: part(4).filter(is_object),
        buffers: buffers(5),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::heard;
    use crate::model::Dir;
    use Dir::{Client, Server};

    /// The summary of each message and what it answers, and the rules that are broken.
    fn read(
        messages: &[(Dir, &[u8])],
        subprotocol: Option<&'static str>,
    ) -> (Vec<String>, Vec<&'static str>) {
        heard::lines(&mut Jupyter::default(), messages, |i, said| {
            let text = said.bytes.first() == Some(&b'{');
            Said { text, known: i > 0, expected: true, subprotocol, ..said }
        })
    }

    const RUN: &[u8] = br#"{"channel":"shell","header":{"msg_id":"a","msg_type":"execute_request"},
        "parent_header":{},"metadata":{},"content":{"code":"6 * 7\n"},"buffers":[]}"#;

    /// A message of the subprotocol.
    fn packed(parts: &[&str]) -> Vec<u8> {
        let (mut at, count) = (8 * (parts.len() as u64 + 2), parts.len() as u64 + 1);
        let mut head = count.to_le_bytes().to_vec();
        for part in parts {
            head.extend(at.to_le_bytes());
            at += part.len() as u64;
        }
        head.extend(at.to_le_bytes());
        [head, parts.concat().into_bytes()].concat()
    }

    #[test]
    fn replies_find_their_requests_in_all_forms() {
        let reply = r#"{"header":{"msg_id":"b","msg_type":"execute_reply"},"parent_header":{"msg_id":"a"},
            "metadata":{},"content":{"status":"error","ename":"NameError","evalue":"x"},"channel":"shell"}"#;
        let status = r#"{"header":{"msg_id":"c","msg_type":"status"},"parent_header":{"msg_id":"a"},
            "metadata":{},"content":{"execution_state":"busy"},"channel":"iopub"}"#;
        let with_buffers = [
            &[0, 0, 0, 2, 0, 0, 0, 12][..],
            &(12 + status.len() as u32).to_be_bytes(),
            status.as_bytes(),
            b"xyz",
        ]
        .concat();
        let (lines, found) =
            read(&[(Client, RUN), (Server, &with_buffers), (Server, reply.as_bytes())], None);
        let expected = [
            "execute_request (shell): 6 * 7",
            "status (iopub): busy",
            "execute_reply (shell): error < execute_request",
        ];
        assert_eq!((lines, found), (expected.map(str::to_owned).to_vec(), vec![]));

        let v1 = Some("v1.kernel.websocket.jupyter.org");
        let run = packed(&[
            "shell",
            r#"{"msg_id":"a","msg_type":"execute_request"}"#,
            "{}",
            "{}",
            r#"{"code":"1"}"#,
        ]);
        let done = packed(&[
            "shell",
            r#"{"msg_id":"b","msg_type":"execute_reply"}"#,
            r#"{"msg_id":"a"}"#,
            "{}",
            r#"{"status":"ok"}"#,
        ]);
        let (lines, found) = read(&[(Client, &run), (Server, &done)], v1);
        assert_eq!(lines, ["execute_request (shell): 1", "execute_reply (shell): ok < execute_request"]);
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn what_breaks_the_rules() {
        let v1 = Some("v1.kernel.websocket.jupyter.org");
        let dead: &[u8] = br#"{"header":{"msg_id":"c","msg_type":"status"},"parent_header":{},
            "content":{"execution_state":"restarting"},"channel":"iopub"}"#;
        assert_eq!(read(&[(Client, RUN), (Server, b"{}")], None).1, ["jupyter-bad-message"]);
        assert_eq!(read(&[(Client, RUN), (Server, dead)], None).1, ["jupyter-kernel-died"]);
        let mut run = packed(&["shell", r#"{"msg_id":"a","msg_type":"execute_request"}"#, "{}", "{}", "{}"]);
        run[16] = 0xFF;
        assert_eq!(read(&[(Client, &run)], v1).1, ["jupyter-bad-offsets"]);
        for wire in [&b""[..], b"\0", &[0xFF; 40], &[6, 0, 0, 0, 0, 0, 0, 0], &[0; 64]] {
            assert_eq!(read(&[(Client, wire)], v1).1, ["jupyter-bad-offsets"], "{wire:?}");
        }
    }
}

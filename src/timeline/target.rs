//! The parameters of Engine.IO in a request's target.

use memchr::memchr;

use crate::app::{engineio, socketio};
use crate::limits;
use crate::model::{Connection, prefix};

/// What a target says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Target {
    pub path: String,
    /// `EIO`, as it was written.
    pub eio: Option<String>,
    pub transport: Option<String>,
    pub sid: Option<String>,
}

impl Target {
    /// The target of an Engine.IO WebSocket, by its handshake or, without one, by a packet that looks like
    /// it.
    pub fn recognise(connection: Option<&Connection>, text: bool, payload: &[u8]) -> Option<Self> {
        if let Some(target) = connection.and_then(|c| c.target.as_deref()) {
            return Self::of_engine_io(target);
        }
        let text = if text { str::from_utf8(payload).ok()? } else { return None };
        let looks = match text.as_bytes() {
            [b'0', b'{', ..] => engineio::Open::read(&text[1..]).is_some(),
            // An event or acknowledgement: nothing else begins with these two digits and goes on as JSON.
            [b'4', b'2' | b'3' | b'5' | b'6', ..] => {
                socketio::read(&text[1..]).is_ok_and(|p| !p.data.is_empty())
            }
            _ => text == "2probe" || text == "3probe",
        };
        looks.then(Self::default)
    }

    /// Reads the target of an Engine.IO client, whose parameters say so.
    pub fn of_engine_io(target: &str) -> Option<Self> {
        memchr(b'?', target.as_bytes())?;
        Self::parse(target).filter(Self::is_engine_io)
    }

    /// Reads a target; `None` when it is no path.
    pub fn parse(target: &str) -> Option<Self> {
        let target = prefix(target, limits::TARGET);
        let (path, query) =
            memchr(b'?', target.as_bytes()).map_or((target, ""), |at| (&target[..at], &target[at + 1..]));
        // A proxy's request names the host too.
        let origin = if memchr(b':', path.as_bytes()).is_some() { path.split_once("://") } else { None };
        let path = match origin {
            Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
            None => path,
        };
        let mut parsed = Self { path: path.to_owned(), ..Self::default() };
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            let slot = match &*key {
                "EIO" => &mut parsed.eio,
                "transport" => &mut parsed.transport,
                "sid" => &mut parsed.sid,
                _ => continue,
            };
            slot.get_or_insert_with(|| value.into_owned());
        }
        path.starts_with('/').then_some(parsed)
    }

    /// Whether a client of Engine.IO made it.
    pub fn is_engine_io(&self) -> bool {
        self.eio.is_some() || self.transport.as_deref() == Some("polling")
    }

    /// Whether it is where Socket.IO listens.
    pub fn is_socket_io(&self) -> bool {
        self.path.contains("/socket.io")
    }

    /// The revision; anything but 4 is taken for 3 by the reference.
    pub fn version(&self) -> Option<u8> {
        self.eio.as_deref().map(|eio| if eio == "4" { 4 } else { 3 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters() {
        let target = Target::parse("/socket.io/?EIO=4&transport=polling&t=Oq&sid=a_b").unwrap();
        assert!(target.is_engine_io() && target.is_socket_io());
        assert_eq!((target.version(), target.sid.as_deref()), (Some(4), Some("a_b")));
        let target = Target::parse("http://example.com/x?EIO=3").unwrap();
        assert_eq!((target.path.as_str(), target.version(), target.transport), ("/x", Some(3), None));
        let target = Target::parse("/x?transport=poll%69ng&sid=a%2Bb+c%zz&sid=d").unwrap();
        assert!(target.is_engine_io());
        assert_eq!(target.sid.as_deref(), Some("a+b c%zz"));
        assert!(!Target::parse("/chat").unwrap().is_engine_io());
        assert_eq!(Target::parse("*"), None);
    }
}

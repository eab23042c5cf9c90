//! The opening handshake (RFC 6455 §4) as a server and as a client, and permessage-deflate agreed on in it
//! (RFC 7692 §7.1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

use super::bugs::Bug;
use super::endpoint::Endpoint;

const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The longest head that is read.
const HEAD: usize = 64 * 1024;

/// What both agreed on.
#[derive(Clone, Copy)]
pub struct Agreed {
    pub server_forgets: bool,
    pub client_forgets: bool,
    pub server_bits: u8,
    pub client_bits: u8,
}

impl Default for Agreed {
    fn default() -> Self {
        Self { server_forgets: false, client_forgets: false, server_bits: 15, client_bits: 15 }
    }
}

/// A head taken apart.
struct Head {
    line: String,
    fields: Vec<(String, String)>,
}

impl Head {
    /// `None` where it is none.
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.split("\r\n");
        let line = lines.next()?.to_owned();
        let mut fields = Vec::new();
        for line in lines.take_while(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':')?;
            if !is_token(name) || value.contains(['\n', '\r', '\0']) {
                return None;
            }
            fields.push((name.to_owned(), value.trim_matches([' ', '\t']).to_owned()));
        }
        Some(Self { line, fields })
    }

    fn values(&self, name: &str, bug: Bug) -> impl Iterator<Item = &str> {
        let is_it = |field: &str| {
            if bug == Bug::NamesCaseSensitive { field == name } else { field.eq_ignore_ascii_case(name) }
        };
        let all: Vec<&str> =
            self.fields.iter().filter(|(field, _)| is_it(field)).map(|(_, value)| &**value).collect();
        all.into_iter()
    }

    /// The value of a field that may be there once.
    fn only(&self, name: &str, bug: Bug) -> Option<&str> {
        let mut values = self.values(name, bug);
        values.next().filter(|_| values.next().is_none())
    }

    fn has_token(&self, name: &str, token: &str, bug: Bug) -> bool {
        let mut all = self.values(name, bug);
        match bug {
            Bug::ListsNotSplit => all.any(|value| value.eq_ignore_ascii_case(token)),
            Bug::TokensCaseSensitive => {
                let usual = if token == "upgrade" { "Upgrade" } else { token };
                all.any(|value| value.split(',').any(|it| it.trim() == usual))
            }
            _ => all.any(|value| value.split(',').any(|it| it.trim().eq_ignore_ascii_case(token))),
        }
    }
}

/// Reads a head, and what came behind it already.
async fn read(io: &mut DuplexStream, bug: Bug) -> Result<(String, Vec<u8>), u16> {
    let mut bytes = Vec::new();
    loop {
        let mut room = vec![0; 16 * 1024];
        let count = io.read(&mut room).await.unwrap_or(0);
        if count == 0 {
            return Err(0);
        }
        bytes.extend_from_slice(&room[..count]);
        if let Some(end) = bytes.windows(4).position(|it| it == b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            let head = String::from_utf8_lossy(&bytes).into_owned();
            return Ok((head, if bug == Bug::DropsGlued { Vec::new() } else { rest }));
        }
        if bug == Bug::HeadInOneRead {
            return Err(400);
        }
        if bytes.len() > HEAD {
            return Err(431);
        }
    }
}

/// Opens a WebSocket as a server, and echoes.
pub async fn serve(bug: Bug, mut io: DuplexStream) {
    let answer = match read(&mut io, bug).await {
        Ok((head, rest)) => check_request(&head, bug).map(|(answer, agreed)| (answer, agreed, rest)),
        Err(status) => Err(status),
    };
    match answer {
        Ok((answer, agreed, rest)) => {
            if io.write_all(answer.as_bytes()).await.is_ok() {
                Endpoint::new(bug, true, io, rest, agreed).echo().await;
            }
        }
        Err(0) => {}
        Err(status) => {
            let more = match status {
                405 => "Allow: GET\r\n",
                426 => "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n",
                _ => "",
            };
            let close = if status == 426 { "" } else { "Connection: close\r\n" };
            let head = format!("HTTP/1.1 {status} Refused\r\n{more}{close}Content-Length: 0\r\n\r\n");
            let _ = io.write_all(head.as_bytes()).await;
            let _ = io.shutdown().await;
        }
    }
}

/// The answer to a request, or the status that refuses it.
fn check_request(head: &str, bug: Bug) -> Result<(String, Option<Agreed>), u16> {
    let head = Head::parse(head).ok_or(400_u16)?;
    let mut words = head.line.split(' ');
    let (method, target, version) = (words.next(), words.next(), words.next());
    if method != Some("GET") && bug != Bug::MethodUnchecked {
        return Err(if method.is_some_and(|it| it.chars().all(|c| c.is_ascii_uppercase())) {
            405
        } else {
            400
        });
    }
    if target.is_none_or(str::is_empty) || version != Some("HTTP/1.1") || words.next().is_some() {
        return Err(if version == Some("HTTP/1.0") { 426 } else { 400 });
    }
    if head.only("Host", bug).is_none() && bug != Bug::HostUnchecked {
        return Err(400);
    }
    let has_body = head.values("Content-Length", bug).any(|length| length != "0")
        || head.values("Transfer-Encoding", bug).next().is_some();
    if has_body {
        return Err(400);
    }
    let upgrades = head.has_token("Upgrade", "websocket", bug) || bug == Bug::UpgradeUnchecked;
    let connection = head.has_token("Connection", "upgrade", bug) || bug == Bug::ConnectionUnchecked;
    if !upgrades || !connection {
        return Err(426);
    }
    if head.only("Sec-WebSocket-Version", bug) != Some("13") && bug != Bug::VersionUnchecked {
        return Err(426);
    }
    let key = head.only("Sec-WebSocket-Key", bug);
    let is_key = |key: &str| STANDARD.decode(key).is_ok_and(|nonce| nonce.len() == 16);
    // Bits that are not used may be set, as in the RFC's own example.
    let is_key = |key: &str| key.len() == 24 && key.ends_with("==") && is_key(&format!("{}A==", &key[..21]));
    if !key.is_some_and(is_key) && bug != Bug::KeyUnchecked {
        return Err(400);
    }
    let accept = accept(key.unwrap_or_default(), bug);
    let status = if bug == Bug::Answers200 { "200 OK" } else { "101 Switching Protocols" };
    let mut answer = format!("HTTP/1.1 {status}\r\n");
    if bug != Bug::AnswersWithoutUpgrade {
        answer += "Upgrade: websocket\r\n";
    }
    if bug != Bug::AnswersWithoutConnection {
        answer += "Connection: Upgrade\r\n";
    }
    answer += &format!("Sec-WebSocket-Accept: {accept}\r\n");
    let protocols: Vec<&str> = head.values("Sec-WebSocket-Protocol", bug).collect();
    let names = protocols.iter().flat_map(|it| it.split(',')).map(str::trim).filter(|name| !name.is_empty());
    if !protocols.is_empty() && (!names.clone().all(is_token) || names.count() == 0) {
        return Err(400);
    }
    if bug == Bug::SubprotocolsEchoed && !protocols.is_empty() {
        answer += &format!("Sec-WebSocket-Protocol: {}\r\n", protocols.join(", "));
    }
    if bug == Bug::SubprotocolInvented {
        answer += "Sec-WebSocket-Protocol: echo\r\n";
    }
    let offers: Vec<&str> = head.values("Sec-WebSocket-Extensions", bug).collect();
    let mut agreed = None;
    if !offers.iter().all(|offer| is_list(offer)) {
        return Err(400);
    }
    if bug == Bug::ExtensionEchoed {
        agreed = (!offers.is_empty()).then(Agreed::default);
        if agreed.is_some() {
            answer += &format!("Sec-WebSocket-Extensions: {}\r\n", offers.join(", "));
        }
    } else if let Some((it, text)) =
        offers.iter().flat_map(|it| it.split(',')).find_map(|it| accepted(it, bug))
    {
        agreed = Some(it);
        answer += &format!("Sec-WebSocket-Extensions: {text}\r\n");
    }
    if bug != Bug::HeadNotEnded {
        answer += "\r\n";
    }
    Ok((answer, agreed))
}

/// The answer to a key.
fn accept(key: &str, bug: Bug) -> String {
    let sha1 = |text: String| Sha1::digest(text.as_bytes());
    let digest = match bug {
        Bug::AcceptWithoutGuid => sha1(key.to_owned()),
        Bug::AcceptGuidLowerCase => sha1(format!("{key}{}", GUID.to_ascii_lowercase())),
        Bug::AcceptKeyWithLineEnd => sha1(format!("{key}\r\n{GUID}")),
        _ => sha1(format!("{key}{GUID}")),
    };
    match bug {
        Bug::AcceptOfHex => {
            let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            STANDARD.encode(hex)
        }
        Bug::AcceptIsKey => key.to_owned(),
        _ => STANDARD.encode(digest),
    }
}

fn is_token(text: &str) -> bool {
    let is_it = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    !text.is_empty() && text.chars().all(is_it)
}

/// Whether a list of extensions is one (RFC 6455 §9.1).
fn is_list(list: &str) -> bool {
    list.split(',').all(|element| {
        let quotes = element.matches('"').count();
        let (name, all) = parameters(element);
        let is_value = |value: &Option<String>| value.as_deref().is_none_or(is_token);
        quotes % 2 == 0
            && is_token(&name)
            && all.iter().all(|(name, value)| is_token(name) && is_value(value))
    })
}

/// Name, and parameters with their values.
fn parameters(element: &str) -> (String, Vec<(String, Option<String>)>) {
    let mut parts = element.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default().to_owned();
    let parameter = |part: &str| match part.split_once('=') {
        Some((name, value)) => (name.trim().to_owned(), Some(value.trim().trim_matches('"').to_owned())),
        None => (part.to_owned(), None),
    };
    (name, parts.map(parameter).collect())
}

/// What of an offer is accepted, and what the answer says of it.
fn accepted(offer: &str, bug: Bug) -> Option<(Agreed, String)> {
    let (name, all) = parameters(offer);
    if !name.eq_ignore_ascii_case("permessage-deflate") {
        return None;
    }
    let mut agreed = Agreed::default();
    let mut text = "permessage-deflate".to_owned();
    let mut seen: Vec<&str> = Vec::new();
    for (name, value) in &all {
        let is_new = !seen.contains(&&**name);
        seen.push(name);
        let bits = value.as_deref().map(|value| bits(value, bug));
        match (&**name, bits) {
            _ if !is_new => return None,
            ("server_no_context_takeover", None) => {
                agreed.server_forgets = true;
                text += "; server_no_context_takeover";
            }
            ("client_no_context_takeover", None) => {
                agreed.client_forgets = true;
                text += "; client_no_context_takeover";
            }
            ("server_max_window_bits", Some(Some(bits))) => {
                agreed.server_bits = bits;
                text += &format!("; server_max_window_bits={bits}");
            }
            ("client_max_window_bits", Some(Some(bits))) => {
                agreed.client_bits = bits;
                text += &format!("; client_max_window_bits={bits}");
            }
            ("client_max_window_bits", None) => {}
            _ if bug == Bug::ParametersUnchecked => text += &format!("; {name}"),
            _ => return None,
        }
    }
    Some((agreed, text))
}

/// 8 to 15, without a zero in front.
fn bits(value: &str, bug: Bug) -> Option<u8> {
    let bits = value.parse().ok().filter(|_| !value.starts_with(['0', '+']))?;
    ((8..=15).contains(&bits) || bug == Bug::ParametersUnchecked).then_some(bits)
}

/// Opens a WebSocket as a client, and echoes.
pub async fn visit(bug: Bug, mut io: DuplexStream) {
    let mut nonce = [0; 16];
    let _ = getrandom::fill(&mut nonce);
    let key = match bug {
        Bug::KeyTooShort => STANDARD.encode(&nonce[..8]),
        Bug::KeyIsHex => nonce.iter().map(|byte| format!("{byte:02x}")).collect(),
        _ => STANDARD.encode(nonce),
    };
    let version = if bug == Bug::AsksForVersion8 { 8 } else { 13 };
    let host = if bug == Bug::AsksWithoutHost { "" } else { "Host: judge.example\r\n" };
    let connection = if bug == Bug::AsksWithoutConnection { "" } else { "Connection: Upgrade\r\n" };
    let offer = "permessage-deflate; client_max_window_bits";
    let request = format!(
        "GET /echo HTTP/1.1\r\n{host}Upgrade: websocket\r\n{connection}Sec-WebSocket-Key: {key}\r\n\
         Sec-WebSocket-Version: {version}\r\nSec-WebSocket-Extensions: {offer}\r\n\r\n"
    );
    if io.write_all(request.as_bytes()).await.is_err() {
        return;
    }
    loop {
        let Ok((head, rest)) = read(&mut io, bug).await else { return };
        let Some(head) = Head::parse(&head) else { return };
        let status = head.line.split(' ').nth(1).and_then(|status| status.parse::<u16>().ok());
        if matches!(status, Some(100 | 102..=199)) && rest.is_empty() {
            continue;
        }
        if let Some(agreed) = check_response(&head, status, &accept(&key, Bug::None), bug) {
            Endpoint::new(bug, false, io, rest, agreed).echo().await;
        }
        return;
    }
}

/// What was agreed on, if the answer opens the WebSocket.
fn check_response(head: &Head, status: Option<u16>, accept: &str, bug: Bug) -> Option<Option<Agreed>> {
    let opens = status == Some(101) && head.line.starts_with("HTTP/1.1 ");
    let upgrade = head.only("Upgrade", bug).is_some_and(|it| it.eq_ignore_ascii_case("websocket"));
    let accepted = head.only("Sec-WebSocket-Accept", bug) == Some(accept);
    let protocols = head.values("Sec-WebSocket-Protocol", bug).next().is_some();
    let checks = [
        (opens, Bug::StatusUnchecked),
        (upgrade, Bug::UpgradeUnchecked),
        (head.has_token("Connection", "upgrade", bug), Bug::ConnectionUnchecked),
        (accepted, Bug::AcceptUnchecked),
        (!protocols, Bug::SubprotocolUnchecked),
    ];
    if checks.iter().any(|(is_right, unchecked)| !is_right && bug != *unchecked) {
        return None;
    }
    let granted: Vec<&str> =
        head.values("Sec-WebSocket-Extensions", bug).flat_map(|it| it.split(',')).collect();
    match granted.as_slice() {
        [] => Some(None),
        [one] => match granted_is_fine(one) {
            Some(agreed) => Some(Some(agreed)),
            None => (bug == Bug::ExtensionUnchecked).then_some(None),
        },
        _ => (bug == Bug::ExtensionUnchecked).then_some(None),
    }
}

fn granted_is_fine(granted: &str) -> Option<Agreed> {
    let (_, all) = parameters(granted);
    let bare = all.iter().any(|(name, value)| name == "client_max_window_bits" && value.is_none());
    accepted(granted, Bug::None).filter(|_| !bare).map(|(agreed, _)| agreed)
}

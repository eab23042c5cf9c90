//! Key logs: the secrets of TLS sessions, as programs write them to the file that `SSLKEYLOGFILE` names
//! (RFC 9850).

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use crate::limits;
use crate::model::Text;

/// What a secret is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Label {
    /// The master secret of TLS 1.2 and before.
    Master,
    /// What a client sends before it has an answer, in TLS 1.3.
    ClientEarly,
    /// The client's handshake messages.
    ClientHandshake,
    /// The server's.
    ServerHandshake,
    /// What the client sends behind its handshake.
    ClientTraffic,
    /// What the server does.
    ServerTraffic,
}

impl Label {
    /// As it stands in a key log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Master => "CLIENT_RANDOM",
            Self::ClientEarly => "CLIENT_EARLY_TRAFFIC_SECRET",
            Self::ClientHandshake => "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
            Self::ServerHandshake => "SERVER_HANDSHAKE_TRAFFIC_SECRET",
            Self::ClientTraffic => "CLIENT_TRAFFIC_SECRET_0",
            Self::ServerTraffic => "SERVER_TRAFFIC_SECRET_0",
        }
    }

    fn of(name: &str) -> Option<Self> {
        use Label::{ClientEarly, ClientHandshake, ClientTraffic, Master, ServerHandshake, ServerTraffic};
        let all = [Master, ClientEarly, ClientHandshake, ServerHandshake, ClientTraffic, ServerTraffic];
        all.into_iter().find(|label| label.name() == name)
    }
}

/// Labels whose secrets open no record.
const OTHERS: &[&str] =
    &["EXPORTER_SECRET", "EARLY_EXPORTER_SECRET", "EARLY_EXPORTER_MASTER_SECRET", "ECH_SECRET", "ECH_CONFIG"];

/// The secrets of one session. They are never shown.
#[derive(Clone, Default)]
pub struct SessionSecrets(Vec<(Label, Box<[u8]>)>);

impl fmt::Debug for SessionSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionSecrets").field("count", &self.count()).finish_non_exhaustive()
    }
}

impl SessionSecrets {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Adds those of others that are not there, at most so many; how many that are.
    fn add(&mut self, others: &Self, most: usize) -> usize {
        let before = self.count();
        for (label, secret) in &others.0 {
            if self.count() - before < most && self.secret(*label).is_none() {
                self.0.push((*label, secret.clone()));
            }
        }
        self.count() - before
    }

    /// One of them. Only a machine may have it.
    pub(super) fn secret(&self, label: Label) -> Option<&[u8]> {
        self.0.iter().find(|(of, _)| *of == label).map(|(_, secret)| &**secret)
    }
}

/// Secrets by the client random of their session. They are never shown.
#[derive(Clone, Default)]
pub struct Secrets {
    /// Whoever deciphers a session shares its secrets, so that more can be added to the others meanwhile.
    sessions: HashMap<[u8; 32], Arc<SessionSecrets>>,
    count: usize,
    /// Where it takes time to find out whether there are more, that is done for who needs one.
    later: Option<Arc<Later>>,
}

/// Secrets that are read when somebody asks for the first.
type Later = LazyLock<Secrets, Box<dyn FnOnce() -> Secrets + Send>>;

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").field("count", &self.count).finish_non_exhaustive()
    }
}

/// A session that was found, by its client random.
pub type Found = ([u8; 32], Arc<SessionSecrets>);

/// What is wrong with a line of a key log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong. Nothing of its secret is in it.
    pub what: Text,
}

/// Why a line is left out.
enum Wrong {
    Line(Text),
    /// It is right, and of no use.
    PreMaster(Text),
}

impl Secrets {
    /// Reads the lines of a key log. What is wrong with some of them is told of the first
    /// [`limits::KEYLOG_LINES_TOLD`].
    ///
    /// ```
    /// use wstool::tls::Secrets;
    ///
    /// let mut secrets = Secrets::default();
    /// let log = format!("# a comment\nCLIENT_RANDOM {} {}\nnonsense\n", "01".repeat(32), "02".repeat(48));
    /// let bad = secrets.read(log.as_bytes());
    /// assert_eq!((secrets.count(), bad[0].line), (1, 3));
    /// ```
    pub fn read(&mut self, log: &[u8]) -> Vec<BadLine> {
        let mut bad = Vec::new();
        let before = self.count;
        for (place, line) in log.split(|byte| *byte == b'\n').enumerate() {
            let Err(wrong) = self.line(line.trim_ascii()) else { continue };
            if bad.len() < limits::KEYLOG_LINES_TOLD {
                bad.push((place + 1, wrong));
            }
        }
        // Who logs pre-master secrets mostly logs what is made of them, too.
        let is_worth = |wrong: &Wrong| matches!(wrong, Wrong::Line(_)) || self.count == before;
        bad.retain(|(_, wrong)| is_worth(wrong));
        bad.into_iter()
            .map(|(line, Wrong::Line(what) | Wrong::PreMaster(what))| BadLine { line, what })
            .collect()
    }

    fn line(&mut self, line: &[u8]) -> Result<(), Wrong> {
        // A file that begins with a byte order mark was edited on Windows.
        let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
        if line.is_empty() || line.starts_with(b"#") {
            return Ok(());
        }
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let name = words.next().and_then(|name| str::from_utf8(name).ok()).unwrap_or_default();
        if OTHERS.contains(&name) {
            return Ok(());
        }
        if matches!(name, "RSA" | "PMS_CLIENT_RANDOM") {
            let what = Text::with("{} lines name a pre-master secret, which is not supported", name);
            return Err(Wrong::PreMaster(what));
        }
        let Some(label) = Label::of(name) else {
            let is_later = name.contains("_TRAFFIC_SECRET_");
            let what = "it begins with no label of a key log";
            return if is_later { Ok(()) } else { Err(Wrong::Line(what.into())) };
        };
        let (Some(random), Some(secret), None) = (words.next(), words.next(), words.next()) else {
            return Err(Wrong::Line(Text::with("expected a client random and a secret behind {}", name)));
        };
        let Some(random) = bytes(random).and_then(|random| <[u8; 32]>::try_from(random).ok()) else {
            return Err(Wrong::Line("the client random is not 64 hexadecimal digits".into()));
        };
        let fits = |secret: &Vec<u8>| match label {
            Label::Master => secret.len() == 48,
            _ => matches!(secret.len(), 32 | 48),
        };
        let Some(secret) = bytes(secret).filter(fits) else {
            return Err(Wrong::Line(Text::with("the secret of {} has not the digits that it should", name)));
        };
        if self.count >= limits::TLS_SECRETS {
            let what = Text::with("more than {} secrets; the rest is left out", limits::TLS_SECRETS);
            return Err(Wrong::Line(what));
        }
        let session = &mut Arc::make_mut(self.sessions.entry(random).or_default()).0;
        let before = session.len();
        session.retain(|(of, _)| *of != label);
        session.push((label, secret.into()));
        self.count = self.count + session.len() - before;
        Ok(())
    }

    /// Adds those of another log.
    pub fn add(&mut self, other: &Self) {
        for (random, secrets) in &other.sessions {
            let session = Arc::make_mut(self.sessions.entry(*random).or_default());
            self.count += session.add(secrets, limits::TLS_SECRETS - self.count);
        }
        if self.later.is_none() {
            self.later.clone_from(&other.later);
        } else if let Some(later) = other.later() {
            self.add(later);
        }
    }

    /// The same, and those that `read` adds to none. It is not called before a connection of TLS is met, or
    /// somebody asks [whether there are any](Self::is_empty).
    ///
    /// ```
    /// use wstool::tls::Secrets;
    ///
    /// let secrets = Secrets::default().or_later(|secrets| {
    ///     secrets.read(format!("CLIENT_RANDOM {} {}\n", "01".repeat(32), "02".repeat(48)).as_bytes());
    /// });
    /// assert_eq!((secrets.count(), secrets.is_empty()), (0, false));
    /// ```
    #[must_use]
    pub fn or_later(self, read: impl FnOnce(&mut Self) + Send + 'static) -> Self {
        let read = move || {
            let mut secrets = Self::default();
            read(&mut secrets);
            secrets
        };
        Self { later: Some(Arc::new(LazyLock::new(Box::new(read)))), ..self }
    }

    fn later(&self) -> Option<&Self> {
        self.later.as_ref().map(|later| LazyLock::force(later))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0 && self.later().is_none_or(Self::is_empty)
    }

    /// How many there are, without those that are read [later](Self::or_later).
    pub fn count(&self) -> usize {
        self.count
    }

    /// Those of the session with this client random, if there are some.
    pub fn session(&self, random: &[u8; 32]) -> Option<Arc<SessionSecrets>> {
        let later = self.later().and_then(|later| later.session(random));
        match (self.sessions.get(random), later) {
            (Some(own), Some(later)) => {
                let mut both = SessionSecrets::clone(own);
                both.add(&later, usize::MAX);
                Some(Arc::new(both))
            }
            (own, later) => own.cloned().or(later),
        }
    }

    /// A session whose secrets fit, of at most so many, and how many were tried. Where there are more none is
    /// tried: which ones would be chance.
    pub fn find(&self, most: usize, fits: impl Fn(&SessionSecrets) -> bool) -> (Option<Found>, usize) {
        let later = self.later().map(|later| &later.sessions);
        let all = || self.sessions.iter().chain(later.into_iter().flatten());
        let count = all().count();
        if count > most {
            return (None, 0);
        }
        let found = all().find(|(_, secrets)| fits(secrets)).map(|(random, _)| *random);
        (found.and_then(|random| Some((random, self.session(&random)?))), count)
    }

    /// Those of the session whose client hello stands in a packet, as lines of a key log, with its client
    /// random; of the first one that there are secrets of.
    pub fn of_packet(&self, packet: &[u8]) -> Option<([u8; 32], String)> {
        /// A record of the handshake, a client hello, and versions (RFC 8446 §4.1.2, §5.1).
        const HELLO: usize = 11;
        if self.is_empty() {
            return None;
        }
        packet.windows(HELLO + 32).find_map(|window| {
            let (hello, random) = window.split_at(HELLO);
            let &[22, 3, _, _, _, 1, _, _, _, 3, _] = hello else { return None };
            let random: [u8; 32] = random.try_into().ok()?;
            let session = self.session(&random)?;
            let mut lines = String::new();
            for (label, secret) in &session.0 {
                lines.push_str(label.name());
                for bytes in [&random[..], secret] {
                    lines.push(' ');
                    for byte in bytes {
                        let digit = |half: u8| char::from_digit(half.into(), 16).unwrap_or_default();
                        lines.extend([digit(byte >> 4), digit(byte & 15)]);
                    }
                }
                lines.push('\n');
            }
            Some((random, lines))
        })
    }
}

/// Hexadecimal digits as bytes.
fn bytes(digits: &[u8]) -> Option<Vec<u8>> {
    let digit = |digit: &u8| char::from(*digit).to_digit(16).map(|digit| digit as u8);
    let pair = |pair: &[u8]| Some(digit(pair.first()?)? << 4 | digit(pair.get(1)?)?);
    // What is longer is no secret of TLS.
    let fits = digits.len().is_multiple_of(2) && digits.len() <= 128;
    fits.then(|| digits.chunks(2).map(pair).collect()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_read_line_by_line() {
        let random = "ab".repeat(32);
        let log = format!(
            "\u{FEFF}# SSL/TLS secrets\r\nCLIENT_TRAFFIC_SECRET_0 {random} {}\r\n\r\n\
             SERVER_TRAFFIC_SECRET_0 {random} {}\nEXPORTER_SECRET {random} {}\n\
             RSA 0011223344556677 {}\nCLIENT_RANDOM {random} 0102\nCLIENT_RANDOM \
             {random}\nCLIENT_RANDOM xyz {}\nCLIENT_TRAFFIC_SECRET_1 {random} {}\nhello\n",
            "01".repeat(32),
            "02".repeat(32),
            "03".repeat(32),
            "04".repeat(48),
            "05".repeat(48),
            "06".repeat(32),
        );
        let mut secrets = Secrets::default();
        let bad: Vec<usize> = secrets.read(log.as_bytes()).iter().map(|bad| bad.line).collect();
        assert_eq!(bad, [7, 8, 9, 11], "the pre-master secret in line 6 is not needed");
        let session = secrets.session(&[0xAB; 32]).unwrap();
        assert_eq!((secrets.count(), session.count(), secrets.session(&[0; 32]).is_some()), (2, 2, false));
        assert_eq!(session.secret(Label::ServerTraffic), Some(&[2; 32][..]));
        assert_eq!(session.secret(Label::Master), None);
    }

    #[test]
    fn those_of_a_packet_are_found_by_its_hello() {
        let mut secrets = Secrets::default();
        let line = format!("CLIENT_RANDOM {} {}\n", "07".repeat(32), "5a".repeat(48));
        secrets.read(line.as_bytes());
        let mut packet = vec![0x16, 22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3];
        packet.extend([7; 32]);
        assert_eq!(secrets.of_packet(&packet), Some(([7; 32], line)));
        assert_eq!(secrets.of_packet(&packet[..40]), None);
        packet[20] = 8;
        assert_eq!(secrets.of_packet(&packet), None);
    }

    #[test]
    fn secrets_are_not_told() {
        let mut secrets = Secrets::default();
        let bad = secrets.read(format!("RSA {} {}", "5a".repeat(8), "5a".repeat(48)).as_bytes());
        secrets.read(format!("CLIENT_RANDOM {} {}", "01".repeat(32), "5a".repeat(48)).as_bytes());
        assert_eq!(bad.len(), 1);
        let told = format!("{secrets:?} {:?} {bad:?}", secrets.session(&[1; 32]));
        assert!(!told.contains("5a5a") && !told.contains("90, 90"), "{told}");
    }
}

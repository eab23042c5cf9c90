//! Which keys open what comes next, and what opens with them.

use super::super::TLS_1_3;
use super::super::cipher::{Opened, Opener};
use super::super::half::Stage;
use super::super::secrets::Label;
use super::super::suite::{self, Suite};
use super::{Carried, Ear, Event, Machine, Trouble};
use crate::model::{Dir, Flow, ON};

impl Machine {
    /// Whether it is TLS 1.3, as far as is known.
    pub(super) fn is_new(&self) -> bool {
        self.server.as_ref().is_some_and(|server| server.version == TLS_1_3)
    }

    pub(super) fn suite(&self) -> Result<Suite, Trouble> {
        let server = self.server.as_ref().ok_or(Trouble::Hole)?;
        if !matches!(server.version, 0x0303 | TLS_1_3) {
            return Err(Trouble::Version(server.version));
        }
        suite::suite(server.suite).ok_or(Trouble::Suite(server.suite))
    }

    fn secret(&self, label: Label) -> Result<Vec<u8>, Trouble> {
        if self.client.is_none() {
            return Err(Trouble::Hole);
        }
        self.secrets.secret(label).map(<[u8]>::to_vec).ok_or(Trouble::Missing(label))
    }

    /// Opens a record of TLS 1.2.
    pub(super) fn open(&mut self, dir: Dir, header: [u8; 5], body: &[u8], plain: &mut Vec<u8>) -> Attempt {
        let Some(opener) = &mut self.half(dir).opener else { return Attempt::Trouble(Trouble::Hole) };
        let sequence = opener.sequence;
        opener.sequence += 1;
        match opener.open_as(sequence, header, body, plain) {
            Some(opened) => Attempt::Opened(opened),
            None => Attempt::Trouble(Trouble::NotAuthentic),
        }
    }

    /// Opens a record of TLS 1.3. Where the secret of its handshake is not there, which messages are its last
    /// is not known: it goes on where one opens with the next secret.
    pub(super) fn open_new(
        &mut self,
        dir: Dir,
        header: [u8; 5],
        body: &[u8],
        plain: &mut Vec<u8>,
    ) -> Attempt {
        let is_handshake = self.half(dir).stage == Stage::Handshake;
        let label = label(dir, self.half(dir).stage);
        if self.half(dir).opener.is_none()
            && let Err(trouble) = self.key(dir, label)
        {
            if !is_handshake || !matches!(trouble, Trouble::Missing(_)) {
                return Attempt::Trouble(trouble);
            }
            let next = self::label(dir, Stage::Traffic);
            if let Err(next) = self.key(dir, next) {
                // The one that is needed first is worth naming.
                return Attempt::Trouble(if matches!(next, Trouble::Missing(_)) { trouble } else { next });
            }
            let opened = self.attempt(dir, header, body, plain);
            if opened.is_some() {
                self.half(dir).stage = Stage::Traffic;
            } else {
                self.half(dir).opener = None;
            }
            return opened.map_or(Attempt::Skipped, Attempt::Opened);
        }
        if let Some(opened) = self.attempt(dir, header, body, plain) {
            self.half(dir).has_opened = true;
            return Attempt::Opened(opened);
        }
        // The end of the handshake may have been in a hole.
        let next = self::label(dir, Stage::Traffic);
        if is_handshake
            && let Ok((mut opener, secret)) = self.opener(next)
            && let Some(opened) = opener.open_as(0, header, body, plain)
        {
            let half = self.half(dir);
            (half.stage, half.secret) = (Stage::Traffic, secret);
            opener.sequence = 1;
            half.opener = Some(opener);
            return Attempt::Opened(opened);
        }
        let is_early = is_handshake
            && dir == Dir::Client
            && !self.half(dir).has_opened
            && self.client.as_ref().is_some_and(|client| client.early_data);
        if is_early {
            return Attempt::Early;
        }
        if let Some(opener) = &mut self.half(dir).opener {
            opener.sequence += 1;
        }
        Attempt::Trouble(Trouble::NotAuthentic)
    }

    /// Opens a record with the keys at hand; one that does not open has no number.
    pub(in crate::tls) fn attempt(
        &mut self,
        dir: Dir,
        header: [u8; 5],
        body: &[u8],
        plain: &mut Vec<u8>,
    ) -> Option<Opened> {
        let opener = self.half(dir).opener.as_mut()?;
        let opened = opener.open_as(opener.sequence, header, body, plain)?;
        opener.sequence += 1;
        Some(opened)
    }

    /// Has a direction use a secret of TLS 1.3.
    pub(in crate::tls) fn key(&mut self, dir: Dir, label: Label) -> Result<(), Trouble> {
        let (opener, secret) = self.opener(label)?;
        let half = self.half(dir);
        (half.opener, half.secret) = (Some(opener), secret);
        Ok(())
    }

    /// What opens records with a secret of TLS 1.3, and the secret.
    pub(super) fn opener(&self, label: Label) -> Result<(Opener, Vec<u8>), Trouble> {
        let suite = self.suite()?;
        let secret = self.secret(label)?;
        let opener = Opener::of_traffic(suite, &secret).ok_or(Trouble::Missing(label))?;
        Ok((opener, secret))
    }

    /// What a direction sends is enciphered with new keys from here on, up to TLS 1.2.
    pub(super) fn change_cipher(&mut self, dir: Dir, carried: &Carried<'_>, to: &mut dyn Ear) -> Flow {
        match self.master_key(dir) {
            Ok(opener) => {
                let half = self.half(dir);
                (half.stage, half.opener) = (Stage::Traffic, Some(opener));
                half.forget_message();
                ON
            }
            Err(trouble) => {
                self.half(dir).block();
                to.hear(carried, Event::Trouble(trouble))
            }
        }
    }

    fn master_key(&mut self, dir: Dir) -> Result<Opener, Trouble> {
        let suite = self.suite()?;
        let master = self.secret(Label::Master)?;
        let (Some(client), Some(server)) = (&self.client, &self.server) else { return Err(Trouble::Hole) };
        let randoms = [&client.random, &server.random];
        let pair = Opener::of_master(suite, &master, randoms, server.encrypt_then_mac);
        let [of_client, of_server] = pair.ok_or(Trouble::Missing(Label::Master))?;
        Ok(if dir == Dir::Client { of_client } else { of_server })
    }
}

/// What came of opening a record.
pub(super) enum Attempt {
    Opened(Opened),
    /// It is taken for early data.
    Early,
    /// It is a message of a handshake whose secret is not there, and is not needed either.
    Skipped,
    Trouble(Trouble),
}

pub(super) fn label(dir: Dir, stage: Stage) -> Label {
    match (dir, stage) {
        (Dir::Client, Stage::Early) => Label::ClientEarly,
        (Dir::Client, Stage::Handshake) => Label::ClientHandshake,
        (Dir::Server, Stage::Handshake) => Label::ServerHandshake,
        (Dir::Client, _) => Label::ClientTraffic,
        (Dir::Server, _) => Label::ServerTraffic,
    }
}

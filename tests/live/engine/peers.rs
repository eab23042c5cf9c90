//! The reference's own clients: Socket.IO 4 and 2, Engine.IO 6 and 3, on every transport.

use std::time::Duration;

use wstool::lab::engine::programs::Echo;
use wstool::lab::engine::settings::Settings;
use wstool::lab::engine::{self, Engine};

use super::{Host, calm};
use crate::peers::{Ear, Peer, Running};

/// Each way there is, and where it ends.
pub const WAYS: [(&str, &str); 3] =
    [("polling", "polling"), ("websocket", "websocket"), ("upgrade", "websocket")];

/// Hearts beat meanwhile; who is busy is not missed.
pub fn beating() -> Settings {
    Settings { ping_interval: Duration::from_millis(100), ping_timeout: Duration::from_mins(10), ..calm() }
}

pub fn start(kind: &str, version: &str, host: &Host, way: &str) -> Option<Running> {
    let mut command = Peer::SocketIo.command("engine")?;
    let url = format!("http://{}", host.address);
    Some(Running::start(command.args([kind, version, &url, way]), Ear::Stdout))
}

#[test]
fn clients_of_socket_io_are_at_home() {
    for version in ["4", "2"] {
        for (way, ends) in WAYS {
            let host = Host::start(vec![engine::chat(beating())]);
            let Some(running) = start("socket.io", version, &host, way) else { return };
            let expected = format!(
                r#"connect {ends}
connect {ends}
login [{{"name":"ann","ok":true,"online":1}}]
login [{{"name":"bob","ok":true,"online":2}}]
user joined ["bob",2]
online users [["ann","bob"],2]
others [1]
chat message ["héllo € 你好 😀",{{"a":[1]}},"ann"]
others [1]
chat message ["<0102>",{{"b":"<03>"}},"ann"]
echo [1,"<0506>",null]
ask [[{{"tea? ann":"<07>"}}]]
join [{{"ok":true}}]
others [1]
room message ["tea","hi","ann"]
leave [{{"ok":true}}]
others [0]
refused Invalid namespace
refused Not authorized
kick [true]
user left ["bob",1]
disconnect io server disconnect
disconnect io client disconnect
"#
            );
            assert_eq!(running.all(), expected, "{version} {way}");
        }
    }
}

#[test]
fn clients_of_engine_io_are_at_home() {
    for version in ["6", "3"] {
        for (way, ends) in WAYS {
            let settings = Settings { path: "/engine.io/".to_owned(), ..beating() };
            let host = Host::start(vec![Engine::new(settings, Echo)]);
            let Some(running) = start("engine.io", version, &host, way) else { return };
            let expected = format!(
                "open {ends}\nmessage \"héllo € 你好 😀\"\nmessage \"<01020304>\"\nmessage 100000\nbeat\n\
                 close forced close\n"
            );
            assert_eq!(running.all(), expected, "{version} {way}");
        }
    }
}

#[test]
fn clients_come_back_after_a_restart() {
    for version in ["4", "2"] {
        for (way, _) in WAYS {
            let host = Host::start(vec![engine::chat(beating())]);
            let port = host.address.port();
            let Some(mut running) = start("restart", version, &host, way) else { return };
            assert_eq!(running.line(), "echo [1]", "{version} {way}");
            drop(host);
            let gone = running.line();
            assert!(gone.starts_with("disconnect transport"), "{version} {way}: {gone}");
            let _host = Host::start_at(port, vec![engine::chat(beating())]);
            assert_eq!(running.line(), "echo [2]", "{version} {way}");
            assert_eq!(running.line(), "disconnect io client disconnect", "{version} {way}");
        }
    }
}

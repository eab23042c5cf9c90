//! The same causes come of the same traffic, however it is handed over; and none of traffic that is right.
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use wstool::synth::Rng;
use wstool::synth::rewrite::Packet;

use crate::healthy::{healthy, packets_of, pcap};
use crate::run::decode;
use crate::shelf::{Sample, incidents};

/// What is told of samples of healthy traffic stands in `causes.tsv`, each with the reason why it is right.
#[test]
fn traffic_that_is_right_has_no_cause_but_those_listed() {
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples/causes.tsv");
    let list = fs::read_to_string(list).expect("tests/samples/causes.tsv");
    let mut listed = BTreeSet::new();
    for line in list.lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<_> = line.split('\t').collect();
        let [sample, cause, reason] = columns[..] else { panic!("three columns: {line}") };
        assert!(reason.len() > 20, "no reason: {line}");
        assert!(listed.insert((sample.to_owned(), cause.to_owned())), "twice: {line}");
    }
    let mut found = BTreeSet::new();
    for sample in healthy() {
        for cause in decode(&sample.bytes()).of("cause") {
            found.insert((sample.name.clone(), cause["id"].as_str().expect("an id").to_owned()));
        }
    }
    let new: Vec<_> = found.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&found).collect();
    assert!(new.is_empty() && gone.is_empty(), "not listed: {new:#?}\nlisted, but not found: {gone:#?}");
}

/// A capture's causes: what is said, of how many, to whom. Times are left out: they differ with the order.
type Told = BTreeSet<(String, String, String, u64)>;

fn told<'a>(records: impl Iterator<Item = &'a Value>) -> Told {
    records
        .map(|cause| {
            let text = |key: &str| cause[key].as_str().unwrap_or_default().to_owned();
            (text("id"), text("what"), text("server"), cause["connections"].as_u64().unwrap_or_default())
        })
        .collect()
}

/// What the program says of these arguments, and of this input.
fn program(args: &[&Path], input: Option<&[u8]>) -> Told {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wstool"));
    command.args(["decode", "--format", "ndjson", "--view", "causes"]).args(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("it is piped");
    if let Some(input) = input {
        // What it has enough of, it need not read.
        let _ = stdin.write_all(input);
    }
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    let records: Vec<Value> = String::from_utf8(output.stdout)
        .expect("UTF-8")
        .lines()
        .map(|line| serde_json::from_str(line).expect("a record"))
        .collect();
    told(records.iter().filter(|record| record["type"] == "cause"))
}

/// Some incidents: all would take long, and are alike.
fn some() -> Vec<(Sample, Vec<Packet>)> {
    let mut all: Vec<_> = incidents()
        .into_iter()
        .filter_map(|sample| packets_of(&sample).map(|packets| (sample, packets)))
        .filter(|(_, packets)| packets.len() < 1500)
        .collect();
    assert!(all.len() > 40, "{}", all.len());
    all.sort_by_key(|(_, packets)| packets.len());
    all
}

#[test]
fn one_file_or_several_or_a_pipe() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rotated");
    fs::create_dir_all(&folder).expect("a folder");
    let mut rng = Rng::new(7);
    let mut wrong = String::new();
    for (sample, packets) in some().into_iter().step_by(3) {
        let whole = pcap(&packets, 1 << 18);
        let expected = told(decode(&whole).of("cause"));
        let first = 1 + rng.below(packets.len() as u64 / 2 + 1) as usize;
        let parts = [&packets[..first], &packets[first..]];
        let paths = ["a.pcap", "b.pcap"].map(|name| folder.join(name));
        for (path, part) in paths.iter().zip(parts) {
            fs::write(path, pcap(part, 1 << 18)).expect("it can be written");
        }
        let concat = program(&[Path::new("--concat"), &paths[0], &paths[1]], None);
        let piped = program(&[Path::new("-")], Some(&whole));
        for (how, got) in [("in two files", concat), ("through a pipe", piped)] {
            if got != expected {
                let _ = writeln!(wrong, "{} {how}: {got:#?}\nand not {expected:#?}", sample.name);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Neighbours of the same direction that both carry data change places, as on a network with two ways.
#[test]
fn segments_in_any_order() {
    let mut rng = Rng::new(11);
    let mut wrong = String::new();
    for (sample, packets) in some() {
        let expected = told(decode(&pcap(&packets, 1 << 18)).of("cause"));
        for turn in 0..3 {
            let mut mixed = packets.clone();
            for at in 1..mixed.len() {
                if rng.one_in(3) && are_data_of_one(&mixed[at - 1].1, &mixed[at].1) {
                    let (before, after) = (mixed[at - 1].1.clone(), mixed[at].1.clone());
                    (mixed[at - 1].1, mixed[at].1) = (after, before);
                }
            }
            let got = told(decode(&pcap(&mixed, 1 << 18)).of("cause"));
            if got != expected {
                let _ = writeln!(wrong, "{}, turn {turn}: {got:#?}\nand not {expected:#?}", sample.name);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Whether both packets carry data of the same direction of one connection.
fn are_data_of_one(one: &[u8], other: &[u8]) -> bool {
    use etherparse::{SlicedPacket, TransportSlice};
    let of = |packet: &[u8]| {
        let sliced = SlicedPacket::from_ethernet(packet).ok()?;
        let Some(TransportSlice::Tcp(tcp)) = sliced.transport else { return None };
        let plain = !tcp.payload().is_empty() && !tcp.fin() && !tcp.rst() && !tcp.syn();
        plain.then(|| (tcp.source_port(), tcp.destination_port()))
    };
    of(one).is_some() && of(one) == of(other)
}

/// Connections through a proxy at 10.0.0.5: of each its client, when it begins in milliseconds, and whether
/// the client's own leg is in the capture as well. All end of the same cause, 30 ms later.
fn through_proxy(clients: &[(&str, u32)], is_both: bool) -> String {
    let mut script = String::new();
    for (n, (client, began)) in clients.iter().enumerate() {
        let key = format!("{n:A<21}Q==");
        let mut leg = |ends: &str, later: u32, fields: &str| {
            let at = 1000 * began + later;
            let _ = write!(
                script,
                "connection {ends} at={at}us\nrequest path=/feed key=\"{key}\" {fields}\nwait 5ms\nresponse\n\
                 wait 30ms\nserver close 1011 \"db pool exhausted\"\nclient close 1011\n"
            );
        };
        let port = 40_000 + n;
        if is_both {
            leg(&format!("client={client}:{port} server=10.0.0.5:80"), 0, "");
        }
        let fields = format!("header=\"X-Forwarded-For: {client}\"");
        leg(&format!("client=10.0.0.5:{port} server=10.0.0.7:9001"), 1200, &fields);
    }
    script
}

/// What is told of a script: how often, and what.
fn causes_of(script: &str) -> Vec<(String, u64, String)> {
    let said = decode(&crate::run::pcap(&crate::run::packets(script)));
    let text = |cause: &Value, key: &str| cause[key].as_str().unwrap_or_default().to_owned();
    let connections = |cause: &Value| cause["connections"].as_u64().unwrap_or_default();
    said.of("cause").map(|cause| (text(cause, "id"), connections(cause), text(cause, "what"))).collect()
}

#[test]
fn clients_behind_a_proxy_are_told_apart() {
    let storm: Vec<_> = (0..8).map(|n| ("203.0.113.7", 80 * n)).chain([("203.0.113.8", 2000)]).collect();
    let told = causes_of(&through_proxy(&storm, false));
    let what = told.iter().find(|(id, ..)| id == "reconnect-storm").map(|(_, _, what)| what.as_str());
    assert_eq!(
        what,
        Some("203.0.113.7 connects to 10.0.0.7:9001 again and again, with hardly a pause"),
        "{told:#?}"
    );
    // Each comes once: no client is hasty.
    let clients: Vec<String> = (1..9).map(|n| format!("203.0.113.{n}")).collect();
    let each: Vec<_> = (0..8).map(|n| (clients[n as usize].as_str(), 80 * n)).collect();
    let told = causes_of(&through_proxy(&each, false));
    assert!(told.iter().all(|(id, ..)| id == "close-1011"), "{told:#?}");
}

/// Who is asked for credentials brings them at once, as with NTLM, and that time after time.
#[test]
fn credentials_that_are_asked_for_make_no_storm() {
    let asked = |n: u32, header: &str, then: &str| {
        let (at, port) = (400 * n, 40_000 + n);
        format!(
            "connection client=203.0.113.7:{port} server=10.0.0.7:9001 at={at}ms\n\
             request path=/feed {header}\n{then}\n"
        )
    };
    let refused = "response line=\"HTTP/1.1 401 Unauthorized\" header=\"WWW-Authenticate: Negotiate\" \
                   header=\"Content-Length: 0\"\nfin server\nfin client";
    let taken = "response\nclient text \"a\"\nwait 300ms\nclient close 1000\nserver close 1000\n\
                 fin server\nfin client";
    let told = |then: &str| {
        let each = (0..16).map(|n| match n % 2 {
            0 => asked(n, "", refused),
            _ => asked(n, "header=\"Authorization: Negotiate AA==\"", then),
        });
        let told = causes_of(&each.collect::<String>());
        told.into_iter().map(|(id, ..)| id).collect::<Vec<_>>()
    };
    assert_eq!(told(taken), ["handshake-rejected"]);
    // One that is refused in spite of them does not give up.
    assert!(told(refused).iter().any(|id| id == "reconnect-storm"), "{:?}", told(refused));
}

#[test]
fn both_legs_of_a_way_through_a_proxy_are_told_once() {
    let storm: Vec<_> = (0..8).map(|n| ("203.0.113.7", 80 * n)).collect();
    let told = causes_of(&through_proxy(&storm, true));
    let told: Vec<_> = told.iter().map(|(id, connections, what)| (&**id, *connections, &**what)).collect();
    let closed = "ended with 1011 “db pool exhausted”, sent by the server";
    let storm = "203.0.113.7 connects to 10.0.0.5:80 again and again, with hardly a pause";
    assert_eq!(told, [("close-1011", 8, closed), ("reconnect-storm", 1, storm)]);
    // Two connections that end alike, and have nothing to do with each other, are two.
    let two = [("203.0.113.7", 0), ("203.0.113.8", 10)];
    let told = causes_of(&through_proxy(&two, false));
    assert_eq!(told, [("close-1011".to_owned(), 2, closed.to_owned())]);
}

#[test]
fn a_timeout_of_a_proxy_is_told_of_the_leg_that_shows_whose_it_is() {
    let key = "request path=/feed key=\"AAAAAAAAAAAAAAAAAAAAAQ==\"";
    let client = format!(
        "connection client=203.0.113.7:40000 server=10.0.0.5:80\n{key}\nwait 5ms\nresponse\n\
         client text \"a\"\nwait 60s\nfin server\nfin client\n"
    );
    let server = format!(
        "connection client=10.0.0.5:40001 server=10.0.0.7:9001 at=1200us\n\
         {key} header=\"X-Forwarded-For: 203.0.113.7\"\nresponse\nclient text \"a\"\nwait 60s\n\
         fin client\nfin server\n"
    );
    let of = |script: &str| -> Vec<(u64, String)> {
        causes_of(script).into_iter().map(|(_, connections, what)| (connections, what)).collect()
    };
    let by = |who: &str| format!("ended by the {who} after 60 s of silence, without a Close frame");
    // The proxy ends its own connection to the server first.
    assert_eq!(of(&format!("{client}{server}")), [(1, by("server"))]);
    assert_eq!(of(&server), [(1, by("client"))]);
    // Where the client's goes on, what is known of the other is told all the same.
    let longer = client.replace("wait 60s", "wait 60s\nclient text \"b\"\nwait 2s\nclient close 1000");
    let told = of(&format!("{longer}{server}"));
    assert!(told.contains(&(1, by("client"))), "{told:?}");
}

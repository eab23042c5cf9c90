//! A server that ends while it is graded: which case it was, and whom that is not held against.

use std::net::{Shutdown, TcpListener};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::{Kind, Seen, cases, grade, serve};

/// A server that ends when it is told so.
fn fragile(is_restarted: bool) -> String {
    let mut listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        loop {
            let seen = Arc::new(Seen::default());
            listener.set_nonblocking(true).expect("a socket");
            while !seen.ends.load(SeqCst) {
                let Ok((stream, _)) = listener.accept() else {
                    thread::sleep(Duration::from_millis(2));
                    continue;
                };
                stream.set_nonblocking(false).expect("a socket");
                let told = Arc::clone(&seen);
                thread::spawn(move || serve(stream, Kind::Fragile, 1, &told));
            }
            drop(listener);
            for stream in seen.everybody.lock().expect("no panics").iter() {
                let _ = stream.shutdown(Shutdown::Both);
            }
            if !is_restarted {
                break;
            }
            thread::sleep(Duration::from_millis(700));
            listener = TcpListener::bind(address).expect("it is free again");
        }
    });
    format!("ws://{address}")
}

/// Cases that take a while, and one that the server ends at, among them.
fn deadly(name: &str) -> String {
    let title = "title = { en = \"x\", zh = \"x\" }\ncite = [\"RFC 6455 §5\"]";
    let rows: Vec<String> = (1..=12).map(|n| format!("{{ n = {n} }}")).collect();
    let text = format!(
        "chapter = \"control\"\n\
         [[case]]\nid = \"deadly\"\n{title}\nplay = \"wait 100ms\\ntext \\\"die\\\"\"\ncloser = \"either\"\n\
         clean = false\n\
         [[case]]\nid = \"slow-{{n}}\"\n{title}\neach = [{}]\nplay = \"wait 400ms\\ntext \\\"a\\\"\"\n\
         pass = \"echo\"\n",
        rows.join(", ")
    );
    cases(name, &text)
}

/// Its end takes the connections of others with it, whose cases are not to blame.
#[test]
fn whom_the_server_ended_at_is_found_out() {
    for jobs in ["8", "1"] {
        let (url, deadly) = (fragile(true), deadly(&format!("deadly-{jobs}")));
        let args = ["--cases-file", &deadly, "--jobs", jobs, "--endpoint", "echo", "--format", "json"];
        let (code, out, err) = grade(&[&[&*url][..], &args].concat());
        assert_eq!(code, Some(1), "{out}{err}");
        let report: Value = serde_json::from_str(&out).expect("JSON");
        let all = report["peers"][0]["cases"].as_array().expect("cases").clone();
        assert_eq!(all.len(), 13, "{report:#}");
        for one in &all {
            let is_deadly = one["id"] == "control.deadly";
            assert_eq!(one["verdict"], if is_deadly { "fail" } else { "pass" }, "--jobs {jobs}: {one:#}");
            assert_eq!(one["why"].as_str().is_some_and(|why| why.contains("the server ended")), is_deadly);
        }
        assert!(err.contains("the server ended at: control.deadly"), "{err}");
    }
    // Where nobody starts it again that cannot be found out, and nobody is said to have been it.
    let (url, deadly) = (fragile(false), deadly("deadly-once"));
    let (code, out, err) = grade(&[&url, "--cases-file", &deadly, "--jobs", "8", "--endpoint", "echo"]);
    assert_eq!(code, Some(1), "{out}{err}");
    assert!(out.contains("which of them it was, --jobs 1 shows"), "{out}{err}");
    assert!(err.contains("the server is gone") && !err.contains("ended at"), "{err}");
}

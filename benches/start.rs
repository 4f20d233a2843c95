//! Start to first frame, and memory: the budgets of the kiosk and the hub.
//!
//! Prints one line a budget, `budget NAME VALUE LIMIT ok|short`, and exits 0 when it could measure.
//! Run it on a quiet machine: `cargo bench --bench start`.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

/// The middle of this many starts is quoted.
const RUNS: usize = 5;

struct Started {
    child: Child,
    ready_ms: f64,
    addresses: Vec<(String, String)>,
}

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().to_string_lossy().into_owned();
    // The first start makes keys and files; what a kiosk does each morning is measured after it.
    stop(start(&[
        "demo",
        "--display",
        "web",
        "--port",
        "0",
        "--data",
        &data,
    ]));
    let config = |role: &str| {
        folder
            .path()
            .join(format!("{role}.toml"))
            .to_string_lossy()
            .into_owned()
    };

    let (kiosk, office) = (config("kiosk"), config("office"));
    let mut frames = Vec::new();
    let mut kiosk_memory = Vec::new();
    let mut hub_starts = Vec::new();
    let mut hub_memory = Vec::new();
    for _ in 0..RUNS {
        let hub = start(&["office", "--config", &office]);
        hub_starts.push(hub.ready_ms);
        let screen = start(&["kiosk", "--config", &kiosk, "--display", "web"]);
        let url = screen
            .addresses
            .iter()
            .find(|(name, _)| name == "kiosk")
            .map(|(_, url)| url.clone());
        let begun = Instant::now();
        let png = fetch(&format!("{}/screen.png", url.expect("the kiosk's address")));
        assert!(png.starts_with(b"\x89PNG"), "a picture");
        frames.push(screen.ready_ms + begun.elapsed().as_secs_f64() * 1000.0);
        kiosk_memory.push(memory_mb(&screen.child));
        hub_memory.push(memory_mb(&hub.child));
        stop(screen);
        stop(hub);
    }
    budget("kiosk_first_frame_ms", median(&mut frames), 500.0);
    budget("kiosk_memory_mb", median(&mut kiosk_memory), 80.0);
    budget("hub_start_ms", median(&mut hub_starts), 1000.0);
    budget("hub_memory_mb", median(&mut hub_memory), 40.0);
}

#[expect(clippy::print_stdout, reason = "the lines are the result")]
fn budget(name: &str, value: f64, limit: f64) {
    let verdict = if value <= limit { "ok" } else { "short" };
    println!("budget {name} {value:.0} {limit:.0} {verdict}");
}

fn start(arguments: &[&str]) -> Started {
    let begun = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_ventanilla"))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let lines = BufReader::new(child.stdout.take().expect("standard output")).lines();
    let mut addresses = Vec::new();
    for line in lines.map_while(Result::ok) {
        if line == "ready" {
            break;
        }
        if let Some((name, value)) = line.split_once(' ') {
            addresses.push((name.to_owned(), value.to_owned()));
        }
    }
    Started {
        child,
        ready_ms: begun.elapsed().as_secs_f64() * 1000.0,
        addresses,
    }
}

fn stop(mut started: Started) {
    let _ = Command::new("kill").arg(started.child.id().to_string()).status();
    let _ = started.child.wait();
}

/// Resident memory of a process, in MB.
fn memory_mb(child: &Child) -> f64 {
    let text =
        std::fs::read_to_string(format!("/proc/{}/status", child.id())).expect("Linux tells memory in /proc");
    let kib = text
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse::<f64>().ok())
        .expect("a VmRSS line");
    kib / 1024.0
}

fn fetch(url: &str) -> Vec<u8> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let _ = rustls::crypto::ring::default_provider().install_default();
    runtime.block_on(async {
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let response = client.get(url).send().await.expect("an answer");
        response.bytes().await.expect("a body").to_vec()
    })
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

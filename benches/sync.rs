//! Central under load: acknowledgements, a city's outage drained, sealing, memory.
//!
//! The program itself is started and handed submissions over HTTP, by the sender that kiosks and offices use.
//! What is durable is quoted as a ratio to `fdatasync` on the same file system, measured in turn with it.
//! Prints one line a budget, `budget NAME VALUE LIMIT ok|short`, and exits 0 when it could measure.
//! Run it on a quiet machine: `cargo bench --no-default-features --bench sync`; with `VENTANILLA_TEST_POSTGRES` the
//! drain is measured into PostgreSQL too. `VENTANILLA_BENCH_ITEMS` drains fewer than 100,000, for a try.

#[path = "sync/city.rs"]
mod city;

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use city::{City, Pool};
use jiff::SignedDuration;
use ventanilla::app::Stop;
use ventanilla::app::outbox::{Sender, Upstream};
use ventanilla::clock::Clock;
use ventanilla::store::{Db, kiosk, outbox};
use ventanilla::sync::client::Client;
use ventanilla::sync::plan::Delays;

/// Senders at once.
const CROWDS: [usize; 2] = [1, 64];
/// Each crowd is measured this many times, in turn with the disk; the middle is quoted.
const ROUNDS: usize = 5;
/// How long one measurement takes.
const SLICE: Duration = Duration::from_millis(1200);
/// A city's two days without a line: 500 kiosks, 200 submissions each.
const QUEUED: usize = 100_000;
/// Submissions that are sealed one by one to see how long that takes.
const SEALED: usize = 1_000;

fn main() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let queued = std::env::var("VENTANILLA_BENCH_ITEMS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(QUEUED);

    let mut pool = Pool::new();
    let mut seals: Vec<f64> = (0..SEALED).map(|_| pool.seal_one_ms()).collect();
    at_most("seal_one_ms", median(&mut seals), 2.0);

    let city = City::start(&folder.path().join("crowds"), None);
    runtime.block_on(crowds(&city, &mut pool, folder.path()));
    city.stop();

    let full = folder.path().join("full.db");
    city::fill(&full, queued);
    let city = City::start(&folder.path().join("sqlite"), None);
    let seconds = runtime.block_on(drain(&city, &full, folder.path(), queued));
    at_most("drain_100000_into_sqlite_s", seconds, 120.0);
    at_most("central_memory_after_drain_mb", city.memory_mb(), 80.0);
    city.stop();

    match std::env::var("VENTANILLA_TEST_POSTGRES") {
        Ok(url) => {
            let url = runtime.block_on(city::fresh_tables(&url));
            let city = City::start(&folder.path().join("postgres"), Some(url));
            let seconds = runtime.block_on(drain(&city, &full, folder.path(), queued));
            at_most("drain_100000_into_postgresql_s", seconds, 60.0);
            city.stop();
        }
        Err(_) => say("skipped drain_100000_into_postgresql_s: VENTANILLA_TEST_POSTGRES is not set"),
    }
}

/// Acknowledgements a second with some senders at once, each with one item on the line.
async fn crowds(city: &City, pool: &mut Pool, folder: &Path) {
    for senders in CROWDS {
        let mut pairs = Vec::new();
        for _ in 0..ROUNDS {
            let disk = raw_rate(folder, SLICE);
            let lines = (0..senders).map(|_| pool.take(if senders == 1 { 3_000 } else { 400 }));
            let lines: Vec<_> = lines.map(|items| (city.client(), items)).collect();
            pairs.push((acknowledged(lines).await, disk));
        }
        let ratio = middle(&pairs, &format!("acknowledgements_{senders}"));
        let limit = if senders == 1 { 0.5 } else { 3.0 };
        at_least(&format!("acknowledgements_{senders}_to_fdatasync"), ratio, limit);
    }
}

async fn acknowledged(lines: Vec<(Client, Vec<ventanilla::domain::submission::Item>)>) -> f64 {
    let begun = Instant::now();
    let tasks: Vec<_> = lines
        .into_iter()
        .map(|(client, items)| {
            tokio::spawn(async move {
                let mut done = 0_u32;
                for item in &items {
                    if begun.elapsed() >= SLICE {
                        break;
                    }
                    city::hand_in(&client, std::slice::from_ref(item)).await;
                    done += 1;
                }
                done
            })
        })
        .collect();
    let mut done = 0;
    for task in tasks {
        done += task.await.expect("a sender");
    }
    f64::from(done) / begun.elapsed().as_secs_f64()
}

/// Seconds until a full outbox is acknowledged, by the real sender.
async fn drain(city: &City, full: &Path, folder: &Path, queued: usize) -> f64 {
    let own = folder.join("drained.db");
    std::fs::copy(full, &own).expect("a copy");
    let db = Db::open(&own, kiosk::SCHEMA).expect("an outbox").db;
    let stop = Stop::default();
    let upstream = Upstream {
        client: city.client(),
        receipt_keys: vec![city.receipt_key()],
    };
    let delays = Delays {
        cap: SignedDuration::from_secs(1),
        ..Delays::default()
    };
    let begun = Instant::now();
    let (_sender, task) = Sender::start(db.clone(), upstream, Clock::System, stop.clone(), delays);
    loop {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let counts = db.read(outbox::counts).expect("counts");
        if counts.queued == 0 {
            break;
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    stop.stop();
    let _ = task.await;
    drop(db);
    std::fs::remove_file(&own).expect("the copy is ours");
    fact(&format!("drained_a_second_of_{queued}"), queued as f64 / seconds);
    // Quoted for the full number, also where fewer were drained for a try.
    seconds * QUEUED as f64 / queued as f64
}

/// Appends of 4 KiB a second, each flushed by `fdatasync`: what the disk can do.
fn raw_rate(folder: &Path, slice: Duration) -> f64 {
    let path = folder.join("raw");
    let mut file = File::create(&path).expect("a file");
    let page = [0x5a_u8; 4096];
    let begun = Instant::now();
    let mut done = 0_u32;
    while begun.elapsed() < slice {
        file.write_all(&page).expect("room on the disk");
        file.sync_data().expect("a disk that flushes");
        done += 1;
    }
    f64::from(done) / begun.elapsed().as_secs_f64()
}

/// The middle of the ratios of what was measured in turn; the rates themselves are told beside it.
fn middle(pairs: &[(f64, f64)], name: &str) -> f64 {
    let mut ratios: Vec<f64> = pairs.iter().map(|(rate, disk)| rate / disk).collect();
    let mut rates: Vec<f64> = pairs.iter().map(|(rate, _)| *rate).collect();
    let mut disks: Vec<f64> = pairs.iter().map(|(_, disk)| *disk).collect();
    fact(&format!("{name}_a_second"), median(&mut rates));
    fact(&format!("{name}_fdatasync_a_second"), median(&mut disks));
    median(&mut ratios)
}

fn at_most(name: &str, value: f64, limit: f64) {
    budget(name, value, limit, value <= limit);
}

fn at_least(name: &str, value: f64, limit: f64) {
    budget(name, value, limit, value >= limit);
}

fn budget(name: &str, value: f64, limit: f64, held: bool) {
    let verdict = if held { "ok" } else { "short" };
    say(&format!("budget {name} {value:.2} {limit} {verdict}"));
}

fn fact(name: &str, value: f64) {
    say(&format!("measured {name} {value:.2}"));
}

#[expect(clippy::print_stdout, reason = "the lines are the result")]
fn say(line: &str) {
    println!("{line}");
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

//! The office's hub under load: the budgets of tickets, calls, boards, memory and start.
//!
//! The program itself is started on a file with a year of history and used over HTTP, as kiosks and consoles do.
//! What is durable is quoted as a ratio to `fdatasync` on the same file system, measured in turn with it.
//! Prints one line a budget, `budget NAME VALUE LIMIT ok|short`, and exits 0 when it could measure.
//! Run it on a quiet machine: `cargo bench --no-default-features --bench office`.

#[path = "office/history.rs"]
mod history;
#[path = "office/hub.rs"]
mod hub;

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use hub::{Client, Hub};
use tokio::task::JoinSet;

/// Clients at once.
const CROWDS: [usize; 3] = [1, 16, 64];
/// Each crowd is measured this many times, in turn with the disk; the middle is quoted.
const ROUNDS: usize = 5;
/// How long one measurement takes.
const SLICE: Duration = Duration::from_millis(1200);
/// Tickets that wait when the day is measured.
const DAY: u32 = 10_000;
/// Rows of history before that day.
const HISTORY: u32 = 300_000;
/// Tickets of a full day of a large office, for its memory.
const FULL_DAY: u32 = 3_200;
/// Boards of a large office.
const BOARDS: usize = 10;

fn main() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");

    let busy = folder.path().join("busy");
    history::write(&busy, HISTORY, DAY, 0);
    let hub = Hub::start(&busy);
    runtime.block_on(next_on_a_long_day(&hub));
    runtime.block_on(boards_hear(&hub));
    runtime.block_on(crowds(&hub, folder.path()));
    hub.stop();

    let full = folder.path().join("full");
    history::write(&full, HISTORY, FULL_DAY, FULL_DAY - 60);
    let mut starts: Vec<f64> = Vec::new();
    let mut memory: Vec<f64> = Vec::new();
    for _ in 0..3 {
        let hub = Hub::start(&full);
        starts.push(hub.ready_ms);
        runtime.block_on(a_quarter_of_an_hour(&hub));
        memory.push(hub.memory_mb());
        hub.stop();
    }
    at_most("hub_start_full_day_ms", median(&mut starts), 1000.0);
    at_most("hub_memory_full_day_mb", median(&mut memory), 40.0);
}

/// One counter calls, attends and finishes while ten thousand wait.
async fn next_on_a_long_day(hub: &Hub) {
    let mut counter = Client::staff(hub, 1).await;
    let mut waits = Vec::new();
    for _ in 0..400 {
        waits.push(counter.serve_one().await);
    }
    at_most("next_p99_ms", percentile(&mut waits, 0.99), 25.0);
}

/// From the moment a counter asks to the moment the last of ten boards has heard of it.
async fn boards_hear(hub: &Hub) {
    let mut boards = JoinSet::new();
    let (heard, mut hearing) = tokio::sync::mpsc::unbounded_channel::<Instant>();
    for _ in 0..BOARDS {
        let mut listener = hub.listen().await;
        let heard = heard.clone();
        boards.spawn(async move {
            while listener.called().await {
                if heard.send(Instant::now()).is_err() {
                    return;
                }
            }
        });
    }
    let mut counter = Client::staff(hub, 2).await;
    let mut delays = Vec::new();
    for _ in 0..200 {
        let begun = Instant::now();
        counter.serve_one().await;
        let mut last = begun;
        for _ in 0..BOARDS {
            last = last.max(hearing.recv().await.expect("a board that listens"));
        }
        delays.push((last - begun).as_secs_f64() * 1000.0);
    }
    boards.abort_all();
    at_most("call_to_board_p99_ms", percentile(&mut delays, 0.99), 50.0);
}

/// Tickets and calls by 1, 16 and 64 at once, in turn with the bare disk.
async fn crowds(hub: &Hub, folder: &Path) {
    for crowd in CROWDS {
        let mut issuing = Vec::new();
        let mut serving = Vec::new();
        let mut issue_waits = Vec::new();
        let mut next_waits = Vec::new();
        for _ in 0..ROUNDS {
            let disk = raw_rate(folder, SLICE / 2);
            let (issued, waits) = many(hub, crowd, false).await;
            issue_waits.extend(waits);
            let disk = f64::midpoint(disk, raw_rate(folder, SLICE / 2));
            let (served, waits) = many(hub, crowd, true).await;
            next_waits.extend(waits);
            issuing.push((issued, disk));
            serving.push((served, disk));
        }
        let issue = middle(&issuing, &format!("issue_{crowd}"));
        match crowd {
            1 => at_least("issue_ratio_1_client", issue, 0.5),
            16 => at_most(
                "issue_p99_ms_16_clients",
                percentile(&mut issue_waits, 0.99),
                25.0,
            ),
            _ => at_least("issue_ratio_64_clients", issue, 10.0),
        }
        let moves = middle(&serving, &format!("moves_{crowd}"));
        if crowd == 1 {
            at_least("moves_ratio_1_client", moves, 0.5);
        }
        fact(&format!("issue_ratio_{crowd}"), issue);
        fact(&format!("moves_ratio_{crowd}"), moves);
        for (name, waits) in [("issue", &mut issue_waits), ("next", &mut next_waits)] {
            fact(&format!("{name}_p50_ms_{crowd}"), percentile(waits, 0.5));
            fact(&format!("{name}_p99_ms_{crowd}"), percentile(waits, 0.99));
        }
    }
}

/// Committed requests a second of a crowd, and how long each ticket or each call took, in milliseconds.
async fn many(hub: &Hub, crowd: usize, calls: bool) -> (f64, Vec<f64>) {
    let mut clients = Vec::new();
    for n in 0..crowd {
        let number = u16::try_from(n + 1).expect("a small crowd");
        clients.push(if calls {
            Client::staff(hub, number).await
        } else {
            Client::kiosk(hub).await
        });
    }
    let mut running = JoinSet::new();
    let begun = Instant::now();
    for mut client in clients {
        running.spawn(async move {
            let mut waits = Vec::new();
            let mut done = 0_u32;
            while begun.elapsed() < SLICE {
                if calls {
                    waits.push(client.serve_one().await);
                    done += 3;
                } else {
                    waits.push(client.take_ticket().await);
                    done += 1;
                }
            }
            (done, waits)
        });
    }
    let mut total = 0;
    let mut all = Vec::new();
    while let Some(one) = running.join_next().await {
        let (done, waits) = one.expect("a client that finished");
        total += done;
        all.extend(waits);
    }
    (f64::from(total) / begun.elapsed().as_secs_f64(), all)
}

/// Ten boards listen while thirty more tickets are given and served.
async fn a_quarter_of_an_hour(hub: &Hub) {
    let mut listeners = Vec::new();
    for _ in 0..BOARDS {
        listeners.push(hub.listen().await);
    }
    let mut kiosk = Client::kiosk(hub).await;
    for number in 1..=5 {
        // A counter of each queue, so that as many are served as come.
        let mut counter = Client::staff(hub, number).await;
        for _ in 0..6 {
            kiosk.take_ticket().await;
            counter.serve_one().await;
        }
    }
    for mut listener in listeners {
        assert!(listener.called().await, "a board that heard a call");
    }
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

#[expect(clippy::print_stdout, reason = "the lines are the result")]
fn budget(name: &str, value: f64, limit: f64, held: bool) {
    let verdict = if held { "ok" } else { "short" };
    println!("budget {name} {value:.2} {limit} {verdict}");
}

#[expect(clippy::print_stdout, reason = "the lines are the result")]
fn fact(name: &str, value: f64) {
    println!("measured {name} {value:.2}");
}

fn median(values: &mut [f64]) -> f64 {
    percentile(values, 0.5)
}

fn percentile(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let index = ((values.len() - 1) as f64 * part).round() as usize;
    values[index]
}

//! The simulated printer against our own way of printing, by memory and by socket.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::*;
use crate::devices::printer::{Outcome, Printer, PrinterSpec, Proof, Status, Trouble, dump};

/// Each way a printer can be asked.
fn profiles() -> [Profile; 4] {
    // Short strips, so that finishing an interrupted one is short work.
    let base = || Profile {
        strip_rows: 16,
        ..Profile::wide_text()
    };
    [
        base(),
        Profile {
            proof: Proof::PaperStatus,
            ..base()
        },
        Profile {
            proof: Proof::ProcessId,
            pushes_status: true,
            ..base()
        },
        Profile {
            proof: Proof::ProcessId,
            pushes_status: true,
            clears: true,
            ..base()
        },
    ]
}

/// A ticket with text, a picture and a cut; `name` is its number.
fn ticket(name: &str) -> Vec<u8> {
    let mut job = format!("\x1b@\x1c.\x1bt\x10Turno {name}\n").into_bytes();
    job.extend([0x1d, 0x76, 0x30, 0, 20, 0, 12, 0]);
    job.extend([0x55; 240]);
    job.extend(format!("fin {name}\n").bytes());
    job.extend([0x1d, 0x56, 0x42, 0]);
    job
}

fn machine(profile: &Profile) -> (Simulator, Printer) {
    let simulator = Simulator::new(Build {
        profile: profile.clone(),
        buffer: 300,
    });
    let printer = Printer::simulated(&simulator, profile.clone());
    (simulator, printer)
}

/// How many sheets carry the ticket `name` from end to end, as words and not inside a picture.
fn whole(simulator: &Simulator, name: &str) -> usize {
    let is_whole = |sheet: &&Vec<u8>| {
        let commands = dump(sheet);
        ["Turno", "fin"]
            .iter()
            .all(|word| commands.contains(&format!("text {word} {name}\n")))
    };
    simulator.sheets().iter().filter(is_whole).count()
}

#[test]
fn a_good_printer_prints_and_proves_what_it_can() {
    for profile in profiles() {
        let (simulator, mut printer) = machine(&profile);
        assert_eq!(printer.status(), Status::Ready);
        let expected = if profile.proof == Proof::None {
            Outcome::Sent
        } else {
            Outcome::Printed
        };
        assert_eq!(printer.print("1", &ticket("A")), expected, "{:?}", profile.proof);
        assert_eq!(printer.print("2", &ticket("B")), expected);
        assert_eq!(simulator.sheets(), [ticket("A"), ticket("B")]);
        assert_eq!(
            simulator.paper(&ticket("A")).faults,
            Vec::<String>::new(),
            "what came out is legible"
        );
    }
}

#[test]
fn trouble_before_the_first_byte_puts_nothing_on_paper() {
    type Turn = fn(&mut Switches);
    let cases: [(Turn, Trouble); 4] = [
        (|it| it.roll = Roll::Empty, Trouble::NoPaper),
        (|it| it.cover_open = true, Trouble::CoverOpen),
        (|it| it.jammed = true, Trouble::Cutter),
        (|it| it.mute = true, Trouble::Silent),
    ];
    for profile in profiles() {
        for (turn, trouble) in &cases {
            let (simulator, mut printer) = machine(&profile);
            simulator.set(turn);
            assert_eq!(
                printer.print("1", &ticket("A")),
                Outcome::NotReady(trouble.clone())
            );
            let status = match trouble {
                Trouble::Silent => Status::Unknown,
                other => Status::Trouble(other.clone()),
            };
            assert_eq!(printer.status(), status);
            simulator.set(|it| *it = Switches::default());
            assert_eq!(whole(&simulator, "A"), 0);
            assert!(!simulator.hanging().windows(5).any(|it| it == b"Turno"));
            assert!(matches!(
                printer.print("1", &ticket("A")),
                Outcome::Printed | Outcome::Sent
            ));
            assert_eq!(whole(&simulator, "A"), 1);
        }
    }
}

/// One ticket is cut off after `bytes`; the next must be whole and legible, and the first at most once.
fn cut_off(profile: &Profile, turn: impl Fn(&mut Switches, u64), bytes: u64) {
    let (simulator, mut printer) = machine(profile);
    simulator.set(|it| turn(it, bytes));
    let outcome = printer.print("1", &ticket("A"));
    simulator.set(|it| *it = Switches::default());
    let again = match outcome {
        Outcome::NotReady(_) => {
            // Not one byte went: it may be sent again as the original.
            let again = printer.print("1", &ticket("A"));
            assert!(matches!(again, Outcome::Printed | Outcome::Sent), "{again:?}");
            "A"
        }
        Outcome::Unknown(_) => {
            let copy = printer.print("2", &ticket("A COPIA 1"));
            assert!(matches!(copy, Outcome::Printed | Outcome::Sent), "{copy:?}");
            "A COPIA 1"
        }
        Outcome::Printed | Outcome::Sent => "A",
    };
    let shown: Vec<String> = simulator.sheets().iter().map(|sheet| dump(sheet)).collect();
    let hanging = dump(&simulator.hanging());
    assert!(whole(&simulator, "A") <= 1, "{bytes}: {shown:#?}");
    assert_eq!(
        whole(&simulator, again),
        1,
        "{bytes} {outcome:?}: {shown:#?} {hanging} {:?}",
        profile.proof
    );
    if outcome == Outcome::Printed {
        assert_eq!(whole(&simulator, "A"), 1, "{bytes}: proved and not there");
    }
}

#[test]
fn a_ticket_cut_off_at_any_byte_never_comes_out_twice_unmarked() {
    for profile in profiles() {
        let all = ticket("A").len() as u64 + 80;
        for bytes in 1..all {
            cut_off(&profile, |it, at| it.out_after = Some(at), bytes);
            cut_off(&profile, |it, at| it.reset_after = Some(at), bytes);
        }
    }
}

#[test]
fn what_a_printer_can_forget_does_not_come_out_in_the_morning() {
    let [.., profile] = profiles();
    let (simulator, mut printer) = machine(&profile);
    simulator.set(|it| it.out_after = Some(100));
    assert_eq!(
        printer.print("1", &ticket("A")),
        Outcome::Unknown(Trouble::NoPaper)
    );
    assert_eq!(simulator.waiting_bytes(), 0);
    simulator.set(|it| it.roll = Roll::Full);
    assert_eq!((simulator.sheets().len(), simulator.waiting_bytes()), (0, 0));
}

#[test]
fn a_roll_wears_off_and_says_so_before_it_ends() {
    let profile = &profiles()[2];
    let (simulator, mut printer) = machine(profile);
    simulator.set(|it| it.roll_mm = Some(3_050));
    let mut low = 0;
    for job in 0..1_000 {
        match printer.status() {
            Status::Ready => assert_eq!(low, 0, "a roll does not grow"),
            Status::PaperLow => low += 1,
            Status::Trouble(trouble) => {
                assert_eq!(trouble, Trouble::NoPaper);
                assert!(low > 50, "warned {low} papers before the end");
                return;
            }
            Status::Unknown => panic!("it answers"),
        }
        printer.print(&job.to_string(), &ticket("A"));
    }
    panic!("the roll never ended");
}

#[test]
fn over_a_socket_it_is_the_same_printer() {
    let profile = profiles()[2].clone();
    let simulator = Simulator::new(Build::new(profile.clone()));
    let served = serve(&simulator, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a free port");
    let spec: PrinterSpec = format!("tcp:{}", served.address()).parse().expect("an address");
    let mut printer = Printer::open(&spec, profile);
    assert_eq!(printer.print("1", &ticket("A")), Outcome::Printed);
    simulator.set(|it| it.roll = Roll::Empty);
    assert!(simulator.wait_until(Duration::from_secs(5), |_| {
        printer.print("2", &ticket("B")) == Outcome::NotReady(Trouble::NoPaper)
    }));
    simulator.set(|it| {
        *it = Switches {
            out_after: Some(120),
            slow: Some(20_000),
            ..Switches::default()
        };
    });
    assert_eq!(
        printer.print("3", &ticket("C")),
        Outcome::Unknown(Trouble::NoPaper)
    );
    simulator.set(|it| *it = Switches::default());
    assert_eq!(printer.print("4", &ticket("D")), Outcome::Printed);
    assert_eq!(
        (
            whole(&simulator, "A"),
            whole(&simulator, "B"),
            whole(&simulator, "D")
        ),
        (1, 0, 1)
    );
}

#[test]
fn a_second_customer_finds_the_line_closed() {
    let profile = profiles()[1].clone();
    let simulator = Simulator::new(Build::new(profile.clone()));
    let served = serve(&simulator, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a free port");
    let mut first = std::net::TcpStream::connect(served.address()).expect("the first is served");
    std::io::Write::write_all(&mut first, &[0x10, 4, 1]).expect("it listens");
    std::io::Read::read_exact(&mut first, &mut [0]).expect("it answers");
    let spec: PrinterSpec = format!("tcp:{}", served.address()).parse().expect("an address");
    let mut second = Printer::open(&spec, profile);
    assert_eq!(
        second.print("1", &ticket("A")),
        Outcome::NotReady(Trouble::Offline)
    );
    drop(first);
    assert!(simulator.wait_until(Duration::from_secs(5), |_| {
        second.print("1", &ticket("A")) == Outcome::Printed
    }));
    assert_eq!(simulator.sheets().len(), 1);
}

/// `receiptio` is another program that prints receipts and asks printers how they are; what it finds wrong with
/// the simulator is wrong with the simulator. It always calls port 9100, so the simulator gets a loopback address
/// of its own.
#[test]
fn a_client_of_another_maker_is_answered_rightly() {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    const SUCCESS: i32 = 0;
    const COVER_OPEN: i32 = 101;
    const PAPER_EMPTY: i32 = 102;
    let asks = |order: &[&str]| {
        let silent = || Stdio::null();
        Command::new("receiptio")
            .args(order)
            .stdin(Stdio::piped())
            .stdout(silent())
            .stderr(silent())
            .spawn()
    };
    if asks(&["-h"]).and_then(|mut child| child.wait()).is_err() {
        skipped("receiptio is not installed: the simulator was not checked against it");
        return;
    }
    let profile = Profile::named("simulator").expect("the house's own");
    let simulator = Simulator::new(Build::new(profile));
    let Ok(_served) = serve(&simulator, SocketAddr::from((Ipv4Addr::new(127, 91, 0, 1), 9100))) else {
        skipped("127.91.0.1:9100 is taken: the simulator was not checked against receiptio");
        return;
    };
    let prints = |expected: i32| {
        let mut child = asks(&["-d", "127.91.0.1", "-t", "20"]).expect("it starts");
        let mut paper = child.stdin.take().expect("its input");
        paper
            .write_all("Turno T-018\n\n{code:T-018; option:qrcode,4,m}\n".as_bytes())
            .expect("it reads");
        drop(paper);
        assert_eq!(child.wait().expect("it ends").code(), Some(expected));
    };
    prints(SUCCESS);
    assert_eq!(simulator.sheets().len(), 1);
    simulator.set(|it| it.cover_open = true);
    prints(COVER_OPEN);
    simulator.set(|it| {
        *it = Switches {
            roll: Roll::Empty,
            ..Switches::default()
        }
    });
    prints(PAPER_EMPTY);
    // The roll ends in the middle of the paper.
    simulator.set(|it| {
        *it = Switches {
            out_after: Some(120),
            ..Switches::default()
        }
    });
    prints(PAPER_EMPTY);
    simulator.set(|it| *it = Switches::default());
    assert!(simulator.wait_until(Duration::from_secs(5), |it| it.waiting_bytes() == 0));
    prints(SUCCESS);
}

#[expect(clippy::print_stderr, reason = "a test that was skipped says so")]
fn skipped(why: &str) {
    eprintln!("{why}");
}

#[test]
fn ten_thousand_tickets_with_trouble_every_now_and_then() {
    let profile = profiles()[2].clone();
    let (simulator, mut printer) = machine(&profile);
    let mut unknown = 0;
    for n in 0..10_000_u64 {
        let name = format!("{n:05}");
        match n % 50 {
            7 => simulator.set(|it| it.out_after = Some(1 + n % 300)),
            23 => simulator.set(|it| it.reset_after = Some(1 + n % 300)),
            41 => simulator.set(|it| it.cover_open = true),
            _ => {}
        }
        let outcome = printer.print(&name, &ticket(&name));
        if n % 50 == 7 || n % 50 == 23 || n % 50 == 41 {
            simulator.set(|it| *it = Switches::default());
        }
        match outcome {
            Outcome::Printed => {}
            Outcome::NotReady(_) => assert_eq!(printer.print(&name, &ticket(&name)), Outcome::Printed),
            Outcome::Unknown(_) => {
                unknown += 1;
                let copy = ticket(&format!("{name} COPIA 1"));
                assert_eq!(printer.print(&format!("{name}-1"), &copy), Outcome::Printed);
            }
            Outcome::Sent => panic!("this printer proves what it prints"),
        }
    }
    let commands: Vec<String> = simulator.sheets().iter().map(|sheet| dump(sheet)).collect();
    let mut seen = std::collections::HashMap::new();
    for sheet in &commands {
        for line in sheet.lines() {
            if let Some((_, name)) = line.split_once(" text fin ") {
                *seen.entry(name.to_owned()).or_insert(0) += 1;
            }
        }
    }
    assert!(unknown > 100, "the trouble was felt: {unknown}");
    for n in 0..10_000 {
        let of = |name: String| seen.get(&name).copied().unwrap_or(0);
        let (original, copy) = (of(format!("{n:05}")), of(format!("{n:05} COPIA 1")));
        assert!(
            original <= 1 && original + copy >= 1,
            "{n}: {original} and {copy}"
        );
    }
}

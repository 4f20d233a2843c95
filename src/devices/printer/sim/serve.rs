//! The simulated printer on a port: one customer at a time, like the real ones.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::{Simulator, UNPOISONED};

/// A slow head works in steps of this, so that a switch is felt while it prints.
const STEP: Duration = Duration::from_millis(20);
/// Bytes a fast head executes before it looks up.
const STRIDE: usize = 2048;

/// A simulated printer that is being served; it stops when this is dropped.
#[derive(Debug)]
pub struct Served {
    address: SocketAddr,
    line: Arc<Line>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct Line {
    simulator: Simulator,
    customer: Mutex<Option<TcpStream>>,
    stops: AtomicBool,
}

/// Listens on `address` and prints what comes.
///
/// # Errors
/// When the address is taken or not ours.
pub fn serve(simulator: &Simulator, address: SocketAddr) -> io::Result<Served> {
    let listener = TcpListener::bind(address)?;
    let address = listener.local_addr()?;
    let line = Arc::new(Line {
        simulator: simulator.clone(),
        customer: Mutex::new(None),
        stops: AtomicBool::new(false),
    });
    let (door, head) = (line.clone(), line.clone());
    let threads = vec![
        thread::Builder::new()
            .name("simulated-line".into())
            .spawn(move || door.welcome(&listener))?,
        thread::Builder::new()
            .name("simulated-head".into())
            .spawn(move || head.print())?,
    ];
    Ok(Served {
        address,
        line,
        threads,
    })
}

impl Served {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.line.stops.store(true, Ordering::SeqCst);
        self.line.hang_up();
        self.line.simulator.shared.changed.notify_all();
        // The door waits for a customer; this is one. Where that fails the thread ends with the program.
        let woken = TcpStream::connect_timeout(&self.address, Duration::from_secs(1)).is_ok();
        for thread in self.threads.drain(..) {
            if woken {
                let _ = thread.join();
            }
        }
    }
}

impl Line {
    fn stops(&self) -> bool {
        self.stops.load(Ordering::SeqCst)
    }

    fn hang_up(&self) {
        if let Some(customer) = self.customer.lock().expect(UNPOISONED).take() {
            // The other side may have gone first.
            let _ = customer.shutdown(Shutdown::Both);
        }
    }

    fn welcome(self: &Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming() {
            if self.stops() {
                return;
            }
            let Ok(stream) = stream else { continue };
            let mut customer = self.customer.lock().expect(UNPOISONED);
            if customer.is_some() {
                // One at a time: the second finds the line closed.
                continue;
            }
            let Ok(ear) = stream.try_clone() else { continue };
            // Without it an answer of one byte waits for company.
            let _ = stream.set_nodelay(true);
            self.simulator.machine().connect();
            *customer = Some(stream);
            drop(customer);
            let line = self.clone();
            let started = thread::Builder::new()
                .name("simulated-ear".into())
                .spawn(move || line.take_bytes(ear));
            if started.is_err() {
                self.hang_up();
            }
        }
    }

    /// Reads only while there is room, so that the customer feels the full buffer.
    fn take_bytes(&self, mut stream: TcpStream) {
        let shared = &self.simulator.shared;
        loop {
            let mut machine = self.simulator.machine();
            while machine.room() == 0 && !machine.is_cut_off() && !self.stops() {
                (machine, _) = shared.changed.wait_timeout(machine, STEP).expect(UNPOISONED);
            }
            if machine.is_cut_off() || self.stops() {
                break;
            }
            let mut bytes = vec![0; machine.room().min(STRIDE)];
            drop(machine);
            let count = match stream.read(&mut bytes) {
                Ok(0) | Err(_) => break,
                Ok(count) => count,
            };
            self.simulator.machine().receive(&bytes[..count]);
            shared.changed.notify_all();
        }
        self.hang_up();
    }

    /// Executes what there is and says what there is to say, with or without a customer.
    fn print(&self) {
        let shared = &self.simulator.shared;
        while !self.stops() {
            let mut machine = self.simulator.machine();
            let pace = machine.switches.slow;
            let limit = pace.map_or(STRIDE, |rate| {
                (rate as usize / (1000 / STEP.as_millis() as usize)).max(1)
            });
            let done = machine.run(limit);
            let mut answers = [0; 64];
            let count = machine.answer(&mut answers);
            if count == 0 && (done == 0 || pace.is_some()) {
                // A switch, a byte or the pace of a slow head wakes it.
                drop(shared.changed.wait_timeout(machine, STEP).expect(UNPOISONED));
            } else {
                drop(machine);
            }
            if done > 0 {
                shared.changed.notify_all();
            }
            if count > 0
                && let Some(customer) = self.customer.lock().expect(UNPOISONED).as_mut()
            {
                // A customer that no longer listens finds out by itself.
                let _ = customer.write_all(&answers[..count]);
            }
        }
    }
}

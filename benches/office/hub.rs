//! The hub as a process of its own, and clients that keep their connection as kiosks and consoles do.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::TcpStream;

use super::history::{KIOSK_TOKEN, QUEUES, SETTINGS, STAFF_TOKEN};

/// A running `ventanilla office`.
pub struct Hub {
    child: Child,
    address: String,
    staff: String,
    /// From the start of the process to its `ready`.
    pub ready_ms: f64,
}

impl Hub {
    /// Starts it on the settings in `folder`.
    pub fn start(folder: &Path) -> Self {
        let staff = std::fs::read_to_string(folder.join(STAFF_TOKEN)).expect("a token");
        let begun = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_ventanilla"))
            .arg("office")
            .arg("--config")
            .arg(folder.join(SETTINGS))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let lines = BufReader::new(child.stdout.take().expect("standard output")).lines();
        let mut address = None;
        for line in lines.map_while(Result::ok) {
            if let Some(at) = line.strip_prefix("office http://") {
                address = Some(at.to_owned());
            }
            if line == "ready" {
                break;
            }
        }
        Self {
            child,
            address: address.expect("the office's address"),
            staff,
            ready_ms: begun.elapsed().as_secs_f64() * 1000.0,
        }
    }

    /// Resident memory, in MB.
    pub fn memory_mb(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))
            .expect("Linux tells memory in /proc");
        let kib = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.split_whitespace().next())
            .and_then(|number| number.parse::<f64>().ok())
            .expect("a VmRSS line");
        kib / 1024.0
    }

    /// A board that listens from now on.
    pub async fn listen(&self) -> Listener {
        let mut stream = BufStream::new(TcpStream::connect(&self.address).await.expect("a hub"));
        let request =
            "GET /api/v1/board/events HTTP/1.1\r\nHost: office\r\nAccept: text/event-stream\r\n\r\n";
        stream.write_all(request.as_bytes()).await.expect("sent");
        stream.flush().await.expect("sent");
        let mut listener = Listener { stream };
        // The first picture of the board says that it listens.
        assert!(listener.hears("event: board").await, "a board");
        listener
    }

    /// Stops it as a service manager does.
    pub fn stop(mut self) {
        let id = i32::try_from(self.child.id())
            .ok()
            .and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(id.expect("an id"), rustix::process::Signal::TERM).expect("SIGTERM");
        let _ = self.child.wait();
    }
}

/// A board.
pub struct Listener {
    stream: BufStream<TcpStream>,
}

impl Listener {
    /// Waits for the next call; false when the stream ended.
    pub async fn called(&mut self) -> bool {
        self.hears("event: called").await
    }

    async fn hears(&mut self, wanted: &str) -> bool {
        let mut line = String::new();
        loop {
            line.clear();
            match self.stream.read_line(&mut line).await {
                Ok(0) | Err(_) => return false,
                Ok(_) if line.trim_end() == wanted => return true,
                Ok(_) => {}
            }
        }
    }
}

/// One connection that is kept.
pub struct Client {
    stream: BufStream<TcpStream>,
    token: String,
    counter: u16,
    name: u64,
    sent: u64,
    line: String,
    body: Vec<u8>,
}

impl Client {
    /// A kiosk.
    pub async fn kiosk(hub: &Hub) -> Self {
        Self::connect(hub, KIOSK_TOKEN, 0).await
    }

    /// A counter, opened.
    pub async fn staff(hub: &Hub, counter: u16) -> Self {
        let mut client = Self::connect(hub, &hub.staff, counter).await;
        client.counter_move("open").await;
        client
    }

    async fn connect(hub: &Hub, token: &str, counter: u16) -> Self {
        let stream = TcpStream::connect(&hub.address).await.expect("a hub");
        stream.set_nodelay(true).expect("a socket");
        Self {
            stream: BufStream::new(stream),
            token: token.trim().to_owned(),
            counter,
            name: u64::from_be_bytes(ventanilla::clock::random()),
            sent: 0,
            line: String::new(),
            body: Vec::new(),
        }
    }

    /// Takes a ticket under a key of its own; how long it took, in milliseconds.
    pub async fn take_ticket(&mut self) -> f64 {
        let queue = QUEUES[usize::try_from(self.sent).unwrap_or(0) % QUEUES.len()].0;
        let lane = if self.sent.is_multiple_of(5) {
            "priority"
        } else {
            "general"
        };
        let body = format!(r#"{{"queue":"{queue}","lane":"{lane}"}}"#);
        let begun = Instant::now();
        let status = self.post("/api/v1/tickets", &body).await;
        assert_eq!(status, 201, "{}", String::from_utf8_lossy(&self.body));
        begun.elapsed().as_secs_f64() * 1000.0
    }

    /// Calls the next, attends and finishes; how long the call took, in milliseconds.
    pub async fn serve_one(&mut self) -> f64 {
        let begun = Instant::now();
        self.counter_move("next").await;
        let waited = begun.elapsed().as_secs_f64() * 1000.0;
        assert!(
            self.body.starts_with(br#"{"ticket":{"#),
            "nobody waits any more: {}",
            String::from_utf8_lossy(&self.body)
        );
        self.counter_move("start").await;
        self.counter_move("finish").await;
        waited
    }

    async fn counter_move(&mut self, name: &str) {
        let path = format!("/api/v1/counters/{}/{name}", self.counter);
        let status = self.post(&path, "{}").await;
        assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&self.body));
    }

    async fn post(&mut self, path: &str, body: &str) -> u16 {
        self.sent += 1;
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: office\r\nAuthorization: Bearer {}\r\nIdempotency-Key: {:016x}-{}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.token,
            self.name,
            self.sent,
            body.len()
        );
        self.stream.write_all(request.as_bytes()).await.expect("sent");
        self.stream.flush().await.expect("sent");
        let mut status = 0;
        let mut length = 0;
        loop {
            self.line.clear();
            let read = self.stream.read_line(&mut self.line).await.expect("an answer");
            assert!(read > 0, "the hub hung up");
            let line = self.line.trim_end();
            if line.is_empty() {
                break;
            }
            if let Some(rest) = line.strip_prefix("HTTP/1.1 ") {
                status = rest.get(..3).and_then(|code| code.parse().ok()).unwrap_or(0);
            } else if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().expect("a length");
            }
        }
        self.body.resize(length, 0);
        self.stream.read_exact(&mut self.body).await.expect("a body");
        status
    }
}

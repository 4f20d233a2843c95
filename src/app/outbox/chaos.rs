//! A line that fails on purpose: it stands between a client and a real server and does to each request what
//! the next of its orders says.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What is done to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Passed on and answered.
    Pass,
    /// Never reaches the server.
    Drop,
    /// Reaches the server; the answer is cut after so many bytes.
    Cut(usize),
    /// Reaches the server twice; the second answer comes back.
    Twice,
    /// The server is asked to be busy.
    Busy,
    /// A captive portal answers with 200.
    Portal,
}

/// The line. Once its orders are used up it passes everything.
#[derive(Clone)]
pub(crate) struct Chaos {
    pub(crate) address: SocketAddr,
    orders: Arc<Mutex<VecDeque<Order>>>,
    server: Arc<Mutex<SocketAddr>>,
}

impl Chaos {
    pub(crate) async fn start(server: SocketAddr, orders: &[Order]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let chaos = Self {
            address: listener.local_addr().expect("an address"),
            orders: Arc::new(Mutex::new(orders.iter().copied().collect())),
            server: Arc::new(Mutex::new(server)),
        };
        tokio::spawn({
            let chaos = chaos.clone();
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let chaos = chaos.clone();
                    tokio::spawn(async move { chaos.serve(stream).await });
                }
            }
        });
        chaos
    }

    /// The server moved, as after a restart.
    pub(crate) fn lead_to(&self, server: SocketAddr) {
        *self.server.lock().expect("lock") = server;
    }

    async fn serve(&self, mut client: TcpStream) {
        let Some(request) = read_message(&mut client).await else {
            return;
        };
        let order = self
            .orders
            .lock()
            .expect("lock")
            .pop_front()
            .unwrap_or(Order::Pass);
        let answer = match order {
            Order::Drop => return,
            Order::Busy => {
                b"HTTP/1.1 503 Busy\r\nretry-after: 86400\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                    .to_vec()
            }
            Order::Portal => {
                let page = "<html>Acepte los t\u{e9}rminos del wifi</html>";
                format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{page}",
                    page.len()
                )
                .into_bytes()
            }
            Order::Pass | Order::Cut(_) => self.ask(&request).await,
            Order::Twice => {
                self.ask(&request).await;
                self.ask(&request).await
            }
        };
        let keep = if let Order::Cut(bytes) = order {
            bytes.min(answer.len())
        } else {
            answer.len()
        };
        let _ = client.write_all(&answer[..keep]).await;
        let _ = client.shutdown().await;
    }

    async fn ask(&self, request: &[u8]) -> Vec<u8> {
        let server = *self.server.lock().expect("lock");
        let Ok(mut stream) = TcpStream::connect(server).await else {
            return Vec::new();
        };
        // One request a connection: the client must not keep one open that we treat message by message.
        if stream.write_all(request).await.is_err() {
            return Vec::new();
        }
        read_message(&mut stream).await.unwrap_or_default()
    }
}

/// Reads one HTTP message with a `content-length`.
async fn read_message(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 16 * 1024];
    loop {
        if let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let length: usize = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length:"))
                .and_then(|value| value.trim().parse().ok())
                .unwrap_or(0);
            if bytes.len() >= end + 4 + length {
                return Some(bytes);
            }
        }
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return None,
            Ok(n) => bytes.extend_from_slice(&chunk[..n]),
        }
    }
}

//! The screen on a web page, driven as from outside: a tap, a picture, the screen as text.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use ventanilla::domain::session::view::{Action, View};
use ventanilla::kiosk::run::{Driver, Key, Size, run_web};
use ventanilla::kiosk::web::{Link, router};

use crate::samples;

/// Shows the home, then a question with a field; remembers what was typed.
struct Story {
    home: bool,
    typed: Arc<Mutex<String>>,
}

impl Driver for Story {
    fn view(&self) -> View {
        if self.home {
            samples::home()
        } else {
            samples::question_text()
        }
    }
    fn act(&mut self, _: Action) {
        self.home = false;
    }
    fn typed(&mut self, text: &str) {
        self.typed.lock().expect("nobody panicked").push_str(text);
    }
    fn key(&mut self, key: Key) {
        if key == Key::Back {
            self.typed.lock().expect("nobody panicked").pop();
        }
    }
    fn tick(&mut self) {}
    fn inbox(&mut self) -> bool {
        false
    }
}

async fn ask(port: u16, method: &str, path: &str, body: &str) -> (u16, String, Vec<u8>) {
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port))
        .await
        .expect("it listens");
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: kiosk\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream
        .write_all(request.as_bytes())
        .await
        .expect("it takes the request");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("it answers");
    let end = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .expect("it has a head")
        + 4;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .expect("it has a status");
    (status, head.to_lowercase(), answer[end..].to_vec())
}

#[test]
fn the_page_takes_taps_and_letters() {
    let typed = Arc::new(Mutex::new(String::new()));
    let (link, commands, frame) = Link::new();
    let screen = std::thread::spawn({
        let typed = typed.clone();
        move || {
            run_web(
                &mut Story { home: true, typed },
                &commands,
                &frame,
                Size::PORTRAIT,
            )
        }
    });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("threads are free");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a port is free");
        let port = listener.local_addr().expect("it has one").port();
        let served = tokio::spawn({
            let routes = router(link.clone());
            async move { axum::serve(listener, routes).await }
        });

        let (status, head, page) = ask(port, "GET", "/kiosk", "").await;
        assert_eq!((status, head.contains("text/html")), (200, true));
        assert!(String::from_utf8_lossy(&page).contains("/kiosk/frames"));

        let (status, _, body) = ask(port, "GET", "/kiosk/view.json", "").await;
        assert_eq!(status, 200);
        let view: serde_json::Value = serde_json::from_slice(&body).expect("it is JSON");
        assert_eq!(
            (view["face"].as_str(), view["language"].as_str()),
            (Some("home"), Some("es"))
        );
        let elements = view["elements"].as_array().expect("a list");
        assert_eq!(
            (elements[0]["role"].as_str(), elements[0]["label"].as_str()),
            (Some("heading"), Some("¿Qué necesita hacer?"))
        );
        let turn = elements
            .iter()
            .find(|one| one["label"] == "Tomar un turno")
            .expect("it is shown");
        let middle =
            |side: &str, size: &str| turn[side].as_i64().unwrap_or(0) + turn[size].as_i64().unwrap_or(0) / 2;
        let tap = format!(
            "{{\"x\": {}, \"y\": {}}}",
            middle("x", "width"),
            middle("y", "height")
        );

        let (status, head, png) = ask(port, "GET", "/kiosk/screen.png", "").await;
        assert_eq!(
            (status, head.contains("image/png"), &png[1..4]),
            (200, true, &b"PNG"[..])
        );

        let (status, _, body) = ask(port, "POST", "/kiosk/tap", &tap).await;
        assert_eq!(
            (status, String::from_utf8_lossy(&body).as_ref()),
            (200, r#"{"face":"question"}"#)
        );

        let (status, _, _) = ask(port, "POST", "/kiosk/type", r#"{"text": "Ñustax\b"}"#).await;
        assert_eq!(
            (status, typed.lock().expect("nobody panicked").as_str()),
            (200, "Ñusta")
        );

        let (status, head, _) = ask(port, "POST", "/kiosk/tap", "{\"x\": \"left\"}").await;
        assert_eq!((status, head.contains("application/problem+json")), (400, true));

        link.stop();
        served.abort();
    });
    screen
        .join()
        .expect("it did not panic")
        .expect("it stopped cleanly");
}

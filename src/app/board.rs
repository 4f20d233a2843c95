//! The board of our own image: hears its office, goes on after any break, and lets each announcement be heard.
//!
//! Two tasks beside the screen: one listens and connects again, one makes sounds. What is announced when is decided
//! in `domain::board`, on the thread of the screen. Begin at [`BoardFeed::start`].

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc as inbox;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};
use tracing::{info, warn};

use crate::app::Stop;
use crate::app::metrics::{Page, yes};
use crate::devices::voice::{Speaker, chime};
use crate::domain::board::{Board, BoardCall, BoardInput};
use crate::sync::board::BoardClient;

/// A hub that restarts is back within seconds, and a board is nothing to carry.
const AGAIN: Duration = Duration::from_secs(2);
/// Least time for one announcement before the next, so that it can be read.
const EACH: Duration = Duration::from_millis(4500);
/// Between the two times a call is spoken.
const PAUSE: Duration = Duration::from_millis(500);

/// What a board shows of itself to Prometheus.
#[derive(Debug, Default)]
pub struct Watched {
    lost: AtomicBool,
    looks: AtomicU64,
}

impl Watched {
    /// The screen looked once more; whether it says that its office is out of reach.
    pub fn shown(&self, lost: bool) {
        self.lost.store(lost, Ordering::Relaxed);
        self.looks.fetch_add(1, Ordering::Relaxed);
    }

    /// The page.
    pub fn page(&self) -> String {
        let mut page = Page::of("board");
        let connected = yes(!self.lost.load(Ordering::Relaxed));
        let looks = self.looks.load(Ordering::Relaxed) as f64;
        page.gauge(
            "board_connected",
            "Whether the board hears its office.",
            [(Vec::new(), connected)],
        );
        page.gauge(
            "board_looks",
            "How often the screen went round; it stands still with the screen.",
            [(Vec::new(), looks)],
        );
        page.into_text()
    }
}

/// What a board hears, to be taken by its screen.
pub struct BoardFeed {
    board: Board,
    heard: inbox::Receiver<BoardInput>,
    announce: mpsc::UnboundedSender<BoardCall>,
    /// The newest event heard of, for the next connection; 0 before the first.
    last: Arc<AtomicU64>,
}

impl BoardFeed {
    /// Begins to listen until the stop; must be called inside the runtime.
    pub fn start(client: BoardClient, speaker: Box<dyn Speaker>, stop: &Stop) -> Self {
        let (tell, heard) = inbox::channel();
        let (announce, calls) = mpsc::unbounded_channel();
        let last = Arc::new(AtomicU64::new(0));
        tokio::spawn(listen(
            client.clone(),
            tell.clone(),
            Arc::clone(&last),
            stop.clone(),
        ));
        tokio::spawn(sound(client, speaker, calls, tell, stop.clone()));
        Self {
            board: Board::default(),
            heard,
            announce,
            last,
        }
    }

    /// Takes in what was heard since, begins an announcement where one is due, and gives the board.
    pub fn look(&mut self, now: Timestamp) -> &Board {
        while let Ok(input) = self.heard.try_recv() {
            if let Some(call) = self.board.step(input, now) {
                // The other end only goes with the whole process.
                let _ = self.announce.send(call);
            }
        }
        self.last
            .store(self.board.last().unwrap_or_default(), Ordering::Relaxed);
        &self.board
    }
}

async fn listen(client: BoardClient, tell: inbox::Sender<BoardInput>, last: Arc<AtomicU64>, stop: Stop) {
    loop {
        let after = Some(last.load(Ordering::Relaxed)).filter(|seq| *seq > 0);
        let broken = client.listen(after, |input| {
            let _ = tell.send(input);
        });
        tokio::select! {
            () = stop.stopped() => return,
            problem = broken => warn!(%problem, "the board listens again"),
        }
        tokio::select! {
            () = stop.stopped() => return,
            () = sleep(AGAIN) => {}
        }
    }
}

async fn sound(
    client: BoardClient,
    mut speaker: Box<dyn Speaker>,
    mut calls: mpsc::UnboundedReceiver<BoardCall>,
    tell: inbox::Sender<BoardInput>,
    stop: Stop,
) {
    let bell = chime();
    loop {
        let call = tokio::select! {
            () = stop.stopped() => return,
            call = calls.recv() => match call {
                Some(call) => call,
                None => return,
            },
        };
        let least = Instant::now() + EACH;
        info!(seq = call.seq, counter = %call.counter, "announced");
        let (voice, rung) = tokio::join!(client.voice(call.seq), play(speaker, bell.clone()));
        speaker = rung;
        if let Some(voice) = voice {
            speaker = play(speaker, voice.clone()).await;
            sleep(PAUSE).await;
            speaker = play(speaker, voice).await;
        }
        tokio::select! {
            () = stop.stopped() => return,
            () = sleep_until(least) => {}
        }
        let _ = tell.send(BoardInput::Spoken);
    }
}

/// Plays on a thread that may wait; a speaker that failed is silent from then on, and the next call still comes.
async fn play(mut speaker: Box<dyn Speaker>, wav: Vec<u8>) -> Box<dyn Speaker> {
    let played = tokio::task::spawn_blocking(move || {
        speaker.play(&wav);
        speaker
    });
    played
        .await
        .unwrap_or_else(|_| Box::new(crate::devices::voice::NoSpeaker::default()))
}

//! Puts the roles together: a role's shell, its faces and its line to the next role.

use std::net::SocketAddr;
use std::sync::mpsc::Receiver;

#[cfg(feature = "screen")]
use anyhow::Context;
use axum::Router;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::warn;

use crate::app::central::RunningCentral;
use crate::app::kiosk::RunningKiosk;
use crate::app::office::{RunningOffice, line};
use crate::app::service::{Presence, Pulse, Service};
use crate::app::{self, StartError, Stop};
use crate::clock::Clock;
use crate::config::central::CentralConfig;
use crate::config::kiosk::KioskConfig;
use crate::config::office::OfficeConfig;
#[cfg(target_os = "linux")]
use crate::devices::handset::InputDevices;
use crate::devices::handset::{Hands, KeyMap};
use crate::i18n::Language;
use crate::kiosk::driver::SessionDriver;
use crate::kiosk::hands::listen;
#[cfg(feature = "screen")]
use crate::kiosk::run;
use crate::kiosk::run::{Command, Display, Size};
use crate::kiosk::web::{self, Link};
use crate::{board, central, console};

/// An office with its console, its boards and its line to the municipality.
pub(super) async fn office(
    config: OfficeConfig,
    clock: Clock,
    stop: Stop,
) -> Result<RunningOffice, StartError> {
    let source = line::source(&config);
    let lock = app::backup::Lock::take(&source.lock, source.role)?;
    let line = line::prepare(&config, &clock)?;
    let (line_clock, line_stop) = (clock.clone(), stop.clone());
    app::office::start(config, clock, stop, move |office| {
        let faces = console::routes(office).merge(board::routes(office));
        faces.merge(line.attach(office, line_clock, line_stop, lock))
    })
    .await
}

/// The municipality's side.
pub(super) async fn central(
    config: CentralConfig,
    clock: Clock,
    stop: Stop,
) -> Result<RunningCentral, StartError> {
    app::central::start(config, clock, stop, central::router).await
}

/// A kiosk with its screen.
#[cfg_attr(
    not(feature = "screen"),
    allow(dead_code, reason = "only a screen needs its size")
)]
pub(super) struct KioskFace {
    kiosk: RunningKiosk,
    /// Goes with the screen's loop.
    screen: Option<(SessionDriver, Receiver<Command>)>,
    frame: watch::Sender<u64>,
    link: Link,
    display: Display,
    size: Size,
    full_screen: bool,
    web: Option<(SocketAddr, JoinHandle<()>)>,
    touch: [f32; 6],
}

impl KioskFace {
    /// Starts everything but the loop of the screen, which needs the main thread.
    pub(super) async fn start(
        config: KioskConfig,
        display: Display,
        full_screen: bool,
        clock: Clock,
        stop: Stop,
    ) -> Result<Self, StartError> {
        let size = Size {
            width: config.screen.width,
            height: config.screen.height,
        };
        let listener = match (display, config.screen.web) {
            (Display::Web, Some(address)) => Some(app::listen(address).await?),
            (Display::Web, None) => {
                return Err(StartError::Setup {
                    what: "The kiosk's screen".into(),
                    problem: "--display web needs an address; write web = \"127.0.0.1:7300\" under [screen]"
                        .into(),
                });
            }
            (Display::Window | Display::Screen | Display::None, _) => None,
        };
        let touch = config.screen.touch_matrix();
        let hands = hands(&config, display)?;
        let (kiosk, inbox) = app::kiosk::start(config, size.width > size.height, clock, stop.clone()).await?;
        let (link, commands, frame) = Link::new();
        if let Some(hands) = hands {
            listen(hands, link.clone(), stop.clone());
        }
        let bell = link.clone();
        inbox.on_arrival(move || bell.wake());
        let service = Service::from_environment();
        let pulse = {
            let link = link.clone();
            Pulse::start(service.clone(), &Handle::current(), stop.clone(), move || {
                link.wake()
            })
        };
        let presence = Presence::from_environment().and_in(kiosk.stage.taken.clone());
        let driver = SessionDriver::new(&kiosk, inbox).watched(pulse, presence);
        if display != Display::None {
            let camera = link.clone();
            kiosk
                .stage
                .plug_picture(std::sync::Arc::new(move || camera.free_picture()));
        }
        let web = listener.map(|listener| serve(listener, web::router(link.clone()), stop.clone()));
        let told = link.clone();
        tokio::spawn(async move {
            stop.stopped().await;
            service.stopping();
            told.stop();
        });
        Ok(Self {
            kiosk,
            screen: Some((driver, commands)),
            frame,
            link,
            display,
            size,
            full_screen,
            web,
            touch,
        })
    }

    /// The language of the invitation, until its first visitor chooses.
    pub(super) fn speak(&mut self, language: Language) {
        if let Some((driver, _)) = &mut self.screen {
            driver.speak(language);
        }
    }

    pub(super) fn web_address(&self) -> Option<SocketAddr> {
        self.web.as_ref().map(|(address, _)| *address)
    }

    /// Shows the screen on this thread until told to stop.
    pub(super) fn run(&mut self, runtime: &tokio::runtime::Runtime, stop: &Stop) -> anyhow::Result<()> {
        let Some((driver, commands)) = self.screen.take() else {
            return Ok(());
        };
        match self.display {
            Display::None => {
                drop((driver, commands));
                Service::from_environment().ready();
                runtime.block_on(stop.stopped());
                Ok(())
            }
            #[cfg(feature = "screen")]
            Display::Web => {
                let mut driver = driver;
                run::run_web(&mut driver, &commands, &self.frame, self.size)
                    .context("The screen cannot be shown")
            }
            #[cfg(feature = "screen")]
            Display::Window => run::run_window(Box::new(driver), commands, self.full_screen)
                .context("The screen cannot be shown"),
            #[cfg(feature = "screen")]
            Display::Screen => {
                run::run_screen(Box::new(driver), commands, self.touch).context("The screen cannot be shown")
            }
            #[cfg(not(feature = "screen"))]
            Display::Web | Display::Window | Display::Screen => {
                anyhow::bail!("This program was built without a screen; build it with the feature `screen`")
            }
        }
    }

    /// Whether a window can be opened here at all.
    pub(super) fn has_display() -> bool {
        ["WAYLAND_DISPLAY", "DISPLAY"]
            .iter()
            .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
    }

    /// Returns when what the last citizen began is finished.
    pub(super) async fn finished(self) {
        self.link.stop();
        drop(self.screen);
        self.kiosk.finished().await;
        if let Some((_, served)) = self.web
            && served.await.is_err()
        {
            warn!("the screen's page ended badly");
        }
    }
}

/// The keypad and the socket for headphones, where the screen is one of this machine.
fn hands(config: &KioskConfig, display: Display) -> Result<Option<Box<dyn Hands>>, StartError> {
    let map = config.keypad.as_ref().map(KeyMap::new).transpose();
    let map = map.map_err(|problem| StartError::Setup {
        what: "The kiosk's keypad".into(),
        problem: problem.to_string(),
    })?;
    Ok(match display {
        #[cfg(target_os = "linux")]
        Display::Window | Display::Screen => Some(Box::new(InputDevices::new(map))),
        #[cfg(not(target_os = "linux"))]
        Display::Window | Display::Screen => None,
        // A page has keys of its own.
        Display::Web | Display::None => None,
    })
}

/// Serves a page until told to stop.
pub(super) fn serve(
    listener: tokio::net::TcpListener,
    routes: Router,
    stop: Stop,
) -> (SocketAddr, JoinHandle<()>) {
    let address = listener
        .local_addr()
        .unwrap_or_else(|_| SocketAddr::from(([127, 0, 0, 1], 0)));
    let served = tokio::spawn(async move {
        let told = stop.clone();
        let serving =
            axum::serve(listener, routes).with_graceful_shutdown(async move { told.stopped().await });
        // A page that holds a stream open must not hold the program open.
        let late = async {
            stop.stopped().await;
            tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        };
        tokio::select! {
            _ = serving.into_future() => {}
            () = late => {}
        }
    });
    (address, served)
}

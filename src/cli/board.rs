//! `ventanilla board`: the board of a waiting room on the screen of this machine.

use std::path::PathBuf;

use clap::Args;

use super::DisplayArgument;
#[cfg(feature = "screen")]
use super::roles;
use crate::i18n::Language;

/// `ventanilla board …`
#[derive(Args)]
pub(super) struct BoardArguments {
    /// Address of the office's hub, such as http://10.0.0.5:8080.
    #[arg(long, env = "VENTANILLA_BOARD_OFFICE")]
    office: String,
    /// Id of the waiting room; the whole office without it.
    #[arg(long, default_value = "", env = "VENTANILLA_BOARD_ZONE")]
    zone: String,
    /// Where it is shown: `window`, `screen`, or `none` to listen and sound only.
    #[arg(long, value_enum, default_value = "window")]
    display: DisplayArgument,
    /// With `--display none`: writes one picture of the board into this file and ends.
    #[arg(long)]
    screenshot: Option<PathBuf>,
    /// Language of the board: es or en.
    #[arg(long, default_value = "es", value_parser = super::demo::language)]
    lang: Language,
    /// Leave the flashing out; the frame stays.
    #[arg(long)]
    still: bool,
    /// IANA time zone of the clock.
    #[arg(long, default_value = "America/Guayaquil")]
    time_zone: String,
    /// Make no sound.
    #[arg(long)]
    silent: bool,
    /// With `--display screen`: how the panel hangs, in degrees clockwise.
    #[arg(long, default_value_t = 0, env = "VENTANILLA_BOARD_ROTATION")]
    rotation: u16,
    /// Answer `GET /metrics` here, such as 127.0.0.1:9465.
    #[arg(long, env = "VENTANILLA_BOARD_METRICS")]
    metrics: Option<std::net::SocketAddr>,
    /// File with the token that Prometheus sends; needed where --metrics is no address of this machine alone.
    #[arg(long, env = "VENTANILLA_BOARD_METRICS_TOKEN")]
    metrics_token: Option<PathBuf>,
}

#[cfg(not(feature = "screen"))]
pub(super) fn run(_: BoardArguments) -> anyhow::Result<()> {
    anyhow::bail!("This program was built without a screen; build it with the feature `screen`")
}

#[cfg(feature = "screen")]
pub(super) fn run(arguments: BoardArguments) -> anyhow::Result<()> {
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use anyhow::{Context, bail};

    use crate::app::board::{BoardFeed, Watched};
    use crate::app::metrics;
    use crate::app::service::{Pulse, Service};
    use crate::board::picture::Picture;
    use crate::board::screen::{self, BoardScreen};
    use crate::clock::{self, Clock};
    use crate::config::kiosk::ScreenConfig;
    use crate::config::metrics::MetricsConfig;
    use crate::devices::voice::{NoSpeaker, Speaker, SystemSpeaker};
    use crate::kiosk::run::Size;
    use crate::kiosk::screen::encode;
    use crate::sync::board::BoardClient;

    /// How long a picture waits for the office.
    const PATIENCE: Duration = Duration::from_secs(5);

    let zone = jiff::tz::TimeZone::get(&arguments.time_zone)
        .with_context(|| format!("Time zone {} is unknown; write an IANA name", arguments.time_zone))?;
    let bare = arguments.display == DisplayArgument::Screen;
    if bare {
        let hangs = ScreenConfig {
            rotation: Some(arguments.rotation),
            ..ScreenConfig::default()
        };
        roles::begin_again_with(&hangs.display_environment().map_err(anyhow::Error::msg)?)?;
    }
    let (runtime, stop) = roles::begin()?;
    let http = crate::app::http_client(None)?;
    let id: String = clock::random::<4>()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let client = BoardClient::new(http, &arguments.office, &arguments.zone, &id);
    let sounds = std::env::temp_dir().join(format!("ventanilla-board-{id}"));
    let speaker: Box<dyn Speaker> = if arguments.silent {
        Box::new(NoSpeaker::default())
    } else {
        std::fs::create_dir_all(&sounds)
            .with_context(|| format!("Folder {} cannot be made for sounds", sounds.display()))?;
        match SystemSpeaker::find(&sounds) {
            Some(speaker) => Box::new(speaker),
            None => Box::new(NoSpeaker::default()),
        }
    };
    let mut feed = {
        let _inside = runtime.enter();
        BoardFeed::start(client, speaker, &stop)
    };
    let watched = Arc::new(Watched::default());
    if let Some(listen) = arguments.metrics {
        let config = MetricsConfig {
            listen,
            token_file: arguments.metrics_token.clone(),
        };
        let told = Arc::clone(&watched);
        runtime.block_on(metrics::serve(&config, move || told.page(), stop.clone()))?;
    }
    let (language, still) = (arguments.lang, arguments.still);
    let mut picture = move || {
        let now = Clock::System.now();
        let picture = Picture::of(feed.look(now), language, &zone, now, still);
        watched.shown(picture.lost);
        picture
    };
    let shown = match (arguments.display, &arguments.screenshot) {
        (DisplayArgument::Web, _) => bail!(
            "The web board is the office's own page: {}/board",
            arguments.office
        ),
        (DisplayArgument::None, Some(file)) => {
            let begun = Instant::now();
            while picture().lost && begun.elapsed() < PATIENCE {
                std::thread::sleep(Duration::from_millis(50));
            }
            let size = Size::LANDSCAPE;
            let mut screen = BoardScreen::new(size, language)?;
            let png = encode(size, screen.draw(&picture()))?;
            std::fs::write(file, png).with_context(|| format!("File {} cannot be written", file.display()))
        }
        (DisplayArgument::None, None) => {
            while !stop.is_stopped() {
                picture();
                std::thread::sleep(Duration::from_millis(100));
            }
            Ok(())
        }
        (DisplayArgument::Window | DisplayArgument::Screen, _) => {
            let told = stop.clone();
            let service = Service::from_environment();
            // The loop looks by itself twenty times a second; nobody has to wake it.
            let mut pulse = Pulse::start(service.clone(), runtime.handle(), stop.clone(), || ());
            let mut begun = false;
            let next = move || {
                // The first call comes before the first frame is drawn.
                if std::mem::replace(&mut begun, true) {
                    pulse.passed();
                }
                (!told.is_stopped()).then(&mut picture)
            };
            let shown = screen::run_window(language, bare, next).context("The board cannot be shown");
            service.stopping();
            shown
        }
    };
    stop.stop();
    let _ = std::fs::remove_dir_all(&sounds);
    shown
}

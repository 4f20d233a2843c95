//! The service manager is told how we are: ready, alive, stopping.
//!
//! This speaks systemd's protocol over its socket and does nothing at all where there is none. A sign of life goes
//! through [`Pulse`], so that it proves more than a thread that still turns. Begin at [`Service::from_environment`].
//! Who waits for the end of a session to restart the machine looks at [`Presence`].

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;
use tracing::warn;

use super::Stop;

/// The line to the service manager; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Service {
    /// Nothing where nobody listens.
    line: Option<Arc<Line>>,
    /// A sign of life is due within this time.
    watchdog: Option<Duration>,
}

#[derive(Debug)]
struct Line {
    socket: std::os::unix::net::UnixDatagram,
    manager: std::os::unix::net::SocketAddr,
}

impl Service {
    /// The line that `NOTIFY_SOCKET` and `WATCHDOG_USEC` name; a silent one where they are not set.
    pub fn from_environment() -> Self {
        let read = |name: &str| std::env::var(name).ok();
        // A child that inherited the variables is not the one that is watched.
        let ours = read("WATCHDOG_PID").is_none_or(|pid| pid == std::process::id().to_string());
        let Some(address) = read("NOTIFY_SOCKET") else {
            return Self::default();
        };
        let watchdog = read("WATCHDOG_USEC")
            .filter(|_| ours)
            .and_then(|text| text.parse().ok());
        match Self::at(&address, watchdog.map(Duration::from_micros)) {
            Ok(service) => service,
            Err(problem) => {
                warn!(%problem, "the service manager's socket is not usable; it will not hear that we are ready");
                Self::default()
            }
        }
    }

    /// The line to the socket `address`, a path or `@` and an abstract name.
    ///
    /// # Errors
    /// When the address is no socket's or no socket can be made.
    pub fn at(address: &str, watchdog: Option<Duration>) -> std::io::Result<Self> {
        #[cfg(target_os = "linux")]
        use std::os::linux::net::SocketAddrExt;
        use std::os::unix::net::{SocketAddr, UnixDatagram};

        let manager = match address.strip_prefix('@') {
            #[cfg(target_os = "linux")]
            Some(name) => SocketAddr::from_abstract_name(name)?,
            _ => SocketAddr::from_pathname(address)?,
        };
        let socket = UnixDatagram::unbound()?;
        Ok(Self {
            line: Some(Arc::new(Line { socket, manager })),
            watchdog: watchdog.filter(|time| !time.is_zero()),
        })
    }

    /// The role serves. Said once; a second time changes nothing.
    pub fn ready(&self) {
        self.say("READY=1");
    }

    /// What the role does now, for `systemctl status`; never anything about a person.
    pub fn status(&self, text: &str) {
        let line: String = text.chars().filter(|letter| !letter.is_control()).collect();
        self.say(&format!("STATUS={line}"));
    }

    /// The role ends because it was told to.
    pub fn stopping(&self) {
        self.say("STOPPING=1");
    }

    /// The role is alive.
    fn alive(&self) {
        self.say("WATCHDOG=1");
    }

    /// How often a sign of life is given: three times within the time the manager waits.
    fn every(&self) -> Option<Duration> {
        self.watchdog.map(|time| time / 3)
    }

    fn say(&self, message: &str) {
        let Some(line) = &self.line else { return };
        if let Err(problem) = line.socket.send_to_addr(message.as_bytes(), &line.manager) {
            warn!(%problem, "the service manager could not be told");
        }
    }
}

/// Signs of life that prove two things at once: the tasks run, and whoever calls [`Pulse::passed`] does.
///
/// A task winds it up, and only what was wound up can pass: a screen that no longer turns gives no sign, nor does a
/// screen that turns alone over a dead shell.
#[derive(Clone, Debug, Default)]
pub struct Pulse {
    service: Service,
    wound: Arc<AtomicBool>,
    begun: bool,
}

impl Pulse {
    /// Winds the pulse up from a task of `runtime` until told to stop; `wake` calls whoever passes it on.
    pub fn start(service: Service, runtime: &Handle, stop: Stop, wake: impl Fn() + Send + 'static) -> Self {
        let pulse = Self {
            service,
            ..Self::default()
        };
        if let Some(every) = pulse.service.every() {
            let wound = pulse.wound.clone();
            runtime.spawn(async move {
                let mut timer = tokio::time::interval(every);
                loop {
                    tokio::select! {
                        () = stop.stopped() => return,
                        _ = timer.tick() => {
                            wound.store(true, Ordering::Release);
                            wake();
                        }
                    }
                }
            });
        }
        pulse
    }

    /// One turn of the loop is done. The first one also says that the role is ready.
    pub fn passed(&mut self) {
        if !std::mem::replace(&mut self.begun, true) {
            self.service.ready();
        }
        if self.wound.swap(false, Ordering::AcqRel) {
            self.service.alive();
        }
    }
}

/// Gives signs of life for a role without a screen, as long as `check` comes back.
pub async fn keep_alive<C>(service: Service, stop: Stop, check: impl Fn() -> C)
where
    C: Future<Output = ()>,
{
    let Some(every) = service.every() else { return };
    let mut timer = tokio::time::interval(every);
    loop {
        tokio::select! {
            () = stop.stopped() => return,
            _ = timer.tick() => {
                check().await;
                service.alive();
            }
        }
    }
}

/// Whether somebody is at the kiosk, for programs outside: a file `session` in the service's runtime folder.
///
/// An update restarts the machine only while it is not there. The folder is gone with the service.
#[derive(Debug, Default)]
pub struct Presence {
    file: Option<PathBuf>,
    shown: bool,
    flag: Option<Arc<AtomicBool>>,
}

impl Presence {
    /// Name of the file.
    pub const FILE: &str = "session";

    /// In the folder that the service manager made for us, `RUNTIME_DIRECTORY`; nowhere without one.
    pub fn from_environment() -> Self {
        Self::within(std::env::var_os("RUNTIME_DIRECTORY").map(PathBuf::from))
    }

    /// In `folder`.
    pub fn within(folder: Option<PathBuf>) -> Self {
        let mut presence = Self {
            file: folder.map(|folder| folder.join(Self::FILE)),
            shown: true,
            flag: None,
        };
        presence.tell(false);
        presence
    }

    /// Shows it in `flag` too, for the tasks of this process.
    #[must_use]
    pub fn and_in(mut self, flag: Arc<AtomicBool>) -> Self {
        flag.store(self.shown, Ordering::Release);
        self.flag = Some(flag);
        self
    }

    /// Somebody is there, or nobody is. Cheap where nothing changed.
    pub fn tell(&mut self, somebody: bool) {
        if std::mem::replace(&mut self.shown, somebody) == somebody {
            return;
        }
        if let Some(flag) = &self.flag {
            flag.store(somebody, Ordering::Release);
        }
        let Some(file) = &self.file else { return };
        let done = if somebody {
            std::fs::write(file, "")
        } else {
            match std::fs::remove_file(file) {
                Err(problem) if problem.kind() == std::io::ErrorKind::NotFound => Ok(()),
                other => other,
            }
        };
        if let Err(problem) = done {
            warn!(%problem, "whether a session is open cannot be shown to the updater");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;

    use super::*;

    struct Manager {
        _folder: tempfile::TempDir,
        socket: UnixDatagram,
        service: Service,
    }

    fn manager(watchdog: Option<Duration>) -> Manager {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).expect("bound");
        socket.set_nonblocking(true).expect("set");
        let service = Service::at(path.to_str().expect("text"), watchdog).expect("a line");
        Manager {
            _folder: folder,
            socket,
            service,
        }
    }

    impl Manager {
        fn heard(&self) -> Vec<String> {
            let mut buffer = [0; 256];
            std::iter::from_fn(|| {
                let size = self.socket.recv(&mut buffer).ok()?;
                Some(String::from_utf8_lossy(&buffer[..size]).into_owned())
            })
            .collect()
        }
    }

    #[test]
    fn what_is_said_arrives_and_a_status_stays_one_line() {
        let manager = manager(None);
        manager.service.ready();
        manager.service.status("free\nREADY=0");
        manager.service.stopping();
        assert_eq!(manager.heard(), ["READY=1", "STATUS=freeREADY=0", "STOPPING=1"]);
        Service::default().ready();
    }

    #[test]
    fn a_pulse_passes_only_what_the_tasks_wound_up() {
        let manager = manager(Some(Duration::from_secs(30)));
        let mut pulse = Pulse {
            service: manager.service.clone(),
            ..Pulse::default()
        };
        pulse.passed();
        pulse.passed();
        assert_eq!(manager.heard(), ["READY=1"], "no task, no sign of life");
        pulse.wound.store(true, Ordering::Release);
        pulse.passed();
        pulse.passed();
        assert_eq!(manager.heard(), ["WATCHDOG=1"]);
    }

    #[tokio::test]
    async fn tasks_wind_the_pulse_up_again_and_again_until_told_to_stop() {
        let manager = manager(Some(Duration::from_millis(30)));
        let (stop, (rung, mut rings)) = (Stop::default(), tokio::sync::mpsc::unbounded_channel());
        let mut pulse = Pulse::start(
            manager.service.clone(),
            &Handle::current(),
            stop.clone(),
            move || {
                let _ = rung.send(());
            },
        );
        for _ in 0..4 {
            rings.recv().await.expect("rung");
            pulse.passed();
        }
        assert_eq!(
            manager
                .heard()
                .iter()
                .filter(|said| *said == "WATCHDOG=1")
                .count(),
            4
        );
        stop.stop();
        while rings.recv().await.is_some() {}
    }

    #[tokio::test]
    async fn a_role_that_does_not_come_back_from_its_check_gives_no_sign() {
        let manager = manager(Some(Duration::from_millis(30)));
        let stop = Stop::default();
        let silent = keep_alive(manager.service.clone(), stop.clone(), std::future::pending::<()>);
        assert!(
            tokio::time::timeout(Duration::from_millis(100), silent)
                .await
                .is_err()
        );
        assert_eq!(manager.heard(), Vec::<String>::new());
        let lively = keep_alive(manager.service.clone(), stop, async || ());
        assert!(
            tokio::time::timeout(Duration::from_millis(100), lively)
                .await
                .is_err()
        );
        assert!(!manager.heard().is_empty());
    }

    #[test]
    fn the_file_is_there_as_long_as_somebody_is() {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join(Presence::FILE);
        std::fs::write(&file, "").expect("left over");
        let mut presence = Presence::within(Some(folder.path().to_owned()));
        assert!(!file.exists(), "nobody is there at the start");
        presence.tell(true);
        assert!(file.exists());
        presence.tell(false);
        assert!(!file.exists());
        Presence::within(None).tell(true);
    }
}

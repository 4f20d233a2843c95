//! Settings of an office's hub.
//!
//! Rules, hours, queues, zones and counters are only what an office begins with: at its first start they go into its
//! data file, and from then on administrators change them in the console; see [`OfficeConfig::settings`].
//!
//! Secrets are not here: passwords and staff tokens are in the store, keys in files of their own, and of a
//! kiosk's token only its SHA-256 is written.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use jiff::{SignedDuration, tz::TimeZone};
use serde::{Deserialize, Serialize};

use super::backup::BackupConfig;
use super::published::PublishedConfig;
use super::systems::SystemsConfig;
use super::tls::TlsConfig;
use super::zones::ZoneConfig;
use crate::domain::office::OfficeSetup;
pub use crate::domain::office::settings::QueueSettings as QueueConfig;
use crate::domain::office::settings::{
    Base, CounterSettings, PROFILE_NAME_MAX, ProfileSettings, Rules, Settings, ZoneSettings,
};
use crate::domain::queue::MaxRun;
use crate::i18n::Language;

/// Everything `ventanilla office` needs to know.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfficeConfig {
    /// Where to listen, such as `0.0.0.0:8080`.
    pub listen: SocketAddr,
    /// Folder of the data file.
    pub data: PathBuf,
    /// Who we are.
    pub office: Identity,
    /// IANA time zone of the office.
    #[serde(default = "zone")]
    pub time_zone: String,
    /// Hour of the local day at which a business day begins, 0 to 12.
    #[serde(default = "day_cut_hour")]
    pub day_cut_hour: u8,
    /// K: how many preferred turns may follow each other while a general one waits, 1 to 9.
    #[serde(default = "max_run")]
    pub max_priority_run: u8,
    /// First number of the blocks leased to kiosks; above what a busy day gives online.
    #[serde(default = "lease_from")]
    pub lease_from: u32,
    /// Announcements before somebody may be marked absent.
    #[serde(default = "no_show_calls")]
    pub no_show_calls: u32,
    /// Seconds after the last announcement before that.
    #[serde(default)]
    pub no_show_after_seconds: u32,
    /// Announcements of one turn at the most.
    #[serde(default = "recall_max")]
    pub recall_max: u32,
    /// Seconds between two announcements of one turn at the least.
    #[serde(default)]
    pub recall_gap_seconds: u32,
    /// Minutes after an absence within which a person may come back to the line.
    #[serde(default = "rejoin_minutes")]
    pub rejoin_minutes: u32,
    /// How often one ticket may come back.
    #[serde(default = "rejoin_max")]
    pub rejoin_max: u32,
    /// Behind how many of its lane it then stands.
    #[serde(default = "rejoin_behind")]
    pub rejoin_behind: u32,
    /// Minutes somebody with an appointment may be late and still keep it.
    #[serde(default = "appointment_grace_minutes")]
    pub appointment_grace_minutes: u32,
    /// When tickets are given, such as `{ "mon-fri" = ["08:00-12:30", "13:30-16:30"] }`; always if not written.
    #[serde(default)]
    pub hours: BTreeMap<String, Vec<String>>,
    /// Days on which none are given, such as `2026-12-25`.
    #[serde(default)]
    pub closures: Vec<String>,
    /// Minutes of waiting above which the supervisor is alarmed.
    #[serde(default = "alarm_minutes")]
    pub alarm_minutes: u32,
    /// Days for which a form that was stopped at a kiosk waits for its citizen, 0 to 30; 0 where none is kept.
    #[serde(default = "draft_days")]
    pub draft_days: u32,
    /// Language of console and board.
    #[serde(default)]
    pub language: Language,
    /// Whether a proxy in front of us speaks HTTPS, so that cookies may only travel there.
    #[serde(default)]
    pub behind_https: bool,
    /// Whether a ticket may be taken without a token. Only for a demo on the own machine.
    #[serde(default)]
    pub open_tickets: bool,
    /// Queues, in the order of the board.
    pub queues: Vec<QueueConfig>,
    /// Counters.
    pub counters: Vec<CounterConfig>,
    /// Waiting rooms with a board of their own; one with all counters if none is written.
    #[serde(default)]
    pub zones: Vec<ZoneConfig>,
    /// Folder with recordings that are played in place of the made voice.
    #[serde(default)]
    pub recordings: Option<PathBuf>,
    /// Kiosks that may take tickets here.
    #[serde(default)]
    pub kiosks: Vec<KioskConfig>,
    /// The municipality's central, if there is one.
    pub central: Option<Upstream>,
    /// File of the office's private key, which opens forms at the counters.
    pub office_key: Option<PathBuf>,
    /// File of the key that signs for what kiosks hand in; made at the first start where it is missing.
    /// Without it the office takes no submissions.
    pub receipt_key: Option<PathBuf>,
    /// The catalogue that is published, and given to those below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<PublishedConfig>,
    /// A second address where kiosks are answered in secret, by an authority of our own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsConfig>,
    /// Versions of the appliance's system that this office holds for its kiosks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub systems: Option<SystemsConfig>,
    /// Copies that the office makes of its file by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<BackupConfig>,
}

impl OfficeConfig {
    /// An office with everything else as it is when nothing is written.
    pub fn new(
        listen: SocketAddr,
        data: PathBuf,
        office: Identity,
        queues: Vec<QueueConfig>,
        counters: Vec<CounterConfig>,
    ) -> Self {
        Self {
            listen,
            data,
            office,
            time_zone: zone(),
            day_cut_hour: day_cut_hour(),
            max_priority_run: max_run(),
            lease_from: lease_from(),
            no_show_calls: no_show_calls(),
            no_show_after_seconds: 0,
            recall_max: recall_max(),
            recall_gap_seconds: 0,
            rejoin_minutes: rejoin_minutes(),
            rejoin_max: rejoin_max(),
            rejoin_behind: rejoin_behind(),
            appointment_grace_minutes: appointment_grace_minutes(),
            hours: BTreeMap::new(),
            closures: Vec::new(),
            alarm_minutes: alarm_minutes(),
            draft_days: draft_days(),
            language: Language::default(),
            behind_https: false,
            open_tickets: false,
            queues,
            counters,
            zones: Vec::new(),
            recordings: None,
            kiosks: Vec::new(),
            central: None,
            office_key: None,
            receipt_key: None,
            backup: None,
            published: None,
            systems: None,
            tls: None,
        }
    }

    /// The same settings with every path meant from the folder of `settings`.
    #[must_use]
    pub fn resolved(mut self, settings: &std::path::Path) -> Self {
        let beside = |path: &mut PathBuf| crate::config::beside(settings, path);
        beside(&mut self.data);
        self.office_key.iter_mut().for_each(beside);
        self.receipt_key.iter_mut().for_each(beside);
        if let Some(published) = &mut self.published {
            published.resolve(settings);
        }
        if let Some(systems) = &mut self.systems {
            systems.resolve(settings);
        }
        if let Some(backup) = &mut self.backup {
            backup.resolve(settings);
        }
        self.recordings.iter_mut().for_each(beside);
        self.kiosks
            .iter_mut()
            .filter_map(|kiosk| kiosk.public_key.as_mut())
            .for_each(beside);
        if let Some(central) = &mut self.central {
            central.token_file.iter_mut().for_each(beside);
            central.device_key.iter_mut().for_each(beside);
            central.authority.iter_mut().for_each(beside);
            central.receipt_keys.iter_mut().for_each(beside);
        }
        self
    }
}

/// Who the office is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Name for programs, such as `quitumbe`.
    pub id: String,
    /// Name for people, such as `Quitumbe`.
    pub name: String,
    /// Kind of office, such as `Administración Zonal`.
    pub kind: String,
    /// The waiting room of the board, such as `Sala A`.
    pub room: String,
}

/// One counter.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CounterConfig {
    /// The number over it.
    pub number: u16,
    /// Queues it serves.
    pub serves: Vec<String>,
    /// Queues it serves while nobody waits in the first ones.
    #[serde(default)]
    pub then_serves: Vec<String>,
}

/// One kiosk.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KioskConfig {
    /// Its name.
    pub id: String,
    /// SHA-256 of its token, 64 hex digits.
    pub token_hash: String,
    /// File of its public key, to check what it hands in; without it it only takes tickets.
    pub public_key: Option<PathBuf>,
}

/// The central above us.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    /// Its address, such as `https://ventanilla.quito.gob.ec`.
    pub url: String,
    /// File with our token for it; without it each request is signed with `device_key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_file: Option<PathBuf>,
    /// File of this hub's own key, with which central let it in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_key: Option<PathBuf>,
    /// File with the certificate (PEM) of central's own authority: only that central is believed then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<PathBuf>,
    /// Files of the public keys that sign for what it received, the present and the next.
    #[serde(default)]
    pub receipt_keys: Vec<PathBuf>,
}

fn zone() -> String {
    "America/Guayaquil".to_owned()
}
fn day_cut_hour() -> u8 {
    3
}
fn max_run() -> u8 {
    MaxRun::default().get()
}
fn lease_from() -> u32 {
    501
}
fn no_show_calls() -> u32 {
    1
}
fn recall_max() -> u32 {
    5
}
fn rejoin_minutes() -> u32 {
    30
}
fn rejoin_max() -> u32 {
    2
}
fn rejoin_behind() -> u32 {
    2
}
fn appointment_grace_minutes() -> u32 {
    15
}
fn alarm_minutes() -> u32 {
    45
}
fn draft_days() -> u32 {
    7
}

/// SHA-256 of a kiosk's token as it is written in the configuration.
pub fn token_hash(token: &str) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(token.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

impl OfficeConfig {
    /// The office the settings describe, or what is wrong with them.
    pub fn setup(&self) -> Result<OfficeSetup, String> {
        let zone = TimeZone::get(&self.time_zone)
            .map_err(|_| format!("time_zone {} is unknown; write an IANA name", self.time_zone))?;
        if self.day_cut_hour > 12 {
            return Err(format!("day_cut_hour is {}; write 0 to 12", self.day_cut_hour));
        }
        for kiosk in &self.kiosks {
            if kiosk.token_hash.len() != 64 || !kiosk.token_hash.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(format!("token_hash of kiosk {} is not 64 hex digits", kiosk.id));
            }
        }
        self.check_zones()?;
        let setup = self.settings()?.setup(&self.base(zone), 1);
        setup.map_err(|problem| problem.to_string())
    }

    /// The part that an administrator may change while the office works, as this file says it.
    ///
    /// # Errors
    /// When a closed day cannot be read.
    pub fn settings(&self) -> Result<Settings, String> {
        let closures = self
            .closures
            .iter()
            .map(|day| {
                day.parse()
                    .map_err(|_| format!("closures has {day}; write days like 2026-12-25"))
            })
            .collect::<Result<_, _>>()?;
        let profiles = self.profiles();
        let counters = self.counters.iter().map(|counter| {
            let of = |profile: &&ProfileSettings| {
                (&profile.serves, &profile.then_serves) == (&counter.serves, &counter.then_serves)
            };
            let zone = self
                .zones
                .iter()
                .find(|zone| zone.counters.contains(&counter.number));
            CounterSettings {
                number: counter.number,
                profile: profiles
                    .iter()
                    .find(of)
                    .map(|profile| profile.id.clone())
                    .unwrap_or_default(),
                zone: zone.map(|zone| zone.id.clone()),
            }
        });
        Ok(Settings {
            rules: Rules {
                max_priority_run: self.max_priority_run,
                no_show_calls: self.no_show_calls,
                no_show_after_seconds: self.no_show_after_seconds,
                recall_max: self.recall_max,
                recall_gap_seconds: self.recall_gap_seconds,
                rejoin_minutes: self.rejoin_minutes,
                rejoin_max: self.rejoin_max,
                rejoin_behind: self.rejoin_behind,
                appointment_grace_minutes: self.appointment_grace_minutes,
                alarm_minutes: self.alarm_minutes,
                draft_days: self.draft_days,
            },
            closures,
            hours: self.hours.clone(),
            queues: self.queues.clone(),
            zones: self
                .zones
                .iter()
                .map(|zone| ZoneSettings {
                    id: zone.id.clone(),
                    name: zone.name.clone(),
                })
                .collect(),
            counters: counters.collect(),
            profiles,
        })
    }

    /// One profile for each way in which counters serve, named after its queues.
    fn profiles(&self) -> Vec<ProfileSettings> {
        let name = |ids: &[String]| {
            let name = |id: &String| {
                let queue = self.queues.iter().find(|queue| queue.id == *id);
                queue.map_or_else(|| id.clone(), |queue| queue.name.clone())
            };
            ids.iter().map(name).collect::<Vec<_>>().join(" + ")
        };
        let mut profiles: Vec<ProfileSettings> = Vec::new();
        for counter in &self.counters {
            let known = |profile: &ProfileSettings| {
                (&profile.serves, &profile.then_serves) == (&counter.serves, &counter.then_serves)
            };
            if profiles.iter().any(known) {
                continue;
            }
            let mut title = name(&counter.serves);
            if !counter.then_serves.is_empty() {
                title = format!("{title} > {}", name(&counter.then_serves));
            }
            profiles.push(ProfileSettings {
                id: format!("p{}", profiles.len() + 1),
                name: title
                    .chars()
                    .take(PROFILE_NAME_MAX)
                    .collect::<String>()
                    .trim()
                    .to_owned(),
                serves: counter.serves.clone(),
                then_serves: counter.then_serves.clone(),
            });
        }
        profiles
    }

    fn base(&self, zone: TimeZone) -> Base {
        Base {
            zone,
            day_cut: SignedDuration::from_hours(i64::from(self.day_cut_hour)),
            lease_from: self.lease_from,
            room: self.office.room.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
listen = "127.0.0.1:0"
data = "/tmp/x"
office = { id = "quitumbe", name = "Quitumbe", kind = "Administración Zonal", room = "Sala A" }
queues = [{ id = "tributos", name = "Tributos", series = "T" }]
counters = [{ number = 4, serves = ["tributos"] }]
"#;

    #[test]
    fn a_short_file_makes_an_office_and_a_typo_is_named() {
        let config: OfficeConfig = crate::config::parse("o.toml".as_ref(), TEXT).expect("parses");
        let setup = config.setup().expect("fits");
        assert_eq!(setup.counters[0].profile.name, "tributos");
        assert_eq!(setup.written.profiles[0].name, "Tributos");
        let wrong = TEXT.replace("serves = [\"tributos\"]", "serves = [\"tributo\"]");
        let config: OfficeConfig = crate::config::parse("o.toml".as_ref(), &wrong).expect("parses");
        assert!(config.setup().expect_err("refused").contains("tributo,"));
        let typo = format!("max_priorty_run = 3\n{TEXT}");
        let error = crate::config::parse::<OfficeConfig>("o.toml".as_ref(), &typo).expect_err("refused");
        assert!(error.to_string().contains("max_priorty_run"), "{error}");
    }
}

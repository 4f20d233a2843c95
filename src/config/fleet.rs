//! How central looks after its devices: from when on something is wrong, and who is told.

use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::domain::fleet::alarm::Thresholds;
use crate::i18n::Language;

/// `[fleet]` of central.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FleetConfig {
    /// Minutes without a word from a device until somebody is told.
    pub silent_minutes: u32,
    /// Minutes that anything else must be wrong for.
    pub patience_minutes: u32,
    /// Hundredths of a disk that must be free.
    pub disk_percent: u8,
    /// Seconds that a clock may be wrong.
    pub clock_seconds: u32,
    /// Minutes that a submission may wait at a device.
    pub outbox_minutes: u32,
    /// Hours until an order that nobody fetched is void.
    pub order_hours: u32,
    /// Days that logs and pictures stay which an order brought back.
    pub attachment_days: u32,
    /// Language of the letters.
    pub language: Language,
    /// Letters by e-mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail: Option<MailConfig>,
    /// Programs that are told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub webhooks: Vec<WebhookConfig>,
}

impl Default for FleetConfig {
    fn default() -> Self {
        Self {
            silent_minutes: 15,
            patience_minutes: 5,
            disk_percent: 10,
            clock_seconds: 120,
            outbox_minutes: 60,
            order_hours: 24,
            attachment_days: 7,
            language: Language::default(),
            mail: None,
            webhooks: Vec::new(),
        }
    }
}

impl FleetConfig {
    /// Makes paths absolute: they are meant from the folder of `settings`.
    pub fn resolve(&mut self, settings: &Path) {
        let beside = |path: &mut PathBuf| super::beside(settings, path);
        if let Some(mail) = &mut self.mail {
            mail.password_file.iter_mut().for_each(beside);
            mail.authority.iter_mut().for_each(beside);
        }
        for hook in &mut self.webhooks {
            hook.secret_file.iter_mut().for_each(beside);
        }
    }

    /// From when on something is wrong.
    pub fn thresholds(&self) -> Thresholds {
        Thresholds {
            silent: SignedDuration::from_mins(i64::from(self.silent_minutes.max(1))),
            patience: SignedDuration::from_mins(i64::from(self.patience_minutes)),
            disk_percent: u64::from(self.disk_percent),
            clock: SignedDuration::from_secs(i64::from(self.clock_seconds)),
            outbox: SignedDuration::from_mins(i64::from(self.outbox_minutes)),
        }
    }
}

/// How a mail server is spoken to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailSecurity {
    /// TLS from the first byte, usually port 465.
    #[default]
    Tls,
    /// TLS after STARTTLS, usually port 587; without it nothing is sent.
    Starttls,
    /// In the clear, without a password: only for a relay on the same machine or in the same room.
    None,
}

/// Letters by e-mail.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailConfig {
    /// Name of the mail server.
    pub server: String,
    /// Its port; the usual one of `security` if not written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// How it is spoken to.
    #[serde(default)]
    pub security: MailSecurity,
    /// File with the certificate (PEM) of its authority, where that is not one of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<PathBuf>,
    /// Who we are there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// File with the password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    /// Sender, such as `Ventanilla <ventanilla@quito.gob.ec>`.
    pub from: String,
    /// Who is told.
    pub to: Vec<String>,
}

/// A program that is told by HTTP.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookConfig {
    /// A name for the logs.
    pub name: String,
    /// Where to post.
    pub url: String,
    /// File with a secret; each body is then signed with it, HMAC-SHA256 in the header `ventanilla-signature`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_file: Option<PathBuf>,
}

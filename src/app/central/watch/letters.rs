//! Letters about what is wrong with devices: written into the store's outbox, sent by e-mail or to a program.
//!
//! A letter is written in the transaction that notes what it says, so it is written once; it is sent until it arrived
//! or three days are over. A letter that arrived twice, because an answer was lost, has the same id both times.
//! Begin at [`Post`].

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use serde::Serialize;
use sha2::Sha256;
use tracing::{info, warn};

use super::super::CentralApp;
use super::{Names, letter};
use crate::app::{StartError, http_client};
use crate::config::fleet::{FleetConfig, MailConfig, MailSecurity};
use crate::domain::fleet::alarm::News;
use crate::domain::seal::hex;
use crate::i18n::{Language, fill, say};
use crate::store::fleet::{self as store, LetterRow};

/// How long a letter may take; whoever sends it keeps it for longer.
const SEND_WITHIN: Duration = Duration::from_secs(30);
/// Nobody else sends a letter that was taken for this long.
const TAKEN_FOR: SignedDuration = SignedDuration::from_mins(5);
/// Longest pause between two attempts.
const PAUSE_MAX_MINUTES: i64 = 60;
/// Channel of letters by e-mail.
const MAIL: &str = "mail";
/// Header with the signature of what is posted to a program.
pub const SIGNATURE: &str = "ventanilla-signature";
/// Header with the letter's id, the same at each attempt.
pub const LETTER: &str = "ventanilla-letter";

/// Something that changed with a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which.
    pub device: String,
    /// Id of its office.
    pub office: String,
    /// What.
    pub news: News,
    /// One word or figure more; may be empty.
    pub detail: String,
    /// When it was heard last.
    pub heard_at: Timestamp,
}

/// Whoever carries the letters.
pub struct Post {
    mail: Option<Mail>,
    hooks: Vec<Hook>,
    http: reqwest::Client,
}

struct Mail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    to: Vec<Mailbox>,
}

struct Hook {
    channel: String,
    url: String,
    secret: Option<Vec<u8>>,
}

fn setup(what: impl Into<String>, problem: impl Into<String>) -> StartError {
    StartError::Setup {
        what: what.into(),
        problem: problem.into(),
    }
}

fn secret(path: &std::path::Path) -> Result<String, StartError> {
    std::fs::read_to_string(path)
        .map(|text| text.trim().to_owned())
        .map_err(|problem| setup(format!("File {}", path.display()), problem.to_string()))
}

impl Post {
    /// Whoever the settings name.
    ///
    /// # Errors
    /// When an address, a file or a server's name is not usable.
    pub fn new(config: &FleetConfig) -> Result<Self, StartError> {
        let mut hooks = Vec::new();
        for hook in &config.webhooks {
            hooks.push(Hook {
                channel: format!("webhook:{}", hook.name),
                url: hook.url.clone(),
                secret: hook
                    .secret_file
                    .as_deref()
                    .map(secret)
                    .transpose()?
                    .map(String::into_bytes),
            });
        }
        Ok(Self {
            mail: config.mail.as_ref().map(Mail::new).transpose()?,
            hooks,
            http: http_client(None)?,
        })
    }

    /// The letters about some changes, one for each channel.
    pub fn write(
        &self,
        changes: &[Change],
        names: &Names,
        language: Language,
        now: Timestamp,
    ) -> Vec<LetterRow> {
        let mut letters = Vec::new();
        if self.mail.is_some() {
            let (subject, text) = compose(changes, names, language);
            letters.push(letter(MAIL, subject, text, now));
        }
        for hook in &self.hooks {
            let body = for_program(changes, now);
            letters.push(letter(&hook.channel, String::new(), body, now));
        }
        letters
    }

    /// Sends what is due.
    pub async fn deliver(&self, central: &CentralApp) {
        let now = central.clock.now();
        let taken = central
            .store
            .change(move |sql| {
                sql.alone(store::LOCK)?;
                store::take_letters(sql, now, now + TAKEN_FOR)
            })
            .await;
        let letters = match taken {
            Ok(letters) => letters,
            Err(problem) => {
                warn!(%problem, "the letters could not be read");
                return;
            }
        };
        for letter in letters {
            let (id, attempts) = (letter.id, letter.attempts);
            let sent = self.send(&letter).await;
            let now = central.clock.now();
            let noted = match sent {
                Ok(()) => {
                    info!(channel = %letter.channel, "a letter about devices was sent");
                    central
                        .store
                        .change(move |sql| store::letter_sent(sql, id, now))
                        .await
                }
                Err(why) => {
                    warn!(channel = %letter.channel, attempts, why, "a letter about devices did not arrive; it is tried again");
                    let minutes = 1_i64 << attempts.clamp(0, 10);
                    let next = now + SignedDuration::from_mins(minutes.min(PAUSE_MAX_MINUTES));
                    central
                        .store
                        .change(move |sql| store::letter_failed(sql, id, &why, next))
                        .await
                }
            };
            if let Err(problem) = noted {
                warn!(%problem, "what became of a letter could not be written down");
            }
        }
    }

    async fn send(&self, letter: &LetterRow) -> Result<(), String> {
        if letter.channel == MAIL {
            let mail = self
                .mail
                .as_ref()
                .ok_or("no mail server is in the settings any more")?;
            return mail.send(letter).await;
        }
        let hook = self.hooks.iter().find(|hook| hook.channel == letter.channel);
        let hook = hook.ok_or("this program is not in the settings any more")?;
        let mut request = self
            .http
            .post(&hook.url)
            .timeout(SEND_WITHIN)
            .header("Content-Type", "application/json")
            .header(LETTER, letter.id.to_string());
        if let Some(secret) = &hook.secret {
            let mut mac = Hmac::<Sha256>::new_from_slice(secret).map_err(|problem| problem.to_string())?;
            mac.update(letter.body.as_bytes());
            request = request.header(SIGNATURE, format!("sha256={}", hex(&mac.finalize().into_bytes())));
        }
        let answer = request
            .body(letter.body.clone())
            .send()
            .await
            .map_err(|problem| problem.without_url().to_string())?;
        if answer.status().is_success() {
            Ok(())
        } else {
            Err(format!("answered {}", answer.status()))
        }
    }
}

impl Mail {
    fn new(config: &MailConfig) -> Result<Self, StartError> {
        let mailbox = |text: &String| {
            text.parse::<Mailbox>()
                .map_err(|_| setup(format!("The mail address {text}"), "write name@example.org"))
        };
        if config.to.is_empty() {
            return Err(setup("[fleet.mail]", "nobody is told; write addresses under to"));
        }
        let (usual, tls) = match config.security {
            MailSecurity::None => (25, Tls::None),
            MailSecurity::Starttls => (587, Tls::Required(parameters(config)?)),
            MailSecurity::Tls => (465, Tls::Wrapper(parameters(config)?)),
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.server)
            .port(config.port.unwrap_or(usual))
            .tls(tls)
            .timeout(Some(SEND_WITHIN));
        match (&config.user, &config.password_file) {
            (Some(_), Some(_)) if config.security == MailSecurity::None => {
                return Err(setup(
                    "[fleet.mail]",
                    "a password is never sent in the clear; write security = \"tls\" or \"starttls\"",
                ));
            }
            (Some(user), Some(file)) => {
                builder = builder.credentials(Credentials::new(user.clone(), secret(file)?));
            }
            (None, None) => {}
            (Some(_), None) | (None, Some(_)) => {
                return Err(setup(
                    "[fleet.mail]",
                    "write both user and password_file, or neither",
                ));
            }
        }
        Ok(Self {
            transport: builder.build(),
            from: mailbox(&config.from)?,
            to: config.to.iter().map(mailbox).collect::<Result<_, _>>()?,
        })
    }

    async fn send(&self, letter: &LetterRow) -> Result<(), String> {
        let domain = self.from.email.domain();
        let mut message = Message::builder()
            .from(self.from.clone())
            .subject(&letter.subject)
            .date(moment(letter.made_at))
            .message_id(Some(format!("<{}@{domain}>", letter.id)))
            .header(ContentType::TEXT_PLAIN);
        for to in &self.to {
            message = message.to(to.clone());
        }
        let message = message
            .body(letter.body.clone())
            .map_err(|problem| problem.to_string())?;
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(problem) => Err(problem.to_string()),
        }
    }
}

/// A moment as the system's library has it.
fn moment(at: Timestamp) -> std::time::SystemTime {
    let seconds = u64::try_from(at.as_second()).unwrap_or(0);
    std::time::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn parameters(config: &MailConfig) -> Result<TlsParameters, StartError> {
    let unusable = |problem: lettre::transport::smtp::Error| {
        setup(format!("The mail server {}", config.server), problem.to_string())
    };
    let mut builder = TlsParameters::builder(config.server.clone());
    if let Some(path) = &config.authority {
        let certificate = Certificate::from_pem(secret(path)?.as_bytes()).map_err(unusable)?;
        builder = builder
            .certificate_store(CertificateStore::None)
            .add_root_certificate(certificate);
    }
    builder.build().map_err(unusable)
}

/// Subject and text for people.
fn compose(changes: &[Change], names: &Names, language: Language) -> (String, String) {
    let raised = |change: &&Change| matches!(change.news, News::Raised(_));
    let (bad, good) = (
        changes.iter().filter(raised).count(),
        changes.iter().filter(|change| !raised(change)).count(),
    );
    let subject = match changes {
        [one] => line(one, names, language),
        _ => fill(
            language,
            "fleet-mail-subject",
            &[("raised", &bad.to_string()), ("cleared", &good.to_string())],
        ),
    };
    let mut text = String::new();
    for (key, which) in [("fleet-mail-raised", true), ("fleet-mail-cleared", false)] {
        let of = changes.iter().filter(|change| raised(change) == which);
        let lines: Vec<String> = of
            .map(|change| {
                let since = shown(change.news.standing().since);
                let mut text = format!(
                    "- {}\n  {}",
                    line(change, names, language),
                    fill(language, "fleet-mail-since", &[("time", &since)])
                );
                if which {
                    let todo = format!("fleet-todo-{}", change.news.standing().kind.code());
                    text.push_str(&format!("\n  {}", say(language, &todo)));
                }
                text
            })
            .collect();
        if !lines.is_empty() {
            text.push_str(&format!("{}\n\n{}\n\n", say(language, key), lines.join("\n\n")));
        }
    }
    text.push_str(&say(language, "fleet-mail-foot"));
    text.push('\n');
    (subject, text)
}

/// «Quitumbe, K2: la impresora no imprime (first no-paper)».
fn line(change: &Change, names: &Names, language: Language) -> String {
    let office = names.get(&change.office).unwrap_or(&change.office);
    let what = say(
        language,
        &format!("fleet-alarm-{}", change.news.standing().kind.code()),
    );
    let detail = if change.detail.is_empty() {
        String::new()
    } else {
        format!(" ({})", change.detail)
    };
    let key = match change.news {
        News::Raised(_) => "fleet-mail-line-raised",
        News::Cleared(_) => "fleet-mail-line-cleared",
    };
    let what = format!("{what}{detail}");
    let values = [
        ("office", office.as_str()),
        ("device", change.device.as_str()),
        ("what", what.as_str()),
    ];
    fill(language, key, &values)
}

fn shown(at: Timestamp) -> String {
    match at.in_tz("America/Guayaquil") {
        Ok(at) => at.strftime("%d/%m/%Y %H:%M").to_string(),
        Err(_) => at.to_string(),
    }
}

#[derive(Serialize)]
struct ForProgram<'a> {
    v: u8,
    at: String,
    changes: Vec<ChangeForProgram<'a>>,
}

#[derive(Serialize)]
struct ChangeForProgram<'a> {
    device: &'a str,
    office: &'a str,
    alarm: &'static str,
    state: &'static str,
    since: String,
    heard_at: String,
    detail: &'a str,
}

fn for_program(changes: &[Change], now: Timestamp) -> String {
    let changes = changes
        .iter()
        .map(|change| ChangeForProgram {
            device: &change.device,
            office: &change.office,
            alarm: change.news.standing().kind.code(),
            state: match change.news {
                News::Raised(_) => "raised",
                News::Cleared(_) => "cleared",
            },
            since: change.news.standing().since.to_string(),
            heard_at: change.heard_at.to_string(),
            detail: &change.detail,
        })
        .collect();
    let body = ForProgram {
        v: 1,
        at: now.to_string(),
        changes,
    };
    serde_json::to_string(&body).expect("plain data")
}

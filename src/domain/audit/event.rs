//! What is recorded. A variant is never taken away or given another meaning: old logs are read for years.

use serde::{Deserialize, Serialize};

use crate::domain::office::settings::Difference;
use crate::domain::staff::Role;

/// Fields of a change of settings that are shown in one line.
const CHANGES_SHOWN: usize = 4;

/// Something that staff did, or that was done in their name.
///
/// Who did it and from where stands beside it in the entry.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AuditEvent {
    /// The first entry of a data file.
    LogBegan {
        /// Whether an earlier file was damaged and put aside, so that its log ends there.
        after_damage: bool,
    },
    /// The office began to answer.
    OfficeStarted {
        /// Version of the program.
        version: String,
    },
    /// The office was told to stop and did.
    OfficeStopped,
    /// The settings are others than at the last start.
    SettingsChanged {
        /// SHA-256 of the settings as this version reads them, hexadecimal.
        settings: String,
    },
    /// An administrator changed the settings of the line.
    SettingsEdited {
        /// Their version from now on.
        version: u64,
        /// What is different: field, before, after.
        changes: Vec<Difference>,
    },
    /// Somebody said that the machine's clock is right, which the office did not believe.
    ClockConfirmed {
        /// The office's time before, RFC 3339.
        office: String,
        /// The machine's, which it took, RFC 3339.
        wall: String,
    },
    /// A person logged in.
    LoggedIn {
        /// As what.
        role: Role,
    },
    /// A password was wrong. `who` is empty when nobody has that login: what was typed there may be a password.
    LoginFailed {
        /// Wrong tries in a row.
        failures: u32,
    },
    /// That was one wrong password too many; the account stays shut until somebody unlocks it.
    LoginLocked,
    /// A person came back to a console that had locked itself, and gave the password again.
    SessionResumed,
    /// A person logged out.
    LoggedOut,
    /// A command was given at a counter or for a ticket.
    Commanded {
        /// Which, in the words of the API, such as `next`.
        command: String,
        /// At which counter.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        counter: Option<u16>,
        /// Id of the ticket it was about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ticket: Option<String>,
        /// What came of it.
        done: Done,
    },
    /// A masked answer of a form was looked at.
    Unmasked {
        /// At which counter.
        counter: u16,
        /// Id of the form.
        submission: String,
        /// The question; never the answer.
        label: String,
    },
    /// A form that was stopped at a kiosk was looked for at a counter, by code and digits.
    DraftOpened {
        /// At which counter.
        counter: u16,
        /// The beginning of its name.
        draft: String,
        /// Whether it opened.
        opened: bool,
    },
    /// It was finished at a counter and erased.
    DraftUsed {
        /// At which counter.
        counter: u16,
        /// The beginning of its name.
        draft: String,
    },
    /// Reports, events or this log were read. The same reading again within five minutes is not a new entry.
    Read {
        /// The permission it needed.
        what: String,
        /// The address that was asked for.
        target: String,
    },
    /// This log was checked from beginning to end.
    Verified {
        /// Entries looked at.
        entries: u64,
        /// Faults found.
        faults: u64,
    },
    /// An account was made.
    AccountAdded {
        /// Whose.
        login: String,
        /// As what.
        role: Role,
    },
    /// An account was closed; its sessions ended.
    AccountDisabled {
        /// Whose.
        login: String,
    },
    /// A closed account was opened again.
    AccountEnabled {
        /// Whose.
        login: String,
    },
    /// An account that was shut after wrong passwords may log in again.
    AccountUnlocked {
        /// Whose.
        login: String,
    },
    /// A new PIN or password was set; the sessions of the account ended.
    PasswordChanged {
        /// Whose.
        login: String,
    },
    /// A login of the account asks for a code of the telephone from now on.
    SecondStepAdded {
        /// Whose.
        login: String,
    },
    /// It does not any more.
    SecondStepRemoved {
        /// Whose.
        login: String,
    },
    /// A code on paper was used in place of the telephone.
    RecoveryCodeUsed {
        /// How many are left.
        left: u64,
    },
    /// An account shows another name now.
    AccountRenamed {
        /// Whose.
        login: String,
    },
    /// An account has other rights now.
    RoleChanged {
        /// Whose.
        login: String,
        /// Before.
        from: Role,
        /// From now on.
        to: Role,
    },
    /// Sessions were ended by somebody else.
    SessionsRevoked {
        /// Whose.
        login: String,
        /// How many.
        sessions: u64,
    },
    /// A token for a program was made; one of the same name no longer works.
    TokenMade {
        /// Its name.
        name: String,
        /// What it may do.
        role: Role,
    },
    /// A token no longer works.
    TokenRevoked {
        /// Its name.
        name: String,
    },
    /// A one-time code was made that lets a device in.
    DeviceInvited {
        /// Which.
        device: String,
    },
    /// A device was let in with its key, or a hub vouched for it.
    DeviceEnrolled {
        /// Which.
        device: String,
        /// Name of its key.
        kid: String,
    },
    /// A device was taken out of service.
    DeviceRevoked {
        /// Which.
        device: String,
    },
}

/// What came of a command.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Done {
    /// It was carried out, with the events of these numbers; none where nothing had to change.
    Events {
        /// First.
        from: u64,
        /// Last.
        to: u64,
    },
    /// Nothing had to change.
    Nothing,
    /// A rule said no.
    Refused(String),
}

fn change_text(change: &Difference) -> String {
    let side = |side: &Option<String>| side.clone().unwrap_or_else(|| "–".to_owned());
    format!("{}: {} > {}", change.field, side(&change.from), side(&change.to))
}

impl AuditEvent {
    /// The word of the variant.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::LogBegan { .. } => "log_began",
            Self::OfficeStarted { .. } => "office_started",
            Self::OfficeStopped => "office_stopped",
            Self::SettingsChanged { .. } => "settings_changed",
            Self::SettingsEdited { .. } => "settings_edited",
            Self::ClockConfirmed { .. } => "clock_confirmed",
            Self::LoggedIn { .. } => "logged_in",
            Self::LoginFailed { .. } => "login_failed",
            Self::LoginLocked => "login_locked",
            Self::SessionResumed => "session_resumed",
            Self::LoggedOut => "logged_out",
            Self::Commanded { .. } => "commanded",
            Self::Unmasked { .. } => "unmasked",
            Self::DraftOpened { .. } => "draft_opened",
            Self::DraftUsed { .. } => "draft_used",
            Self::Read { .. } => "read",
            Self::Verified { .. } => "verified",
            Self::AccountAdded { .. } => "account_added",
            Self::AccountDisabled { .. } => "account_disabled",
            Self::AccountEnabled { .. } => "account_enabled",
            Self::AccountUnlocked { .. } => "account_unlocked",
            Self::PasswordChanged { .. } => "password_changed",
            Self::SecondStepAdded { .. } => "second_step_added",
            Self::SecondStepRemoved { .. } => "second_step_removed",
            Self::RecoveryCodeUsed { .. } => "recovery_code_used",
            Self::AccountRenamed { .. } => "account_renamed",
            Self::RoleChanged { .. } => "role_changed",
            Self::SessionsRevoked { .. } => "sessions_revoked",
            Self::TokenMade { .. } => "token_made",
            Self::TokenRevoked { .. } => "token_revoked",
            Self::DeviceInvited { .. } => "device_invited",
            Self::DeviceEnrolled { .. } => "device_enrolled",
            Self::DeviceRevoked { .. } => "device_revoked",
        }
    }

    /// What it was about, in short: an account, a token, a counter, an address.
    ///
    /// Roles and commands are said by whoever shows them, in their own words.
    pub fn subject(
        &self,
        role_word: impl Fn(Role) -> String,
        command_word: impl Fn(&str) -> String,
    ) -> String {
        match self {
            Self::LogBegan { .. }
            | Self::OfficeStopped
            | Self::LoginLocked
            | Self::LoggedOut
            | Self::SessionResumed => String::new(),
            Self::OfficeStarted { version } => version.clone(),
            Self::SettingsChanged { settings } => settings.chars().take(12).collect(),
            Self::SettingsEdited { version, changes } => {
                let shown: Vec<String> = changes.iter().take(CHANGES_SHOWN).map(change_text).collect();
                let more = changes.len().saturating_sub(CHANGES_SHOWN);
                let more = if more > 0 {
                    format!(" … +{more}")
                } else {
                    String::new()
                };
                format!("{version} · {}{more}", shown.join("; "))
            }
            Self::ClockConfirmed { office, wall } => format!("{office} > {wall}"),
            Self::LoggedIn { role } => role_word(*role),
            Self::LoginFailed { failures } => format!("{failures}×"),
            Self::RecoveryCodeUsed { left } => left.to_string(),
            Self::Commanded {
                command,
                counter,
                done,
                ..
            } => {
                let mut text = command_word(command);
                if let Some(counter) = counter {
                    text.push_str(&format!(" · {counter}"));
                }
                if let Done::Refused(code) = done {
                    text.push_str(&format!(" · {code}"));
                }
                text
            }
            Self::Unmasked { counter, label, .. } => format!("{label} · {counter}"),
            Self::DraftOpened {
                counter,
                draft,
                opened,
            } => {
                let mark = if *opened { "" } else { " · –" };
                format!("{draft} · {counter}{mark}")
            }
            Self::DraftUsed { counter, draft } => format!("{draft} · {counter}"),
            Self::Read { target, .. } => target.clone(),
            Self::Verified { entries, faults } => format!("{entries} / {faults}"),
            Self::AccountAdded { login, role } => format!("{login} · {}", role_word(*role)),
            Self::RoleChanged { login, from, to } => {
                format!("{login} · {} > {}", role_word(*from), role_word(*to))
            }
            Self::AccountDisabled { login }
            | Self::AccountEnabled { login }
            | Self::AccountUnlocked { login }
            | Self::AccountRenamed { login }
            | Self::SecondStepAdded { login }
            | Self::SecondStepRemoved { login }
            | Self::PasswordChanged { login } => login.clone(),
            Self::SessionsRevoked { login, sessions } => format!("{login} · {sessions}"),
            Self::TokenMade { name, role } => format!("{name} · {}", role_word(*role)),
            Self::TokenRevoked { name } => name.clone(),
            Self::DeviceInvited { device } | Self::DeviceRevoked { device } => device.clone(),
            Self::DeviceEnrolled { device, kid } => format!("{device} · {kid}"),
        }
    }
}

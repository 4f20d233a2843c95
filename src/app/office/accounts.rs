//! Accounts, sessions and tokens: what may be changed by whom, each change in one transaction with its record.
//!
//! The console and the command line both come through [`apply`].

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::Connection;

use super::audit::{OFFICE, TERMINAL};
use super::auth::Peer;
use super::hub::OfficeApp;
use crate::domain::audit::AuditEvent;
use crate::domain::staff::secret::{self, Weak};
use crate::domain::staff::{Permission, Role, is_login, may, may_unlock};
use crate::i18n::Language;
use crate::store::StoreError;
use crate::store::office::{self as store, Account, Guarded, Hashed, SessionRow, Staff, Token};

/// Longest name of a person or a token.
const NAME_MAX: usize = 60;

/// Who changes something.
#[derive(Clone, Debug)]
pub enum Actor {
    /// Somebody with a session, from this address.
    Person(Staff, String),
    /// Somebody at the machine's own command line, who could open the file anyway.
    Terminal,
}

impl Actor {
    fn name(&self) -> &str {
        match self {
            Self::Person(staff, _) => &staff.login,
            Self::Terminal => TERMINAL,
        }
    }

    fn peer(&self) -> Option<&str> {
        match self {
            Self::Person(_, peer) => Some(peer),
            Self::Terminal => None,
        }
    }

    fn may(&self, permission: Permission) -> Result<(), AccountError> {
        match self {
            Self::Person(staff, _) if !may(staff.role, permission) => Err(AccountError::NotAllowed),
            Self::Person(..) | Self::Terminal => Ok(()),
        }
    }
}

/// A change.
#[derive(Clone, Debug)]
pub enum Change {
    /// Make an account.
    Add {
        /// What the person types.
        login: String,
        /// What others read.
        name: String,
        /// What they may do.
        role: Role,
        /// Their first password.
        password: Hashed,
    },
    /// Set a new PIN or password.
    Password {
        /// Whose.
        login: String,
        /// The new one.
        password: Hashed,
    },
    /// Give other rights, with a new password where the role needs a longer one.
    Role {
        /// Whom.
        login: String,
        /// Which.
        role: Role,
        /// The new password, if one is set at the same time.
        password: Option<Hashed>,
    },
    /// Show another name.
    Rename {
        /// Whose.
        login: String,
        /// The name others read.
        name: String,
    },
    /// Close an account.
    Disable {
        /// Whose.
        login: String,
    },
    /// Open a closed account again.
    Enable {
        /// Whose.
        login: String,
    },
    /// Forgive wrong passwords.
    Unlock {
        /// Whose.
        login: String,
    },
    /// Ask for no second step any more, for somebody who lost telephone and paper.
    DropSecondStep {
        /// Whose.
        login: String,
    },
    /// End a person's sessions.
    EndSessions {
        /// Whose.
        login: String,
    },
    /// Make a token; one of the same name no longer works.
    MakeToken {
        /// What it is for.
        name: String,
        /// What it may do.
        role: Role,
    },
    /// Take a token back.
    RevokeToken {
        /// Which.
        name: String,
    },
}

/// What a change came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Changed {
    /// It is done.
    Done,
    /// The token, which cannot be read again.
    Token(String),
}

/// Why a change was not made.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AccountError {
    /// The role of whoever asks does not reach so far.
    #[error("Your role does not allow this; ask an administrator of the office")]
    NotAllowed,
    /// Nobody of that login.
    #[error("There is no account {0}; list them with `ventanilla office user list`")]
    Unknown(String),
    /// No such token.
    #[error("There is no token {0}; list them with `ventanilla office token list`")]
    UnknownToken(String),
    /// The login or the name is in use.
    #[error("The name {0} is taken by a person, a token or a kiosk; choose another one")]
    Taken(String),
    /// It cannot be a login.
    #[error("{0} is no login; use letters, digits, . - _ and at most 40 characters")]
    BadLogin(String),
    /// A name that cannot be shown.
    #[error("The name is empty or longer than {NAME_MAX} characters")]
    BadName,
    /// The PIN or password is not good enough.
    #[error(transparent)]
    Weak(#[from] Weak),
    /// The PIN is too weak for the new role: a new password comes first.
    #[error("A PIN or short password is not enough for this role; set a new password together with the role")]
    PasswordFirst,
    /// Nobody could manage accounts any more.
    #[error("{0} is the last administrator; make another one first")]
    LastAdmin(String),
}

/// Makes a change and puts it on record, in the open transaction.
pub fn apply(
    c: &Connection,
    by: &Actor,
    change: &Change,
    kiosks: &[String],
    now: Timestamp,
) -> Result<Result<Changed, AccountError>, StoreError> {
    match decide(c, by, change, kiosks)? {
        Err(error) => Ok(Err(error)),
        Ok(event) => {
            let changed = write(c, change, now)?;
            store::append_audit(c, now, Some(by.name()), by.peer(), &event)?;
            if let Change::Role {
                login,
                password: Some(_),
                ..
            } = change
            {
                let event = AuditEvent::PasswordChanged { login: login.clone() };
                store::append_audit(c, now, Some(by.name()), by.peer(), &event)?;
            }
            Ok(Ok(changed))
        }
    }
}

fn decide(
    c: &Connection,
    by: &Actor,
    change: &Change,
    kiosks: &[String],
) -> Result<Result<AuditEvent, AccountError>, StoreError> {
    let needed = match change {
        Change::Unlock { .. } => Permission::UnlockAccounts,
        Change::Add { .. }
        | Change::Password { .. }
        | Change::Role { .. }
        | Change::Rename { .. }
        | Change::Disable { .. }
        | Change::Enable { .. }
        | Change::DropSecondStep { .. }
        | Change::EndSessions { .. }
        | Change::MakeToken { .. }
        | Change::RevokeToken { .. } => Permission::ManageAccounts,
    };
    if let Err(error) = by.may(needed) {
        return Ok(Err(error));
    }
    // A name on record means one person, one token or one kiosk.
    let is_taken =
        |name: &str| name == OFFICE || name == TERMINAL || kiosks.iter().any(|kiosk| kiosk == name);
    let event = match change {
        Change::Add {
            login, name, role, ..
        } => {
            if !is_login(login) {
                return Ok(Err(AccountError::BadLogin(login.clone())));
            }
            if !is_name(name) {
                return Ok(Err(AccountError::BadName));
            }
            let token = store::tokens(c)?.iter().any(|token| token.name == *login);
            if is_taken(login) || token || store::account(c, login)?.is_some() {
                return Ok(Err(AccountError::Taken(login.clone())));
            }
            AuditEvent::AccountAdded {
                login: login.clone(),
                role: *role,
            }
        }
        Change::Password { login, .. } => {
            if store::account(c, login)?.is_none() {
                return Ok(Err(AccountError::Unknown(login.clone())));
            }
            AuditEvent::PasswordChanged { login: login.clone() }
        }
        Change::Role {
            login,
            role,
            password,
        } => {
            let Some(account) = store::account(c, login)? else {
                return Ok(Err(AccountError::Unknown(login.clone())));
            };
            if *role != Role::Admin && is_last_admin(c, &account)? {
                return Ok(Err(AccountError::LastAdmin(login.clone())));
            }
            // We cannot know how long the present password is; it may be as short as its role allows.
            if password.is_none() && secret::shortest(*role) > secret::shortest(account.staff.role) {
                return Ok(Err(AccountError::PasswordFirst));
            }
            AuditEvent::RoleChanged {
                login: login.clone(),
                from: account.staff.role,
                to: *role,
            }
        }
        Change::Rename { login, name } => {
            if store::account(c, login)?.is_none() {
                return Ok(Err(AccountError::Unknown(login.clone())));
            }
            if !is_name(name) {
                return Ok(Err(AccountError::BadName));
            }
            AuditEvent::AccountRenamed { login: login.clone() }
        }
        Change::Disable { login } => {
            let Some(account) = store::account(c, login)? else {
                return Ok(Err(AccountError::Unknown(login.clone())));
            };
            if is_last_admin(c, &account)? {
                return Ok(Err(AccountError::LastAdmin(login.clone())));
            }
            AuditEvent::AccountDisabled { login: login.clone() }
        }
        Change::Enable { login } => {
            if store::account(c, login)?.is_none() {
                return Ok(Err(AccountError::Unknown(login.clone())));
            }
            AuditEvent::AccountEnabled { login: login.clone() }
        }
        Change::Unlock { login } => {
            let Some(account) = store::account(c, login)? else {
                return Ok(Err(AccountError::Unknown(login.clone())));
            };
            if let Actor::Person(staff, _) = by
                && !may_unlock(staff.role, account.staff.role)
            {
                return Ok(Err(AccountError::NotAllowed));
            }
            AuditEvent::AccountUnlocked { login: login.clone() }
        }
        Change::DropSecondStep { login } => {
            if store::account(c, login)?.is_none() {
                return Ok(Err(AccountError::Unknown(login.clone())));
            }
            AuditEvent::SecondStepRemoved { login: login.clone() }
        }
        Change::EndSessions { login } => {
            let sessions = store::sessions(c, Timestamp::MIN)?;
            let mine = sessions.iter().filter(|session| session.login == *login).count();
            AuditEvent::SessionsRevoked {
                login: login.clone(),
                sessions: u64::try_from(mine).unwrap_or(u64::MAX),
            }
        }
        Change::MakeToken { name, role } => {
            if !is_name(name) {
                return Ok(Err(AccountError::BadName));
            }
            if is_taken(name) || store::account(c, name)?.is_some() {
                return Ok(Err(AccountError::Taken(name.clone())));
            }
            AuditEvent::TokenMade {
                name: name.clone(),
                role: *role,
            }
        }
        Change::RevokeToken { name } => {
            if !store::tokens(c)?.iter().any(|token| token.name == *name) {
                return Ok(Err(AccountError::UnknownToken(name.clone())));
            }
            AuditEvent::TokenRevoked { name: name.clone() }
        }
    };
    Ok(Ok(event))
}

fn write(c: &Connection, change: &Change, now: Timestamp) -> Result<Changed, StoreError> {
    match change {
        Change::Add {
            login,
            name,
            role,
            password,
        } => store::put_account(c, login, name.trim(), *role, password, now)?,
        Change::Password { login, password } => store::set_password(c, login, password, now)?,
        Change::Role {
            login,
            role,
            password,
        } => {
            store::set_role(c, login, *role)?;
            if let Some(password) = password {
                store::set_password(c, login, password, now)?;
            }
        }
        Change::Rename { login, name } => store::set_name(c, login, name.trim())?,
        Change::Disable { login } => store::set_disabled(c, login, Some(now))?,
        Change::Enable { login } => store::set_disabled(c, login, None)?,
        Change::Unlock { login } => {
            store::forgive(c, Guarded::Account(login))?;
        }
        Change::DropSecondStep { login } => {
            store::drop_second_step(c, login)?;
        }
        Change::EndSessions { login } => {
            store::end_sessions(c, login)?;
        }
        Change::MakeToken { name, role } => {
            return Ok(Changed::Token(store::create_token(c, name, *role, now)?));
        }
        Change::RevokeToken { name } => {
            store::revoke_token(c, name)?;
        }
    }
    Ok(Changed::Done)
}

fn is_name(name: &str) -> bool {
    let name = name.trim();
    !name.is_empty() && name.chars().count() <= NAME_MAX && !name.chars().any(char::is_control)
}

fn is_last_admin(c: &Connection, account: &Account) -> Result<bool, StoreError> {
    let admins = store::accounts(c)?
        .into_iter()
        .filter(|one| one.staff.role == Role::Admin && one.disabled_at.is_none())
        .count();
    Ok(account.staff.role == Role::Admin && account.disabled_at.is_none() && admins == 1)
}

/// Everything about accounts that a page shows.
#[derive(Clone, Debug)]
pub struct Accounts {
    /// People, by login.
    pub people: Vec<Account>,
    /// Sessions, newest first.
    pub sessions: Vec<SessionRow>,
    /// Tokens, by name.
    pub tokens: Vec<Token>,
}

impl OfficeApp {
    /// Shows a person the console in this language from now on. A taste, not an act on the office: not on record.
    pub async fn set_language(&self, staff: &Staff, language: Language) -> Result<(), StoreError> {
        let login = staff.login.clone();
        self.db
            .write(move |c| store::set_language(c, &login, language))
            .await
    }

    /// Makes a change of accounts for somebody with a session.
    pub async fn change_accounts(
        &self,
        staff: &Staff,
        peer: &Peer,
        change: Change,
    ) -> Result<Result<Changed, AccountError>, StoreError> {
        let (by, now) = (Actor::Person(staff.clone(), peer.0.clone()), self.now());
        let kiosks = self.kiosk_ids();
        self.db.write(move |c| apply(c, &by, &change, &kiosks, now)).await
    }

    /// Hashes a password that is good enough for somebody.
    pub async fn new_password(
        self: &Arc<Self>,
        role: Role,
        login: &str,
        password: String,
    ) -> Result<Result<Hashed, Weak>, StoreError> {
        if let Err(weak) = secret::check(role, login, &password) {
            return Ok(Err(weak));
        }
        self.hash(password).await.map(Ok)
    }

    /// People, sessions and tokens.
    pub fn accounts(&self) -> Result<Accounts, StoreError> {
        let now = self.now();
        self.db.read(move |c| {
            Ok(Accounts {
                people: store::accounts(c)?,
                sessions: store::sessions(c, now)?,
                tokens: store::tokens(c)?,
            })
        })
    }
}

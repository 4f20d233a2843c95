//! `ventanilla office user` and `ventanilla office token`: accounts without a browser.
//!
//! For the first administrator, and for whoever locked themselves out. Passwords come from a prompt or from standard
//! input, never from the command line, which every user of the machine can read.

use std::io::{IsTerminal, Read};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use serde_json::json;
use zeroize::Zeroizing;

use super::print;
use crate::app::office::accounts::{Actor, Change, Changed, apply};
use crate::app::office::{FILE, audit};
use crate::clock::Clock;
use crate::config::office::OfficeConfig;
use crate::domain::staff::backoff::LOCK_TRIES;
use crate::domain::staff::{Role, secret};
use crate::store::devices::Place;
use crate::store::office::{Account, Hashed};
use crate::store::{self, Db};

/// `ventanilla office …`
#[derive(Subcommand)]
pub(super) enum OfficeAction {
    /// Tokens for programs. With --name alone it makes one and prints it once.
    Token(TokenArguments),
    /// People who may log in. With --login alone it makes one, or changes one; the password is read from standard input.
    User(UserArguments),
    /// Makes a one-time code that lets a kiosk in; it lasts 15 minutes.
    EnrolCode {
        /// Its name at this office, such as k3.
        #[arg(long)]
        kiosk: String,
    },
    /// Takes a kiosk that was let in by code out of service; what it holds stays on it.
    RevokeDevice {
        /// Which.
        kiosk: String,
    },
    /// What administrators set in the console: rules, hours, queues, profiles, zones and counters.
    #[command(subcommand)]
    Settings(super::settings::SettingsAction),
    /// Puts a copy in the place of the office's file; the file that is there is moved aside, never deleted.
    Restore {
        /// The manifest of the copy.
        #[arg(long)]
        from: std::path::PathBuf,
    },
}

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct TokenArguments {
    #[command(subcommand)]
    action: Option<TokenAction>,
    /// What the token is for; making another one of this name takes back the first.
    #[arg(long, required = true)]
    name: Option<String>,
    /// agent, supervisor, admin, auditor or technician.
    #[arg(long, default_value = "supervisor", value_parser = role)]
    role: Role,
}

#[derive(Subcommand)]
enum TokenAction {
    /// Makes a token and prints it once.
    Add {
        /// What it is for; another one of this name stops working.
        #[arg(long)]
        name: String,
        /// agent, supervisor, admin, auditor or technician.
        #[arg(long, value_parser = role)]
        role: Role,
    },
    /// Lists the tokens, without their secrets.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Takes a token back; the program that has it stops working at once.
    Revoke {
        /// Which.
        #[arg(long)]
        name: String,
    },
}

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct UserArguments {
    #[command(subcommand)]
    action: Option<UserAction>,
    #[command(flatten)]
    who: Option<NewUser>,
}

#[derive(Args)]
struct NewUser {
    /// What the person types.
    #[arg(long)]
    login: String,
    /// What others read.
    #[arg(long)]
    name: String,
    /// agent, supervisor, admin, auditor or technician.
    #[arg(long, default_value = "agent", value_parser = role)]
    role: Role,
}

#[derive(Subcommand)]
enum UserAction {
    /// Makes an account; the password is asked, or read from standard input.
    Add(NewUser),
    /// Lists the accounts.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Closes an account and ends its sessions.
    Disable {
        /// Whose.
        #[arg(long)]
        login: String,
    },
    /// Opens a closed account again.
    Enable {
        /// Whose.
        #[arg(long)]
        login: String,
    },
    /// Lets somebody in again after too many wrong passwords.
    Unlock {
        /// Whom.
        #[arg(long)]
        login: String,
    },
    /// Asks for no code of the telephone any more, for somebody who lost telephone and paper.
    ResetCode {
        /// Whose.
        #[arg(long)]
        login: String,
    },
    /// Sets a new password and ends the sessions; it is asked, or read from standard input.
    Password {
        /// Whose.
        #[arg(long)]
        login: String,
    },
}

fn role(word: &str) -> Result<Role, String> {
    Role::from_code(word).ok_or_else(|| "write agent, supervisor, admin, auditor or technician".to_owned())
}

pub(super) fn run(config: &OfficeConfig, action: OfficeAction) -> anyhow::Result<()> {
    match action {
        OfficeAction::Restore { from } => super::municipal::restore_office(config, &from),
        OfficeAction::EnrolCode { kiosk } => {
            let desk = Desk::open(config)?;
            if desk.kiosks.contains(&kiosk) {
                bail!("Kiosk {kiosk} is in the settings already; take it out there, or choose another name");
            }
            let place = Place {
                device: kiosk,
                office: config.office.id.clone(),
            };
            let secret = config.tls.as_ref().map(|_| config.data.as_path());
            super::devices::invite_at_office(&desk.db, place, secret)
        }
        OfficeAction::RevokeDevice { kiosk } => {
            super::devices::revoke_at_office(&Desk::open(config)?.db, kiosk)
        }
        OfficeAction::Settings(action) => super::settings::run(config, action),
        OfficeAction::Token(arguments) => tokens(&Desk::open(config)?, arguments),
        OfficeAction::User(arguments) => users(&Desk::open(config)?, arguments),
    }
}

fn tokens(desk: &Desk, arguments: TokenArguments) -> anyhow::Result<()> {
    let action = match arguments.action {
        Some(action) => action,
        None => TokenAction::Add {
            name: arguments.name.context("The token needs a name; add --name")?,
            role: arguments.role,
        },
    };
    token(desk, action)
}

fn users(desk: &Desk, arguments: UserArguments) -> anyhow::Result<()> {
    if let Some(action) = arguments.action {
        return user(desk, action);
    }
    let who = arguments.who.context("The account needs --login and --name")?;
    match desk.account(&who.login)? {
        None => user(desk, UserAction::Add(who)),
        Some(account) => overwrite(desk, &account, who),
    }
}

fn token(desk: &Desk, action: TokenAction) -> anyhow::Result<()> {
    match action {
        TokenAction::Add { name, role } => match desk.change(Change::MakeToken { name, role })? {
            Changed::Token(token) => print(&format!("token {token}")),
            Changed::Done => {}
        },
        TokenAction::Revoke { name } => {
            desk.change(Change::RevokeToken { name: name.clone() })?;
            print(&format!("revoked {name}"));
        }
        TokenAction::List { json } => {
            let tokens = desk.db.read(store::office::tokens)?;
            if json {
                let list: Vec<_> = tokens
                    .iter()
                    .map(|one| json!({"name": one.name, "role": one.role, "created_at": one.created_at.to_string()}))
                    .collect();
                print(&format!("{:#}", json!(list)));
            } else {
                for one in tokens {
                    print(&format!("{}\t{}\t{}", one.name, one.role.code(), one.created_at));
                }
            }
        }
    }
    Ok(())
}

fn user(desk: &Desk, action: UserAction) -> anyhow::Result<()> {
    let (change, done) = match action {
        UserAction::Add(NewUser { login, name, role }) => {
            let password = new_password(role, &login)?;
            let done = format!("user {login}");
            let add = Change::Add {
                login,
                name,
                role,
                password,
            };
            (add, done)
        }
        UserAction::Password { login } => {
            let account = desk
                .account(&login)?
                .with_context(|| format!("There is no account {login}"))?;
            let password = new_password(account.staff.role, &login)?;
            let done = format!("password {login}");
            (Change::Password { login, password }, done)
        }
        UserAction::Disable { login } => {
            let done = format!("disabled {login}");
            (Change::Disable { login }, done)
        }
        UserAction::Enable { login } => {
            let done = format!("enabled {login}");
            (Change::Enable { login }, done)
        }
        UserAction::ResetCode { login } => {
            let done = format!("reset-code {login}");
            (Change::DropSecondStep { login }, done)
        }
        UserAction::Unlock { login } => {
            let done = format!("unlocked {login}");
            (Change::Unlock { login }, done)
        }
        UserAction::List { json } => return list(desk, json),
    };
    desk.change(change)?;
    print(&done);
    Ok(())
}

/// `user --login` of an account that is there sets all of it, as a script expects that runs twice.
fn overwrite(desk: &Desk, account: &Account, who: NewUser) -> anyhow::Result<()> {
    let password = new_password(who.role, &who.login)?;
    let login = || who.login.clone();
    if account.staff.name != who.name {
        let name = who.name.clone();
        desk.change(Change::Rename { login: login(), name })?;
    }
    if account.disabled_at.is_some() {
        desk.change(Change::Enable { login: login() })?;
    }
    desk.change(if account.staff.role == who.role {
        Change::Password {
            login: login(),
            password,
        }
    } else {
        Change::Role {
            login: login(),
            role: who.role,
            password: Some(password),
        }
    })?;
    print(&format!("user {}", who.login));
    Ok(())
}

fn list(desk: &Desk, as_json: bool) -> anyhow::Result<()> {
    let accounts = desk.db.read(store::office::accounts)?;
    let state = |account: &Account| match (account.disabled_at, account.failures >= LOCK_TRIES) {
        (Some(_), _) => "disabled",
        (None, true) => "locked",
        (None, false) => "active",
    };
    if as_json {
        let list: Vec<_> = accounts
            .iter()
            .map(|one| {
                json!({
                    "login": one.staff.login, "name": one.staff.name, "role": one.staff.role,
                    "state": state(one), "password_at": one.password_at.to_string(),
                    "second_step": one.second_step,
                })
            })
            .collect();
        print(&format!("{:#}", json!(list)));
    } else {
        for one in &accounts {
            let staff = &one.staff;
            print(&format!(
                "{}\t{}\t{}\t{}",
                staff.login,
                staff.role.code(),
                state(one),
                staff.name
            ));
        }
    }
    Ok(())
}

/// The office's data file, opened beside a running office or without one.
struct Desk {
    db: Db,
    kiosks: Vec<String>,
}

impl Desk {
    fn open(config: &OfficeConfig) -> anyhow::Result<Self> {
        let opened = Db::open(&config.data.join(FILE), store::office::SCHEMA)?;
        let (after_damage, now) = (opened.quarantined.is_some(), Clock::System.now());
        opened
            .db
            .write_blocking(move |c| audit::begin_log(c, now, after_damage))?;
        Ok(Self {
            db: opened.db,
            kiosks: config.kiosks.iter().map(|kiosk| kiosk.id.clone()).collect(),
        })
    }

    fn account(&self, login: &str) -> anyhow::Result<Option<Account>> {
        let login = login.to_owned();
        Ok(self.db.read(move |c| store::office::account(c, &login))?)
    }

    fn change(&self, change: Change) -> anyhow::Result<Changed> {
        let (kiosks, now) = (self.kiosks.clone(), Clock::System.now());
        let done = self
            .db
            .write_blocking(move |c| apply(c, &Actor::Terminal, &change, &kiosks, now))?;
        Ok(done?)
    }
}

fn new_password(role: Role, login: &str) -> anyhow::Result<Hashed> {
    let password = if std::io::stdin().is_terminal() {
        let first = Zeroizing::new(ask("Password: ")?);
        let again = Zeroizing::new(ask("The same again: ")?);
        if first != again {
            bail!("The two passwords are not the same; nothing was changed");
        }
        first
    } else {
        let mut text = Zeroizing::new(String::new());
        std::io::stdin()
            .read_to_string(&mut text)
            .context("The password cannot be read from standard input")?;
        Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned())
    };
    secret::check(role, login, &password)?;
    Ok(store::office::hash_password(&password)?)
}

fn ask(question: &str) -> anyhow::Result<String> {
    rpassword::prompt_password(question).context("The password cannot be read from the terminal")
}

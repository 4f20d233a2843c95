//! Who works at an office and what each may do.
//!
//! [`may`] is the one table of rights; every address of the API and of the console names the [`Permission`] it needs,
//! and nothing else decides. Roles are kept apart on purpose: who makes accounts calls no turns and opens no forms,
//! who checks the books changes nothing, who mends printers sees no person.
//! Begin at [`may`]; [`secret`] says which PINs and passwords are good, [`backoff`] how long a guesser waits.

pub mod backoff;
pub mod secret;
pub mod totp;

use serde::{Deserialize, Serialize};

/// What somebody works as.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Works at a counter.
    Agent,
    /// Also watches the whole office, releases counters, corrects lanes and reads reports.
    Supervisor,
    /// Manages accounts and the configuration; calls no turns, so that nobody both hands out rights and uses them.
    Admin,
    /// Reads reports, events and the audit log; changes nothing.
    Auditor,
    /// Sees whether machines work; no forms, no turns, no persons.
    Technician,
}

impl Role {
    /// Every role, in the order in which people read them.
    pub const ALL: [Self; 5] = [
        Self::Agent,
        Self::Supervisor,
        Self::Admin,
        Self::Auditor,
        Self::Technician,
    ];

    /// The word in the store, the API and on the command line.
    pub fn code(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Supervisor => "supervisor",
            Self::Admin => "admin",
            Self::Auditor => "auditor",
            Self::Technician => "technician",
        }
    }

    /// The role of a word.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.code() == code)
    }
}

/// Something that needs a right.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Permission {
    /// See what hangs on the wall: board, queues, the description of the API.
    SeeBoard,
    /// Stand at the door: ask for a session, or prove who one is.
    Enter,
    /// Use the console at all: one's own start page, its news, log out.
    UseConsole,
    /// Take a ticket and give it back.
    IssueTickets,
    /// Take a block of numbers.
    LeaseNumbers,
    /// Look at one ticket.
    SeeTickets,
    /// Look at the list of counters.
    SeeCounters,
    /// Work at a counter and move its turns.
    AttendCounter,
    /// Open the form of a turn and look at a masked answer.
    OpenForms,
    /// Find a turn by its number and read its life.
    FindTurns,
    /// Watch queues and counters of the whole office.
    WatchOffice,
    /// Give up a counter of somebody else.
    ReleaseCounter,
    /// Put a ticket into another lane.
    CorrectLane,
    /// Change what counters serve today, stop a queue and let it go on.
    SteerQueues,
    /// Read reports; each reading is on record.
    ReadReports,
    /// Read the history of turns; each reading is on record.
    ReadEvents,
    /// Read and verify the audit log; each reading is on record.
    ReadAudit,
    /// Unlock an account after too many wrong passwords.
    UnlockAccounts,
    /// Add, change and disable accounts, sessions and tokens.
    ManageAccounts,
    /// Change queues, counters and rules.
    Configure,
    /// See whether kiosks, printers and the data file work.
    SeeHealth,
    /// Say that a roll is new, ask for a test page or for the copy of a turn ticket.
    OrderPapers,
}

impl Permission {
    /// Every permission.
    pub const ALL: [Self; 22] = [
        Self::SeeBoard,
        Self::Enter,
        Self::UseConsole,
        Self::IssueTickets,
        Self::LeaseNumbers,
        Self::SeeTickets,
        Self::SeeCounters,
        Self::AttendCounter,
        Self::OpenForms,
        Self::FindTurns,
        Self::WatchOffice,
        Self::ReleaseCounter,
        Self::CorrectLane,
        Self::SteerQueues,
        Self::ReadReports,
        Self::ReadEvents,
        Self::ReadAudit,
        Self::UnlockAccounts,
        Self::ManageAccounts,
        Self::Configure,
        Self::SeeHealth,
        Self::OrderPapers,
    ];

    /// The word in the audit log.
    pub fn code(self) -> &'static str {
        match self {
            Self::SeeBoard => "see_board",
            Self::Enter => "enter",
            Self::UseConsole => "use_console",
            Self::IssueTickets => "issue_tickets",
            Self::LeaseNumbers => "lease_numbers",
            Self::SeeTickets => "see_tickets",
            Self::SeeCounters => "see_counters",
            Self::AttendCounter => "attend_counter",
            Self::OpenForms => "open_forms",
            Self::FindTurns => "find_turns",
            Self::WatchOffice => "watch_office",
            Self::ReleaseCounter => "release_counter",
            Self::CorrectLane => "correct_lane",
            Self::SteerQueues => "steer_queues",
            Self::ReadReports => "read_reports",
            Self::ReadEvents => "read_events",
            Self::ReadAudit => "read_audit",
            Self::UnlockAccounts => "unlock_accounts",
            Self::ManageAccounts => "manage_accounts",
            Self::Configure => "configure",
            Self::SeeHealth => "see_health",
            Self::OrderPapers => "order_papers",
        }
    }

    /// Whether nobody needs to be known for it.
    pub fn is_public(self) -> bool {
        matches!(self, Self::SeeBoard | Self::Enter)
    }

    /// Whether a kiosk's token is enough for it.
    pub fn is_for_kiosks(self) -> bool {
        self.is_public() || matches!(self, Self::IssueTickets | Self::LeaseNumbers | Self::SeeTickets)
    }

    /// Whether reading alone leaves a trace.
    pub fn is_recorded(self) -> bool {
        matches!(self, Self::ReadReports | Self::ReadEvents | Self::ReadAudit)
    }
}

/// Whether `role` holds `permission`: the whole table of rights.
pub fn may(role: Role, permission: Permission) -> bool {
    use Permission as P;
    if permission.is_public() || permission == P::UseConsole {
        return true;
    }
    match role {
        Role::Agent => matches!(
            permission,
            P::IssueTickets
                | P::SeeTickets
                | P::SeeCounters
                | P::AttendCounter
                | P::OpenForms
                | P::FindTurns
                | P::OrderPapers
        ),
        Role::Supervisor => {
            may(Role::Agent, permission)
                || matches!(
                    permission,
                    P::LeaseNumbers
                        | P::WatchOffice
                        | P::ReleaseCounter
                        | P::CorrectLane
                        | P::SteerQueues
                        | P::ReadReports
                        | P::ReadEvents
                        | P::UnlockAccounts
                        | P::SeeHealth
                )
        }
        Role::Admin => matches!(
            permission,
            P::ManageAccounts | P::UnlockAccounts | P::Configure | P::ReadAudit | P::SeeHealth
        ),
        Role::Auditor => matches!(
            permission,
            P::SeeTickets | P::SeeCounters | P::FindTurns | P::ReadReports | P::ReadEvents | P::ReadAudit
        ),
        Role::Technician => matches!(permission, P::SeeHealth | P::OrderPapers),
    }
}

/// Whether `by` may unlock an account of `of`: a supervisor only those at the counters.
///
/// An unlocked account may be guessed at again, so the accounts that hand out rights need an administrator.
pub fn may_unlock(by: Role, of: Role) -> bool {
    match by {
        Role::Admin => true,
        Role::Supervisor => of == Role::Agent,
        Role::Agent | Role::Auditor | Role::Technician => false,
    }
}

/// Longest login; what is longer is no login of ours.
pub const LOGIN_MAX: usize = 40;

/// Whether `login` can name an account: letters, digits, `.`, `-` and `_`, at most [`LOGIN_MAX`].
pub fn is_login(login: &str) -> bool {
    (1..=LOGIN_MAX).contains(&login.chars().count())
        && login
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_rights_reads_as_it_was_agreed() {
        let table: String = Permission::ALL
            .iter()
            .map(|permission| {
                let marks: String = Role::ALL
                    .iter()
                    .map(|role| if may(*role, *permission) { 'x' } else { '.' })
                    .collect();
                let kiosk = if permission.is_for_kiosks() { 'k' } else { '.' };
                let anybody = if permission.is_public() { 'a' } else { '.' };
                format!("{marks}{kiosk}{anybody} {}\n", permission.code())
            })
            .collect();
        // agent, supervisor, admin, auditor, technician, kiosk, anybody
        insta::assert_snapshot!(table, @r"
        xxxxxka see_board
        xxxxxka enter
        xxxxx.. use_console
        xx...k. issue_tickets
        .x...k. lease_numbers
        xx.x.k. see_tickets
        xx.x... see_counters
        xx..... attend_counter
        xx..... open_forms
        xx.x... find_turns
        .x..... watch_office
        .x..... release_counter
        .x..... correct_lane
        .x..... steer_queues
        .x.x... read_reports
        .x.x... read_events
        ..xx... read_audit
        .xx.... unlock_accounts
        ..x.... manage_accounts
        ..x.... configure
        .xx.x.. see_health
        xx..x.. order_papers
        ");
    }

    #[test]
    fn nobody_both_hands_out_rights_and_uses_them() {
        for role in Role::ALL {
            assert!(!(may(role, Permission::ManageAccounts) && may(role, Permission::AttendCounter)));
            assert!(!(may(role, Permission::Configure) && may(role, Permission::AttendCounter)));
            assert!(!(may(role, Permission::ReadAudit) && may(role, Permission::OpenForms)));
            assert_eq!(Role::from_code(role.code()), Some(role));
        }
        assert!(may_unlock(Role::Supervisor, Role::Agent));
        assert!(
            !may_unlock(Role::Supervisor, Role::Admin) && !may_unlock(Role::Supervisor, Role::Supervisor)
        );
    }

    #[test]
    fn a_login_is_a_short_word() {
        assert!(is_login("ana.p-07_ñ"));
        for wrong in ["", "ana p", "a\u{7}b", "<b>", &"x".repeat(41)] {
            assert!(!is_login(wrong), "{wrong}");
        }
    }
}

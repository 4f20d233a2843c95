//! The municipality's back office: who may do what with a case, how far a case is, and what is put on record.
//!
//! No role both lets people in and reads what citizens said. A case's state is public to whoever holds the paper and
//! knows the last digits of the identity number; what staff add to it is chosen from a list or short.
//! Begin at [`may`], [`CaseStatus`] and [`CentralEvent`].

use serde::{Deserialize, Serialize};

use super::fleet::order::{OrderEnd, OrderKind};

/// What a token was given for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeskRole {
    /// Opens single cases.
    Reader,
    /// Takes whole procedures out.
    Exporter,
    /// Says how far a case is, without reading it.
    Registrar,
    /// Lets devices in and out, looks at the fleet and at the log; reads no case.
    Admin,
    /// Hands forms in from ODK Collect, and nothing else.
    Collector,
}

impl DeskRole {
    /// Every role.
    pub const ALL: [Self; 5] = [
        Self::Reader,
        Self::Exporter,
        Self::Registrar,
        Self::Admin,
        Self::Collector,
    ];

    /// A stable word for programs and the command line.
    pub fn code(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Exporter => "exporter",
            Self::Registrar => "registrar",
            Self::Admin => "admin",
            Self::Collector => "collector",
        }
    }

    /// The role of a word.
    pub fn of(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.code() == code)
    }
}

/// What an address of the back office needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeskRight {
    /// See that cases are there: procedure, office, moments, state.
    SeeCases,
    /// See what a citizen said.
    ReadContent,
    /// Take many contents out.
    Export,
    /// Say how far a case is.
    SetStatus,
    /// See devices, gaps and lives.
    SeeFleet,
    /// Let devices in and out.
    ManageDevices,
    /// Tell devices what to do, of a short list.
    OrderDevices,
    /// Read the audit log.
    ReadAudit,
    /// Hand forms in.
    Submit,
}

impl DeskRight {
    /// Every right.
    pub const ALL: [Self; 9] = [
        Self::SeeCases,
        Self::ReadContent,
        Self::Export,
        Self::SetStatus,
        Self::SeeFleet,
        Self::ManageDevices,
        Self::OrderDevices,
        Self::ReadAudit,
        Self::Submit,
    ];
}

/// Whether a role has a right.
pub fn may(role: DeskRole, right: DeskRight) -> bool {
    match right {
        DeskRight::SeeCases => !matches!(role, DeskRole::Admin | DeskRole::Collector),
        DeskRight::Submit => role == DeskRole::Collector,
        DeskRight::ReadContent => role == DeskRole::Reader,
        DeskRight::Export => role == DeskRole::Exporter,
        DeskRight::SetStatus => role == DeskRole::Registrar,
        DeskRight::SeeFleet | DeskRight::ManageDevices | DeskRight::OrderDevices | DeskRight::ReadAudit => {
            role == DeskRole::Admin
        }
    }
}

/// How far a case is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseStatus {
    /// It is here; nobody began.
    Received,
    /// Somebody works on it.
    InProgress,
    /// The citizen has to bring or do something.
    NeedsSomething,
    /// It is decided.
    Done,
}

impl CaseStatus {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Received, Self::InProgress, Self::NeedsSomething, Self::Done];

    /// A stable word for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::InProgress => "in_progress",
            Self::NeedsSomething => "needs_something",
            Self::Done => "done",
        }
    }

    /// The state of a word.
    pub fn of(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.code() == code)
    }
}

/// Notes to a state that everybody understands; their words are `central-note-…`.
pub const NOTES: [&str; 6] = [
    "bring-documents",
    "come-to-counter",
    "pay-first",
    "inspection-planned",
    "ready-to-collect",
    "letter-sent",
];
/// Longest note in staff's own words, in characters: one line on a telephone or two.
pub const NOTE_MAX: usize = 200;

/// Whether a note is one of the list, as `#pay-first`, or short plain words.
pub fn is_note(text: &str) -> bool {
    match text.strip_prefix('#') {
        Some(key) => NOTES.contains(&key),
        None => {
            let text = text.trim();
            !text.is_empty() && text.chars().count() <= NOTE_MAX && !text.chars().any(char::is_control)
        }
    }
}

/// What came of holding a submission against its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Review {
    /// It keeps every rule.
    Accepted,
    /// Something is to be looked at; it is accepted all the same.
    AcceptedWithFindings,
}

impl Review {
    /// A stable word for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::AcceptedWithFindings => "accepted_with_findings",
        }
    }
}

/// How many of the last digits of an identity number go with a code.
pub const DIGITS: usize = 4;

/// The last digits of an identity number; nothing where it has fewer.
pub fn last_digits(identity: &str) -> Option<String> {
    let digits: Vec<char> = identity.chars().filter(char::is_ascii_digit).collect();
    let from = digits.len().checked_sub(DIGITS)?;
    Some(digits[from..].iter().collect())
}

/// Whether a question of this name asks for the identity number of whoever files.
pub fn asks_identity(name: &str) -> bool {
    [
        "cedula",
        "identificacion",
        "documento_identidad",
        "ruc",
        "pasaporte",
    ]
    .iter()
    .any(|word| name == *word || name.strip_prefix(word).is_some_and(|rest| rest.starts_with('_')))
}

/// What is put on record at the municipality, beside the events of [`super::audit::AuditEvent`] about devices.
///
/// A variant is never taken away or given another meaning. None holds anything a citizen said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum CentralEvent {
    /// Central began to answer.
    CentralStarted {
        /// Version of the program.
        version: String,
    },
    /// The key that opens submissions was unlocked here.
    KeyUnlocked {
        /// Which.
        kid: String,
    },
    /// Somebody looked at a content.
    ContentRead {
        /// Of which submission.
        submission: String,
        /// Why, in the person's words; may be empty.
        reason: String,
    },
    /// Contents were taken out.
    Exported {
        /// Of which procedure.
        procedure: String,
        /// `csv` or `json`.
        format: String,
        /// How many.
        submissions: u64,
        /// First place in central's order.
        from: i64,
        /// Last place.
        to: i64,
        /// Why, in the person's words; may be empty.
        reason: String,
    },
    /// Submissions were opened by the program to hold them against their forms.
    Reviewed {
        /// How many.
        submissions: u64,
        /// First place in central's order.
        from: i64,
        /// Last place.
        to: i64,
    },
    /// Staff said how far a case is.
    StatusSet {
        /// Which.
        submission: String,
        /// How far.
        status: CaseStatus,
    },
    /// A content was erased; this is what stays of it.
    Erased {
        /// Which.
        submission: String,
        /// SHA-256 of the envelope, hexadecimal.
        hash: String,
        /// Its procedure.
        procedure: String,
        /// When it had arrived; microseconds since 1970.
        received_at: i64,
        /// `schedule`, or the reason somebody gave.
        why: String,
    },
    /// A content was opened by the program to hand it on to another server.
    HandedOn {
        /// Which.
        submission: String,
        /// Name of the server in the settings.
        destination: String,
    },
    /// A token was made; one of the same name no longer works.
    DeskTokenMade {
        /// Its name.
        name: String,
        /// What it may do.
        role: DeskRole,
    },
    /// A token no longer works.
    DeskTokenRevoked {
        /// Its name.
        name: String,
    },
    /// Somebody looked at the devices; once an hour for each person.
    FleetSeen,
    /// A device was told to do something.
    OrderGiven {
        /// The order.
        order: String,
        /// For whom.
        device: String,
        /// What.
        kind: OrderKind,
    },
    /// It is known what became of an order.
    OrderEnded {
        /// The order.
        order: String,
        /// Who did it, or did not.
        device: String,
        /// What; a word of [`OrderKind`].
        kind: String,
        /// How it ended.
        end: OrderEnd,
        /// One word more; may be empty.
        detail: String,
    },
    /// Somebody looked at what an order brought back: a log or a picture of a screen that nobody used.
    OrderResultRead {
        /// The order.
        order: String,
        /// Of which device.
        device: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_both_lets_in_and_reads_and_every_right_is_somebodys() {
        for role in DeskRole::ALL {
            assert_eq!(DeskRole::of(role.code()), Some(role));
            let reads = may(role, DeskRight::ReadContent) || may(role, DeskRight::Export);
            assert!(!(reads && may(role, DeskRight::ManageDevices)), "{role:?}");
        }
        for right in DeskRight::ALL {
            assert!(
                DeskRole::ALL.into_iter().any(|role| may(role, right)),
                "{right:?}"
            );
        }
    }

    #[test]
    fn notes_are_of_the_list_or_short_and_digits_are_the_last() {
        assert!(is_note("#pay-first") && is_note("Falta la firma del dueño"));
        assert!(!is_note("#anything") && !is_note(" ") && !is_note("a\nb") && !is_note(&"x".repeat(201)));
        assert_eq!(last_digits("171-234567-8").as_deref(), Some("5678"));
        assert_eq!(last_digits("123"), None);
        assert!(asks_identity("cedula") && asks_identity("cedula_dueno") && !asks_identity("cedulas"));
    }
}

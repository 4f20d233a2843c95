//! What an OpenRosa server's answers mean, and how files are spread over requests: pure.
//!
//! Servers disagree, so only what all of them mean is believed: 201 and 202 are "it is here", and nothing else is.
//! Begin at [`read_post`] and [`spread`].

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::super::plan::LineState;

/// Room that a part of a request takes beside its bytes: boundary, headers, names.
const PART_OVERHEAD: usize = 512;
/// Most files in one request, as Collect has it.
const FILES_MAX: usize = 100;
/// What a server that says nothing takes; ten million bytes, as Collect has it.
pub const LENGTH_DEFAULT: usize = 10_000_000;

/// What came back from a post, before it meant anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Posted {
    /// Nothing, or cut short.
    Nothing {
        /// In one word.
        why: &'static str,
    },
    /// An answer.
    Answer {
        /// HTTP status.
        status: u16,
        /// What `Retry-After` asked for.
        retry_after: Option<SignedDuration>,
        /// What our own server says about what it keeps.
        receipt: Option<String>,
    },
}

/// What an answer to a post means for the submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// It is there.
    Stored {
        /// What our own server says about it.
        receipt: Option<String>,
    },
    /// The line or the whole server: everything waits, this one too.
    Line(Trouble),
    /// Its form is not taken at the moment; others go on.
    Held,
    /// Either it is there already or another one has its id: to be asked.
    Unclear,
    /// Another one has its id, for certain; the first one stays.
    Conflict,
    /// Less at once, for several files were in the request.
    Smaller,
    /// It cannot be taken; a person has to look.
    Refused {
        /// In one word, without personal data.
        why: String,
    },
}

/// Why everything for a server waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// How the line is.
    pub state: LineState,
    /// In one word, without personal data.
    pub why: String,
    /// How long the server asks us to wait.
    pub retry_after: Option<SignedDuration>,
}

impl Trouble {
    /// Nothing came, or what came was cut short.
    pub fn nothing(why: &'static str) -> Self {
        Self {
            state: LineState::Down,
            why: why.to_owned(),
            retry_after: None,
        }
    }

    /// Something answered that is not the server: a captive portal, a proxy, a wrong address.
    pub fn foreign(why: impl Into<String>) -> Self {
        Self {
            state: LineState::Foreign,
            why: why.into(),
            retry_after: None,
        }
    }

    /// A status that speaks of the line or the whole server.
    pub fn status(status: u16, retry_after: Option<SignedDuration>) -> Self {
        let state = match status {
            401 | 403 => LineState::Refused,
            402 | 408 | 423 | 425 | 429 | 500..=599 => LineState::Busy,
            _ => LineState::Foreign,
        };
        Self {
            state,
            why: format!("status_{status}"),
            retry_after,
        }
    }
}

/// What came back from a post of `files` files beside the instance, whose digest is `sha256` in hexadecimal.
pub fn read_post(posted: Posted, files: usize, sha256: &str) -> Meaning {
    let (status, retry_after, receipt) = match posted {
        Posted::Nothing { why } => return Meaning::Line(Trouble::nothing(why)),
        Posted::Answer {
            status,
            retry_after,
            receipt,
        } => (status, retry_after, receipt),
    };
    match status {
        201 | 202 => match digest_of(receipt.as_deref()) {
            // Something on the way changed what was sent.
            Some(digest) if digest != sha256 => Meaning::Line(Trouble::foreign("other_digest")),
            Some(_) | None => Meaning::Stored { receipt },
        },
        401 | 402 | 403 | 408 | 423 | 425 | 429 | 500..=599 => {
            Meaning::Line(Trouble::status(status, retry_after))
        }
        404 | 405 | 410 => Meaning::Held,
        409 if receipt.as_deref() == Some("conflict") => Meaning::Conflict,
        409 => Meaning::Unclear,
        413 if files > 1 => Meaning::Smaller,
        400..=499 => Meaning::Refused {
            why: format!("status_{status}"),
        },
        // 200 is what a login page of a network says; a redirect leads to one.
        _ => Meaning::Line(Trouble::foreign(format!("status_{status}"))),
    }
}

fn digest_of(receipt: Option<&str>) -> Option<&str> {
    receipt?
        .split(';')
        .find_map(|part| part.trim().strip_prefix("sha256="))
}

/// One request: which files it carries beside the instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Places of the files.
    pub files: Vec<usize>,
    /// Whether more come after it.
    pub more: bool,
}

/// Spreads files over requests that are no longer than `limit`: small ones first, the instance in each.
///
/// `files` are names and lengths, `there` the names that are there already. Nothing where the instance and one of the
/// files do not fit together.
pub fn spread(
    instance: usize,
    files: &[(&str, usize)],
    there: &BTreeSet<String>,
    limit: usize,
) -> Option<Vec<Request>> {
    let room = limit.checked_sub(instance + 2 * PART_OVERHEAD)?;
    let mut rest: Vec<usize> = (0..files.len())
        .filter(|at| !there.contains(files[*at].0))
        .collect();
    rest.sort_by_key(|at| files[*at].1);
    let mut requests = vec![Request::default()];
    let mut used = 0;
    for at in rest {
        let size = files[at].1 + PART_OVERHEAD;
        if size > room {
            return None;
        }
        let last = requests.last_mut()?;
        if last.files.is_empty() || (used + size <= room && last.files.len() < FILES_MAX) {
            last.files.push(at);
            used += size;
        } else {
            last.more = true;
            requests.push(Request {
                files: vec![at],
                more: false,
            });
            used = size;
        }
    }
    Some(requests)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "ab";

    fn said(status: u16, files: usize, receipt: Option<&str>) -> Meaning {
        let posted = Posted::Answer {
            status,
            retry_after: None,
            receipt: receipt.map(ToOwned::to_owned),
        };
        read_post(posted, files, DIGEST)
    }

    #[test]
    fn only_what_every_server_means_by_it_is_believed() {
        for status in 100..600 {
            let meaning = said(status, 0, None);
            assert_eq!(
                matches!(meaning, Meaning::Stored { .. }),
                matches!(status, 201 | 202),
                "{status}"
            );
        }
        let line = |status| match said(status, 0, None) {
            Meaning::Line(trouble) => trouble.state,
            other => panic!("{status}: {other:?}"),
        };
        for status in [200, 204, 301, 302, 307] {
            assert_eq!(line(status), LineState::Foreign, "{status}");
        }
        for status in [402, 408, 423, 425, 429, 500, 502, 503, 504] {
            assert_eq!(line(status), LineState::Busy, "{status}");
        }
        for status in [401, 403] {
            assert_eq!(line(status), LineState::Refused, "{status}");
        }
        for status in [404, 405, 410] {
            assert_eq!(said(status, 0, None), Meaning::Held, "{status}");
        }
        for status in [400, 413, 415, 422, 451] {
            assert!(
                matches!(said(status, 1, None), Meaning::Refused { .. }),
                "{status}"
            );
        }
        assert_eq!(said(413, 2, None), Meaning::Smaller);
        assert_eq!(said(409, 0, None), Meaning::Unclear);
        assert_eq!(said(409, 0, Some("conflict")), Meaning::Conflict);
    }

    #[test]
    fn a_receipt_of_other_bytes_is_not_believed() {
        let stored = |receipt| matches!(said(201, 0, receipt), Meaning::Stored { .. });
        assert!(stored(Some("sha256=ab;seq=1")) && stored(Some("seq=1")) && stored(None));
        assert!(!stored(Some("sha256=cd;seq=1")));
    }

    #[test]
    fn files_are_spread_and_what_is_there_stays_there() {
        let files = [("a", 5000), ("b", 100), ("c", 3000), ("d", 1)];
        let none = BTreeSet::new();
        let all = spread(1000, &files, &none, 1_000_000).expect("fits");
        assert_eq!(
            all,
            [Request {
                files: vec![3, 1, 2, 0],
                more: false
            }]
        );
        let two = spread(1000, &files, &none, 8000).expect("fits");
        let asked: Vec<_> = two.iter().map(|one| (one.files.clone(), one.more)).collect();
        assert_eq!(asked, [(vec![3, 1, 2], true), (vec![0], false)]);
        let there: BTreeSet<String> = ["d", "b", "c"].map(ToOwned::to_owned).into();
        assert_eq!(spread(1000, &files, &there, 8000).expect("fits")[0].files, [0]);
        assert_eq!(spread(1000, &files, &none, 4000), None, "one file is too long");
        assert_eq!(spread(1000, &[], &none, 500), None, "the instance is too long");
        let bare = spread(1000, &[], &none, 4000).expect("fits");
        assert_eq!(bare, [Request::default()]);
    }

    proptest::proptest! {
        #[test]
        fn every_file_travels_once_and_only_the_last_request_says_that_it_is_complete(
            sizes in proptest::collection::vec(0_usize..4000, 0..250), limit in 6_100_usize..40_000
        ) {
            let names: Vec<String> = (0..sizes.len()).map(|n| n.to_string()).collect();
            let files: Vec<(&str, usize)> = names.iter().map(String::as_str).zip(sizes.iter().copied()).collect();
            let requests = spread(500, &files, &BTreeSet::new(), limit).expect("fits");
            let mut sent: Vec<usize> = requests.iter().flat_map(|one| one.files.clone()).collect();
            sent.sort_unstable();
            proptest::prop_assert_eq!(sent, (0..sizes.len()).collect::<Vec<_>>());
            for (n, one) in requests.iter().enumerate() {
                proptest::prop_assert_eq!(one.more, n + 1 < requests.len());
                let bytes: usize = one.files.iter().map(|at| sizes[*at] + PART_OVERHEAD).sum();
                proptest::prop_assert!(500 + 2 * PART_OVERHEAD + bytes <= limit);
                proptest::prop_assert!(one.files.len() <= FILES_MAX);
            }
        }
    }
}

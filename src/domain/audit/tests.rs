use jiff::Timestamp;

use super::*;
use crate::domain::seal::SigningKey;

const EPOCH: &str = "0a1b";

fn log(entries: u64) -> Vec<Entry> {
    let mut previous = begin(EPOCH);
    (1..=entries)
        .map(|seq| {
            let event = format!("{{\"type\":\"read\",\"what\":\"x\",\"target\":\"{seq}\"}}");
            let at = i64::try_from(seq).expect("small") * 1000;
            let who = (seq % 2 == 0).then(|| "ana".to_owned());
            previous = link(&previous, seq, at, who.as_deref(), None, &event);
            Entry {
                seq,
                at,
                who,
                peer: None,
                event,
                hash: previous,
            }
        })
        .collect()
}

fn key() -> SigningKey {
    SigningKey::generate(&[3; 32])
}

fn sign(entries: &[Entry], seq: usize) -> String {
    let hash = entries[seq - 1].hash;
    Checkpoint::sign(&key(), "quitumbe", EPOCH, seq as u64, Timestamp::UNIX_EPOCH, hash).to_string()
}

fn check(entries: &[Entry], checkpoints: &[String]) -> Findings {
    let texts = checkpoints.iter().map(String::as_str);
    let mut verifier = Verifier::new(EPOCH, vec![key().verifying()], texts);
    for entry in entries {
        verifier.entry(entry);
    }
    verifier.finish()
}

/// The rest of the chain, hashed anew, as somebody with the program and the file could.
fn rehash(entries: &mut [Entry]) {
    let mut previous = begin(EPOCH);
    for entry in entries {
        let (who, peer) = (entry.who.as_deref(), entry.peer.as_deref());
        entry.hash = link(&previous, entry.seq, entry.at, who, peer, &entry.event);
        previous = entry.hash;
    }
}

#[test]
fn an_untouched_log_is_sound() {
    let entries = log(9);
    let found = check(
        &entries,
        &[sign(&entries, 5), sign(&entries, 9), sign(&entries, 9)],
    );
    assert!(found.is_sound(), "{:?}", found.faults);
    assert_eq!((found.entries, found.last, found.checkpoints), (9, 9, 2));
    assert!(found.notes.is_empty());
    assert_eq!(check(&entries, &[sign(&entries, 7)]).notes, [Note::Unsigned(2)]);
    assert!(check(&[], &[]).is_sound());
}

#[test]
fn every_field_of_an_entry_is_covered() {
    let entries = log(9);
    let edits: [fn(&mut Entry); 5] = [
        |entry| entry.at += 1,
        |entry| entry.who = Some("luz".into()),
        |entry| entry.who = None,
        |entry| entry.peer = Some(String::new()),
        |entry| entry.event.push(' '),
    ];
    for edit in edits {
        let mut changed = entries.clone();
        edit(&mut changed[3]);
        assert_eq!(check(&changed, &[]).faults, [Fault::Changed(4)]);
    }
    let mut changed = entries;
    changed[3].hash[0] ^= 1;
    assert_eq!(
        check(&changed, &[]).faults,
        [Fault::Changed(4), Fault::Changed(5)]
    );
}

#[test]
fn a_missing_middle_a_cut_end_and_a_swap_are_found() {
    let entries = log(9);
    let mut missing = entries.clone();
    missing.drain(3..5);
    assert_eq!(check(&missing, &[]).faults, [Fault::Missing(4, 5)]);

    let signed = [sign(&entries, 4), sign(&entries, 8), sign(&entries, 9)];
    let cut = &entries[..6];
    assert_eq!(check(cut, &signed).faults, [Fault::CutOff { last: 6, signed: 9 }]);
    assert_eq!(check(&[], &signed).faults, [Fault::CutOff { last: 0, signed: 9 }]);

    let mut swapped = entries.clone();
    swapped.swap(2, 5);
    (swapped[2].seq, swapped[5].seq) = (3, 6);
    let faults = check(&swapped, &[]).faults;
    assert!(
        faults.contains(&Fault::Changed(3)) && faults.contains(&Fault::Changed(6)),
        "{faults:?}"
    );
}

#[test]
fn a_chain_that_was_hashed_anew_does_not_agree_with_what_was_signed() {
    let entries = log(9);
    let signed = [sign(&entries, 2), sign(&entries, 6)];
    let mut rewritten = entries;
    rewritten[3].who = Some("luz".into());
    rehash(&mut rewritten);
    let found = check(&rewritten, &signed);
    assert_eq!(
        (found.faults.as_slice(), found.checkpoints),
        (&[Fault::Rewritten(6)][..], 1)
    );
}

#[test]
fn checkpoints_of_another_key_another_file_or_none_are_named() {
    let entries = log(3);
    let other = SigningKey::generate(&[4; 32]);
    let at = Timestamp::UNIX_EPOCH;
    let forged = Checkpoint::sign(&other, "quitumbe", EPOCH, 3, at, entries[2].hash).to_string();
    assert_eq!(check(&entries, &[forged]).faults, [Fault::Forged(3)]);
    let earlier = Checkpoint::sign(&key(), "quitumbe", "ffff", 40, at, [1; 32]).to_string();
    assert_eq!(
        check(&entries, std::slice::from_ref(&earlier)).faults,
        [Fault::Replaced("ffff".into())]
    );
    let mut after = entries.clone();
    after[0].event = serde_json::to_string(&AuditEvent::LogBegan { after_damage: true }).expect("json");
    rehash(&mut after);
    let found = check(&after, &[earlier]);
    assert!(found.is_sound());
    assert!(found.notes.contains(&Note::EarlierFile("ffff".into())));
    assert_eq!(check(&entries, &["VA1.x".into()]).faults, [Fault::Garbled(1)]);
}

#[test]
fn a_checkpoint_reads_back_and_a_changed_letter_is_found() {
    let text = sign(&log(3), 3);
    let read = Checkpoint::parse(&text).expect("reads");
    assert_eq!(read.to_string(), text);
    assert!(read.is_signed_by(&[key().verifying()]));
    for (from, to) in [("quitumbe", "quitumba"), (".3.", ".4."), ("0a1b", "0a1c")] {
        let changed = Checkpoint::parse(&text.replacen(from, to, 1)).expect("reads");
        assert!(!changed.is_signed_by(&[key().verifying()]), "{from}");
    }
}

#[test]
fn a_signed_checkpoint_stays_readable() {
    // Of the first release; never to be changed.
    let event = AuditEvent::Commanded {
        command: "next".into(),
        counter: Some(4),
        ticket: None,
        done: Done::Refused("counter_busy".into()),
    };
    let text = serde_json::to_string(&event).expect("json");
    insta::assert_snapshot!(text, @r#"{"type":"commanded","command":"next","counter":4,"done":{"refused":"counter_busy"}}"#);
    let hash = link(&begin("e"), 1, 2, Some("ana"), None, &text);
    insta::assert_snapshot!(crate::domain::seal::hex(&hash), @"0d87124c1a5e192058eb52a210ebe6a81e265214fcd440b26b429a6c28bf46f3");
    assert_eq!(serde_json::from_str::<AuditEvent>(&text).expect("reads"), event);
}

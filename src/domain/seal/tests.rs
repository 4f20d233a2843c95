use proptest::prelude::*;

use super::*;
use crate::domain::submission::tests::header;

fn keys() -> (OpeningKey, OpeningKey, OpeningKey) {
    (
        OpeningKey::generate(&[1; 32]),
        OpeningKey::generate(&[2; 32]),
        OpeningKey::generate(&[3; 32]),
    )
}

fn sealed(plain: &[u8]) -> Vec<u8> {
    let (city, office, _) = keys();
    let to = [city.recipient(Role::Municipality), office.recipient(Role::Office)];
    seal(plain, &header(1), &to, &[9; 32]).expect("sealed")
}

#[test]
fn every_recipient_opens_it_and_nobody_else() {
    let (city, office, stranger) = keys();
    let envelope = sealed(b"Cedula 1714307103");
    for key in [&city, &office] {
        let opened = open(&envelope, key).expect("opened");
        assert_eq!(opened.plain.as_slice(), b"Cedula 1714307103");
        assert_eq!(opened.header, header(1));
    }
    assert_eq!(
        open(&envelope, &stranger).expect_err("refused"),
        SealError::OtherRecipient {
            kid: stranger.kid().to_owned()
        }
    );
    assert_eq!(kids_of(&envelope).expect("kids"), [city.kid(), office.kid()]);
}

#[test]
fn the_length_of_a_name_does_not_show() {
    assert_eq!(
        sealed(b"Ana").len(),
        sealed("María Fernanda de los Ángeles Quishpe Llumiquinga".as_bytes()).len()
    );
}

#[test]
fn a_seed_used_twice_never_repeats_a_key() {
    let a = sealed(b"uno");
    let b = sealed(b"dos");
    let tail = a.len() - 64;
    assert_ne!(a[tail..], b[tail..]);
    assert_eq!(a, sealed(b"uno"), "the same in, the same out");
}

#[test]
fn a_form_that_cannot_travel_is_refused_before_it_is_kept() {
    let (city, ..) = keys();
    let noise: Vec<u8> = (0_u32..20_000)
        .flat_map(|n| derive(&[&n.to_be_bytes()]))
        .collect();
    let error = seal(
        &noise,
        &header(1),
        &[city.recipient(Role::Municipality)],
        &[9; 32],
    );
    assert!(matches!(error, Err(SealError::TooLarge { .. })));
    assert_eq!(seal(b"x", &header(1), &[], &[9; 32]), Err(SealError::NoRecipient));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_sealed_comes_back(plain in proptest::collection::vec(any::<u8>(), 0..3000), seed: [u8; 32]) {
        let (city, ..) = keys();
        let envelope = seal(&plain, &header(1), &[city.recipient(Role::Municipality)], &seed).expect("sealed");
        let opened = open(&envelope, &city).expect("opened");
        prop_assert_eq!(opened.plain.as_slice(), plain.as_slice());
    }

    #[test]
    fn a_flipped_bit_never_opens_as_something_else(at: proptest::sample::Index, bit in 0_u8..8) {
        let (city, office, _) = keys();
        let whole = sealed(b"Cedula 1714307103");
        let mut envelope = whole.clone();
        let at = at.index(envelope.len());
        envelope[at] ^= 1 << bit;
        // A flip inside the other recipient's slot leaves this one readable, but never with other content.
        let results = [open(&envelope, &city), open(&envelope, &office)];
        prop_assert!(results.iter().any(Result::is_err) || role_byte(&whole, at));
        for opened in results.into_iter().flatten() {
            prop_assert_eq!(opened.plain.as_slice(), b"Cedula 1714307103");
            prop_assert_eq!(opened.header, header(1));
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let (city, ..) = keys();
        let mut envelope = MAGIC.to_vec();
        envelope.extend(bytes);
        prop_assert!(open(&envelope, &city).is_err());
    }
}

/// The role of a slot is a label, not part of the seal; the device's signature covers it.
fn role_byte(envelope: &[u8], at: usize) -> bool {
    let header = u32::from_be_bytes(envelope[4..8].try_into().expect("length")) as usize;
    let first = 8 + header + 1;
    at == first || at == first + 2 + 12 + 32 + SEALED_KEY
}

#[test]
fn another_header_does_not_open() {
    let (city, ..) = keys();
    let a = sealed(b"contenido");
    let (ours, other) = (header(1).to_bytes(), header(2).to_bytes());
    assert_eq!(ours.len(), other.len());
    let mut b = a.clone();
    b[8..8 + other.len()].copy_from_slice(&other);
    assert_eq!(open(&b, &city).expect_err("refused"), SealError::Changed);
    assert_eq!(
        header_of(&b).expect("header"),
        header(2),
        "readable, but not proven"
    );
}

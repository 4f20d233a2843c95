use cfb_mode::Decryptor;
use rsa::PrivateKey;
use rsa::pkcs8::DecodePrivateKey;

use super::*;

/// A key that nobody uses, made for these tests.
pub(crate) const PUBLIC: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAttjhOhc1Uvs4L8f4u20xLTrvfLsqAXL0WW0tnW1aJyv13DKmtXH6p0F4q8fx0MGpi1SuV0vg3kb6X204OBtoTQYtRUGERdRhYgCAaLJWm+sSya+RDR8sd7XMMSBxjl2XZmEAcX9g1fxPRJ5worfmgEkl1DnEFBmcUBFE568mpyyxX1jKQLXdx80mfhAQY1HMexNO1BFxneLkfzf9xiHNfNwrmgZSn4Xz3AVAuWrxU9ItiSDqyAjmlG8VhjyUk5v/VD//4loUqw6onPwB++2vQaG+9aHRguYdKEk5mFTS6Go3dMhf42OJAuZ3dKMhAOBUzdQrITQc3ZuvcIXhszoncQIDAQAB";
const PRIVATE: &str = "MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQC22OE6FzVS+zgvx/i7bTEtOu98uyoBcvRZbS2dbVonK/XcMqa1cfqnQXirx/HQwamLVK5XS+DeRvpfbTg4G2hNBi1FQYRF1GFiAIBoslab6xLJr5ENHyx3tcwxIHGOXZdmYQBxf2DV/E9EnnCit+aASSXUOcQUGZxQEUTnryanLLFfWMpAtd3HzSZ+EBBjUcx7E07UEXGd4uR/N/3GIc183CuaBlKfhfPcBUC5avFT0i2JIOrICOaUbxWGPJSTm/9UP//iWhSrDqic/AH77a9Bob71odGC5h0oSTmYVNLoajd0yF/jY4kC5nd0oyEA4FTN1CshNBzdm69wheGzOidxAgMBAAECggEAH6rvUybK2vzcjdX1+8wdDMbczH8D9u1IaaaRlGboisk/0yvImLtNXKNnuWSvOmcYLKP1b/QZ1ZV4boeViY4hodl0hL6koI14ckdA9iERA/8SKXEpT5r7Eh6f51BFqpEGFDqvn3ietmD0/57rRhtQph5FGX0Juyt2WZ2sD+5TZPd6kD1N5C9a8+xm9nssPiPCO+5qkyvKjdsRrtFRWzomb7pPz3c3t5x/pdaNaEHRnGRV5RR/BXq5LO91pbZcjyB30q90m8qXDbTSODr1+6XlIwdVs2OBe+Qb7F/A2/yp29TLclTxoA7whaREMzqAI6AcSoFAEr1dKNiJDgRLGaa36wKBgQD14xNut7OgsFKI0D9l0afN9tgXAaAQPRkwRrc9uVUl2HJVrOeRcmxxNpxnAroUqGq0jM/M0o7GS6FeUjSrdrdA6M7eYAu8xKQIOOs9v1PSEmnrMP8Kx5BkLq/bPlPic0EPV7uL/h8ExgBb/R0H0zsUIJ8eu0iCoYSaXyJhhLcbFwKBgQC+XhAPMJ0gKOqiH++Gx6iQmzMCG4hKTUxkh0jHQUhZVlY/H5tW04hVz/QMdAy9Lec8Jd0qDGXS7n54VHPCD41b9Niootu9A7p1VYC1eP4ID7u0/O/7VIgC1CTh/oj9KsBdPJsQ4bmmOZxZB0GjcXXBckuId+LUyqlNdpS46u7GtwKBgQCG7sGvNGgCekAQjBb+TPsE77zNgzrPLngwId5UpOuxBQJZObUp/9y6k/loHfr3cyR7R/qQr8thzgcTt5DntxIBMMC1D4fhYxeQ24tcKy5YTXqKcizDQZhfIa+nZKCr2AuP29kzjZSADhgMYu4XaTc2aGBpgOTdqr0V6bb4RNgmqQKBgQCzTmPv+sk0vnVqaYwyNiM2uYhNBuPToIVA9w/85iegRisMX9fv62Sx9yKXDEPneLIhvERZ072g9RTYgCtccUujfrcH+AXjPfzFgdiulZ0ouLED426jG1bU2z82QoqDc14nM+uW9hXoVMFINgaETV0t7Vrp2ookBhN7rCKfHmHzdwKBgGcqecBGKvDSy38GXeOxt2ocwayHPqG6bwZke0nW9Aydc3ylxHAJRE4sBlVh/8VMMmk2JJ703zu+iZR3NjY3MWzUrjgCQyCluxp+1FBtuEMRnaCuzGIupmrczD6LqMoy8VL+0AwDJkJrKmvZuCdkmigKuff1cOATDWNTnaPAfFx1";
const TOO_SMALL: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCn3xy8JoDXSnHC1Y+TjkZY2QNNIl1qyFnNXgJZqSNIOvW4+KNYVeMPkKeN/3pGIEjwxFoYMyCtMmjJsxZPt5W7CPBB/2HQ0iRqgbOFpmvrgbNboqxlI0J/WFQ/XN4BHZC0hv0KgpvDl5hg6Lut0lx0wxrX6q7IIK9NXQxDEqQqhQIDAQAB";

const XML: &str =
    "<data id=\"f\" version=\"1\"><n>Quishpe</n><meta><instanceID>uuid:1&amp;2</instanceID></meta></data>";

fn plain() -> Parcel {
    Parcel {
        form_id: "f".into(),
        version: "1".into(),
        instance_id: "uuid:1&2".into(),
        xml: Zeroizing::new(XML.as_bytes().to_vec()),
        files: vec![Enclosed {
            name: "firma.svg".into(),
            media_type: "image/svg+xml".into(),
            // A whole number of blocks: the padding is one more block.
            bytes: Zeroizing::new(vec![b'x'; 32]),
        }],
    }
}

fn sealed() -> Parcel {
    let key = FormKey::read(PUBLIC).expect("a key");
    seal(&plain(), "1[encrypted]", &key, &[7; 32]).expect("sealed")
}

fn text_of(parcel: &Parcel, tag: &str) -> Vec<String> {
    let text = String::from_utf8(parcel.xml.to_vec()).expect("text");
    let document = roxmltree::Document::parse(&text).expect("xml");
    document
        .descendants()
        .filter(|node| node.tag_name().name() == tag)
        .filter_map(|node| node.text().map(ToOwned::to_owned))
        .collect()
}

fn unwrap(text: &str) -> Vec<u8> {
    let der = BASE64_STANDARD.decode(PRIVATE).expect("base64");
    let key = PrivateKey::from_pkcs8_der(&der).expect("a key");
    let wrapped = BASE64_STANDARD.decode(text).expect("base64");
    key.oaep_decrypt::<Sha256>(&wrapped).expect("opens")
}

/// Decrypts as ODK does, file after file.
fn opened(parcel: &Parcel) -> Vec<Vec<u8>> {
    let key: [u8; 32] = unwrap(&text_of(parcel, "base64EncryptedKey")[0])
        .try_into()
        .expect("256 bits");
    let mut vector: [u8; 16] = Md5::digest([parcel.instance_id.as_bytes(), &key].concat()).into();
    let open = |(n, file): (usize, &Enclosed)| {
        vector[n % 16] = vector[n % 16].wrapping_add(1);
        let mut bytes = file.bytes.to_vec();
        Decryptor::<Aes256>::new(&key.into(), &vector.into()).decrypt(&mut bytes);
        let fill = usize::from(*bytes.last().expect("padded"));
        assert!(bytes.len() % 16 == 0 && (1..=16).contains(&fill), "PKCS7");
        bytes.truncate(bytes.len() - fill);
        bytes
    };
    parcel.files.iter().enumerate().map(open).collect()
}

#[test]
fn whoever_has_the_forms_private_key_reads_it_and_nobody_else() {
    let parcel = sealed();
    assert_eq!(opened(&parcel), [vec![b'x'; 32], XML.as_bytes().to_vec()]);
    let names: Vec<&str> = parcel.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["firma.svg.enc", "submission.xml.enc"]);
    assert_eq!(text_of(&parcel, "file"), ["firma.svg.enc"]);
    assert_eq!(text_of(&parcel, "encryptedXmlFile"), ["submission.xml.enc"]);
    assert_eq!(text_of(&parcel, "instanceID"), ["uuid:1&2"]);
    for bytes in parcel.files.iter().map(|file| &file.bytes).chain([&parcel.xml]) {
        let text = String::from_utf8_lossy(bytes);
        assert!(!text.contains("Quishpe") && !text.contains("xxxx"));
    }
    let root = String::from_utf8(parcel.xml.to_vec()).expect("text");
    assert!(
        root.contains("id=\"f\" version=\"1[encrypted]\" encrypted=\"yes\""),
        "{root}"
    );
}

#[test]
fn the_digest_names_everything_that_could_be_exchanged() {
    let parcel = sealed();
    let wrapped = &text_of(&parcel, "base64EncryptedKey")[0];
    let md5 = |bytes: &[u8]| hex(&Md5::digest(bytes));
    let said = format!(
        "f\n1[encrypted]\n{wrapped}\nuuid:1&2\nfirma.svg::{}\nsubmission.xml::{}\n",
        md5(&[b'x'; 32]),
        md5(XML.as_bytes()),
    );
    let found = unwrap(&text_of(&parcel, "base64EncryptedElementSignature")[0]);
    assert_eq!(found, Md5::digest(said).to_vec());
}

#[test]
fn a_repeat_has_the_same_bytes_and_another_content_another_key() {
    assert!(sealed() == sealed());
    let key = FormKey::read(PUBLIC).expect("a key");
    let mut other = plain();
    other.xml = Zeroizing::new(XML.replace("Quishpe", "Quilago").into_bytes());
    let other = seal(&other, "1[encrypted]", &key, &[7; 32]).expect("sealed");
    let symmetric = |parcel: &Parcel| unwrap(&text_of(parcel, "base64EncryptedKey")[0]);
    assert_ne!(symmetric(&other), symmetric(&sealed()));
}

#[test]
fn what_is_no_good_key_is_not_encrypted_to() {
    let truncated = &PUBLIC[..PUBLIC.len() - 8];
    for text in ["", "no", truncated, TOO_SMALL] {
        assert_eq!(FormKey::read(text).err(), Some(ParcelError::Key), "{text}");
    }
}

//! ODK's encrypted submissions: what a form asks for that carries `base64RsaPublicKey`.
//!
//! A key of 256 bits encrypts each file with AES-CFB and PKCS7; RSA-OAEP (SHA-256, MGF1 with SHA-256) wraps that
//! key, and a manifest takes the place of the instance. Nothing here authenticates the files, for ODK does not; the
//! digest that ODK calls a signature is written as Collect writes it.
//! Key and padding are made of a seed and of the files, so that a repeat has the same bytes. Begin at [`seal`].

use aes::Aes256;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use cfb_mode::Encryptor;
use cfb_mode::cipher::KeyIvInit;
use md5::{Digest as _, Md5};
use quick_xml::escape::escape;
use rsa::PublicKey;
use rsa::pkcs8::DecodePublicKey;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{Enclosed, Parcel, ParcelError};
use crate::domain::seal::{Given, derive, hex};

/// Name of the encrypted instance among the files.
const INSTANCE: &str = "submission.xml";
/// Smaller keys are within reach of who has money.
const KEY_BYTES_MIN: usize = 256;

/// The public key of a form.
#[derive(Clone, Debug)]
pub struct FormKey(PublicKey);

impl FormKey {
    /// Reads `base64RsaPublicKey`: an X.509 public key of 2048 bits or more.
    ///
    /// # Errors
    /// When it is none; then nothing is sent, and never in the clear.
    pub fn read(text: &str) -> Result<Self, ParcelError> {
        use rsa::traits::PublicKeyParts;
        let der = BASE64_STANDARD.decode(text).map_err(|_| ParcelError::Key)?;
        let key = PublicKey::from_public_key_der(&der).map_err(|_| ParcelError::Key)?;
        if key.size() < KEY_BYTES_MIN {
            return Err(ParcelError::Key);
        }
        Ok(Self(key))
    }

    fn wrap(&self, plain: &[u8], seed: [u8; 32]) -> Result<String, ParcelError> {
        let mut given = Given::new(seed);
        let wrapped = self
            .0
            .oaep_encrypt_with_rng::<Sha256, _>(&mut given, plain)
            .map_err(|_| ParcelError::Key)?;
        Ok(BASE64_STANDARD.encode(wrapped))
    }
}

/// Encrypts a parcel to the key of its form, which has the version `version` at the server.
///
/// `seed` is a secret that only those know who could read the submission anyway.
///
/// # Errors
/// When the key does not take it.
pub fn seal(plain: &Parcel, version: &str, key: &FormKey, seed: &[u8; 32]) -> Result<Parcel, ParcelError> {
    // Everything that is encrypted is in it, so that one seed never puts two contents under one key.
    let mut all = Sha256::new();
    for part in plain.files.iter().map(|file| &file.bytes).chain([&plain.xml]) {
        all.update(Sha256::digest(part.as_slice()));
    }
    let root = Zeroizing::new(derive(&[seed, b"odk", &all.finalize(), version.as_bytes()]));
    let symmetric = Zeroizing::new(derive(&[&*root, b"key"]));
    let wrapped = key.wrap(&*symmetric, derive(&[&*root, b"wrap"]))?;

    let mut vectors = Vectors::new(&plain.instance_id, &symmetric);
    let mut said = Said::default();
    said.line(&plain.form_id);
    if !version.is_empty() {
        said.line(version);
    }
    said.line(&wrapped);
    said.line(&plain.instance_id);
    let mut files = Vec::with_capacity(plain.files.len() + 1);
    let mut media = String::new();
    for file in &plain.files {
        said.file(&file.name, &file.bytes);
        let name = format!("{}.enc", file.name);
        media.push_str(&format!("<media><file>{}</file></media>", escape(name.as_str())));
        files.push(encrypted(name, &file.bytes, &symmetric, vectors.next()));
    }
    said.file(INSTANCE, &plain.xml);
    files.push(encrypted(
        format!("{INSTANCE}.enc"),
        &plain.xml,
        &symmetric,
        vectors.next(),
    ));
    let digest = Md5::digest(said.0.as_bytes());
    let signature = key.wrap(&digest, derive(&[&*root, b"digest"]))?;

    let of_version = match version {
        "" => String::new(),
        version => format!(" version=\"{}\"", escape(version)),
    };
    let manifest = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <data xmlns=\"http://www.opendatakit.org/xforms/encrypted\" id=\"{}\"{of_version} encrypted=\"yes\">\
         <base64EncryptedKey>{wrapped}</base64EncryptedKey>\
         <orx:meta xmlns:orx=\"http://openrosa.org/xforms\"><orx:instanceID>{}</orx:instanceID></orx:meta>{media}\
         <encryptedXmlFile>{INSTANCE}.enc</encryptedXmlFile>\
         <base64EncryptedElementSignature>{signature}</base64EncryptedElementSignature></data>",
        escape(plain.form_id.as_str()),
        escape(plain.instance_id.as_str()),
    );
    Ok(Parcel {
        form_id: plain.form_id.clone(),
        version: version.to_owned(),
        instance_id: plain.instance_id.clone(),
        xml: Zeroizing::new(manifest.into_bytes()),
        files,
    })
}

fn encrypted(name: String, plain: &[u8], key: &[u8; 32], vector: [u8; 16]) -> Enclosed {
    let fill = 16 - plain.len() % 16;
    // Room for the padding at once: growing would leave a copy behind that nobody wipes.
    let mut bytes = Zeroizing::new(Vec::with_capacity(plain.len() + fill));
    bytes.extend_from_slice(plain);
    bytes.resize(plain.len() + fill, u8::try_from(fill).unwrap_or(16));
    Encryptor::<Aes256>::new(&(*key).into(), &vector.into()).encrypt(&mut bytes);
    Enclosed {
        name,
        media_type: "application/octet-stream".to_owned(),
        bytes,
    }
}

/// The initial vectors of the files, in their order: one byte is counted up before each.
struct Vectors {
    seed: [u8; 16],
    taken: usize,
}

impl Vectors {
    fn new(instance_id: &str, key: &[u8; 32]) -> Self {
        let mut seed = Md5::new();
        seed.update(instance_id);
        seed.update(key);
        Self {
            seed: seed.finalize().into(),
            taken: 0,
        }
    }

    fn next(&mut self) -> [u8; 16] {
        let at = self.taken % 16;
        self.seed[at] = self.seed[at].wrapping_add(1);
        self.taken += 1;
        self.seed
    }
}

/// What the digest is made of: a line for each thing that somebody could exchange.
#[derive(Default)]
struct Said(Zeroizing<String>);

impl Said {
    fn line(&mut self, text: &str) {
        self.0.push_str(text);
        self.0.push('\n');
    }

    fn file(&mut self, name: &str, plain: &[u8]) {
        self.line(&format!("{name}::{}", hex(&Md5::digest(plain))));
    }
}

#[cfg(test)]
#[path = "sealed_tests.rs"]
pub(crate) mod tests;

//! Passwords as argon2id. Slow on purpose: never on an async thread and never inside a transaction.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::store::StoreError;

/// KiB of memory a hash needs; with the two below about 70 ms on a small office PC.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// A password that cannot be read any more.
#[derive(Clone, PartialEq, Eq)]
pub struct Hashed(pub(super) String);

impl std::fmt::Debug for Hashed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hashed(***)")
    }
}

fn argon() -> Result<Argon2<'static>, StoreError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)
        .map_err(|_| StoreError::Unreadable { what: "password" })?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Hashes a password with a salt of its own.
pub fn hash_password(password: &str) -> Result<Hashed, StoreError> {
    let hash = argon()?
        .hash_password(password.as_bytes())
        .map_err(|_| StoreError::Unreadable { what: "password" })?;
    Ok(Hashed(hash.to_string()))
}

/// Whether `password` is the one that was hashed.
///
/// Without a hash it does the same work and says no, so that the time does not tell who works here.
pub fn is_password(hashed: Option<&Hashed>, password: &str) -> Result<bool, StoreError> {
    let Some(hashed) = hashed else {
        hash_password(password)?;
        return Ok(false);
    };
    let hash = PasswordHash::new(&hashed.0).map_err(|_| StoreError::Unreadable { what: "password" })?;
    Ok(argon()?.verify_password(password.as_bytes(), &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_itself_fits_and_the_parameters_are_written_down() {
        let hashed = hash_password("clave larga").expect("hash");
        assert!(is_password(Some(&hashed), "clave larga").expect("read"));
        assert!(!is_password(Some(&hashed), "otra").expect("read"));
        assert!(!is_password(None, "clave larga").expect("work"));
        assert!(
            hashed.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{}",
            hashed.0
        );
        assert_eq!(format!("{hashed:?}"), "Hashed(***)");
    }
}

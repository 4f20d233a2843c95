//! Tools for whoever holds a receipt.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Subcommand;

use super::print;
use crate::domain::receipt;
use crate::domain::seal::VerifyingKey;

/// `ventanilla receipt …`
#[derive(Subcommand)]
pub(super) enum ReceiptAction {
    /// Checks the signed text of a receipt's QR, without any network.
    Verify {
        /// The text, beginning with VT1.
        token: String,
        /// Files with the public keys of the kiosks.
        #[arg(long, required = true)]
        key: Vec<PathBuf>,
    },
}

pub(super) fn receipt(action: ReceiptAction) -> anyhow::Result<()> {
    let ReceiptAction::Verify { token, key } = action;
    let keys = key
        .iter()
        .map(|path| {
            VerifyingKey::parse(&text(path)?).with_context(|| format!("{} is no public key", path.display()))
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    let claims = receipt::verify(token.trim(), &keys).context("The receipt does not hold")?;
    print(&format!(
        "code {}\noffice {}\nprocedure {}\nregistered {}\nfingerprint {}\nkey {}",
        claims.code, claims.office, claims.procedure, claims.at, claims.hash, claims.kid
    ));
    Ok(())
}

fn text(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
}

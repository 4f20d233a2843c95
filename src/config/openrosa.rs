//! Settings of the OpenRosa servers that central hands submissions on to.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// A server: ODK Central, Kobo, Ona, or another central of ours.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OnwardConfig {
    /// What it is called here: `a-z`, `0-9`, `-`, `_`. Another name is another queue, and everything goes again.
    pub name: String,
    /// Its address before `/formList` and `/submission`, such as `https://odk.example/v1/projects/3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// File with the address, where the address itself is a secret, as that of an app user of ODK Central.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url_file: Option<PathBuf>,
    /// Name of the account there, where one is needed; Basic and Digest are answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// File with its password, one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    /// File of its private authority, PEM; without it, those of the system are believed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<PathBuf>,
    /// Address of a single submission there, with `{form}` and `{id}`, to ask what an answer 409 means; known for
    /// ODK Central with a password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookup: Option<String>,
    /// Ids of the procedures that go there; without it, all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub procedures: Option<Vec<String>>,
}

impl OnwardConfig {
    /// Takes every path from the folder of `settings`.
    pub(super) fn resolve(&mut self, settings: &Path) {
        for path in [&mut self.url_file, &mut self.password_file, &mut self.authority]
            .into_iter()
            .flatten()
        {
            super::beside(settings, path);
        }
    }
}

//! What an OpenRosa server (ODK Central, Kobo, Ona) is given of a submission.
//!
//! The instance goes as the exact bytes that were confirmed, for such servers know a repeat by comparing bytes; one
//! without an id of its own goes nowhere, for it would be a new row at every try.
//! Begin at [`Parcel::of`]; [`sealed`] makes of it what a form asks for that names a public key.

pub mod sealed;

use roxmltree::{Document, Node, ParsingOptions};
use zeroize::Zeroizing;

use super::submission::Content;

/// Name of the part that holds the instance.
pub const INSTANCE_PART: &str = "xml_submission_file";
/// More nodes than any instance has.
const NODES_MAX: u32 = 100_000;

/// Why there is nothing to hand on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParcelError {
    /// The instance cannot be read.
    #[error("The instance of the submission is no XML")]
    NotXml,
    /// It names no form.
    #[error("The instance of the submission names no form")]
    NoForm,
    /// It has no id.
    #[error("The instance of the submission has no instanceID, so every try would make another row")]
    NoInstanceId,
    /// An attachment cannot be read.
    #[error("An attachment of the submission is damaged")]
    Attachment,
    /// The form's public key is none.
    #[error("The public key of the form cannot be encrypted to; set it up again at the server")]
    Key,
}

impl ParcelError {
    /// A stable word for programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotXml => "not_xml",
            Self::NoForm => "no_form",
            Self::NoInstanceId => "no_instance_id",
            Self::Attachment => "bad_attachment",
            Self::Key => "bad_form_key",
        }
    }
}

/// A file beside an instance.
#[derive(Clone, PartialEq, Eq)]
pub struct Enclosed {
    /// The name that the instance says; nobody's own words.
    pub name: String,
    /// Its media type.
    pub media_type: String,
    /// The file.
    pub bytes: Zeroizing<Vec<u8>>,
}

/// A submission as it travels to an OpenRosa server. Made anew at each try, always with the same bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Parcel {
    /// Id of the form, as the instance says.
    pub form_id: String,
    /// Its version; empty where it has none.
    pub version: String,
    /// The instance's own id, `uuid:…`.
    pub instance_id: String,
    /// The instance, or what stands in its place.
    pub xml: Zeroizing<Vec<u8>>,
    /// The other files, by name.
    pub files: Vec<Enclosed>,
}

impl std::fmt::Debug for Parcel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Parcel({}, {} files)", self.form_id, self.files.len())
    }
}

impl Parcel {
    /// A content as it was confirmed.
    ///
    /// # Errors
    /// When it cannot be handed on at all; trying again changes nothing.
    pub fn of(content: &Content) -> Result<Self, ParcelError> {
        let xml = content.instance_xml.reveal();
        let document = read(xml).ok_or(ParcelError::NotXml)?;
        let root = document.root_element();
        let form_id = root.attribute("id").ok_or(ParcelError::NoForm)?.to_owned();
        let version = root.attribute("version").unwrap_or_default().to_owned();
        let instance_id = instance_id(&document).ok_or(ParcelError::NoInstanceId)?;
        let mut files = content
            .attachments
            .iter()
            .map(|file| {
                Ok(Enclosed {
                    name: file.name.clone(),
                    media_type: file.media_type.clone(),
                    bytes: file.bytes().ok_or(ParcelError::Attachment)?,
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self {
            form_id,
            version,
            instance_id,
            xml: Zeroizing::new(xml.as_bytes().to_vec()),
            files,
        })
    }
}

/// The instance's own id, if it has one.
fn instance_id(document: &Document<'_>) -> Option<String> {
    document
        .descendants()
        .find(|node| node.tag_name().name() == "instanceID")
        .and_then(|node: Node<'_, '_>| node.text())
        .map(str::trim)
        .filter(|id| !id.is_empty())
        .map(ToOwned::to_owned)
}

/// The public key that a form (XForms XML) asks submissions to be encrypted to.
pub fn form_key(form: &str) -> Option<String> {
    let document = read(form)?;
    document
        .descendants()
        .filter(|node| node.tag_name().name() == "submission")
        .find_map(|node| node.attribute("base64RsaPublicKey"))
        .map(|key| key.split_whitespace().collect::<String>())
        .filter(|key| !key.is_empty())
}

/// Reads XML of somebody else; entities are not followed to any file or address.
pub fn read(xml: &str) -> Option<Document<'_>> {
    let options = ParsingOptions {
        nodes_limit: NODES_MAX,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(xml, options).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::redacted::Redacted;
    use crate::domain::submission::Attachment;

    fn content(xml: &str) -> Content {
        Content {
            v: 1,
            form_id: "f".into(),
            form_version: "1".into(),
            procedure_name: "P".into(),
            language: "es".into(),
            instance_xml: Redacted::new(xml.to_owned()),
            answers: vec![],
            result: None,
            consents: vec![],
            attachments: ["b.svg", "a.svg"]
                .map(|name| Attachment::of_text(name, "image/svg+xml", "<svg/>".into()))
                .into(),
        }
    }

    #[test]
    fn the_instance_goes_as_the_bytes_that_were_confirmed() {
        let xml = "<?xml version='1.0' ?><data id=\"f\" version=\"2\" ><n>á</n><meta>\
                   <instanceID>uuid:1</instanceID></meta></data>";
        let parcel = Parcel::of(&content(xml)).expect("a parcel");
        assert_eq!(parcel.xml.as_slice(), xml.as_bytes());
        assert_eq!((parcel.form_id.as_str(), parcel.version.as_str()), ("f", "2"));
        let names: Vec<&str> = parcel.files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["a.svg", "b.svg"]);
        assert!(!format!("{parcel:?}").contains('á'));
    }

    #[test]
    fn what_would_be_a_new_row_at_each_try_goes_nowhere() {
        for (xml, why) in [
            ("<data id='f'><n/></data>", ParcelError::NoInstanceId),
            (
                "<data id='f'><meta><instanceID> </instanceID></meta></data>",
                ParcelError::NoInstanceId,
            ),
            (
                "<data><meta><instanceID>uuid:1</instanceID></meta></data>",
                ParcelError::NoForm,
            ),
            ("<data", ParcelError::NotXml),
        ] {
            assert_eq!(Parcel::of(&content(xml)), Err(why), "{xml}");
        }
    }

    #[test]
    fn a_form_says_whether_it_is_to_be_encrypted() {
        let form = |attribute: &str| {
            format!("<h:html xmlns:h='x'><h:head><model><submission {attribute}/></model></h:head></h:html>")
        };
        assert_eq!(
            form_key(&form("base64RsaPublicKey='AB\n C'")).as_deref(),
            Some("ABC")
        );
        assert_eq!(form_key(&form("base64RsaPublicKey=' '")), None);
        assert_eq!(form_key(&form("action='https://x'")), None);
    }
}

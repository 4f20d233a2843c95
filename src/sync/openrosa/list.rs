//! Reads what OpenRosa servers list: forms, and the files of a form.
//!
//! Only names, versions, digests and addresses are taken; everything is bounded. Begin at [`read_forms`].

use crate::domain::openrosa::read;

/// Most entries of a list that are looked at.
const ENTRIES_MAX: usize = 10_000;

/// A form that a server takes submissions of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormEntry {
    /// Its id.
    pub id: String,
    /// Its version; empty where it has none.
    pub version: String,
    /// Its title.
    pub name: String,
    /// Digest of its XML, such as `md5:…`.
    pub hash: String,
    /// Where its XML is.
    pub download: String,
    /// Where its files are listed.
    pub manifest: Option<String>,
}

/// A file of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaFile {
    /// Its name.
    pub name: String,
    /// Digest, such as `md5:…`.
    pub hash: String,
    /// Where it is.
    pub download: String,
}

/// The forms of a list; nothing where it is no list of forms.
pub fn read_forms(text: &str) -> Option<Vec<FormEntry>> {
    let entry = |field: &dyn Fn(&str) -> Option<String>| {
        Some(FormEntry {
            id: field("formID")?,
            version: field("version").unwrap_or_default(),
            name: field("name").unwrap_or_default(),
            hash: field("hash").unwrap_or_default(),
            download: field("downloadUrl")?,
            manifest: field("manifestUrl"),
        })
    };
    entries(text, "xforms", "xform", entry)
}

/// The files of a form; nothing where it is no list of files.
pub fn read_manifest(text: &str) -> Option<Vec<MediaFile>> {
    let entry = |field: &dyn Fn(&str) -> Option<String>| {
        Some(MediaFile {
            name: field("filename")?,
            hash: field("hash").unwrap_or_default(),
            download: field("downloadUrl")?,
        })
    };
    entries(text, "manifest", "mediaFile", entry)
}

fn entries<T>(
    text: &str,
    root: &str,
    tag: &str,
    entry: impl Fn(&dyn Fn(&str) -> Option<String>) -> Option<T>,
) -> Option<Vec<T>> {
    let document = read(text)?;
    let list = document.root_element();
    if list.tag_name().name() != root {
        return None;
    }
    let found = list.children().filter(|node| node.tag_name().name() == tag);
    Some(
        found
            .take(ENTRIES_MAX)
            .filter_map(|node| {
                entry(&|name: &str| {
                    let child = node.children().find(|child| child.tag_name().name() == name)?;
                    let text = child.text()?.trim();
                    (!text.is_empty()).then(|| text.to_owned())
                })
            })
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_and_a_login_page_is_none() {
        let text = "<?xml version='1.0'?><xforms xmlns='http://openrosa.org/xforms/xformsList'>
            <xform><formID>a</formID><name>A &amp; B</name><version>3</version><hash>md5:00</hash>
            <downloadUrl>https://x/a.xml</downloadUrl><manifestUrl>https://x/m</manifestUrl></xform>
            <xform><formID>b</formID><downloadUrl>https://x/b.xml</downloadUrl><version/></xform>
            <xform><formID>no address</formID></xform></xforms>";
        let forms = read_forms(text).expect("a list");
        assert_eq!(forms.len(), 2);
        assert_eq!(
            (forms[0].name.as_str(), forms[0].manifest.as_deref()),
            ("A & B", Some("https://x/m"))
        );
        assert_eq!(
            (forms[1].version.as_str(), forms[1].manifest.as_deref()),
            ("", None)
        );
        for foreign in ["<html><body>Login</body></html>", "", "<xforms", "<manifest/>"] {
            assert_eq!(read_forms(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn files_of_a_form_are_read() {
        let text = "<manifest xmlns='http://openrosa.org/xforms/xformsManifest'><mediaFile>
            <filename>lista.csv</filename><hash>md5:1</hash><downloadUrl>/f/lista.csv</downloadUrl></mediaFile></manifest>";
        let files = read_manifest(text).expect("a list");
        assert_eq!(files[0].name, "lista.csv");
        assert_eq!(read_manifest("<xforms/>"), None);
    }

    #[test]
    fn a_list_that_swells_is_none() {
        let bomb = "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]><xforms>&b;</xforms>";
        assert_eq!(read_forms(bomb), None);
    }
}

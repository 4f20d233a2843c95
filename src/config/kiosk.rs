//! The settings of a kiosk.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::metrics::MetricsConfig;
use super::published::PublishedConfig;

/// `kiosk.toml`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KioskConfig {
    /// Name of this kiosk at its office: `K2`.
    pub id: String,
    /// What citizens call it: `2`, as in "Kiosco 2".
    pub name: String,
    /// Folder of the kiosk's own data.
    pub data: PathBuf,
    /// Folder of the catalogue; without it the catalogue built into the program serves.
    pub catalogue: Option<PathBuf>,
    /// The catalogue that comes signed by the office from the municipality; once one came, it serves instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<PublishedConfig>,
    /// The office this kiosk stands in.
    pub place: Place,
    /// Where citizens can ask by telephone.
    pub phone: String,
    /// Where to print: `dir:PATH`, `tcp:HOST:9100`, `usb:04b8:0e15`, `serial:/dev/ttyS0@38400,rtscts`.
    pub printer: String,
    /// How to print.
    #[serde(default)]
    pub printing: PrintingConfig,
    /// The office's hub; without it every ticket is refused and submissions wait.
    pub office: Option<Upstream>,
    /// Where the page to check a receipt is: the QR on paper leads there, and codes are looked up there.
    pub verify_url: String,
    /// File with the device key that signs receipts and submissions; made at first start where it is missing.
    pub device_key: PathBuf,
    /// Who can open submissions.
    pub recipients: Vec<RecipientConfig>,
    /// Numbers to hold for the time without network, for each queue.
    #[serde(default = "default_lease")]
    pub lease_numbers: u32,
    /// The screen.
    #[serde(default)]
    pub screen: ScreenConfig,
    /// File with the secret that lets technicians in (`ventanilla technician secret`); without it nobody comes in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub technician: Option<PathBuf>,
    /// Where this kiosk says how it is, for Prometheus; nowhere without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<MetricsConfig>,
    /// The keypad beside it, where it is not simply a keyboard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keypad: Option<crate::devices::handset::KeypadConfig>,
}

impl KioskConfig {
    /// The same settings with every path meant from the folder of `settings`.
    #[must_use]
    pub fn resolved(mut self, settings: &std::path::Path) -> Self {
        let beside = |path: &mut PathBuf| crate::config::beside(settings, path);
        beside(&mut self.data);
        beside(&mut self.device_key);
        self.catalogue.iter_mut().for_each(beside);
        self.technician.iter_mut().for_each(beside);
        if let Some(metrics) = &mut self.metrics {
            metrics.resolve(settings);
        }
        if let Some(published) = &mut self.published {
            published.resolve(settings);
        }
        self.recipients
            .iter_mut()
            .map(|recipient| &mut recipient.key)
            .for_each(beside);
        if let Some(office) = &mut self.office {
            office.token_file.iter_mut().for_each(beside);
            office.authority.iter_mut().for_each(beside);
            office.receipt_keys.iter_mut().for_each(beside);
            office.order_keys.iter_mut().for_each(beside);
        }
        let second = self.printing.second.as_mut().map(|second| &mut second.printer);
        for printer in [Some(&mut self.printer), second].into_iter().flatten() {
            if let Some(folder) = printer.strip_prefix("dir:") {
                let mut folder = PathBuf::from(folder);
                beside(&mut folder);
                *printer = format!("dir:{}", folder.display());
            }
        }
        if self.printing.profile.ends_with(".toml") {
            let mut file = PathBuf::from(&self.printing.profile);
            beside(&mut file);
            self.printing.profile = file.display().to_string();
        }
        self
    }
}

/// How to print.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PrintingConfig {
    /// Model of the printer, as `ventanilla printer list` names it, or a .toml file.
    pub profile: String,
    /// `raster` draws everything; `text` lets the printer write, for slow cables. Without it the profile decides.
    pub look: Option<String>,
    /// Metres of paper on a new roll.
    pub roll_m: u32,
    /// The printer that helps out when the first is not ready.
    pub second: Option<SecondPrinter>,
}

/// The printer that helps out.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecondPrinter {
    /// Where it is.
    pub printer: String,
    /// Its model.
    #[serde(default = "default_profile")]
    pub profile: String,
}

impl Default for PrintingConfig {
    fn default() -> Self {
        Self {
            profile: default_profile(),
            look: None,
            roll_m: 80,
            second: None,
        }
    }
}

fn default_profile() -> String {
    "80-raster".to_owned()
}

/// The office as citizens know it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Its id in the municipality: `quitumbe`.
    pub id: String,
    /// «Quitumbe».
    pub name: String,
    /// «Administración Zonal».
    pub kind: String,
    /// «08:00 a 16:30», or empty.
    #[serde(default)]
    pub hours: String,
    /// IANA zone: `America/Guayaquil`.
    pub zone: String,
    /// Hour at which the office's day begins, the same as at the office.
    #[serde(default = "default_day_cut_hour")]
    pub day_cut_hour: u8,
}

/// Who is asked and sent to.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    /// `http://127.0.0.1:7301`.
    pub url: String,
    /// File with the device's secret token; without it each request is signed with the device key, as the office
    /// let it in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_file: Option<PathBuf>,
    /// Files with the public keys that sign for what was received, the present and the next.
    pub receipt_keys: Vec<PathBuf>,
    /// Files with central's public keys, whose orders this kiosk obeys; none without them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub order_keys: Vec<PathBuf>,
    /// File with the certificate (PEM) of the office's own authority: only that office is believed then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<PathBuf>,
}

/// A public key to seal to.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecipientConfig {
    /// `municipality` or `office`; the office is added only where a counter goes on with the case.
    pub role: String,
    /// File with the public key.
    pub key: PathBuf,
}

/// The screen.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScreenConfig {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Where the screen is shown as a page; only for demonstrations and remote help.
    pub web: Option<SocketAddr>,
    /// How the panel hangs: degrees the picture is turned clockwise, 0, 90, 180 or 270. Only on a bare display.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotation: Option<u16>,
    /// Where a finger is on the panel, six numbers as libinput takes them; made from `rotation` if not written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub touch: Option<[f32; 6]>,
    /// The connector of the panel where there are several, such as `HDMI-A-1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// Brightness of the panel, 5 to 100 in the hundred; as it is if not written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brightness: Option<u8>,
}

impl ScreenConfig {
    /// What moves a finger's place on the panel to its place on the turned picture.
    pub fn touch_matrix(&self) -> [f32; 6] {
        self.touch.unwrap_or(match self.rotation {
            Some(90) => [0.0, 1.0, 0.0, -1.0, 0.0, 1.0],
            Some(180) => [-1.0, 0.0, 1.0, 0.0, -1.0, 1.0],
            Some(270) => [0.0, -1.0, 1.0, 1.0, 0.0, 0.0],
            Some(_) | None => [1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        })
    }

    /// The variables from which the bare display reads how it hangs.
    ///
    /// # Errors
    /// What is wrong with the settings.
    pub fn display_environment(&self) -> Result<Vec<(&'static str, String)>, String> {
        let rotation = self.rotation.unwrap_or(0);
        if ![0, 90, 180, 270].contains(&rotation) {
            return Err(format!(
                "rotation = {rotation} is no way to hang a panel; write 0, 90, 180 or 270"
            ));
        }
        let output = self
            .output
            .iter()
            .map(|output| ("SLINT_DRM_OUTPUT", output.clone()));
        Ok([("SLINT_KMS_ROTATION", rotation.to_string())]
            .into_iter()
            .chain(output)
            .collect())
    }
}

impl Default for ScreenConfig {
    fn default() -> Self {
        Self {
            width: 1080,
            height: 1920,
            web: None,
            rotation: None,
            touch: None,
            output: None,
            brightness: None,
        }
    }
}

fn default_lease() -> u32 {
    50
}

fn default_day_cut_hour() -> u8 {
    3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(matrix: [f32; 6], (x, y): (f32, f32)) -> (f32, f32) {
        let [a, b, c, d, e, f] = matrix;
        (a * x + b * y + c, d * x + e * y + f)
    }

    #[test]
    fn a_finger_on_a_turned_panel_touches_what_it_sees() {
        let turned = |rotation| ScreenConfig {
            rotation,
            ..ScreenConfig::default()
        };
        // The upper left corner of the panel, seen on the picture.
        for (rotation, corner) in [
            (None, (0.0, 0.0)),
            (Some(90), (0.0, 1.0)),
            (Some(180), (1.0, 1.0)),
            (Some(270), (1.0, 0.0)),
        ] {
            assert_eq!(
                moved(turned(rotation).touch_matrix(), (0.0, 0.0)),
                corner,
                "{rotation:?}"
            );
        }
        assert!(
            turned(Some(45))
                .display_environment()
                .expect_err("refused")
                .contains("45")
        );
        let own = ScreenConfig {
            touch: Some([2.0; 6]),
            ..turned(Some(90))
        };
        assert_eq!(own.touch_matrix(), [2.0; 6]);
    }
}

//! What a model of printer can do, as data: an office changes a file, not the program.
//!
//! Page slots differ between makers (Windows-1252 is 16 on most and 32, 71 or 8 on others), so a slot
//! is never a constant in the composer.

use serde::{Deserialize, Serialize};

/// The abilities of one model of printer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Name for logs and for the settings page, such as `80-raster`.
    pub name: String,
    /// Who makes it; for lists.
    #[serde(default)]
    pub maker: String,
    /// Dots across the head: 576 on 80 mm paper, 384 on 58 mm.
    pub width_dots: u32,
    /// White dots kept on each side.
    #[serde(default = "usual::margin")]
    pub margin_dots: u32,
    /// Whether running text is drawn by us or written by the printer.
    #[serde(default)]
    pub look: Look,
    /// Who draws the QR code.
    #[serde(default)]
    pub qr: QrBy,
    /// Pages of characters, the preferred one first. Empty means that all text is drawn.
    #[serde(default)]
    pub pages: Vec<PageSlot>,
    /// Rows of one raster command; at most 256, or cheap printers overrun their memory.
    #[serde(default = "usual::strip_rows")]
    pub strip_rows: u32,
    /// The command that frees the paper.
    #[serde(default)]
    pub cut: Cut,
    /// Whether it answers `DLE EOT`. A printer that should and does not is not printed on.
    #[serde(default = "usual::answers_status")]
    pub answers_status: bool,
    /// What it can answer once a paper is really out.
    #[serde(default)]
    pub proof: Proof,
    /// Whether it tells of changes by itself (`GS a`) and takes up an interrupted job cleanly.
    #[serde(default)]
    pub pushes_status: bool,
    /// Whether it forgets what it still holds when told to (`DLE DC4 8`).
    #[serde(default)]
    pub clears: bool,
}

/// Who draws running text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Look {
    /// Everything is drawn with the house's font: the designed paper, 40 to 90 kB.
    #[default]
    Raster,
    /// Big parts are drawn, running text is the printer's own: for slow cables.
    Text,
}

/// Who draws the QR code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QrBy {
    /// Sent as a picture; works everywhere.
    #[default]
    Raster,
    /// Sent as data; the printer draws it. Needs the `Text` look.
    Native,
}

/// A page of characters and the number this printer knows it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageSlot {
    /// Which characters.
    pub page: Page,
    /// The number for `ESC t`.
    pub slot: u8,
}

/// A page of characters that can write Spanish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Page {
    /// Windows-1252.
    Wpc1252,
    /// Code page 858: 850 with the euro.
    Pc858,
    /// Code page 850.
    Pc850,
    /// Code page 437, without Á, Í, Ó and Ú.
    Pc437,
}

/// How a printer frees the paper.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cut {
    /// Feeds to the blade and cuts through.
    Full,
    /// Feeds to the blade and leaves a point uncut, so that the paper does not fall.
    #[default]
    Partial,
    /// No blade: only feeds, and the person tears.
    Tear,
}

/// What a printer can answer once a paper is really out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// Nothing: the best outcome is "handed over".
    #[default]
    None,
    /// `GS r 1`, answered in order after the data before it.
    PaperStatus,
    /// `GS ( H`, answered with our number when printing is complete.
    ProcessId,
}

/// Dots across a letter of the printer's font A.
pub(super) const CELL_DOTS: u32 = 12;
/// White on each side of 58 mm paper, where every column counts.
const NARROW_MARGIN: u32 = 12;

/// What a profile's file need not say.
mod usual {
    pub(super) fn margin() -> u32 {
        24
    }

    pub(super) fn strip_rows() -> u32 {
        256
    }

    pub(super) fn answers_status() -> bool {
        true
    }
}

impl Profile {
    /// 80 mm paper, everything drawn: the designed look.
    pub fn wide() -> Self {
        Self {
            name: "80-raster".to_owned(),
            maker: "Any".to_owned(),
            width_dots: 576,
            margin_dots: 24,
            look: Look::Raster,
            qr: QrBy::Raster,
            pages: vec![
                PageSlot {
                    page: Page::Wpc1252,
                    slot: 16,
                },
                PageSlot {
                    page: Page::Pc858,
                    slot: 19,
                },
                PageSlot {
                    page: Page::Pc850,
                    slot: 2,
                },
            ],
            strip_rows: 256,
            cut: Cut::Partial,
            answers_status: true,
            proof: Proof::None,
            pushes_status: false,
            clears: false,
        }
    }

    /// 80 mm paper, running text by the printer.
    pub fn wide_text() -> Self {
        Self {
            name: "80-text".to_owned(),
            look: Look::Text,
            qr: QrBy::Native,
            ..Self::wide()
        }
    }

    /// 58 mm paper, everything drawn. These printers seldom have a blade.
    pub fn narrow() -> Self {
        Self {
            name: "58-raster".to_owned(),
            width_dots: 384,
            margin_dots: NARROW_MARGIN,
            cut: Cut::Tear,
            ..Self::wide()
        }
    }

    /// 58 mm paper, running text by the printer.
    pub fn narrow_text() -> Self {
        Self {
            name: "58-text".to_owned(),
            look: Look::Text,
            qr: QrBy::Native,
            ..Self::narrow()
        }
    }

    /// Letters of the printer's own on a line: 32, 42 or 48 on most paper, less the margins.
    pub fn columns(&self) -> u32 {
        ((self.safe_width() - 2 * self.safe_margin()) / CELL_DOTS).max(8)
    }

    /// The page that `slot` selects on this printer.
    pub fn page_at(&self, slot: u8) -> Option<Page> {
        self.pages
            .iter()
            .find(|page| page.slot == slot)
            .map(|page| page.page)
    }

    /// The slot that the prologue selects.
    pub(super) fn first_slot(&self) -> u8 {
        self.pages.first().map_or(0, |page| page.slot)
    }

    /// Rows of one raster command, whatever the file says.
    pub(super) fn safe_strip_rows(&self) -> u32 {
        self.strip_rows.clamp(8, 256)
    }

    /// Bytes across the head.
    pub(super) fn width_bytes(&self) -> u32 {
        self.width_dots.clamp(256, 1024) / 8
    }

    /// Dots across the head, in whole bytes.
    pub(super) fn safe_width(&self) -> u32 {
        self.width_bytes() * 8
    }

    /// White dots kept on each side, whatever the file says.
    pub(super) fn safe_margin(&self) -> u32 {
        let narrow = if self.safe_width() < 500 {
            NARROW_MARGIN
        } else {
            u32::MAX
        };
        self.margin_dots.min(self.safe_width() / 8).min(narrow)
    }
}

impl Default for Profile {
    fn default() -> Self {
        Self::wide()
    }
}

//! Every screen of a session × {normal, ×2, high contrast, reach} × {es, qu, en} × two resolutions, as small pictures.
//!
//! A combination is one sheet of thumbnails in `golden/sheets`, sixteen greys each, with the names of its screens beside
//! it. Letters cannot be read on them, but nothing moves, vanishes, shrinks or changes its tone unseen; what must hold
//! to the pixel is in `golden`. A Kichwa screen without a Kichwa word is the Spanish one and is not kept twice.
//! `UPDATE_GOLDEN=1` writes the sheets again; look at them before committing.

use std::path::PathBuf;

use ventanilla::domain::session::Comfort;
use ventanilla::domain::session::view::{TextSize, Theme, View};
use ventanilla::i18n::Language;
use ventanilla::kiosk::run::Size;
use ventanilla::kiosk::screen::Screen;

use crate::tour;

/// Screens are drawn at half their size: what a thumbnail shows is the same, in a quarter of the time.
const HALF: u32 = 2;
/// Pixels of a drawn screen that become one of its thumbnail.
const BLOCK: usize = 5;
const COLUMNS: usize = 14;
/// A share of a thumbnail's pixels that may differ by more than one grey: rounding of curves elsewhere.
const TOLERATED: f64 = 0.004;
/// Lists of the whole catalogue look the same further on.
const PAGES_MOST: u32 = 2;

const SMALL: Size = Size {
    width: 1280,
    height: 800,
};

struct Thumb {
    name: String,
    /// Greys from 0 to 15.
    greys: Vec<u8>,
}

#[test]
fn portrait_screens_are_as_they_were() {
    matrix(Size::PORTRAIT, "1080x1920");
}

#[test]
fn small_landscape_screens_are_as_they_were() {
    matrix(SMALL, "1280x800");
}

fn matrix(size: Size, folder: &str) {
    let setup = tour::setup(size.width > size.height);
    let size = Size {
        width: size.width / HALF,
        height: size.height / HALF,
    };
    let mut screen = Screen::new(size).expect("a screen in memory needs nothing");
    let mut faults = Vec::new();
    for (mode, comfort) in modes() {
        let spanish = tour::all(&setup, comfort);
        for language in Language::ALL {
            let views = match language {
                Language::Spanish => spanish.clone(),
                Language::Kichwa | Language::English => tour::all(&setup, Comfort { language, ..comfort }),
            };
            let thumbs: Vec<Thumb> = views
                .into_iter()
                .filter(|(name, _)| !is_far_in_a_list(name))
                .filter(|(name, view)| language == Language::Spanish || !is_in(name, view, &spanish))
                .map(|(name, view)| {
                    screen.show(&view);
                    screen.render();
                    Thumb {
                        name,
                        greys: shrink(size, screen.rgb()),
                    }
                })
                .collect();
            compare(
                &format!("{folder}/{mode}-{}", language.code()),
                size,
                &thumbs,
                &mut faults,
            );
        }
    }
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

fn modes() -> [(&'static str, Comfort); 4] {
    let normal = Comfort::default();
    [
        ("normal", normal),
        (
            "x2",
            Comfort {
                size: TextSize::Huge,
                ..normal
            },
        ),
        (
            "contrast",
            Comfort {
                theme: Theme::Dark,
                ..normal
            },
        ),
        (
            "reach",
            Comfort {
                reach: true,
                ..normal
            },
        ),
    ]
}

/// `list-7`, but not `exemption-q7`.
fn is_far_in_a_list(name: &str) -> bool {
    let page = name
        .rsplit_once('-')
        .and_then(|(_, page)| page.parse::<u32>().ok());
    page.is_some_and(|page| page > PAGES_MOST)
}

fn is_in(name: &str, view: &View, spanish: &[(String, View)]) -> bool {
    spanish.iter().any(|(other, known)| {
        other == name
            && View {
                language: known.language,
                ..view.clone()
            } == *known
    })
}

/// The mean of each block, brighter parts counted as the eye does.
fn shrink(size: Size, rgb: &[u8]) -> Vec<u8> {
    let (width, height) = (size.width as usize, size.height as usize);
    let mut greys = Vec::with_capacity(width / BLOCK * (height / BLOCK));
    for y in (0..height / BLOCK).map(|y| y * BLOCK) {
        for x in (0..width / BLOCK).map(|x| x * BLOCK) {
            let mut sum = 0_u32;
            for row in y..y + BLOCK {
                let from = (row * width + x) * 3;
                for pixel in rgb[from..from + BLOCK * 3].chunks_exact(3) {
                    sum += u32::from(pixel[0]) * 3 + u32::from(pixel[1]) * 6 + u32::from(pixel[2]);
                }
            }
            // 10 parts of colour, 25 pixels, 16 greys.
            greys.push((sum / (10 * (BLOCK * BLOCK) as u32 * 16)).min(15) as u8);
        }
    }
    greys
}

fn compare(name: &str, size: Size, thumbs: &[Thumb], faults: &mut Vec<String>) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/screen/golden/sheets");
    let (picture, list) = (
        folder.join(format!("{name}.png")),
        folder.join(format!("{name}.txt")),
    );
    let actual = folder.join(format!("{name}.actual.png"));
    let names: String = thumbs.iter().map(|thumb| format!("{}\n", thumb.name)).collect();
    let (wide, high) = (size.width as usize / BLOCK, size.height as usize / BLOCK);
    let sheet = sheet(thumbs, wide, high);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(picture.parent().expect("it is in a folder"))
            .expect("the folder can be made");
        std::fs::write(&picture, encode(&sheet, wide * COLUMNS)).expect("the sheet can be written");
        std::fs::write(&list, names).expect("the names can be written");
        return;
    }
    let before = faults.len();
    if std::fs::read_to_string(&list).unwrap_or_default() != names {
        faults.push(format!(
            "{name}: other screens than before, or in another order; see {}",
            list.display()
        ));
    } else {
        let known = decode(&picture).unwrap_or_default();
        if known.len() == sheet.len() {
            for (at, thumb) in thumbs.iter().enumerate() {
                let differ = pixels(at, wide, high)
                    .filter(|pixel| known[*pixel].abs_diff(sheet[*pixel]) > 1)
                    .count();
                let share = differ as f64 / (wide * high) as f64;
                if share > TOLERATED {
                    faults.push(format!(
                        "{name}: {} differs by {:.1} %",
                        thumb.name,
                        share * 100.0
                    ));
                }
            }
        } else {
            faults.push(format!("{name}: the sheet has another size, or is not there"));
        }
    }
    if faults.len() > before {
        std::fs::create_dir_all(actual.parent().expect("it is in a folder")).expect("the folder can be made");
        std::fs::write(&actual, encode(&sheet, wide * COLUMNS)).expect("the sheet can be written");
        faults.push(format!(
            "{name}: compare {} with {}",
            picture.display(),
            actual.display()
        ));
    } else {
        // A picture of an earlier failure would only confuse.
        let _ = std::fs::remove_file(actual);
    }
}

/// Places of a thumbnail's pixels on its sheet.
fn pixels(at: usize, wide: usize, high: usize) -> impl Iterator<Item = usize> {
    let (left, top) = (at % COLUMNS * wide, at / COLUMNS * high);
    (0..high).flat_map(move |y| (0..wide).map(move |x| (top + y) * wide * COLUMNS + left + x))
}

fn sheet(thumbs: &[Thumb], wide: usize, high: usize) -> Vec<u8> {
    let rows = thumbs.len().div_ceil(COLUMNS).max(1);
    let mut sheet = vec![0; rows * high * wide * COLUMNS];
    for (at, thumb) in thumbs.iter().enumerate() {
        for (pixel, grey) in pixels(at, wide, high).zip(&thumb.greys) {
            sheet[pixel] = *grey;
        }
    }
    sheet
}

/// Two greys a byte.
fn encode(greys: &[u8], width: usize) -> Vec<u8> {
    let mut packed = Vec::with_capacity(greys.len() / 2);
    for row in greys.chunks(width) {
        packed.extend(
            row.chunks(2)
                .map(|pair| pair[0] << 4 | pair.get(1).copied().unwrap_or(0)),
        );
    }
    let mut out = Vec::new();
    let height = greys.len() / width;
    let mut encoder = png::Encoder::new(
        &mut out,
        u32::try_from(width).expect("a sheet is small"),
        u32::try_from(height).expect("a sheet is small"),
    );
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Four);
    encoder.set_compression(png::Compression::High);
    encoder.set_filter(png::Filter::NoFilter);
    let mut writer = encoder.write_header().expect("memory takes it");
    writer.write_image_data(&packed).expect("memory takes it");
    writer.finish().expect("memory takes it");
    out
}

fn decode(path: &std::path::Path) -> Option<Vec<u8>> {
    let file = std::io::BufReader::new(std::fs::File::open(path).ok()?);
    let mut reader = png::Decoder::new(file).read_info().ok()?;
    let mut packed = vec![0; reader.output_buffer_size()?];
    let info = reader.next_frame(&mut packed).ok()?;
    let greys = packed
        .chunks(info.line_size)
        .flat_map(|row| {
            row.iter()
                .flat_map(|pair| [pair >> 4, pair & 15])
                .take(info.width as usize)
        })
        .collect();
    Some(greys)
}
